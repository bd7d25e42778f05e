"""The door to AWS: botocore, and the permissions that its calls need."""
