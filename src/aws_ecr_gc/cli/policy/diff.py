"""`aws-ecr-gc policy diff`: which images change sides from one policy to another."""

import sys
import time
from collections.abc import Sequence

from aws_ecr_gc.cli import flags, options
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit


def parser() -> Parser:
    """The files and the flags."""
    made = Parser("aws-ecr-gc policy diff", "Show which images change sides from one policy to another, and why.")
    made.word("old", metavar="OLD", help="the policy file as it was")
    made.word("new", metavar="NEW", help="the policy file as it is to be")
    made.switch("exit-code", "exit 6 where any image changes sides, or comes under management")
    flags.declare_repositories(made)
    flags.declare_output(made)
    flags.declare_reading(made)
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Compare."""
    asked = parser().read(arguments)
    asked.f = asked.new
    request = options.request_from(asked)
    from pathlib import Path

    from aws_ecr_gc.app.console import Console
    from aws_ecr_gc.app.diff import diff
    from aws_ecr_gc.cli.interruption import Interruption

    console = Console(sys.stdout, sys.stderr, Interruption().came)
    return diff(request, Path(asked.old), Path(asked.new), exit_code=asked.exit_code, now=time.time(), console=console)
