"""How much plans do, in numbers and in words, and what the archive bills for it."""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from aws_ecr_gc.inventory import Status
from aws_ecr_gc.plan import Action, Outcome, Plan, Result
from aws_ecr_gc.report import text

_GIB = 1 << 30
_MINIMUM_DAYS = 90
_DAY = 86400.0
_RATE = 0.10
"""Dollars for a GB (2^30 bytes) and a month in the archive, up to 150 TB; above 0.07. Standard storage costs 0.10.
us-east-1, March 2026, as third parties quote AWS's price list.
"""

_RETRIEVAL = 0.03
"""Dollars for a GB that comes out of the archive; the same source."""


class Work(Struct, frozen=True):
    """Images to delete and to archive with their bytes, at most; images that lose tags, and these tags.

    `for_good` are those to delete that are in the archive: they can't be put back.
    """

    deleted: int = 0
    deleted_size: int = 0
    archived: int = 0
    archived_size: int = 0
    untagged: int = 0
    tags: int = 0
    for_good: int = 0

    def __add__(self, other: "Work") -> "Work":
        mine, theirs = ([getattr(each, name) for name in Work.__struct_fields__] for each in (self, other))
        return Work(*(one + another for one, another in zip(mine, theirs, strict=True)))

    @property
    def images(self) -> int:
        """All that is changed."""
        return self.deleted + self.archived + self.untagged

    @property
    def size(self) -> int:
        """The bytes that are deleted or archived, at most."""
        return self.deleted_size + self.archived_size

    @property
    def sizes_differ(self) -> bool:
        """Whether some bytes become free and others are only moved: their sum says nothing."""
        return bool(self.deleted and self.archived)

    @property
    def only_deletes(self) -> bool:
        return not (self.archived or self.untagged)


def work_of(plan: Plan) -> Work:
    """That of one plan."""
    deleted, archived, untagged = (plan.going(action) for action in Action)
    return Work(
        deleted=len(deleted),
        deleted_size=sum(step.size for step in deleted),
        archived=len(archived),
        archived_size=sum(step.size for step in archived),
        untagged=len(untagged),
        tags=sum(len(step.untag) for step in untagged),
        for_good=sum(step.status is Status.ARCHIVED for step in deleted),
    )


def work_of_all(plans: Iterable[Plan]) -> Work:
    """That of several."""
    return sum(map(work_of, plans), Work())


def to_do(work: Work) -> str:
    """`3 images to delete`, with what else there is to do; deletions are named also where there are none at all.

    Sizes stand here only where `at_most` has no one size for all.
    """
    return ", ".join(_to_do(work)) or f"{text.images(0)} to delete"


def _to_do(work: Work) -> Iterator[str]:
    if work.deleted:
        yield f"{text.images(work.deleted)} to delete{_apart(work, work.deleted_size)}"
    if work.archived:
        yield f"{text.images(work.archived)} to archive{_apart(work, work.archived_size)}"
    if work.untagged:
        yield f"{tags(work.tags)} to remove from {text.images(work.untagged)}"


def _apart(work: Work, size: int) -> str:
    return f" (at most {text.size(size)})" if work.sizes_differ else ""


def at_most(work: Work) -> str:
    """The size, behind a comma; nothing where only tags are removed, and where deleted and archived bytes stand apart
    already.
    """
    size = whole_size(work)
    return f", at most {size}" if size else ""


def whole_size(work: Work) -> str:
    """The one size of all that is done; empty where there is none."""
    only_tags = work.untagged and not (work.deleted or work.archived)
    return "" if only_tags or work.sizes_differ else text.size(work.size)


def orders(work: Work) -> str:
    """`Delete 3 images and archive 2 images`."""
    parts = [f"delete {text.images(work.deleted)}{_apart(work, work.deleted_size)}"] if work.deleted else []
    parts += [f"archive {text.images(work.archived)}{_apart(work, work.archived_size)}"] if work.archived else []
    parts += [f"remove {tags(work.tags)} from {text.images(work.untagged)}"] if work.untagged else []
    whole = " and ".join(parts)
    return whole[:1].upper() + whole[1:]


def tags(count: int) -> str:
    """How many tags."""
    return "1 tag" if count == 1 else f"{count} tags"


def for_good(work: Work) -> Iterator[str]:
    """That some of what is deleted can't be put back."""
    if work.for_good:
        are, them = ("is", "it") if work.for_good == 1 else ("are", "them")
        yield f"Of these, {work.for_good} {are} in the archive: nothing can bring {them} back"


_PAST = {Action.DELETE: "deleted", Action.ARCHIVE: "archived", Action.UNTAG: "rid of tags"}


def done(outcomes: Mapping[str, Outcome]) -> int:
    """How many images were changed as planned."""
    return sum(outcome.result is Result.DONE for outcome in outcomes.values())


def deeds(plan: Plan, outcomes: Mapping[str, Outcome]) -> str:
    """What is left to say where the result itself can't be written."""
    actions = [action for action in Action if plan.going(action)] or [plan.action]
    return f"{done(outcomes)} of {len(plan.steps)} images were {' or '.join(_PAST[action] for action in actions)}"


def archive_minimum(work: Work) -> float:
    """Dollars for the least time that the archive bills of what goes there, at most."""
    return work.archived_size / _GIB * _RATE * _MINIMUM_DAYS / 30


def early_deletion(plan: Plan) -> float:
    """Dollars that are billed for archived images that are deleted before their least time is over, at most."""
    now = plan.taken_at
    archived = (step for step in plan.going(Action.DELETE) if step.status is Status.ARCHIVED)
    days = ((step.size, _MINIMUM_DAYS - (now - step.archived_at) / _DAY) for step in archived if step.archived_at)
    return sum(size / _GIB * _RATE * max(0.0, left) / 30 for size, left in days)


def retrieval(size: int) -> float:
    """Dollars for so many bytes that come out of the archive."""
    return size / _GIB * _RETRIEVAL


def archive_terms(work: Work) -> str:
    """What archiving costs, in a line."""
    return (
        f"The archive bills at least {_MINIMUM_DAYS} days: {at_most_dollars(archive_minimum(work))} for these. Up to "
        "150 TB a GB costs there what it costs outside, $0.10 a month, and $0.03 to come back (us-east-1, March 2026)"
    )


def dollars(amount: float) -> str:
    """An amount for people; what is less than a cent is said to be."""
    return f"${amount:,.2f}" if amount >= 0.01 or not amount else "less than $0.01"


def at_most_dollars(amount: float) -> str:
    """A bound on an amount, for people."""
    shown = dollars(amount)
    return f"at most {shown}" if shown.startswith("$") else shown
