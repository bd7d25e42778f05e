"""A garbage collector for Amazon ECR that never breaks what runs."""

__version__ = "0.1.0"
