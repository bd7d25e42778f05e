"""The one narrow door to a registry. Back ends implement it; what cuts across them wraps it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct

from aws_ecr_gc.inventory import Image
from aws_ecr_gc.reference import Repository

BATCH = 100  # the most ids that ECR takes in one call, whatever the call


class ImageId(NamedTuple):
    """What ECR calls an image identifier. With a tag it means: this tag, if it still points at this digest."""

    digest: str
    tag: str | None


class Refusal(Struct, frozen=True):
    """An id that ECR did not act on, with its code and reason."""

    id: ImageId
    code: str
    reason: str


class Deletion(Struct, frozen=True):
    """The answer to one deletion: the ids that are gone, and the refusals."""

    gone: tuple[ImageId, ...]
    refused: tuple[Refusal, ...]


class RepositoryPort(Protocol):
    """One repository of one registry. Every method raises `errors.AwsFailure` or `errors.Misuse`."""

    @property
    def repository(self) -> Repository:
        """The repository; its registry's account is known once an image was seen."""

    def pages(self) -> Iterator[list[Image]]:
        """Every image whatever its status; children of indexes are not filled in. An image may come twice."""

    def describe(self, digests: Sequence[str]) -> list[Image]:
        """At most `BATCH` images as they are now. One that is gone raises `errors.ImageNotFound` for all."""

    def manifests(self, digests: Sequence[str]) -> dict[str, bytes]:
        """The manifests of at most `BATCH` images by digest; what is gone is left out. Counts as a pull."""

    def delete(self, ids: Sequence[ImageId]) -> Deletion:
        """Delete at most `BATCH` ids."""
