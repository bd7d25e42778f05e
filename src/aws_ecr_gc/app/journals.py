"""The journal of a run: where it is kept, and what is written before the first deletion."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from threading import Lock

import msgspec
from msgspec import Struct

from aws_ecr_gc import journal
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.apply import Terms
from aws_ecr_gc.aws.client import Client
from aws_ecr_gc.aws.session import Session
from aws_ecr_gc.config import Connection, Directories, Keeping
from aws_ecr_gc.discovery.settings import Settings
from aws_ecr_gc.errors import Error, Exit, JournalLost, Misuse, NoJournal
from aws_ecr_gc.inventory import Image, Inventory, Status
from aws_ecr_gc.plan import Action, Outcome, Plan
from aws_ecr_gc.ports import Answer, ImageId, Recorder
from aws_ecr_gc.reference import Registry
from aws_ecr_gc.report import text
from aws_ecr_gc.usage import InUse, Unread

_NONE = "none"


class About(Struct, frozen=True):
    """What the first record says of a run, besides the registry."""

    policy: journal.PolicyPart | None = None
    in_use: Settings | None = None
    allow_unread: tuple[str, ...] = ()
    plan: str | None = None


def part_of(files: Iterable[object], sha256: str | None) -> journal.PolicyPart | None:
    """The policy files of a run, for its journal; None for flags."""
    return None if sha256 is None else journal.PolicyPart(tuple(map(str, files)), sha256)


class Log:
    """The journal of a run; made when the first deletion is near, for most runs delete nothing.

    With `lenient`, what can't be put on record is warned of, and the work goes on without.
    """

    def __init__(
        self,
        keeping: Keeping,
        about: About,
        connection: Connection,
        directories: Directories,
        console: Console,
        *,
        lenient: bool = False,
    ) -> None:
        self._keeping = keeping
        self._lenient = lenient
        self._about = about
        self._connection = connection
        self._directories = directories
        self._console = console
        self._journal: journal.Journal | None = None
        self._has_steps = False
        self._lock = Lock()
        if not lenient:
            demand_place(keeping)

    def recorder(
        self,
        plan: Plan,
        inventory: Inventory,
        terms: Terms,
        in_use: InUse | None = None,
        console: Console | None = None,
    ) -> Recorder | None:
        """What records the deletions of a plan; its steps are on record when this returns.

        None where there are none, and where no journal is kept. May be asked by several threads; `console` is for what
        is said of the repository.

        Raises Misuse where no journal can be begun, and JournalLost where it can't be gone on with, unless lenient.
        """
        if not plan.steps or self._keeping.stated == _NONE:
            return None
        console = console or self._console
        try:
            recorder = self._recorder(plan, inventory, terms, in_use)
        except (Misuse, JournalLost) as error:
            if not self._lenient:
                raise
            reason = error.__cause__ or error  # without the way round: it is taken already
            console.say(f"warning: no journal is kept, so nothing can be put back: {reason}")
            return None
        self._announce_reading(plan, console)
        return Lenient(recorder, console) if self._lenient else recorder

    def _announce_reading(self, plan: Plan, console: Console) -> None:
        read = [step for step in plan.going(Action.DELETE) if step.status is Status.ACTIVE]
        if not read:
            return
        name = plan.repository.name
        if self._keeping.restorable:
            console.announce(
                f"repository {name}: {text.manifests(len(read))} will be read for the journal, "
                "which counts as a pull; --no-restore leaves that out"
            )
        else:
            console.announce(f"repository {name}: no manifests go into the journal, so it can't put anything back")

    def _recorder(self, plan: Plan, inventory: Inventory, terms: Terms, in_use: InUse | None) -> Recorder:
        with self._lock:
            opened = self._open(plan.repository.registry, () if in_use is None else in_use.unread)
        try:
            opened.steps(
                plan.repository.name,
                plan.steps,
                journal.relatives_of(plan.steps, inventory.images),
                taken_at=plan.taken_at,
                pulled_since=terms.pulled_since,
                canary=terms.canary,
                max_failures=terms.max_failures,
            )
        except JournalLost as error:
            if self._has_steps:
                raise
            raise _before_anything(error) from error
        self._has_steps = True
        return opened.of(plan.repository.name)

    def done_with(self, repository: str) -> None:
        """Let go of what is known of a repository whose plan has been carried out."""
        if self._journal is not None:
            self._journal.done_with(repository)

    def end(self, code: Exit, *, interrupted: bool) -> None:
        """The last record. What went before counts: without it, a journal can be resumed, and nothing is left to do."""
        if self._journal is None:
            return
        with suppress(JournalLost):
            self._journal.end(code, interrupted=interrupted)
        self._journal.close()
        if code is not Exit.DONE or not self._lenient:  # the original said nothing where all went well
            self._console.say(f"journal: {self._journal.name}")

    def _open(self, registry: Registry, unread: Sequence[Unread]) -> journal.Journal:
        if self._journal is None:
            self._journal = self._begun(registry, unread)
        return self._journal

    def _begun(self, registry: Registry, unread: Sequence[Unread]) -> journal.Journal:
        try:
            place = place_of(self._keeping, self._connection, self._directories)
            made = journal.create(place, registry)
            about = self._about
            made.begin(
                plan=about.plan,
                policy=about.policy,
                in_use=None if about.in_use is None else msgspec.to_builtins(about.in_use),
                allow_unread=about.allow_unread,
                gone_on_without=unread,
                restorable=self._keeping.restorable,
            )
        except (JournalLost, Error) as error:
            raise _before_anything(error) from error
        if not self._lenient:  # the original said nothing where all went well
            self._console.say(f"journal: {made.name}")
        return made


class Lenient:
    """Puts on record what can be, and warns of the rest once. Implements `ports.Recorder`."""

    def __init__(self, recorder: Recorder, console: Console) -> None:
        self._recorder: Recorder | None = recorder
        self._console = console
        self._reads = True

    def wants(self, digests: Iterable[str]) -> list[str]:
        return self._recorder.wants(digests) if self._recorder is not None and self._reads else []

    def unread(self, error: Error) -> None:
        self._reads = False
        self._console.say(f"warning: the journal is kept without manifests, so nothing can be put back: {error}")

    def about(
        self, action: Action, ids: Sequence[ImageId], images: Iterable[Image], manifests: Mapping[str, bytes]
    ) -> int:
        number = self._tried(lambda recorder: recorder.about(action, ids, images, manifests))
        return 0 if number is None else number

    def answered(self, about: int, answer: Answer | Error) -> None:
        self._tried(lambda recorder: recorder.answered(about, answer))

    def outcomes(self, outcomes: Iterable[Outcome]) -> None:
        self._tried(lambda recorder: recorder.outcomes(outcomes))

    def _tried(self, put: Callable[[Recorder], int | None]) -> int | None:
        if self._recorder is None:
            return None
        try:
            return put(self._recorder)
        except JournalLost as error:
            self._recorder = None
            self._console.say(f"warning: the journal ends here, and the work goes on: {error}")
            return None


def _before_anything(error: Error) -> NoJournal:
    reason = str(error).removesuffix(journal.MEND)
    return NoJournal(f"{reason}; nothing was deleted without it; set --journal, or go without by --journal none")


def demand_place(keeping: Keeping) -> None:
    """Raise Misuse, before anything is read, for what can't name a place of journals."""
    if keeping.stated not in (None, _NONE):
        journal.demand_place(keeping.stated)


def place_of(keeping: Keeping, connection: Connection, directories: Directories) -> journal.Place:
    """Where journals are kept. Raises Misuse."""
    stated = keeping.stated or str(directories.state / "journals")
    return journal.place_of(stated, s3_of(connection))


def s3_of(connection: Connection) -> Callable[[], Client]:
    """Gives a client of S3, where a journal is kept there."""
    return lambda: Session(connection.profile, connection.region).client("s3")
