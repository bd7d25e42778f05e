"""What a plan file looks like inside: one JSON document. `schemas/plan-file.schema.json` is generated from the shapes.

Nothing stands there twice, so that nothing can disagree: a step names its image by digest, and what was seen of that
stands with the image alone. `active` and `size` are for readers, and verified. Times are numbers, epoch seconds, so
that they come back exactly. Members that are not known are refused: each could be a precondition.
"""

from hashlib import sha256
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from aws_ecr_gc.inventory import Status
from aws_ecr_gc.plan import Action, Verdict
from aws_ecr_gc.planfile.values import Asked, Flags, Refusal

FORMAT = "aws-ecr-gc plan"
VERSION = 1

# (?![\s\S]) is the end of the text in every dialect: Python's $ would let a line end follow, and JSON Schema has no \Z.
Digest = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+.-]+:[0-9A-Fa-f]+(?![\s\S])")]
Word = Annotated[str, Meta(pattern=r"^[!-~]+(?![\s\S])")]
Checksum = Annotated[str, Meta(pattern=r"^(sha256:[0-9a-f]{64})?(?![\s\S])")]
Seconds = Annotated[float, Meta(ge=0, le=250_000_000_000)]
Count = Annotated[int, Meta(ge=0, le=1 << 62)]


class Format(Struct):
    """What a plan file has in every version."""

    format: str
    version: int


class RegistryPart(Struct, forbid_unknown_fields=True):
    """The registry. The account is null where nothing named it: empty repositories, no --registry-id."""

    account: Word | None
    region: Word
    partition: Word


class PolicyPart(Struct, forbid_unknown_fields=True):
    """The policy file with those that it extends, and their hash; or what the original's flags say in its stead."""

    files: tuple[str, ...]
    sha256: str | None
    flags: Flags | None


class OriginPart(Struct, forbid_unknown_fields=True):
    """Where workloads are read: a source, and there an account and region, or a cluster or list by name."""

    source: Annotated[str, Meta(min_length=1)]
    account: str | None
    region: str | None
    name: str | None


class UnreadPart(Struct, forbid_unknown_fields=True):
    """What could not be read, and why."""

    origin: OriginPart
    reason: str


class ReachPart(Struct, forbid_unknown_fields=True):
    """How far a reading went beyond the places that it names."""

    every: bool
    organization: bool
    revisions: int


class SeenPart(Struct, forbid_unknown_fields=True):
    """The reading of what is in use that the plans were made with."""

    taken_at: Seconds
    read: tuple[OriginPart, ...]
    gone_on_without: tuple[UnreadPart, ...]
    reach: ReachPart


class InUsePart(Struct, forbid_unknown_fields=True):
    """What is to be asked, null where nothing is; what was read, null where nothing was; what may stay unread."""

    asked: Asked | None
    seen: SeenPart | None
    allow_unread: tuple[str, ...]


class ReasonPart(Struct, forbid_unknown_fields=True, gc=False):
    """A reason: the rule, what it found, and the tag or digest through which it acts."""

    rule: str
    detail: str
    via: str | None


class ImagePart(Struct, forbid_unknown_fields=True, gc=False):
    """An image as it was read, and the decision on it. `children` is null for an index that was not read."""

    digest: Digest
    tags: tuple[Word, ...]
    pushed_at: Seconds
    pulled_at: Seconds | None
    media_type: str | None
    artifact_type: str | None
    size: Count
    status: Status
    subject: str | None
    children: tuple[str, ...] | None
    archived_at: Seconds | None
    activated_at: Seconds | None
    decision: Verdict
    reasons: Annotated[tuple[ReasonPart, ...], Meta(min_length=1)]


class StepPart(Struct, forbid_unknown_fields=True, gc=False):
    """One image to act on, by its digest, and those that must be gone or archived before it.

    `untag` are the tags to remove, where that is the action; `put_away` the indexes and subjects that need the image
    and are in the archive already.
    """

    digest: Digest
    action: Action
    after: tuple[Digest, ...]
    wave: Count
    subjects: tuple[Digest, ...]
    untag: tuple[Word, ...]
    put_away: tuple[Digest, ...]


class RepositoryPart(Struct, forbid_unknown_fields=True):
    """One repository: its steps in the order to carry them out, and every image, newest first.

    `action` is what the policy does to active images that do not stay; those in the archive can only be deleted.
    """

    name: Word
    policy: str
    action: Action
    taken_at: Seconds
    ended_at: Seconds | None
    active: Count
    size: Count
    heeds_pulls: bool
    canary: Count | None
    max_failures: Count | None
    refused: tuple[Refusal, ...]
    broken: tuple[str, ...]
    steps: tuple[StepPart, ...]
    images: tuple[ImagePart, ...]


class Document(Struct, forbid_unknown_fields=True):
    """The plans for repositories of one registry, and what they rest on. Times are epoch seconds, sizes bytes.

    `checksum` is that of the document with an empty checksum, encoded without white space in the order of its schema.
    """

    format: str
    version: int
    tool: str
    made_at: Seconds
    checksum: Checksum
    registry: RegistryPart
    policy: PolicyPart
    in_use: InUsePart
    repositories: tuple[RepositoryPart, ...]


def checksum_of(document: Document) -> str:
    """The checksum over all of it but the checksum."""
    return f"sha256:{sha256(msgspec.json.encode(replace(document, checksum=''))).hexdigest()}"


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return msgspec.json.schema(Document)
