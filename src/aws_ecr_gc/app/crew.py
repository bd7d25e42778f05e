"""Who does the work on repositories, several at a time: reading, planning, carrying out."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from threading import Event, Lock

from msgspec import UNSET
from msgspec.structs import replace

from aws_ecr_gc.app.backup import Backups
from aws_ecr_gc.app.cautions import drastic
from aws_ecr_gc.app.collect import exit_of, say_what_is_left
from aws_ecr_gc.app.console import Aside, Console
from aws_ecr_gc.app.headway import Headway
from aws_ecr_gc.app.live import Planned
from aws_ecr_gc.app.material import gather
from aws_ecr_gc.app.passage import Ended, Mark, Passage
from aws_ecr_gc.app.pipeline import LOOK, in_order
from aws_ecr_gc.app.protection import Protected, Protection
from aws_ecr_gc.app.site import FleetSite, Site
from aws_ecr_gc.app.sources import LiveSource
from aws_ecr_gc.apply import Applied, Earlier, Terms
from aws_ecr_gc.config import OriginalFlags, Request
from aws_ecr_gc.errors import (
    AwsFailure,
    Credentials,
    Error,
    Exit,
    Interrupted,
    JournalLost,
    NoJournal,
    WorkloadsUnread,
)
from aws_ecr_gc.plan import Result
from aws_ecr_gc.planfile import StoredDecisions
from aws_ecr_gc.policy.guards import refusals
from aws_ecr_gc.report import plans, uses, work
from aws_ecr_gc.report.spool import Spool

BATCH = 250_000
"""Images whose plans wait together for one reading of what is in use: their repositories are held in memory."""

_EMPTY = 20
"""What a repository without images, or a place without repositories, counts as."""


class Crew:
    """Takes repositories through their stages, in order as seen from outside, as many at once as the request allows.

    With `carries_out` their plans are carried out too; where a plan waits for others before that (for what is in use,
    or for an answer), it is held.
    """

    def __init__(
        self,
        request: Request,
        protection: Protection,
        console: Console,
        *,
        carries_out: bool,
        strict: bool = False,
        holds: bool = False,
    ) -> None:
        """With `holds`, what comes through keeps its plan."""
        self._request = request
        self._holds = holds
        self._protection = protection
        self._console = console
        self._carries_out = carries_out
        self._strict = strict
        self._workers = 1 if request.snapshot is not None else request.concurrency
        self.headway = Headway(console)
        self._turn = 0
        self._begun = 0
        self._latest: dict[Site, Passage] = {}
        self._spool = Spool()
        self._desk = Lock()
        """Where one plan at a time is made and written up: threads win no time there, and each would need memory."""
        self._shown = Event()
        if request.output == "json" or holds:
            self._shown.set()
        self._given_up = False
        self._no_more = False
        self._unheard = False

    def close(self) -> None:
        """Let go of what is kept."""
        self._spool.close()

    def give_up(self, *, unheard: bool = False) -> None:
        """Begin nothing more: something fails for all. Where nobody hears of it any more, deletions end too."""
        self._given_up = self._no_more = True
        self._unheard = self._unheard or unheard

    def passages(self, site: Site) -> Iterator[Passage]:
        """Every repository of a site, not worked on yet. Raises what `Sweep.names` raises."""
        names = site.sweep.names()
        self.headway.expect(repositories=len(names))
        for name in names:
            yield self._passage(site, name)

    def over(self, sites: Iterable[FleetSite]) -> Iterator[Passage]:
        """Those of several sites, each between its marks. Sites that can't be read have none.

        As many sites as there are workers take turns, a repository each: AWS's limits are those of a site, and what one
        has to wait for need keep no other waiting.
        """
        coming = iter(sites)
        going: deque[Iterator[Passage]] = deque()
        while True:
            if len(going) < self._workers and (site := next(coming, None)) is not None:
                yield self._passage(site, "", Mark.BEGIN)
                within = self._within(site)
                if site.names:
                    going.append(within)
                else:  # told at once: so whose turn it is has a heading to show
                    yield from within
            elif going:
                within = going.popleft()
                each = next(within)
                yield each
                if each.mark is None:
                    going.append(within)
            else:
                return

    def _within(self, site: FleetSite) -> Iterator[Passage]:
        for name in site.names:
            yield self._passage(site, name)
        yield self._passage(site, "", Mark.END)

    def _passage(self, site: Site, name: str, mark: Mark | None = None) -> Passage:
        aside = Aside(site.console, self.stops_reading, self._spool)
        made = Passage(self._begun, site, name, aside, spool=self._spool, mark=mark)
        self._begun += 1
        made.after(self._latest.get(site))
        self._latest[site] = made
        if mark is Mark.END:
            del self._latest[site]
        return made

    def told(self, each: Passage) -> None:
        """It is the turn of the next one, which may tell what it has at once."""
        each.after(None)
        self._turn = each.number + 1
        self.headway.add(each)

    def stops_reading(self) -> bool:
        """Whether nothing more is to be read."""
        return self._given_up or self._console.stop()

    def _stop_deleting(self) -> bool:
        return self._unheard or self._console.stop()

    def through(self, passages: Iterable[Passage]) -> Iterator[Passage]:
        """Each as it has ended, in order. Raises WorkloadsUnread, and Outdated."""
        if not self._protection.by_batch:
            yield from in_order(passages, self._surely(self._whole), self._workers)
            return
        for batch in self._batches(in_order(passages, self._surely(self._read), self._workers)):
            waiting = [each for each in batch if each.material is not None]
            materials = [each.material for each in waiting if each.material is not None]
            for each, made in zip(waiting, self._protection.plans(materials), strict=True):
                each.keep(made)
            del waiting, materials
            yield from in_order(_each_once(batch), self._surely(self._second_half), self._workers)

    def carried_out(self, passages: Iterable[Passage]) -> Iterator[Passage]:
        """The same of those that have a plan already."""
        return in_order(passages, self._surely(self._last), self._workers)

    def _surely(self, work: Callable[[Passage], Passage]) -> Callable[[Passage], Passage]:
        """The same; where it breaks as nobody thought of, those that would wait for it are let go."""

        def surely(each: Passage) -> Passage:
            try:
                return work(each)
            except BaseException:  # a defect, or Ctrl-C: whatever it is, it goes on from here
                self.give_up(unheard=True)
                each.is_over = True
                raise

        return surely

    def _batches(self, passages: Iterable[Passage]) -> Iterator[list[Passage]]:
        batch: list[Passage] = []
        images = 0
        for each in passages:
            batch.append(each)
            if each.failure is not None:
                break
            if each.mark is Mark.END and isinstance(each.site, FleetSite):
                each.site.rest()
            images += _EMPTY + (0 if each.material is None else len(each.material.inventory.images))
            if images > BATCH:
                yield batch
                batch, images = [], 0
        if batch:
            yield batch

    def _whole(self, each: Passage) -> Passage:
        self._read(each)
        if each.material is not None:
            with each.site.cautions.few():
                with self._desk:
                    each.keep(*self._protection.plans([each.material]))
                    self._write_up(each)
                self._ask_and_write_up(each)
        return self._second_half(each)

    def _ask_and_write_up(self, each: Passage) -> None:
        if each.made is not None and not each.is_written_up:
            each.site.cautions.settle(each.made.plan)
            with self._desk:
                self._write_up(each)

    def _second_half(self, each: Passage) -> Passage:
        self._ask_and_write_up(each)
        if self._carries_out:
            self._last(each)
        self._let_go(each)
        return each

    def _let_go(self, each: Passage) -> None:
        if not self._holds:
            each.forget()

    def _read(self, each: Passage) -> Passage:
        """What goes wrong with one repository keeps no other from its plan."""
        if each.mark is not None or each.site.failure is not None:
            return each
        site, source = each.site, each.site.source.telling(each.aside)
        try:
            each.aside.reading(f"{each.name}: to be read")
            policy = site.policies.policy_for(each.name, lambda: source.resource_tags(each.name))
            if policy is None:
                if not site.sweep.listed:  # it will not be read either, and may be mistyped
                    source.names([each.name])
                each.left_alone = True
            else:
                each.material = gather(
                    policy, lambda needed: source.inventory(each.name, needed), source.leftovers, source.at
                )
        except Error as error:
            if site.sweep.concerns_one(error):
                each.unread = str(error)
            elif site.is_isolated and not isinstance(error, Interrupted):
                site.failure = error
            else:
                each.failure = error
                self.give_up()
        return each

    def _write_up(self, each: Passage) -> None:
        """What will be told of its plan, unless something has to be asked first; then what that took is let go of."""
        if each.made is None or not each.site.cautions.are_settled(each.made.plan):
            return
        made, plan, policy = each.made, each.made.plan, each.made.material.policy
        found = refusals(plan, policy.guards)
        each.refused = [plans.Guarded(one.guard, one.detail, one.way_round) for one in found]
        destinations = each.site.cautions.about(plan, policy, each.aside)
        notes = each.site.cautions.notes(plan, each.aside)
        if self._request.output == "json":
            each.part = plans.part(plan, policy.name, each.refused, made.broken, destinations)
            each.part.notes = notes or UNSET
        else:
            each.aside.print(plans.lines(plan, policy.name, each.refused, map(uses.broken_text, made.broken)))
            each.aside.print(plans.beside(destinations or (), notes))
        warning = drastic(plan) if isinstance(self._request.policy, OriginalFlags) else None
        if warning is not None:
            each.aside.say(f"warning: repository {plan.repository.name}: {warning}")
        each.is_written_up = True
        if not self._carries_out:
            self._let_go(each)
        elif each.part is None and not self._holds and not made.material.left_over:
            # To carry it out takes the steps alone; but see `Planned.still_waiting`.
            each.made = replace(made, plan=replace(plan, decisions=StoredDecisions(())))

    def _last(self, each: Passage) -> Passage:
        """Carry out a plan, if there is one."""
        try:
            return self._to_its_end(each)
        finally:
            each.is_over = True

    def _to_its_end(self, each: Passage) -> Passage:
        made = each.made
        if made is None or each.refused:
            return each
        try:
            self._wait_until_shown(each)
            applied = None if self._no_more else self._apply(each, made)
        except Error as error:
            if isinstance(error, JournalLost) and self._no_more:  # another one lost it, and says so
                return self._not_reached(each)
            if each.site.is_isolated and isinstance(error, (AwsFailure, Credentials)):  # it can't be entered any more
                each.site.failure = error
                return self._not_reached(each)
            each.failure = error
            self.give_up()
            return each
        if applied is None:
            return self._not_reached(each)
        self._tell_outcome(each, made, applied)
        each.forget()
        return each

    def _not_reached(self, each: Passage) -> Passage:
        each.aside.say(f"repository {each.name}: not reached; run again to finish")
        each.not_reached = True
        return each

    def _wait_until_shown(self, each: Passage) -> None:
        """Nothing is deleted before a plan was shown, or at least what stands above it: where standard output can't be
        written, nothing is. Raises OutputLost.
        """
        while True:
            if each.number == self._turn:
                each.aside.tell()
                self._shown.set()
            if self._shown.wait(LOOK) or self._no_more or self._console.stop():
                return

    def _apply(self, each: Passage, made: Protected) -> Applied:
        plan, terms = made.plan, made.material.terms
        each.aside.stop = self._stop_deleting
        source = each.site.source.telling(each.aside)
        if not isinstance(source, LiveSource):
            raise TypeError("what is read from a file is never carried out")
        if (kept := source.live.kept_from(plan.repository, terms, each.is_next)) is not None:
            return kept
        port = source.registry.repository(each.name)

        def carry_out(terms: Terms, earlier: Earlier) -> Applied:
            recorder = each.site.log.recorder(plan, made.material.inventory, terms, made.in_use, each.aside)
            return source.live.apply(
                Planned(plan, made.material.left_over),
                port,
                self._protection.veto(made),
                terms=terms,
                earlier=earlier,
                recorder=recorder,
            )

        backups = Backups(self._request.backup, self._request.connection, source.live, each.aside)
        try:
            applied = backups.before(carry_out, plan, made.material.inventory.images, port, terms=terms)
        finally:
            each.site.log.done_with(each.name)
        if applied.interrupted or isinstance(applied.stopped_by, (WorkloadsUnread, JournalLost)):
            self._no_more = True
        return applied

    def _tell_outcome(self, each: Passage, made: Protected, applied: Applied) -> None:
        plan = made.plan
        if each.part is not None:
            stopped_by = None if applied.stopped_by is None else str(applied.stopped_by)
            plans.complete(each.part, plan, applied.outcomes, interrupted=applied.interrupted, stopped_by=stopped_by)
        elif plan.steps:
            each.aside.print(plans.outcome_lines(plan, applied.outcomes))
        say_what_is_left(plan, applied, each.aside)
        results = [outcome.result for outcome in applied.outcomes.values()]
        each.ended = Ended(
            deletions=each.site.told(f"{each.name}: {work.deeds(plan, applied.outcomes)}"),
            done=results.count(Result.DONE),
            skipped=results.count(Result.SKIPPED),
            failed=results.count(Result.FAILED),
            tried=bool(plan.steps),
            called=applied.called,
            interrupted=applied.interrupted,
            exit=exit_of(applied, strict=self._strict),
            alone=exit_of(applied, strict=self._strict, untouched=True),
        )


def _each_once(batch: list[Passage]) -> Iterator[Passage]:
    """Those of a batch, which holds none of them any more once it is given out."""
    batch.reverse()
    while batch:
        yield batch.pop()


def exit_for(error: Error) -> Exit:
    """What is wrong now was right before something was deleted: it is no misuse."""
    if isinstance(error, NoJournal):
        return Exit.UNEXPECTED
    return Exit.AWS if error.exit is Exit.MISUSE else error.exit
