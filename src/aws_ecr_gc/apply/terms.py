"""How a plan is carried out, and what came of it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec import Struct

from aws_ecr_gc.errors import Error
from aws_ecr_gc.plan import Outcome

CHANGED = "ChangedSincePlan"
STILL_NEEDED = "StillNeeded"
UNCONFIRMED = "Unconfirmed"
IN_USE = "InUse"
TAKEN_WHOLE = "TakenWhole"
NOT_BACK = "NotBack"
PUT_BACK = "PutBack"
UNREAD = "ManifestUnread"

TAKES_WHOLE = (
    "action untag: this registry takes a whole image for a pair of digest and tag, so tags can't be removed safely; "
    "no more are; leave out action: untag"
)
"""What ends the work once that was seen."""

Veto = Callable[[], Mapping[str, str]]
"""What must not be acted on after all: why, by digest. Asked before each call; an `errors.Error` ends the work.

It gives the same mapping as long as it knows nothing newer.
"""


class Terms(Struct, frozen=True):
    """How a plan is carried out.

    An image that was pulled later than `pulled_since`, in epoch seconds, is skipped: where a rule goes by pulls, that
    is the end of the reading that the plan was made from, for the reading itself counts as a pull. `canary` is how many
    images go first, and alone; if one of them fails, no more do. After `max_failures` failures in a row nothing more
    is tried. With `only_puts_back` no step is carried out, but what an earlier try may have lost comes back.
    """

    pulled_since: float | None = None
    canary: int | None = None
    max_failures: int | None = None
    only_puts_back: bool = False


class Manifest(NamedTuple):
    """A manifest to put an image back by, and its media type."""

    content: bytes
    media_type: str | None


class Earlier(Struct, frozen=True):
    """What an interrupted try of the same plan came to: outcomes, and by digest the tags of its deletion calls.

    What is done or skipped is not tried again. Nobody may know what became of a call: those tags may be gone, and where
    ECR takes a whole image for a tag, the image. `may_be_lost` are the digests of which that is not known, for the try
    ended before it had looked; `manifests` are at hand for that, by digest.
    """

    outcomes: Mapping[str, Outcome] = {}
    attempted: Mapping[str, frozenset[str]] = {}
    manifests: Mapping[str, Manifest] = {}
    may_be_lost: frozenset[str] = frozenset()


class Applied(Struct, frozen=True):
    """What became of the steps, in the order they ended. Steps without an outcome were not attempted.

    `stopped_by` is the failure that ended the work early; `called` says whether anything was called for.
    """

    outcomes: dict[str, Outcome]
    stopped_by: Error | None
    interrupted: bool
    called: bool = False
