"""`apply --resume`: finish what a journal says was begun."""

from pathlib import Path

import msgspec
from msgspec import Struct

from aws_ecr_gc import journal
from aws_ecr_gc.app.apply import Question, connection_to, vetoes
from aws_ecr_gc.app.backup import Backups, demand_backup
from aws_ecr_gc.app.collect import exit_of, say_what_is_left
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.journals import s3_of
from aws_ecr_gc.app.live import Live, Planned
from aws_ecr_gc.app.sources import LiveSource, open_live
from aws_ecr_gc.apply import Applied, Earlier, Manifest, Terms, Veto
from aws_ecr_gc.config import Connection, Directories
from aws_ecr_gc.discovery.settings import Settings
from aws_ecr_gc.errors import Exit, Interrupted, worst
from aws_ecr_gc.inventory import Status
from aws_ecr_gc.journal import InRepository, Journal, Recorded
from aws_ecr_gc.plan import Action, Plan
from aws_ecr_gc.planfile import StoredDecisions
from aws_ecr_gc.report import plans, text


class Continuation(Struct, frozen=True):
    """Which journal is to be gone on with; `uses` is a file that says what is in use.

    What is left is copied to `backup` first, if that is given: the journal does not say whether it was.
    """

    journal: str
    connection: Connection = Connection()
    directories: Directories = Directories()
    uses: Path | None = None
    allow_unread: tuple[str, ...] = ()
    strict: bool = False
    backup: str | None = None


def resume(asked: Continuation, *, now: float, console: Console, question: Question | None) -> Exit:
    """Finish the work; with a question, only if it is answered.

    Raises Misuse for what is no journal, or one that another process writes, and Elsewhere.
    """
    demand_backup(asked.backup)
    place, name = journal.journal_at(asked.journal, s3_of(asked.connection))
    recorded = journal.read(place, name)
    waiting = [each for each in recorded.repositories.values() if each.remaining()]
    if not waiting:
        console.say(f"journal {recorded.name}: nothing is left to do")
        return Exit.DONE
    connection = connection_to(recorded.begin.registry, f"journal {recorded.name}", asked.connection)
    if question is not None and not _agreed(recorded, waiting, console, question):
        return Exit.DONE
    begin = recorded.begin
    settings = None if begin.in_use is None else msgspec.convert(begin.in_use, Settings)
    allow_unread = tuple(dict.fromkeys((*begin.allow_unread, *asked.allow_unread)))
    inventories = [each.inventory for each in waiting]
    veto = vetoes(settings, asked.uses, allow_unread, inventories, connection, now=now, console=console)
    opened, recorded = journal.resume(place, name)
    with opened, open_live(connection, Live(asked.directories, now, console)) as source:
        backups = Backups(asked.backup, connection, source.live, console)
        exits = []
        interrupted = False
        for each in recorded.repositories.values():
            if not interrupted and each.remaining():
                applied = _go_on(each, opened, source, veto(each.inventory), backups)
                _report(each, applied, console)
                interrupted = applied.interrupted
                exits.append(exit_of(applied, strict=asked.strict))
        code = worst(exits)
        opened.end(code, interrupted=interrupted)
    return code


def _agreed(recorded: Recorded, waiting: list[InRepository], console: Console, question: Question) -> bool:
    if console.stop():
        raise Interrupted("interrupted; nothing was changed")
    where = text.repositories(len(waiting)) if len(waiting) > 1 else waiting[0].repository.name
    if question(f"Go on with {text.images(recorded.remaining)} that were to be changed in {where}?"):
        return True
    console.say("nothing was changed")
    return False


def _go_on(each: InRepository, opened: Journal, source: LiveSource, veto: Veto | None, backups: Backups) -> Applied:
    manifests = {
        digest: Manifest(seen.manifest, seen.media_type)
        for digest, seen in each.images.items()
        if seen.manifest is not None
    }
    earlier = Earlier(each.settled(), {digest: frozenset(tags) for digest, tags in each.attempted.items()}, manifests)
    planned = each.planned
    # The canary went first, unless the work ended before anything was known of it.
    terms = Terms(planned.pulled_since, None if each.outcomes else planned.canary, planned.max_failures)
    port = source.registry.repository(each.repository.name)
    recorder = opened.of(each.repository.name)
    plan = _plan(each)

    def carry_out(terms: Terms, earlier: Earlier) -> Applied:
        return source.live.apply(Planned(plan, ()), port, veto, terms=terms, earlier=earlier, recorder=recorder)

    return backups.before(carry_out, plan, each.inventory.images, port, terms=terms, earlier=earlier)


def _plan(each: InRepository) -> Plan:
    """The plan as far as it is on record: its steps."""
    steps = each.planned.steps
    return Plan(
        repository=each.repository,
        taken_at=each.planned.taken_at,
        active=len(steps),
        size=sum(step.size for step in steps),
        decisions=StoredDecisions(()),
        steps=steps,
        action=next((step.action for step in steps if step.status is Status.ACTIVE), Action.DELETE),
    )


def _report(each: InRepository, applied: Applied, console: Console) -> None:
    plan = _plan(each)
    console.print(plans.outcome_lines(plan, applied.outcomes))
    say_what_is_left(plan, applied, console)
