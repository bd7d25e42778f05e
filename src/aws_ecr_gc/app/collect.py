"""The original's main job on one repository: read, decide, report, delete, report."""

from collections.abc import Callable
from contextlib import closing
from typing import TextIO

from aws_ecr_gc import __version__
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.live import NOTHING_DONE, Live
from aws_ecr_gc.apply import Applied
from aws_ecr_gc.config import Config
from aws_ecr_gc.errors import Exit, OutputLost, worst
from aws_ecr_gc.plan import Plan, Result
from aws_ecr_gc.policy import Policy
from aws_ecr_gc.registries.ecr import open_repository
from aws_ecr_gc.report import document, text


def collect(config: Config, *, now: float, out: TextIO, err: TextIO, stop: Callable[[], bool]) -> Exit:
    """Run the collector on one repository.

    `now` is in epoch seconds; the result goes to `out`, all else to `err`; `stop` tells when to end after the call
    under way. Raises `errors.Error` where no plan can be made.
    """
    console = Console(out, err, stop)
    live = Live(config.directories, now, console)
    policy = config.flags.policy
    connection = config.connection
    opened = open_repository(
        config.repository,
        region=connection.region,
        registry_id=connection.registry_id,
        profile=connection.profile,
        endpoint_url=connection.endpoint_url,
    )
    with closing(opened) as port:
        planned = live.plan(port, policy)
        _report_plan(planned.plan, policy, config, console)
        idle = config.dry_run or policy.asks_for_nothing
        applied = NOTHING_DONE if idle else live.apply(planned, port)
    try:
        _report_outcome(planned.plan, applied, config, console)
    except OutputLost:
        console.say(text.deletions(planned.plan, applied.outcomes))
        raise
    return exit_of(applied, strict=config.strict)


def exit_of(applied: Applied, *, strict: bool) -> Exit:
    """The exit code of what was applied; skipped images count as failed only if `strict`."""
    results = {outcome.result for outcome in applied.outcomes.values()}
    exits = [Exit.INTERRUPTED] if applied.interrupted else []
    if Result.FAILED in results or (strict and Result.SKIPPED in results):
        exits.append(Exit.SOME_FAILED)
    return worst(exits)


def say_what_is_left(plan: Plan, applied: Applied, console: Console) -> None:
    """Why the work ended before its time, and how much was not attempted."""
    left = len(plan.steps) - len(applied.outcomes)
    if applied.stopped_by is not None:
        console.say(str(applied.stopped_by))
    if left:
        console.say(f"{left} images were not attempted; run again to finish")


def _report_plan(plan: Plan, policy: Policy, config: Config, console: Console) -> None:
    if policy.asks_for_nothing:
        console.say("nothing to do: neither --keep nor --delete-untagged is given")
    for line in text.remarks(plan):
        console.say(line)
    if plan.steps and len(plan.steps) == plan.active:
        console.say("warning: this is every image of the repository")
    if config.output == "text":
        console.print(text.planned(plan))


def _report_outcome(plan: Plan, applied: Applied, config: Config, console: Console) -> None:
    if config.output == "json":
        console.print([_document(plan, applied, config)])
    elif config.dry_run:
        console.print(text.dry_run_ends())
    else:
        console.print(text.applied(plan, applied.outcomes))
    if not config.dry_run:
        say_what_is_left(plan, applied, console)


def _document(plan: Plan, applied: Applied, config: Config) -> str:
    flags = config.flags
    return document.encode(
        document.document(
            plan,
            applied.outcomes,
            tool=f"aws-ecr-gc {__version__}",
            policy=document.PolicyPart(flags.keep, flags.delete_untagged, flags.grace),
            dry_run=config.dry_run,
            interrupted=applied.interrupted,
            stopped_by=None if applied.stopped_by is None else str(applied.stopped_by),
        )
    )
