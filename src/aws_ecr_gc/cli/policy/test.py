"""`aws-ecr-gc policy test`: hold policy files against written cases."""

import sys
from collections.abc import Sequence

from aws_ecr_gc.cli import flags
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit


def parser() -> Parser:
    """The files and the flags."""
    made = Parser(
        "aws-ecr-gc policy test",
        "Hold a policy file against written cases: images, a time, which of them must stay or go. AWS is not asked.",
        "Exit 6 says that a case failed.",
    )
    made.word("file", metavar="FILE", nargs="+", help="a file with cases: YAML, or by its suffix .json or .toml")
    flags.declare_output(made, "junit")
    made.value(
        "out", guarded=True, metavar="FILE", help="write the result to this file, and a summary to standard output"
    )
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Judge the cases."""
    asked = parser().read(arguments)
    from pathlib import Path

    from aws_ecr_gc.app.console import Console
    from aws_ecr_gc.app.policytest import run_cases

    console = Console(sys.stdout, sys.stderr, stop=lambda: False)
    out = Path(asked.out) if asked.out else None
    return run_cases([Path(file) for file in asked.file], output=asked.output, out=out, console=console)
