"""A plan as a value: what shall happen to every image, why, and in which order."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from enum import StrEnum

from msgspec import Struct

from aws_ecr_gc.inventory import Image, Status
from aws_ecr_gc.reference import Repository


class Verdict(StrEnum):
    """RETAINED by a reason of its own, HELD because something retained needs it, or COLLECTED."""

    RETAINED = "retained"
    HELD = "held"
    COLLECTED = "collected"


class Reason(Struct, frozen=True, gc=False):
    """Why a decision fell as it did: the rule, what it found, and the tag or digest through which it acts."""

    rule: str
    detail: str
    via: str | None = None


class Decision(Struct, frozen=True, gc=False):
    """The one decision on an image, with at least one reason."""

    image: Image
    verdict: Verdict
    reasons: tuple[Reason, ...]


class Decisions(Sequence[Decision]):
    """Every decision, newest image first. They may be made out one by one, as they are looked at."""

    @abstractmethod
    def beyond_rules(self) -> Iterator[Decision]:
        """Those that no rule asked for: what is held, and what is left alone (archived, unknown, in doubt).

        Without what the rules of the policy may say of it besides.
        """

    def staying(self) -> tuple[Counter[str], Iterator[Decision]]:
        """What stays: how many active images the rules alone retain, by the first of them, and the decisions on all
        others, in which rules need give no details.
        """
        return Counter(), (each for each in self if each.verdict is not Verdict.COLLECTED)

    def of(self, digests: Container[str]) -> Iterator[Decision]:
        """Those on these images; nothing need be made out for the others."""
        return (each for each in self if each.image.digest in digests)

    def images(self) -> Iterator[Image]:
        """Every image, newest first; nothing need be made out for it."""
        return (each.image for each in self)


class Action(StrEnum):
    """What a step does: delete the image, move it to the archive, or remove some of its tags."""

    DELETE = "delete"
    ARCHIVE = "archive"
    UNTAG = "untag"


class Step(Struct, frozen=True, gc=False):
    """One image to act on, and what was seen of it when the plan was made. Times in epoch seconds.

    `size` are the bytes that go with it, at most (`Image.own_size`). `after` names the digests of this plan that must
    be gone or archived before (an index before its children, a subject before its referrers); `wave` is the length of
    the longest such chain, so steps of one wave never wait for one another. `subjects` are those of `after` that the
    image refers to. `put_away` are indexes and subjects that need the image and are in the archive already: an image
    goes there only as long as they are. `untag` are the tags to remove, never all of `tags`; empty for other actions.
    """

    action: Action
    digest: str
    tags: tuple[str, ...]
    status: Status
    pushed_at: float
    size: int
    after: tuple[str, ...]
    wave: int
    subjects: tuple[str, ...] = ()
    pulled_at: float | None = None
    untag: tuple[str, ...] = ()
    put_away: tuple[str, ...] = ()
    archived_at: float | None = None
    activated_at: float | None = None


class Plan(Struct, frozen=True):
    """Every decision, and the steps in the order to carry them out.

    `action` is what the policy does to active images that do not stay; archived ones are only ever deleted. `active`
    is the number of images that are not archived or on the way back from there. `size` is that of what goes or is
    archived, in bytes, at most: layers that other images share are counted with each; indexes have none of their own.
    """

    repository: Repository
    taken_at: float
    active: int
    size: int
    decisions: Decisions
    steps: tuple[Step, ...]
    action: Action = Action.DELETE

    def going(self, action: Action) -> list[Step]:
        """The steps of one action."""
        return [step for step in self.steps if step.action is action]


class Result(StrEnum):
    """How a step ended."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


class Outcome(Struct, frozen=True):
    """What became of a step; `code` and `detail` say why where it is not done."""

    digest: str
    result: Result
    code: str = ""
    detail: str = ""


class Leftover(Struct, frozen=True):
    """An image that an interrupted run was to delete once the images `after` were gone, as that run saw it."""

    digest: str
    tags: tuple[str, ...]
    pushed_at: float
    after: tuple[str, ...]
