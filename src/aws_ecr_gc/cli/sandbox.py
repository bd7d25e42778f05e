"""`aws-ecr-gc sandbox`: the registry stand-in on loopback."""

import argparse
from collections.abc import Sequence

from aws_ecr_gc.sandbox import commands


def run(arguments: Sequence[str]) -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(
        prog="aws-ecr-gc sandbox", description="ECR's API over HTTP on loopback: for tests, demos and rehearsals."
    )
    commands.add_arguments(parser)
    return commands.run(parser.parse_args(arguments))
