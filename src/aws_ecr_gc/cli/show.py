"""`aws-ecr-gc show`: a plan file, for people."""

import gc
import sys
from collections.abc import Sequence

from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit


def parser() -> Parser:
    """The file and the form."""
    made = Parser(
        "aws-ecr-gc show", "Show a plan file: what would be done to which images, and why. AWS is not called."
    )
    made.word("file", metavar="FILE", help="a file that aws-ecr-gc plan --out wrote")
    made.value(
        "output",
        choices=["text", "markdown", "json"],
        default="text",
        help="the form of the result (default: text); markdown is for a pull request comment",
    )
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Show it."""
    asked = parser().read(arguments)
    gc.disable()  # as in `collect`
    from pathlib import Path

    from aws_ecr_gc.app.console import Console
    from aws_ecr_gc.app.planshow import show
    from aws_ecr_gc.cli.interruption import Interruption

    return show(Path(asked.file), asked.output, console=Console(sys.stdout, sys.stderr, Interruption().came))
