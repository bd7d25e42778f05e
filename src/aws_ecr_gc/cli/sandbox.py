"""`aws-ecr-gc sandbox`: the registry stand-in on loopback."""

import argparse
from collections.abc import Sequence

from aws_ecr_gc.sandbox.commands import add_arguments
from aws_ecr_gc.sandbox.commands import run as serve


def run(arguments: Sequence[str]) -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(
        prog="aws-ecr-gc sandbox", description="ECR's API over HTTP on loopback: for tests, demos and rehearsals."
    )
    add_arguments(parser)
    return serve(parser.parse_args(arguments))
