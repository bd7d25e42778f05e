"""What a repository holds, as it was read once."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import compress, islice
from operator import attrgetter, eq

from msgspec import Struct

from aws_ecr_gc.reference import Repository

INDEX_TYPES = frozenset(
    {
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)
MANIFEST_TYPES = frozenset(
    {
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/vnd.oci.artifact.manifest.v1+json",
        "application/vnd.cncf.oras.artifact.manifest.v1+json",
    }
)
KNOWN_TYPES = INDEX_TYPES | MANIFEST_TYPES


class Status(StrEnum):
    """ECR's imageStatus."""

    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    ACTIVATING = "ACTIVATING"


class Image(Struct, frozen=True, gc=False):
    """Any manifest of a repository. Times are epoch seconds, `size` is in bytes.

    `children` are the digests that an index lists: empty for what is no index, None for an index whose manifest
    has not been read. `archived_at` and `activated_at` are when it was last put into the archive and last taken out.
    """

    digest: str
    pushed_at: float
    tags: tuple[str, ...]
    media_type: str | None
    size: int = 0
    status: Status = Status.ACTIVE
    subject: str | None = None
    children: tuple[str, ...] | None = ()
    pulled_at: float | None = None
    artifact_type: str | None = None
    archived_at: float | None = None
    activated_at: float | None = None

    @property
    def own_size(self) -> int:
        """The bytes that go with it, at most: other images may share its layers. An index has none of its own."""
        return 0 if self.media_type in INDEX_TYPES else self.size


class Inventory(Struct, frozen=True):
    """Every image of a repository by its digest. It is whole, or it does not exist.

    `taken_at`, in epoch seconds, is the time that it speaks of; `ended_at` is when its reading ended, where that is
    known.
    """

    repository: Repository
    taken_at: float
    images: Mapping[str, Image]
    ended_at: float | None = None

    @property
    def read_until(self) -> float:
        """What happened before, in epoch seconds, may be seen in it; what comes after is not."""
        return self.taken_at if self.ended_at is None else self.ended_at


def unread_indexes(inventory: Inventory) -> list[str]:
    """The active indexes whose children are not known. The others can't be read: ECR gives none but active images."""
    return [
        image.digest for image in inventory.images.values() if image.children is None and image.status is Status.ACTIVE
    ]


def active_in(inventory: Inventory) -> int:
    """How many images are neither archived nor on the way back from there."""
    return sum([image.status is Status.ACTIVE for image in inventory.images.values()])


def newest_first(images: Iterable[Image]) -> list[Image]:
    """The total order of everything that counts: pushed_at descending, digest ascending."""
    # Times are cheap to compare and seldom equal: only where they are, the digests are compared as well.
    ordered = sorted(images, key=attrgetter("pushed_at"), reverse=True)
    times = [image.pushed_at for image in ordered]
    end = 0
    for start in compress(range(len(times)), map(eq, times, islice(times, 1, None))):
        if start >= end:
            end = next((at for at in range(start + 1, len(times)) if times[at] != times[start]), len(times))
            ordered[start:end] = sorted(ordered[start:end], key=attrgetter("digest"))
    return ordered
