"""`aws-ecr-gc plan`: what a policy would do."""

import gc
import sys
import time
from collections.abc import Sequence

from aws_ecr_gc.cli import flags, options, said, values
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit, Misuse

_NAME = "aws-ecr-gc plan"
_LAST = 253402300799  # 9999-12-31T23:59:59Z, in epoch seconds: no later time has a name


def parser() -> Parser:
    """The flags."""
    made = Parser(_NAME, "Show what a policy would delete, archive or untag, and why. Nothing is changed.")
    flags.declare_policy_file(made)
    flags.declare_original(made)
    flags.declare_unread(made)
    flags.declare_uses_file(made)
    flags.declare_repositories(made)
    made.value(
        "forecast",
        metavar="DURATION",
        type=values.duration,
        help="show instead how the repositories grow under the policy, such as 90d",
    )
    made.value(
        "out",
        guarded=True,
        metavar="FILE",
        help="write the plans to this file too, to review and apply; of several places, to a directory of this name",
    )
    made.switch("defer-in-use", "with --out: leave it to apply to ask what is in use, and to spare that")
    flags.declare_shard(made)
    flags.declare_pace(made)
    flags.declare_watching(made)
    flags.declare_output(made)
    flags.declare_reading(made, fleet=True)
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Plan, or forecast."""
    asked = parser().read(arguments)
    said.form = asked.log_format
    if asked.forecast is not None and not 86400 <= asked.forecast <= 3660 * 86400:
        raise Misuse("--forecast: give 1d to 3660d")
    if asked.forecast is not None and asked.at is not None and asked.at + asked.forecast > _LAST:
        raise Misuse("--at and --forecast: together they end after the year 9999")
    if asked.out is not None and (asked.forecast is not None or asked.at is not None):
        other = "--at" if asked.forecast is None else "--forecast"
        raise Misuse(f"--out and {other}: what is decided as at another time can't be applied; leave one of them out")
    if asked.defer_in_use and (asked.out is None or asked.in_use):
        raise Misuse("--defer-in-use: that goes with --out and without --in-use, which is for apply then")
    request = options.request_from(asked)
    gc.disable()  # as in `collect`
    from pathlib import Path

    from aws_ecr_gc.app.console import Console
    from aws_ecr_gc.app.plan import forecast_all, plan
    from aws_ecr_gc.cli.interruption import Interruption

    console = Console(sys.stdout, sys.stderr, Interruption(asked.log_format).came, asked.log_format)
    if asked.forecast is not None:
        return forecast_all(request, asked.forecast, now=time.time(), console=console)
    out = None if asked.out is None else Path(asked.out)
    return plan(request, now=time.time(), console=console, out=out)
