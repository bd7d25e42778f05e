"""ECR's own lifecycle policies: what they say, what is wrong with them, what they do, and what of ours they can say."""
