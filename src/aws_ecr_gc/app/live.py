"""Reading, planning and deleting in a registry as it is now."""

import time
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from aws_ecr_gc import pending, refusals
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.halts import Halts
from aws_ecr_gc.app.material import Material, gather
from aws_ecr_gc.app.trials import Trials
from aws_ecr_gc.apply import TAKES_WHOLE, Applied, Earlier, Terms, Veto, apply
from aws_ecr_gc.config import Directories
from aws_ecr_gc.errors import GuardStopped, one_line
from aws_ecr_gc.inventory import Inventory, Status
from aws_ecr_gc.plan import Action, Leftover, Plan, Result, Step
from aws_ecr_gc.policy import Policy
from aws_ecr_gc.ports import Recorder, RepositoryPort
from aws_ecr_gc.reference import Registry, Repository
from aws_ecr_gc.registries.manifests import ManifestDirectory
from aws_ecr_gc.registries.reading import read_whole
from aws_ecr_gc.report import text

_PLAIN = Terms()
_FIRST_TRY = Earlier()
NOTHING_DONE = Applied({}, None, interrupted=False)


class Live:
    """What is shared by all repositories of a run: the time, the files kept between runs, the streams."""

    def __init__(self, directories: Directories, now: float, console: Console, *, guards_end_all: bool = True) -> None:
        """With `guards_end_all`, a guard that stops the work on one repository ends it in its whole registry."""
        self.now = now
        self._started = time.monotonic()
        self._cache_at = directories.cache
        self._cache = ManifestDirectory(self._cache_at)
        self._state = directories.state
        self._console = console
        self._warned: set[Path] = set()
        self._halts = Halts(ends_all=guards_end_all)
        self._trials = Trials()

    def telling(self, console: Console) -> "Live":
        """The same with other streams."""
        other = copy(self)
        vars(other)["_console"] = console
        return other

    def stop(self) -> bool:
        """Whether the work is to end after the call under way."""
        return self._console.stop()

    def time(self) -> float:
        """The time now, in epoch seconds."""
        return self.now + time.monotonic() - self._started

    def inventory(self, port: RepositoryPort, needed: Callable[[Inventory], Sequence[str]]) -> Inventory:
        """The repository, with the children of the indexes that are needed."""
        name = port.repository.name
        inventory = read_whole(
            port,
            self.now,
            needed,
            self._cache,
            progress=lambda so_far: self._console.reading(f"{name}: {so_far}"),
            say=self._console.say,
            announce=lambda count: self._announce(
                name, text.manifests(count), "to know which images these indexes list"
            ),
        )
        self._console.clear()
        if self._cache.trouble is not None:
            self._warn(self._cache_at, "the manifest cache is out of use", self._cache.trouble, "set --cache-dir")
        return replace(inventory, ended_at=self.time())

    def _announce(self, repository: str, manifests: str, why: str) -> None:
        """Say beforehand what is read, and why: it moves pull times."""
        self._console.announce(f"repository {repository}: {manifests} will be read, {why}; that counts as a pull")

    def leftovers(self, repository: Repository) -> tuple[Leftover, ...]:
        """What an interrupted run left over, as its record says."""
        path = pending.path_for(self._state, repository)
        try:
            return pending.read(path)
        except ValueError as error:
            self._console.say(f"warning: {path}: an interrupted run's steps can't be read: {error}")
        except OSError as error:
            self._warn_of_state(error)
        return ()

    def _warn_of_state(self, error: OSError) -> None:
        mend = "if this run is killed, children of deleted indexes may stay; set --state-dir"
        self._warn(self._state, "the steps still to do can't be recorded", error, mend)

    def _warn(self, directory: Path, what: str, error: OSError, mend: str) -> None:
        """Warn of a directory, once: what comes later has the same reason."""
        if directory not in self._warned:
            self._warned.add(directory)
            self._console.say_once(
                f"warning: {one_line(directory)}: {what}: {one_line(error.strerror or error)}; {mend}"
            )

    def gather(self, port: RepositoryPort, policy: Policy) -> Material:
        """Read the repository, for a plan."""
        return gather(policy, partial(self.inventory, port), self.leftovers)

    def kept_from(self, repository: Repository, terms: Terms, is_next: Callable[[], bool]) -> Applied | None:
        """Wait until a repository may be begun; what becomes of it where a guard ended the work on another one.

        To be asked before anything of it is copied, put on record or waited for. `is_next` tells whether the
        repositories before this one have ended.
        """
        return self._halts.wait(repository.registry, terms, self._console.stop, is_next).of_others()

    def apply(
        self,
        planned: "Planned",
        port: RepositoryPort,
        veto: Veto | None = None,
        *,
        terms: Terms = _PLAIN,
        earlier: Earlier = _FIRST_TRY,
        recorder: Recorder | None = None,
    ) -> Applied:
        """Carry out. The steps still to do are on disk before the first call, and what is left of them afterwards."""
        carry_out = partial(self._apply, planned, port, veto, earlier=earlier, recorder=recorder)
        if not planned.plan.going(Action.UNTAG):
            return carry_out(terms=terms)
        registry = planned.plan.repository.registry
        with self._trials.of(registry, self._console.stop) as trial:
            if trial.takes_whole:
                return self._refused(carry_out, terms, earlier, TAKES_WHOLE)
            if (found := refusals.takes_whole(self._state, registry)) is not None:
                known = f"{TAKES_WHOLE}; it was found out earlier: to try again, remove {one_line(found)}"
                return self._refused(carry_out, terms, earlier, known)
            applied = carry_out(terms=terms)
            if trial.finds(planned.plan, applied):
                self._remember_that_it_takes_whole(registry)
            return applied

    def _refused(self, carry_out: Callable[..., Applied], terms: Terms, earlier: Earlier, why: str) -> Applied:
        """No tag is removed; what an earlier try may have lost, before that was found out, comes back."""
        if not earlier.may_be_lost:
            return Applied({}, GuardStopped(why), interrupted=False)
        applied = carry_out(terms=replace(terms, only_puts_back=True))
        return replace(applied, stopped_by=applied.stopped_by or GuardStopped(why))

    def _apply(
        self,
        planned: "Planned",
        port: RepositoryPort,
        veto: Veto | None,
        *,
        terms: Terms,
        earlier: Earlier,
        recorder: Recorder | None,
    ) -> Applied:
        plan = planned.plan
        path = pending.path_for(self._state, plan.repository)
        total = len(plan.steps)
        stop = self._console.stop
        halt = self._halts.of(plan.repository.registry)
        self._record(path, planned, ())
        self._announce_what_applying_reads(plan)
        applied = apply(
            plan,
            port,
            stop=lambda: halt.by is not None or stop(),
            veto=veto,
            terms=terms,
            earlier=earlier,
            recorder=recorder,
            progress=lambda ended: self._console.show(f"{plan.repository.name}: {ended} of {total} images done"),
        )
        applied = halt.judge(plan.repository, applied, stop)
        self._console.clear()
        settled = [digest for digest, outcome in applied.outcomes.items() if outcome.result is not Result.FAILED]
        self._record(path, planned, settled)
        return applied

    def _remember_that_it_takes_whole(self, registry: Registry) -> None:
        try:
            refusals.remember(self._state, registry)
        except OSError as error:
            self._console.say(f"warning: it can't be written down for the next run: {error.strerror}; set --state-dir")

    def _announce_what_applying_reads(self, plan: Plan) -> None:
        """Beside what the journal takes: a look whether subjects are gone, and at the first image that loses a tag."""
        tagged = {step.digest for step in plan.going(Action.DELETE) if step.tags and step.status is Status.ACTIVE}
        subjects = tagged & {subject for step in plan.steps for subject in step.subjects}
        if subjects:
            why = "to see whether they are gone before what refers to them goes"
            self._announce(plan.repository.name, f"at most {text.manifests(len(subjects))}", why)
        if losing := plan.going(Action.UNTAG):
            why = "to put an image back if it went with its tag"
            self._announce(plan.repository.name, text.manifests(len(losing)), why)

    def _record(self, path: Path, planned: "Planned", ended: Iterable[str]) -> None:
        """Skipped steps are not to be done any more: the next run decides about them anew."""
        done = set(ended)
        steps = [step for step in planned.plan.steps if step.digest not in done and step.action is not Action.UNTAG]
        try:
            pending.write(path, steps, [*planned.left_over_again(steps), *planned.still_waiting()])
        except OSError as error:
            self._warn_of_state(error)


class Planned:
    """A plan, and the record of an interrupted run that it was made with."""

    def __init__(self, plan: Plan, left_over: tuple[Leftover, ...]) -> None:
        self.plan = plan
        self._left_over = left_over

    def left_over_again(self, steps: Sequence[Step]) -> list[Leftover]:
        """Those of these steps that an earlier run had left over: what that run deleted stays part of their record."""
        earlier = {each.digest: each for each in self._left_over}
        return [
            Leftover(step.digest, step.tags, step.pushed_at, (*earlier[step.digest].after, *step.after))
            for step in steps
            if step.digest in earlier
        ]

    def still_waiting(self) -> list[Leftover]:
        """What an earlier run left over, and only an unread archived index retains for now: it stays on record."""
        if not self._left_over:
            return []
        unread = (
            each for each in self.plan.decisions.beyond_rules() if each.reasons[0].rule == "unread-archived-index"
        )
        waiting = {each.image.digest for each in unread}
        return [each for each in self._left_over if each.digest in waiting]
