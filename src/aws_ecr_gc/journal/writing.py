"""Writing a journal: each record is where it can't be lost before the method that writes it returns."""

import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Self

from aws_ecr_gc import __version__
from aws_ecr_gc.errors import Error, JournalLost
from aws_ecr_gc.inventory import Image
from aws_ecr_gc.journal.places import MEND, Place, Sink
from aws_ecr_gc.journal.reading import Recorded, read
from aws_ecr_gc.journal.records import (
    FORMAT,
    VERSION,
    About,
    Answered,
    AnyRecord,
    Begin,
    End,
    Failure,
    Outcomes,
    PolicyPart,
    Position,
    Resumed,
    Seen,
    Steps,
    line_of,
)
from aws_ecr_gc.plan import Action, Outcome, Step
from aws_ecr_gc.ports import Answer, ImageId, Recorder, Refusal
from aws_ecr_gc.reference import Registry
from aws_ecr_gc.usage import Unread

Clock = Callable[[], float]
TOOL = f"aws-ecr-gc {__version__}"


class Journal:
    """A journal that is open for writing. What can't be written raises JournalLost, then and ever after.

    May be used from several threads; `close` it, or use it as a context.
    """

    def __init__(self, sink: Sink, registry: Registry, clock: Clock, recorded: Recorded | None = None) -> None:
        self._sink = sink
        self._registry = registry
        self._clock = clock
        self._lock = Lock()
        self._settling = Lock()
        self._settled = 0
        self._lost: str | None = None
        self._position = Position() if recorded is None else recorded.position
        self._restorable = recorded is not None and recorded.begin.restorable
        earlier = {} if recorded is None else recorded.repositories
        self._room = bytearray()
        self._seen = {name: set(of_it.images) for name, of_it in earlier.items()}

    @property
    def name(self) -> str:
        """Its path or s3:// address: what `--resume` takes."""
        return self._sink.name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(
        self,
        *,
        plan: str | None = None,
        policy: PolicyPart | None = None,
        in_use: dict[str, Any] | None = None,
        allow_unread: Iterable[str] = (),
        gone_on_without: Iterable[Unread] = (),
        restorable: bool = True,
    ) -> None:
        """Record what is to be done: once, first. `plan` is the checksum of a plan file."""
        self._restorable = restorable

        def made(number: int, at: float) -> Begin:
            return Begin(
                number=number,
                at=at,
                format=FORMAT,
                version=VERSION,
                tool=TOOL,
                writer=secrets.token_hex(8),
                registry=self._registry,
                plan=plan,
                policy=policy,
                in_use=in_use,
                allow_unread=tuple(allow_unread),
                gone_on_without=tuple(gone_on_without),
                restorable=restorable,
            )

        self._put(made)

    def steps(
        self,
        repository: str,
        steps: Iterable[Step],
        relatives: Iterable[Image],
        *,
        taken_at: float,
        pulled_since: float | None = None,
        canary: int | None = None,
        max_failures: int | None = None,
    ) -> None:
        """Record the steps of a repository, once, before its first deletion."""

        def made(number: int, at: float) -> Steps:
            return Steps(
                number=number,
                at=at,
                repository=repository,
                taken_at=taken_at,
                pulled_since=pulled_since,
                canary=canary,
                max_failures=max_failures,
                steps=tuple(steps),
                relatives=tuple(relatives),
            )

        self._put(made)

    def of(self, repository: str) -> Recorder:
        """What is given to `apply` with the plan of a repository."""
        return _Of(self, repository)

    def done_with(self, repository: str) -> None:
        """Let go of what is known of a repository: nothing more of it is ever recorded."""
        self._seen.pop(repository, None)

    def wants(self, repository: str, digests: Iterable[str]) -> list[str]:
        """As `ports.Recorder.wants`."""
        seen: AbstractSet[str] = self._seen.get(repository, frozenset())
        return [digest for digest in digests if digest not in seen] if self._restorable else []

    def about(
        self,
        repository: str,
        action: Action,
        ids: Sequence[ImageId],
        images: Iterable[Image],
        manifests: Mapping[str, bytes],
    ) -> int:
        """As `ports.Recorder.about`."""
        named = {each.digest for each in ids}
        before = self._seen.setdefault(repository, set())
        # What is read where tags are removed serves to put an image back at once, whatever else is to be restorable.
        kept = manifests if self._restorable or action is Action.UNTAG else {}
        seen = tuple(
            Seen(image.digest, image.tags, image.media_type, kept.get(image.digest))
            for image in images
            if image.digest in named and image.digest not in before
        )
        number = self._put(
            lambda number, at: About(
                number=number, at=at, repository=repository, action=action, ids=tuple(ids), images=seen
            )
        )
        new = {each.digest for each in seen}
        before.update([each for each in named if each in new])  # the strings of the plan, not those of the last look
        return number

    def answered(self, repository: str, about: int, answer: Answer | Error) -> None:
        """As `ports.Recorder.answered`."""
        done: tuple[ImageId, ...] = ()
        refused: tuple[Refusal, ...] = ()
        failed = None
        if isinstance(answer, Error):
            failed = Failure(_text(answer.code), _text(str(answer)))
        else:
            done = answer.done
            refused = tuple(Refusal(each.id, _text(each.code), _text(each.reason)) for each in answer.refused)
        self._put(
            lambda number, at: Answered(
                number=number, at=at, repository=repository, about=about, done=done, refused=refused, failed=failed
            )
        )

    def outcomes(self, repository: str, outcomes: Iterable[Outcome]) -> None:
        """As `ports.Recorder.outcomes`."""
        said = tuple(Outcome(each.digest, each.result, _text(each.code), _text(each.detail)) for each in outcomes)
        if said:
            self._put(lambda number, at: Outcomes(number=number, at=at, repository=repository, outcomes=said))

    def resumed(self) -> None:
        """Record that this process goes on with it."""
        writer = secrets.token_hex(8)
        self._put(lambda number, at: Resumed(number=number, at=at, tool=TOOL, writer=writer))

    def end(self, exit_code: int, *, interrupted: bool = False) -> None:
        """Record that this process is done with it."""
        self._put(lambda number, at: End(number=number, at=at, exit=int(exit_code), interrupted=interrupted))

    def close(self) -> None:
        """Let others write it."""
        self._sink.close()

    def _put(self, make: Callable[[int, float], AnyRecord]) -> int:
        """Append a record; its number, when it can't be lost any more.

        After one that failed there may be half a line, which must stay the last.
        """
        with self._lock:
            if self._lost is not None:
                raise JournalLost(self._lost)
            self._lost = f"journal {self.name}: its writing was broken off, so nothing more is written{MEND}"
            number = self._position.number
            try:
                line, behind = line_of(make(number, self._clock()), self._position, self._room)
                self._sink.append(number, line)
            except UnicodeEncodeError as error:
                self._lost = f"journal {self.name}: can't be written: {error.reason}; this is a defect of aws-ecr-gc"
                raise JournalLost(self._lost) from error
            except JournalLost as lost:
                self._lost = str(lost)
                raise
            self._lost = None
            self._position = behind
        self._settle(number)
        return number

    def _settle(self, number: int) -> None:
        """Wait for the disk: whoever comes first does so for all records that are written by then."""
        with self._settling:
            if self._settled > number:
                return
            with self._lock:
                if self._lost is not None:  # as the record of another one, which may have come before
                    raise JournalLost(self._lost)
                written = self._position.number
            try:
                self._sink.settle()
            except JournalLost as lost:
                with self._lock:
                    self._lost = str(lost)
                raise
            self._settled = written


class _Of:
    """A journal, for one repository."""

    def __init__(self, journal: Journal, repository: str) -> None:
        self._journal = journal
        self._repository = repository

    def wants(self, digests: Iterable[str]) -> list[str]:
        return self._journal.wants(self._repository, digests)

    def unread(self, error: Error) -> None:
        raise error

    def about(
        self, action: Action, ids: Sequence[ImageId], images: Iterable[Image], manifests: Mapping[str, bytes]
    ) -> int:
        return self._journal.about(self._repository, action, ids, images, manifests)

    def answered(self, about: int, answer: Answer | Error) -> None:
        self._journal.answered(self._repository, about, answer)

    def outcomes(self, outcomes: Iterable[Outcome]) -> None:
        self._journal.outcomes(self._repository, outcomes)


def create(place: Place, registry: Registry, *, clock: Clock = time.time) -> Journal:
    """A new journal, named after the time and the registry. Raises JournalLost."""
    moment = datetime.fromtimestamp(clock(), UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    account = registry.account or "unknown"
    sink = place.create(f"journal-{moment}-{account}-{registry.region}-{secrets.token_hex(4)}")
    return Journal(sink, registry, clock)


def resume(place: Place, name: str, *, clock: Clock = time.time) -> tuple[Journal, Recorded]:
    """Go on with a journal: what is on record in it, and itself, open for writing, a torn last line taken off.

    Nobody else writes it from the moment it is read. Raises Misuse where somebody else does and for what `read`
    refuses, and JournalLost.
    """
    sink = place.again(name)
    try:
        recorded = read(place, name)
        sink.cut(recorded.position.length)
        journal = Journal(sink, recorded.begin.registry, clock, recorded)
        journal.resumed()
    except BaseException:
        sink.close()
        raise
    return journal, recorded


def relatives_of(steps: Iterable[Step], images: Mapping[str, Image]) -> list[Image]:
    """The images of the steps, what they list or refer to, what lists or refers to them, and so on.

    That is all that can come between a use and a step.
    """
    neighbours: dict[str, list[str]] = {}
    for image in images.values():
        needed = [*(image.children or ()), *([] if image.subject is None else [image.subject])]
        for digest in needed:
            neighbours.setdefault(digest, []).append(image.digest)
            neighbours.setdefault(image.digest, []).append(digest)
    found = dict.fromkeys(step.digest for step in steps)
    waiting = list(found)
    while waiting:
        for digest in neighbours.get(waiting.pop(), ()):
            if digest not in found:
                found[digest] = None
                waiting.append(digest)
    return [images[digest] for digest in found if digest in images]


def _text(said: str) -> str:
    """What others said, so that it can be written: half a surrogate pair can't."""
    return said.encode(errors="backslashreplace").decode()
