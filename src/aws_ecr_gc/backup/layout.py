"""The two small files of an OCI image layout. Source: image-layout.md of the OCI image specification 1.1."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from aws_ecr_gc.inventory import INDEX_TYPES
from aws_ecr_gc.manifest import DIGEST

OCI_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
TAG = "org.opencontainers.image.ref.name"
EARLIER_TAG = "dev.aws-ecr-gc.earlier-tag"
"""The tag of an image in an earlier backup, where a later one has another image under it."""
STANDS_FOR = "dev.aws-ecr-gc.stands-for"
"""The digest of the image that an entry of ours makes readable for others."""
_TYPE = "application/vnd.oci.image.index.v1+json"
_OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class StandIn(Struct, frozen=True):
    """An OCI index of one of Docker's images: tools that read OCI image layouts pass over entries of Docker's types."""

    digest: str
    content: bytes


class Listed(Struct, frozen=True):
    """An image that index.json names; `size` is its manifest's, in bytes."""

    digest: str
    media_type: str
    size: int
    tags: tuple[str, ...]
    stand_in: StandIn | None = None


def stand_in_for(digest: str, media_type: str, manifest: bytes) -> StandIn | None:
    """What lets others read an image of a type of Docker's; None for what they read as it is."""
    if not media_type.startswith("application/vnd.docker."):
        return None
    if media_type in INDEX_TYPES:
        entries = msgspec.json.decode(manifest, type=_Index).manifests
    else:
        entries = [{"mediaType": media_type, "digest": digest, "size": len(manifest)}]
    content = msgspec.json.encode({"schemaVersion": 2, "mediaType": _TYPE, "manifests": entries})
    return StandIn(f"sha256:{hashlib.sha256(content).hexdigest()}", content)


class _Index(Struct, frozen=True):
    """With all that others may have written into it."""

    manifests: list[dict[str, Any]]


class _Descriptor(Struct, frozen=True, rename="camel"):
    digest: Annotated[str, Meta(pattern=f"^(?:{DIGEST})$")]
    media_type: str = _OCI_MANIFEST
    size: int = 0
    annotations: dict[str, str] | None = None


class _Checked(Struct, frozen=True):
    manifests: list[_Descriptor]


def listed_in(index: bytes) -> list[Listed]:
    """The images of an index.json, each once with all its tags. Raises ValueError for what is none."""
    found: dict[str, Listed] = {}
    for entry in _entries(index):
        if STANDS_FOR in _annotations(entry):
            continue
        digest, tag = entry["digest"], _annotations(entry).get(TAG)
        tags = found[digest].tags if digest in found else ()
        tags = tags if tag is None else (*tags, tag)
        found[digest] = Listed(digest, entry.get("mediaType", _OCI_MANIFEST), entry.get("size", 0), tags)
    return list(found.values())


def with_images(index: bytes | None, images: Iterable[Listed]) -> bytes:
    """The index.json with more images; what it names already stays.

    Of two images under one tag the later one has it: the other keeps it as an annotation of ours. Raises ValueError
    for what is no index.json.
    """
    entries = [] if index is None else _entries(index)
    for image in images:
        entries = [kept for entry in entries if (kept := _without_tags_of(image, entry)) is not None]
        have = {_annotations(entry).get(TAG) for entry in entries if entry["digest"] == image.digest}
        for tag in image.tags or (None,):
            if tag not in have and (tag is not None or not have):
                entries += _new_entries(image, tag)
    content = {"schemaVersion": 2, "mediaType": _TYPE, "manifests": entries}
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"


def _entries(index: bytes) -> list[dict[str, Any]]:
    try:
        msgspec.json.decode(index, type=_Checked)
        entries = msgspec.json.decode(index, type=_Index).manifests
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    return entries


def _annotations(entry: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = entry.get("annotations") or {}
    return found


def _without_tags_of(image: Listed, entry: dict[str, Any]) -> dict[str, Any] | None:
    """An entry as it stays: no tag of the image but on itself, and none without a tag where it has one."""
    annotations = _annotations(entry)
    tag = annotations.get(TAG)
    if annotations.get(STANDS_FOR, entry["digest"]) == image.digest:
        return entry if annotations or not image.tags else None
    if tag not in image.tags:
        return entry
    if STANDS_FOR in annotations:
        return None
    others = {name: value for name, value in annotations.items() if name != TAG}
    return {**entry, "annotations": {**others, EARLIER_TAG: tag}}


def _new_entries(image: Listed, tag: str | None) -> Iterator[dict[str, Any]]:
    entry: dict[str, Any] = {"mediaType": image.media_type, "digest": image.digest, "size": image.size}
    yield entry if tag is None else {**entry, "annotations": {TAG: tag}}
    if tag is not None and image.stand_in is not None:
        stand_in = image.stand_in
        yield {
            "mediaType": _TYPE,
            "digest": stand_in.digest,
            "size": len(stand_in.content),
            "annotations": {TAG: tag, STANDS_FOR: image.digest},
        }
