"""`aws-ecr-gc apply`: carry out a plan file."""

import argparse
import gc
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from aws_ecr_gc.cli import flags, options, values
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.cli.question import ask, demand_answer
from aws_ecr_gc.errors import Exit, Incomplete, Misuse

if TYPE_CHECKING:
    from aws_ecr_gc.app.console import Console


def parser() -> Parser:
    """The flags."""
    made = Parser(
        "aws-ecr-gc apply",
        "Carry out a plan that aws-ecr-gc plan --out wrote, after review. What changed since is left as it is.",
    )
    made.word("plan", metavar="PLAN", nargs="?", help="the plan file")
    made.value(
        "resume", guarded=True, metavar="JOURNAL", help="finish what this journal says was begun, without a plan"
    )
    made.value("f", guarded=True, metavar="FILE", help="refuse the plan unless it was made by this policy file")
    made.value(
        "max-age",
        metavar="DURATION",
        type=values.duration,
        default=86400.0,
        help="refuse a plan that is older, such as 2h (default: 24h)",
    )
    made.switch("yes", "do not ask; without a terminal nothing is done unless this is given")
    flags.declare_unread(made)
    flags.declare_uses_file(made)
    flags.declare_journal(made)
    flags.declare_backup(made)
    flags.declare_strict(made)
    flags.declare_pace(made)
    flags.declare_output(made)
    flags.declare_connection(made)
    flags.declare_entry(made)
    flags.declare_directories(made)
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Carry out a plan."""
    asked = parser().read(arguments)
    if asked.plan and asked.resume:
        raise Misuse("a plan file and --resume: give one of them, not both")
    if not asked.plan and not asked.resume:
        raise Incomplete("give a plan file, or --resume with a journal")
    if asked.resume and (asked.f or asked.journal or asked.no_restore or asked.output != "text"):
        raise Misuse("--resume: the journal says it all; leave out -f, --journal, --no-restore and --output")
    if asked.resume and options.entry_from(asked) is not None:
        raise Misuse("--resume and --role: a journal is gone on with as the account itself; leave --role out")
    if not asked.yes:
        demand_answer(output=asked.output, look=None if asked.resume else "aws-ecr-gc show PLAN")
    gc.disable()  # as in `collect`
    from pathlib import Path

    from aws_ecr_gc.app.apply import Order, apply_file
    from aws_ecr_gc.app.console import Console
    from aws_ecr_gc.cli.interruption import Interruption
    from aws_ecr_gc.config import CONCURRENCY

    console = Console(sys.stdout, sys.stderr, Interruption().came)
    question = None if asked.yes else ask
    if asked.resume:
        return _resume(asked, console, question)
    order = Order(
        plan=Path(asked.plan),
        policy=Path(asked.f) if asked.f else None,
        connection=options.entering(asked),
        directories=options.directories_from(asked),
        max_age=asked.max_age,
        uses=Path(asked.in_use) if asked.in_use else None,
        allow_unread=tuple(asked.allow_unread),
        strict=asked.strict,
        journal=options.keeping_from(asked),
        backup=asked.backup,
        output=asked.output,
        concurrency=asked.concurrency or CONCURRENCY,
    )
    return apply_file(order, now=time.time(), console=console, question=question)


def _resume(asked: argparse.Namespace, console: "Console", question: Callable[[str], bool] | None) -> Exit:
    from pathlib import Path

    from aws_ecr_gc.app.resume import Continuation, resume
    from aws_ecr_gc.config import CONCURRENCY

    continuation = Continuation(
        journal=asked.resume,
        connection=options.connection_from(asked),
        directories=options.directories_from(asked),
        uses=Path(asked.in_use) if asked.in_use else None,
        allow_unread=tuple(asked.allow_unread),
        strict=asked.strict,
        backup=asked.backup,
        concurrency=asked.concurrency or CONCURRENCY,
    )
    return resume(continuation, now=time.time(), console=console, question=question)
