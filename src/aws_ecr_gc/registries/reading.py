"""From a back end to an inventory: the listing, and the children of the indexes."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec
from msgspec import Struct

from aws_ecr_gc.errors import AwsFailure, Unintelligible
from aws_ecr_gc.inventory import Image, Inventory, Status
from aws_ecr_gc.manifest import matches
from aws_ecr_gc.ports import BATCH, RepositoryPort


class Manifests(Protocol):
    """Where manifests are kept between runs, by digest."""

    def get(self, digest: str) -> bytes | None: ...
    def put(self, digest: str, manifest: bytes) -> None: ...


class IndexVanished(AwsFailure):
    """An index was deleted between its listing and its reading: the listing is out of date."""


class _Descriptor(Struct):
    digest: str


class _Index(Struct):
    manifests: list[_Descriptor]


_LISTINGS = 3
"""How often a repository is listed before it is given up, as its indexes keep vanishing while they are read."""

_index_decoder = msgspec.json.Decoder(_Index)


def read_whole(
    port: RepositoryPort,
    now: float,
    needed: Callable[[Inventory], Sequence[str]],
    cache: Manifests,
    *,
    progress: Callable[[str], None],
    say: Callable[[str], None],
    announce: Callable[[int], None] = lambda _: None,
) -> Inventory:
    """The repository with the children of the indexes that `needed` names, given the listing; `now` in epoch seconds.

    Pull times are those before anything was read. An index that vanishes between its listing and its reading puts the
    listing out of date: `say` gets a line, and the repository is listed again. `progress` gets what was done so far,
    as "1000 images listed"; what it raises ends the reading. `announce` gets the number of manifests that are about to
    be read, which counts as a pull of each. Raises IndexVanished after the third listing, and else
    what the port and `with_children` raise.
    """
    first: Inventory | None = None
    for listing in range(1, _LISTINGS + 1):
        inventory = list_images(port, now, lambda images: progress(f"{images} images listed"))
        if first is None:
            first = inventory
        else:
            inventory = with_pull_times_of(first, inventory)
        inventory = with_known_children(inventory, cache, archived_only=True)
        indexes = needed(inventory)
        if not indexes:
            return inventory
        try:
            return with_children(
                inventory, indexes, port, cache, lambda read: progress(f"{read} indexes read"), announce=announce
            )
        except IndexVanished as vanished:
            if listing == _LISTINGS:
                raise
            say(f"{vanished}; listing the repository again")
    raise AssertionError("the last listing returns or raises")


def list_images(port: RepositoryPort, now: float, progress: Callable[[int], None]) -> Inventory:
    """Everything in the repository, each digest once; `progress` gets the number of images so far."""
    images: dict[str, Image] = {}
    for page in port.pages():
        _add(images, page)
        progress(len(images))
    return Inventory(port.repository, now, images)


def _add(images: dict[str, Image], page: Sequence[Image]) -> None:
    found = {image.digest: image for image in page}
    if len(found) == len(page) and found.keys().isdisjoint(images.keys()):
        images.update(found)
        return
    for image in page:
        seen = images.get(image.digest)
        images[image.digest] = image if seen is None else _united(seen, image)


def _united(first: Image, second: Image) -> Image:
    """The same digest listed twice, its tags spread over two pages or moved in between: every tag seen counts."""
    return msgspec.structs.replace(second, tags=tuple(dict.fromkeys((*first.tags, *second.tags))))


def with_pull_times_of(earlier: Inventory, inventory: Inventory) -> Inventory:
    """The inventory with the pull times of an earlier listing, where it has them: our own reading moves them since."""
    images = {
        digest: msgspec.structs.replace(image, pulled_at=earlier.images[digest].pulled_at)
        if digest in earlier.images
        else image
        for digest, image in inventory.images.items()
    }
    return msgspec.structs.replace(inventory, images=images)


def with_known_children(inventory: Inventory, cache: Manifests, *, archived_only: bool) -> Inventory:
    """The inventory with the children of the indexes whose manifests are in the cache."""
    found: dict[str, tuple[str, ...]] = {}
    for image in inventory.images.values():
        if image.children is None and (image.status is not Status.ACTIVE or not archived_only):
            manifest = cache.get(image.digest)
            if manifest is not None:
                found[image.digest] = _children(image.digest, manifest)
    return _with_children(inventory, found)


def with_children(
    inventory: Inventory,
    indexes: Collection[str],
    port: RepositoryPort,
    cache: Manifests,
    progress: Callable[[int], None],
    *,
    announce: Callable[[int], None] = lambda _: None,
) -> Inventory:
    """The inventory with the children of these indexes, read from the registry where the cache lacks them.

    `announce` gets the number of those before the first is read.

    Raises IndexVanished if one is gone by now, and Unintelligible if one can't be parsed.
    """
    inventory = with_known_children(inventory, cache, archived_only=False)
    missing = [digest for digest in indexes if inventory.images[digest].children is None]
    found: dict[str, tuple[str, ...]] = {}
    if missing:
        announce(len(missing))
    for digests in _batches(missing):
        manifests = port.manifests(digests)
        for digest in digests:
            if digest not in manifests:
                raise IndexVanished(f"index {digest}: listed, but gone when it was read")
            manifest = manifests[digest]
            if not matches(digest, manifest):
                raise Unintelligible(f"index {digest}: ECR answered with something else than was asked for")
            found[digest] = _children(digest, manifest)
            cache.put(digest, manifest)
        progress(len(found))
    return _with_children(inventory, found)


def _batches(digests: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(digests), BATCH):
        yield digests[start : start + BATCH]


def _with_children(inventory: Inventory, children: Mapping[str, tuple[str, ...]]) -> Inventory:
    if not children:
        return inventory
    images = dict(inventory.images)
    for digest, found in children.items():
        images[digest] = msgspec.structs.replace(images[digest], children=found)
    return msgspec.structs.replace(inventory, images=images)


def _children(digest: str, manifest: bytes) -> tuple[str, ...]:
    try:
        return tuple(descriptor.digest for descriptor in _index_decoder.decode(manifest).manifests)
    except msgspec.DecodeError as error:
        raise Unintelligible(f"index {digest}: its manifest can't be parsed: {error}") from error
