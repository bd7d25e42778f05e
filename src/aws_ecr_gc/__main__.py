"""`python -m aws_ecr_gc`."""

from aws_ecr_gc.cli.main import run

run()
