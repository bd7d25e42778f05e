"""Where backups are kept. Back ends implement `Place` and `Layout`."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from aws_ecr_gc.errors import Misuse, Passing, one_line
from aws_ecr_gc.manifest import hash_of, is_digest
from aws_ecr_gc.reference import Repository

if TYPE_CHECKING:
    from aws_ecr_gc.aws.client import Client


class Layout(Protocol):
    """One OCI image layout. Writing raises BackupLost; reading raises Misuse, or AwsFailure."""

    @property
    def name(self) -> str:
        """What people call it."""

    def free(self) -> int | None:
        """How many bytes there is room for, where that is known."""

    def has(self, digest: str, size: int | None) -> bool:
        """Whether a blob is there and right."""

    def write(self, digest: str, size: int | None, content: Iterable[bytes]) -> None:
        """Write a blob, whole or not at all, and durably; what `content` raises passes through.

        Raises Passing where the content is not what the digest says. From several threads at a time.
        """

    def read(self, digest: str) -> Iterator[bytes]:
        """A blob."""

    def index(self) -> bytes | None:
        """The index.json; None where there is no layout."""

    def update(self, change: Callable[[bytes | None], bytes]) -> None:
        """Put another index.json in its place, with nobody else writing in between; durable when it returns."""


class Place(Protocol):
    """A place for the layouts of many repositories."""

    def layout(self, repository: Repository) -> Layout:
        """That of a repository, which need not be there. Nothing is read or written yet."""


def demand_place(stated: str) -> None:
    """Raise Misuse for what names no place of backups. Nothing is opened, and nobody called."""
    if stated.startswith("s3://") and not stated.removeprefix("s3://").partition("/")[0]:
        raise Misuse(f"backup {one_line(stated)}: names no bucket; write s3://BUCKET/PREFIX")
    if "://" in stated and not stated.startswith("s3://"):
        raise Misuse(f"backup {one_line(stated)}: is neither a directory nor s3://BUCKET/PREFIX")


def place_of(stated: str, s3: "Callable[[], Client]") -> Place:
    """The place that a path of a directory or `s3://bucket/prefix` names; `s3` gives a client. Raises Misuse."""
    demand_place(stated)
    if stated.startswith("s3://"):
        from aws_ecr_gc.backup.s3 import Bucket  # noqa: PLC0415 - only where it is asked for

        bucket, _, prefix = stated.removeprefix("s3://").partition("/")
        return Bucket(s3(), bucket, prefix.strip("/"))
    from aws_ecr_gc.backup.directory import Directory  # noqa: PLC0415 - only where it is asked for

    return Directory(Path(stated))


def path_of(repository: Repository) -> tuple[str, str, str]:
    """Account, region and name: no two repositories have the same. ECR's names hold no `+`."""
    registry = repository.registry
    return registry.account or "unknown", registry.region, repository.name.replace("/", "+")


def blob_path(digest: str) -> tuple[str, str, str]:
    """Where a blob lies in a layout. Raises ValueError for what is no digest, and might lead anywhere."""
    if not is_digest(digest):
        raise ValueError(f"{digest!r} is no digest of a kind that is known")
    algorithm, _, encoded = digest.partition(":")
    return "blobs", algorithm, encoded


def verified(digest: str, size: int | None, content: Iterable[bytes]) -> Iterator[bytes]:
    """The same content.

    Raises Passing at its end, or before, where it is not what the digest and the size say; ValueError for no digest.
    """
    hashed, length = hash_of(digest), 0
    if hashed is None:
        raise ValueError(f"{digest!r} is no digest of a kind that is known")
    for chunk in content:
        hashed.update(chunk)
        length += len(chunk)
        if size is not None and length > size:
            break
        yield chunk
    if f"{hashed.name}:{hashed.hexdigest()}" != digest or size not in (None, length):
        raise Passing(f"{digest}: what was downloaded is something else ({length} bytes)", "DigestMismatch")
