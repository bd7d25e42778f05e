"""`aws-ecr-gc snapshot`: save inventories to a file."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from aws_ecr_gc.cli import flags, options
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit, Incomplete


def parser() -> Parser:
    """The flags."""
    made = Parser(
        "aws-ecr-gc snapshot", "Save what repositories hold to one file, to plan and explain from without AWS."
    )
    made.value("out", guarded=True, metavar="FILE", help="the file to write (required)")
    flags.declare_repositories(made)
    flags.declare_connection(made)
    flags.declare_directories(made)
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Write a snapshot."""
    asked = parser().read(arguments)
    if not asked.out:
        raise Incomplete("no file: give --out")
    from aws_ecr_gc.app.console import Console
    from aws_ecr_gc.app.snapshot import save
    from aws_ecr_gc.cli.interruption import Interruption

    console = Console(sys.stdout, sys.stderr, Interruption().came)
    return save(
        Path(asked.out),
        tuple(asked.repo),
        options.connection_from(asked),
        options.directories_from(asked),
        now=time.time(),
        console=console,
    )
