"""Cases as values: what a repository holds at a time, and what is expected of it."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum

from msgspec import Struct

from aws_ecr_gc.inventory import Inventory
from aws_ecr_gc.plan import Decision, Verdict

NO_POLICY = "no-policy"
"""The reason of every image of a repository that no policy fits."""

NAMED_IN_TAG = re.compile(r"\{([^{}]*)\}")


class Expect(StrEnum):
    """What is to become of an image. KEPT is one of the next two."""

    KEPT = "kept"
    RETAINED = "retained"
    HELD = "held"
    COLLECTED = "collected"


class Expectation(Struct, frozen=True):
    """What is expected of an image: its verdict, a rule (or another reason's name) among the reasons for it, and the
    tags that it loses, None where they are not looked at.

    `line` is where the image stands in the file.
    """

    digest: str
    line: int
    expect: Expect
    by: str | None = None
    loses: frozenset[str] | None = None

    def is_met_by(self, decision: Decision, loses: frozenset[str] = frozenset()) -> bool:
        """Whether a decision on the image, and the tags that it loses, are as expected."""
        if self.loses is not None and self.loses != loses:
            return False
        if self.expect is Expect.KEPT:
            as_expected = decision.verdict is not Verdict.COLLECTED
        else:
            as_expected = decision.verdict == self.expect.value
        return as_expected and (self.by is None or any(reason.rule == self.by for reason in decision.reasons))

    def __str__(self) -> str:
        by = "" if self.by is None else f" by {self.by}"
        return f"{self.expect}{by}{losing(self.loses)}"


def losing(tags: frozenset[str] | None) -> str:
    """Behind what becomes of an image: the tags that it loses; nothing where nobody looks at them."""
    return "" if tags is None else f" losing [{', '.join(sorted(tags))}]"


class Case(Struct, frozen=True):
    """A repository at a time, and what is expected of its images.

    `labels` are what people call the images, by digest: name, first tag or place in the file. `guards` are those that
    must refuse the plan, or None where they are not looked at. With `unfit`, no policy may fit the repository.
    """

    name: str
    line: int
    inventory: Inventory
    labels: Mapping[str, str]
    expectations: tuple[Expectation, ...]
    guards: frozenset[str] | None = None
    unfit: bool = False

    @property
    def at(self) -> float:
        """The time to decide as at, in epoch seconds."""
        return self.inventory.taken_at


def moment(text: str) -> float:
    """Epoch seconds from a date, or a date and a time. Raises ValueError for what the calendar does not have."""
    time = datetime.fromisoformat(text)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def made_digest(name: str) -> str:
    """The digest of an image that states none, from its name or its place."""
    return f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"


def tag_with_digests(text: str, digests: Mapping[str, str]) -> str:
    """A tag, with the hex digits of their digests for the names in it."""
    return NAMED_IN_TAG.sub(lambda found: digests[found[1]].partition(":")[2], text)
