"""`aws-ecr-gc run`: plan under a policy file, and carry the plans out."""

import gc
import sys
import time
from collections.abc import Sequence

from aws_ecr_gc.cli import flags, options, said
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.cli.question import ask, demand_answer
from aws_ecr_gc.errors import Exit, Misuse


def parser() -> Parser:
    """The flags."""
    made = Parser(
        "aws-ecr-gc run",
        "Delete, archive or untag what a policy file does not keep. "
        "On a terminal all plans are shown, and one question is asked.",
    )
    flags.declare_policy_file(made)
    flags.declare_repositories(made)
    made.switch("yes", "do not ask; without a terminal nothing is done unless this is given")
    flags.declare_unread(made)
    flags.declare_journal(made)
    flags.declare_backup(made)
    flags.declare_strict(made)
    flags.declare_shard(made)
    flags.declare_pace(made)
    flags.declare_watching(made)
    flags.declare_output(made)
    flags.declare_connection(made, fleet=True)
    flags.declare_directories(made)
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Plan and delete."""
    _refuse_what_only_plans(arguments)
    asked = parser().read(arguments)
    said.form = asked.log_format
    asked.snapshot = asked.at = None
    request = options.request_from(asked)
    if not asked.yes:
        demand_answer(output=asked.output, look="aws-ecr-gc plan")
    gc.disable()  # as in `collect`
    from aws_ecr_gc.app import run as application
    from aws_ecr_gc.app.console import Console
    from aws_ecr_gc.cli.interruption import Interruption

    console = Console(sys.stdout, sys.stderr, Interruption(asked.log_format).came, asked.log_format)
    return application.run(
        request, now=time.time(), console=console, question=None if asked.yes else ask, strict=asked.strict
    )


def _refuse_what_only_plans(arguments: Sequence[str]) -> None:
    for word in arguments:
        name = word.lstrip("-").partition("=")[0]
        if word.startswith("-") and name == "dry-run":
            raise Misuse("--dry-run: that is aws-ecr-gc plan, with the same flags")
        if word.startswith("-") and name in {"snapshot", "at", "forecast", "in-use"}:
            raise Misuse(f"--{name}: what is planned so can't be carried out; it is for aws-ecr-gc plan")
