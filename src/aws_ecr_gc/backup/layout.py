"""The two small files of an OCI image layout. Source: image-layout.md of the OCI image specification 1.1."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from aws_ecr_gc.manifest import DIGEST

OCI_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
TAG = "org.opencontainers.image.ref.name"
EARLIER_TAG = "dev.aws-ecr-gc.earlier-tag"
"""The tag of an image in an earlier backup, where a later one has another image under it."""
_TYPE = "application/vnd.oci.image.index.v1+json"
_OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Listed(Struct, frozen=True):
    """An image that index.json names; `size` is its manifest's, in bytes."""

    digest: str
    media_type: str
    size: int
    tags: tuple[str, ...]


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
        _take_tags_off_others(entries, image)
        of_it = [entry for entry in entries if entry["digest"] == image.digest]
        have = {_annotations(entry).get(TAG) for entry in of_it}
        if not image.tags and not of_it:
            entries.append(_entry(image, None))
        entries += [_entry(image, tag) for tag in image.tags if tag not in have]
        if image.tags:
            entries = [entry for entry in entries if entry["digest"] != image.digest or _annotations(entry)]
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


def _take_tags_off_others(entries: Sequence[dict[str, Any]], image: Listed) -> None:
    for entry in entries:
        annotations = _annotations(entry)
        if entry["digest"] != image.digest and annotations.get(TAG) in image.tags:
            entry["annotations"] = {**annotations, EARLIER_TAG: annotations[TAG]}
            del entry["annotations"][TAG]


def _entry(image: Listed, tag: str | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"mediaType": image.media_type, "digest": image.digest, "size": image.size}
    return entry if tag is None else {**entry, "annotations": {TAG: tag}}
