"""The one place that puts images back. It deletes nothing, and takes no tag from another image.

- ECR moves a tag that is on another image, where tags are mutable: see `aws.putting`. A tag that somebody sets between
  the look and the call is taken away from its image: ECR knows no condition that would prevent it.
- ECR itself verifies the digest, and refuses what lacks layers or children. They are looked for before, so that all
  that is missing can be named.
- All of it may be done again at any time: what is there is left as it is.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import Protocol

from msgspec import Struct, field

from aws_ecr_gc.aws.putting import put_under
from aws_ecr_gc.aws.trying import persistently
from aws_ecr_gc.errors import AwsFailure, Error, Interrupted
from aws_ecr_gc.inventory import Image
from aws_ecr_gc.manifest import Blob
from aws_ecr_gc.ports import BATCH, Availability, ContentPort
from aws_ecr_gc.restore.values import Lost

_OF_THE_IMAGE = frozenset(
    {
        "ImageDigestDoesNotMatchException",
        "InvalidLayerException",
        "InvalidParameterException",
        "LayersNotFoundException",
        "ReferencedImagesNotFoundException",
    }
)
"""What is wrong with one image says nothing of the next."""


class Source(Protocol):
    """Where layers may be had that are not in the repository any more."""

    def has(self, digest: str) -> bool:
        """Whether it has a layer."""

    def content(self, digest: str) -> Iterator[bytes]:
        """The layer, from its beginning."""


class Result(StrEnum):
    """What became of an image; `WOULD` is put back in a dry run."""

    BACK = "back"
    THERE = "there"
    PARTLY = "partly"
    NOT = "not-back"
    WOULD = "would-be-back"


class Ended(Struct, frozen=True):
    """How it went with an image.

    `tags` are those put back, or that would be; `elsewhere` those that are on other images now, with their digests.
    An image that was gone is `whole` again: it is new to ECR. `missing` are the layers that nobody has.
    """

    digest: str
    result: Result
    tags: tuple[str, ...] = ()
    elsewhere: dict[str, str] = field(default_factory=dict)
    missing: tuple[Blob, ...] = ()
    detail: str = ""
    whole: bool = False


class Work(Struct, frozen=True):
    """What became of all images, in the order they were done; those not in it were not attempted."""

    ended: dict[str, Ended]
    stopped_by: Error | None
    interrupted: bool


def put_back(
    images: Sequence[Lost],
    there: Mapping[str, Image],
    port: ContentPort,
    *,
    source: Source | None = None,
    dry_run: bool = False,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[int], None] = lambda _: None,
    pause: Callable[[float], None] = time.sleep,
) -> Work:
    """Put images back, in this order; `there` is what the repository holds. What fails for all ends the work.

    `pause` waits for so many seconds before a call is tried again.
    """
    run = _Run(port, there, source, stop, pause, dry_run=dry_run)
    stopped_by: Error | None = None
    interrupted = False
    try:
        run.look_for_layers([each for each in images if each.digest not in there])
        for image in images:
            if stop():
                interrupted = True
                break
            run.ended[image.digest] = run.put(image)
            progress(len(run.ended))
    except Interrupted:
        interrupted = True
    except Error as error:
        stopped_by = error
    return Work(run.ended, stopped_by, interrupted)


class _Run:
    def __init__(
        self,
        port: ContentPort,
        there: Mapping[str, Image],
        source: Source | None,
        stop: Callable[[], bool],
        pause: Callable[[float], None],
        *,
        dry_run: bool,
    ) -> None:
        self._port = port
        self._images = there
        self._there = set(there)
        self._tags = {tag: image.digest for image in there.values() for tag in image.tags}
        self._source = source
        self._stop = stop
        self._pause = pause
        self._dry_run = dry_run
        self._layers: dict[str, Availability] = {}
        self.ended: dict[str, Ended] = {}

    def look_for_layers(self, images: Sequence[Lost]) -> None:
        """Ask which layers are there, each once."""
        digests = list(dict.fromkeys(blob.digest for image in images for blob in image.parts.blobs))
        for start in range(0, len(digests), BATCH):
            batch = digests[start : start + BATCH]
            self._layers |= persistently(partial(self._port.layers, batch), self._stop, self._pause)

    def put(self, image: Lost) -> Ended:
        known = self._images.get(image.digest)
        if known is not None:
            wanted = [tag for tag in image.removed if tag not in known.tags]
            if not wanted:
                return Ended(image.digest, Result.THERE, tags=known.tags)
        else:
            wanted = list(image.tags)
        if image.manifest is None:
            return self._not(image, "its manifest is not on record: it was deleted with --no-restore")
        refusal = None if known is not None else self._what_is_missing(image)
        if refusal is not None:
            return refusal
        if self._dry_run:
            return self._foretold(image, wanted, whole=known is None)
        try:
            if known is None:
                self._bring_layers(image)
            return self._put_tags(image, wanted, whole=known is None)
        except AwsFailure as error:
            if error.code not in _OF_THE_IMAGE:
                raise
            return self._not(image, str(error))

    def _not(self, image: Lost, detail: str, missing: tuple[Blob, ...] = ()) -> Ended:
        return Ended(image.digest, Result.NOT, missing=missing, detail=detail)

    def _what_is_missing(self, image: Lost) -> Ended | None:
        children = [digest for digest in image.parts.children if digest not in self._there]
        if children:
            return self._not(image, f"it lists what is not there: {', '.join(children)}")
        gone = [blob for blob in image.parts.blobs if self._layers[blob.digest] is Availability.UNAVAILABLE]
        missing = tuple(blob for blob in gone if self._source is None or not self._source.has(blob.digest))
        return self._not(image, "layers are gone", missing) if missing else None

    def _foretold(self, image: Lost, wanted: Sequence[str], *, whole: bool) -> Ended:
        elsewhere = {tag: self._tags[tag] for tag in wanted if self._tags.get(tag, image.digest) != image.digest}
        self._there.add(image.digest)
        tags = tuple(tag for tag in wanted if tag not in elsewhere)
        return Ended(image.digest, Result.WOULD, tags, elsewhere, whole=whole)

    def _bring_layers(self, image: Lost) -> None:
        """Upload what is missing; ECR takes a layer that is archived for one that may be missing."""
        for blob in image.parts.blobs:
            source = self._source
            if source is None or self._layers[blob.digest] is Availability.AVAILABLE or not source.has(blob.digest):
                continue
            self._port.upload(blob.digest, partial(source.content, blob.digest))
            self._layers[blob.digest] = Availability.AVAILABLE

    def _put_tags(self, image: Lost, wanted: Sequence[str], *, whole: bool) -> Ended:
        done: list[str] = []
        elsewhere: dict[str, str] = {}
        for tag in wanted:
            at = self._put_under(image, tag)
            if at == image.digest:
                done.append(tag)
            else:
                elsewhere[tag] = at
        if whole and not done:
            persistently(partial(self._put, image, None), self._stop, self._pause)
        self._there.add(image.digest)
        return Ended(image.digest, Result.PARTLY if elsewhere else Result.BACK, tuple(done), elsewhere, whole=whole)

    def _put_under(self, image: Lost, tag: str) -> str:
        """The digest that the tag is on in the end."""
        return put_under(
            self._port,
            image.digest,
            image.manifest or b"",
            image.type_to_state,
            tag,
            stop=self._stop,
            pause=self._pause,
        )

    def _put(self, image: Lost, tag: str | None) -> None:
        self._port.put(image.digest, image.manifest or b"", image.type_to_state, tag)
