"""`apply --resume`: finish what a journal says was begun."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct

from aws_ecr_gc import journal
from aws_ecr_gc.app.apply import Question, Vetoes, connection_to, vetoes
from aws_ecr_gc.app.backup import Backups, demand_backup
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.hands import Hands, Job
from aws_ecr_gc.app.journals import s3_of
from aws_ecr_gc.app.live import Live, Planned
from aws_ecr_gc.app.sources import LiveSource, open_live
from aws_ecr_gc.apply import Applied, Earlier, Manifest, Terms
from aws_ecr_gc.config import CONCURRENCY, Connection, Directories
from aws_ecr_gc.discovery.settings import Settings
from aws_ecr_gc.errors import Exit, Interrupted
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
    concurrency: int = CONCURRENCY


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
    # Where a guard has spoken already, it would keep the others from ever being finished.
    live = Live(asked.directories, now, console, guards_end_all=False)
    with opened, open_live(connection, live, asked.concurrency) as source:
        backups = Backups(asked.backup, connection, live, console)
        mend = "go on with the journal again to finish"
        hands = Hands(console, asked.concurrency, strict=asked.strict, mend=mend, goes_on=True)
        going = _Going(opened, source, veto, backups, console)
        hands.through([going.job(each) for each in recorded.repositories.values() if each.remaining()])
        opened.end(hands.exit, interrupted=hands.interrupted)
    return hands.exit


def _agreed(recorded: Recorded, waiting: list[InRepository], console: Console, question: Question) -> bool:
    if console.stop():
        raise Interrupted("interrupted; nothing was changed")
    where = text.repositories(len(waiting)) if len(waiting) > 1 else waiting[0].repository.name
    if question(f"Go on with {text.images(recorded.remaining)} that were to be changed in {where}?"):
        return True
    console.say("nothing was changed")
    return False


class _Going:
    """One journal that is gone on with."""

    def __init__(self, opened: Journal, source: LiveSource, veto: Vetoes, backups: Backups, console: Console) -> None:
        self._opened = opened
        self._source = source
        self._veto = veto
        self._backups = backups
        self._console = console

    def job(self, each: InRepository) -> Job:
        """What is left to do in a repository."""
        plan = _plan(each)

        def tell(applied: Applied) -> None:
            self._console.print(plans.outcome_lines(plan, applied.outcomes))

        return Job(plan, partial(self._one, each, plan), tell)

    def _one(self, each: InRepository, plan: Plan, console: Console, is_next: Callable[[], bool]) -> Applied:
        manifests = {
            digest: Manifest(seen.manifest, seen.media_type)
            for digest, seen in each.images.items()
            if seen.manifest is not None
        }
        attempted = {digest: frozenset(tags) for digest, tags in each.attempted.items()}
        earlier = Earlier(each.settled(), attempted, manifests, each.may_be_lost)
        planned = each.planned
        # The canary went first, unless the work ended before anything was known of it.
        terms = Terms(planned.pulled_since, None if each.outcomes else planned.canary, planned.max_failures)
        port = self._source.registry.repository(each.repository.name)
        recorder = self._opened.of(each.repository.name)
        live = self._source.live.telling(console)
        live.kept_from(each.repository, terms, is_next)  # only to wait: no guard of another one ends this
        veto = self._veto(each.inventory)

        def carry_out(terms: Terms, earlier: Earlier) -> Applied:
            return live.apply(Planned(plan, ()), port, veto, terms=terms, earlier=earlier, recorder=recorder)

        backups = self._backups.telling(live, console)
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
