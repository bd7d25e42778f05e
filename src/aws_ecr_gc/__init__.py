"""A garbage collector for Amazon ECR that keeps multi-arch images and signatures whole."""

__version__ = "0.1.0"
