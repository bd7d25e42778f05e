"""`aws-ecr-gc doctor`: what may be wrong with the surroundings of a run."""

import sys
from collections.abc import Sequence

from aws_ecr_gc.cli import flags, options
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit


def parser() -> Parser:
    """The flags."""
    made = Parser(
        "aws-ecr-gc doctor",
        "Look at credentials, pull times, replication of deletions and directories; exit 6 where something is found.",
    )
    flags.declare_policy_file(made)
    flags.declare_output(made)
    flags.declare_connection(made)
    flags.declare_directories(made)
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Look at everything, and change nothing."""
    asked = parser().read(arguments)
    from pathlib import Path

    from aws_ecr_gc.app.console import Console
    from aws_ecr_gc.app.doctor import Asked, examine
    from aws_ecr_gc.cli.interruption import Interruption

    wanted = Asked(
        policy=Path(asked.f) if asked.f else None,
        connection=options.connection_from(asked),
        directories=options.directories_from(asked),
        output=asked.output,
    )
    return examine(wanted, Console(sys.stdout, sys.stderr, Interruption().came))
