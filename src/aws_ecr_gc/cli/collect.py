"""The original's command line: the main job on one repository."""

import gc
import sys
import time
from collections.abc import Sequence

from aws_ecr_gc import __version__
from aws_ecr_gc.cli import flags, options
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import MEANINGS, Exit


def parser(commands: str) -> Parser:
    """The flags, and below them the other commands and the exit codes."""
    exits = "\n".join(f"  {code:>3}  {meaning}" for code, meaning in MEANINGS.items())
    made = Parser(
        "aws-ecr-gc",
        "Delete all but the newest images of an Amazon ECR repository, and never what a retained image needs.",
        f"other commands:\n{commands}\n\nexit codes:\n{exits}\n\nFlags are read as by Go: one dash or two.",
    )
    flags.declare(made)
    made.action("version", action="version", version=f"aws-ecr-gc {__version__}", help="show the version")
    return made


def run(arguments: Sequence[str], commands: str) -> Exit:
    """Read the command line and collect."""
    config = options.config_from(parser(commands).read(arguments))
    # A run makes many objects and hardly a cycle, none of them by its calls, and ends with its process.
    gc.disable()
    # Start-up: botocore and msgspec are loaded only where a repository is really read.
    from aws_ecr_gc.app.collect import collect
    from aws_ecr_gc.cli.interruption import Interruption

    return collect(config, now=time.time(), out=sys.stdout, err=sys.stderr, stop=Interruption().came)
