"""Reading a journal: what was to be done, what was, and what nobody knows."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from aws_ecr_gc.errors import Misuse
from aws_ecr_gc.inventory import Inventory
from aws_ecr_gc.journal.places import Glance, Place
from aws_ecr_gc.journal.records import (
    About,
    Answered,
    AnyRecord,
    Begin,
    BrokenLine,
    End,
    Outcomes,
    Position,
    Resumed,
    Seen,
    Steps,
    record_of,
)
from aws_ecr_gc.plan import Action, Outcome, Result, Step
from aws_ecr_gc.ports import GONE
from aws_ecr_gc.reference import Repository

if TYPE_CHECKING:
    from aws_ecr_gc.ports import ImageId

_STILL_NEEDED, _TAKEN_WHOLE = "StillNeeded", "TakenWhole"
_UNSURE = frozenset({"NotBack", "Unconfirmed"})
"""`apply.STILL_NEEDED`, `apply.TAKEN_WHOLE`: a test holds them together."""


_BEGINNING = b'{"check":"'
"""How every record begins, and no other file of ours."""


class InRepository:
    """What is on record of one repository.

    `outcomes` are the last for each step, `images` what was seen right before a deletion, all by digest; `attempted`
    are the tags that calls were to remove, whatever came of it, and `removed` what ECR said is gone: tags, and None for
    an image that was deleted by its digest alone. `archived` are those that ECR said are in the archive.
    """

    def __init__(self, repository: Repository, planned: Steps) -> None:
        self.repository = repository
        self.planned = planned
        self.outcomes: dict[str, Outcome] = {}
        self.images: dict[str, Seen] = {}
        self.attempted: dict[str, frozenset[str]] = {}
        self.removed: dict[str, set[str | None]] = {}
        self.archived: set[str] = set()
        self._steps = {step.digest: step for step in planned.steps}
        self._calls: dict[int, About] = {}
        self._doubtful: dict[ImageId, int] = {}
        self._last: About | None = None

    @property
    def may_be_lost(self) -> frozenset[str]:
        """The digests that may have gone with a tag that was removed, without anybody having looked.

        After each call that removes tags its images are looked at, and put back, before there is another: so it is
        those of the last one, and those that could not be put back, or looked at.
        """
        asked = self._last.ids if self._last is not None and self._last.action is Action.UNTAG else ()
        unsure = (digest for digest, outcome in self.outcomes.items() if outcome.code in _UNSURE)
        return frozenset((*(each.digest for each in asked), *unsure))

    @property
    def inventory(self) -> Inventory:
        """The images of the steps and their relatives: what a veto by use is to look at."""
        images = {image.digest: image for image in self.planned.relatives}
        return Inventory(self.repository, self.planned.taken_at, images)

    @property
    def doubtful(self) -> list[str]:
        """The digests that a call was to delete without anybody knowing what came of it."""
        return list(dict.fromkeys(each.digest for each in self._doubtful))

    def remaining(self) -> list[Step]:
        """The steps to carry out, in order: those without a word on them, and those that failed, but not for good.

        And those that were skipped only because one of these was still there.
        """
        again: dict[str, Step] = {}
        for step in self.planned.steps:
            outcome = self.outcomes.get(step.digest)
            if (
                outcome is None
                or (outcome.result is Result.FAILED and outcome.code != _TAKEN_WHOLE)
                or (outcome.code == _STILL_NEEDED and not again.keys().isdisjoint(step.after))
            ):
                again[step.digest] = step
        return list(again.values())

    def settled(self) -> dict[str, Outcome]:
        """The outcomes of the steps that do not remain."""
        remaining = {step.digest for step in self.remaining()}
        return {digest: outcome for digest, outcome in self.outcomes.items() if digest not in remaining}

    def note_about(self, record: About) -> None:
        named = {each.digest for each in record.ids}
        _demand(named <= self._steps.keys(), "is about an image that no step names")
        new = {each.digest: each for each in record.images}
        _demand(new.keys() <= named and new.keys().isdisjoint(self.images), "shows an image that is not new")
        self.images.update(new)
        self._calls[record.number] = self._last = record
        self._doubtful.update(dict.fromkeys(record.ids, record.number))
        for each in record.ids:
            tags = frozenset(() if each.tag is None else (each.tag,))
            self.attempted[each.digest] = self.attempted.get(each.digest, frozenset()) | tags

    def note_answered(self, record: Answered) -> None:
        _demand(record.about in self._calls, f"answers record {record.about}, which asks for nothing, or again")
        asked = self._calls.pop(record.about)
        done = {*record.done, *(each.id for each in record.refused if each.code == GONE)}
        known = {*done, *(each.id for each in record.refused)}
        for each in asked.ids:
            if each in known and self._doubtful.get(each) == record.about:
                del self._doubtful[each]
            if each in done and asked.action is Action.ARCHIVE:
                self.archived.add(each.digest)
            elif each in done:
                self.removed.setdefault(each.digest, set()).add(each.tag)

    def note_outcomes(self, record: Outcomes) -> None:
        for outcome in record.outcomes:
            _demand(outcome.digest in self._steps, "is about an image that no step names")
            self.outcomes[outcome.digest] = outcome
        settled = {each.digest for each in record.outcomes if each.result is not Result.FAILED}
        for each in [each for each in self._doubtful if each.digest in settled]:
            del self._doubtful[each]


class Recorded(Struct, frozen=True):
    """A journal as far as it goes; `repositories` by name, in the order of their steps.

    `end` is None where the last process to work with it was killed, or is still at work; `torn` is the number of bytes
    of a last line that was not written to its end, `position` where another record goes.
    """

    name: str
    begin: Begin
    repositories: Mapping[str, InRepository]
    end: End | None
    resumed: int
    torn: int
    position: Position

    @property
    def remaining(self) -> int:
        """How many steps are to be carried out."""
        return sum(len(each.remaining()) for each in self.repositories.values())


def read(place: Place, name: str) -> Recorded:
    """Read a journal to its end. A torn last line is left out: whoever wrote it did not go on.

    Raises Misuse for anything that was not written so, and what `Place.lines` raises.
    """
    address = place.address(name)
    so_far = _SoFar(address)
    position = Position()
    torn = 0
    for number, line in enumerate(place.lines(name)):
        if not number and not _BEGINNING.startswith(line[: len(_BEGINNING)].rstrip(b"\0")):
            raise Misuse(f"journal {address}: is no journal of aws-ecr-gc; name one, such as .../journals/journal-...")
        try:
            _demand(not torn, "follows one that was not written to its end")
            if _is_torn(line):
                torn = len(line)
            else:
                record, position = record_of(line, position)
                so_far.note(record)
        except BrokenLine as broken:
            raise Misuse(f"journal {address}: record {number} {broken}; nothing can be told from it") from broken
    return so_far.recorded(torn, position)


def latest(place: Place) -> Iterator[Glance]:
    """The journals of a place, newest first, each looked at when it is asked for. Raises Misuse, or AwsFailure."""
    return place.newest()


def _is_torn(line: bytes) -> bool:
    """Where the power fails, a line may have its length on the disk, and zeros for what it says."""
    return not line.endswith(b"\n") or b"\0" in line


class _SoFar:
    """What the records say, one after the other."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._begin: Begin | None = None
        self._repositories: dict[str, InRepository] = {}
        self._end: End | None = None
        self._resumed = 0

    def recorded(self, torn: int, position: Position) -> Recorded:
        if self._begin is None:
            raise Misuse(
                f"journal {self._address}: nothing is on record: it was broken off before anything was deleted"
            )
        return Recorded(self._address, self._begin, self._repositories, self._end, self._resumed, torn, position)

    def note(self, record: AnyRecord) -> None:
        """Raises BrokenLine for what can't stand there."""
        _demand(self._begin is None or not isinstance(record, Begin), "begins it once more")
        _demand(self._end is None or isinstance(record, Resumed), "follows the end")
        match record:
            case Begin():
                self._begin = record
            case Steps():
                self._note_steps(record)
            case About():
                self._of(record.repository).note_about(record)
            case Answered():
                self._of(record.repository).note_answered(record)
            case Outcomes():
                self._of(record.repository).note_outcomes(record)
            case Resumed():
                self._resumed += 1
                self._end = None
            case End():
                self._end = record

    def _note_steps(self, record: Steps) -> None:
        _demand(record.repository not in self._repositories, "gives steps to a repository that has some")
        assert self._begin is not None  # noqa: S101 - it is the first record
        repository = Repository(self._begin.registry, record.repository)
        self._repositories[record.repository] = InRepository(repository, record)

    def _of(self, repository: str) -> InRepository:
        _demand(repository in self._repositories, "is about a repository without steps")
        return self._repositories[repository]


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise BrokenLine(otherwise)
