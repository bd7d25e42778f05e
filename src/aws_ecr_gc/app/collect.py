"""The original's main job on one repository: read, decide, report, delete, report."""

from collections.abc import Callable
from contextlib import closing
from typing import TextIO

from aws_ecr_gc import __version__
from aws_ecr_gc.app.backup import Backups, demand_backup
from aws_ecr_gc.app.cautions import drastic
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.journals import About, Log
from aws_ecr_gc.app.live import NOTHING_DONE, Live, Planned
from aws_ecr_gc.app.protection import Protected, protection_of
from aws_ecr_gc.apply import Applied, Earlier, Terms
from aws_ecr_gc.config import Config
from aws_ecr_gc.errors import BackupLost, Credentials, Exit, JournalLost, OutputLost, worst
from aws_ecr_gc.plan import Plan, Result
from aws_ecr_gc.policy import Policy
from aws_ecr_gc.registries.ecr import open_repository
from aws_ecr_gc.report import document, text, uses, work


def collect(config: Config, *, now: float, out: TextIO, err: TextIO, stop: Callable[[], bool]) -> Exit:
    """Run the collector on one repository.

    `now` is in epoch seconds; the result goes to `out`, all else to `err`; `stop` tells when to end after the call
    under way. Raises `errors.Error` where no plan can be made.
    """
    console = Console(out, err, stop)
    demand_backup(config.backup)
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
    protection = protection_of(config.flags.in_use, config.connection, now, console, allow_unread=config.allow_unread)
    with closing(opened) as port:
        (made,) = protection.plans([live.gather(port, policy)])
        _report_plan(made, policy, config, console)
        backups = Backups(config.backup, connection, live, console)
        log = _log_of(config, console)
        plan, material = made.plan, made.material

        def carry_out(terms: Terms, earlier: Earlier) -> Applied:
            recorder = log.recorder(plan, material.inventory, material.terms, made.in_use)
            planned = Planned(plan, material.left_over)
            return live.apply(planned, port, protection.veto(made), terms=terms, earlier=earlier, recorder=recorder)

        applied = NOTHING_DONE
        if not (config.dry_run or policy.asks_for_nothing):
            applied = backups.before(carry_out, plan, material.inventory.images, port, terms=Terms())
    code = exit_of(applied, strict=config.strict, untouched=True)
    log.end(code, interrupted=applied.interrupted)
    try:
        _report_outcome(made, applied, config, console)
    except OutputLost:
        console.say(work.deeds(made.plan, applied.outcomes))
        raise
    return code


def _log_of(config: Config, console: Console) -> Log:
    """The original kept no journal, and deleted all the same: so does this where none can be written."""
    about = About(None, config.flags.in_use, config.allow_unread)
    return Log(config.journal, about, config.connection, config.directories, console, lenient=True)


def exit_of(applied: Applied, *, strict: bool, untouched: bool = False) -> Exit:
    """The exit code of what was applied; skipped images count as failed only if `strict`.

    A journal or backup that can't be written is what was set wrong as long as no deletion was called for: here, and
    before, where all was `untouched`.
    """
    results = {outcome.result for outcome in applied.outcomes.values()}
    exits = [Exit.INTERRUPTED] if applied.interrupted else []
    if isinstance(applied.stopped_by, (JournalLost, BackupLost)) and untouched and not applied.called:
        exits.append(Exit.MISUSE)
    elif applied.stopped_by is not None:
        # What is wrong now was right before: it is no misuse.
        exits.append(Exit.AWS if applied.stopped_by.exit is Exit.MISUSE else applied.stopped_by.exit)
    if Result.FAILED in results or (strict and Result.SKIPPED in results):
        exits.append(Exit.SOME_FAILED)
    return worst(exits)


def say_what_is_left(plan: Plan, applied: Applied, console: Console) -> None:
    """Why the work ended before its time, and how much was not attempted; to run again helps where it was no guard."""
    left = len(plan.steps) - len(applied.outcomes)
    if applied.stopped_by is not None:
        for line in applied.stopped_by.lines:
            console.say(line)
    if left:
        passes = isinstance(applied.stopped_by, Credentials) or getattr(applied.stopped_by, "exit", None) is Exit.AWS
        again = applied.interrupted or passes
        were = "was" if left == 1 else "were"
        console.say(f"{text.images(left)} {were} not attempted{'; run again to finish' if again else ''}")


def _report_plan(made: Protected, policy: Policy, config: Config, console: Console) -> None:
    plan = made.plan
    if made.in_use is not None:
        console.say(next(iter(uses.reading(made.in_use))))
        for line in uses.kept(plan):
            console.say(f"in use: {line}")
        for line in uses.broken(made.broken):
            console.say(line)
    if policy.asks_for_nothing:
        console.say("nothing to do: neither --keep nor --delete-untagged is given")
    for line in text.remarks(plan):
        console.say(line)
    if (warning := drastic(plan)) is not None:
        console.say(f"warning: {warning}")
    if config.output == "text":
        console.print(text.planned(plan))


def _report_outcome(made: Protected, applied: Applied, config: Config, console: Console) -> None:
    plan = made.plan
    if config.output == "json":
        console.print([_document(made, applied, config)])
    elif config.dry_run:
        console.print(text.dry_run_ends())
    else:
        console.print(text.applied(plan, applied.outcomes))
    if not config.dry_run:
        say_what_is_left(plan, applied, console)


def _document(made: Protected, applied: Applied, config: Config) -> str:
    flags = config.flags
    return document.encode(
        document.document(
            made.plan,
            applied.outcomes,
            tool=f"aws-ecr-gc {__version__}",
            policy=document.PolicyPart(flags.keep, flags.delete_untagged, flags.grace),
            dry_run=config.dry_run,
            interrupted=applied.interrupted,
            stopped_by=None if applied.stopped_by is None else str(applied.stopped_by),
            in_use=made.in_use,
            broken=made.broken,
        )
    )
