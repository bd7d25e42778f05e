"""What a manifest names: blobs, the manifests of an index, a subject.

Sources: the OCI image specification 1.1 (manifest.md, image-index.md), Docker's image manifest version 2, schemas 1
and 2.
"""

import hashlib
import re
from typing import NamedTuple

import msgspec
from msgspec import Struct


class Blob(NamedTuple):
    """A config or a layer; `size` in bytes is None where the manifest does not tell (Docker's schema 1)."""

    digest: str
    size: int | None
    media_type: str


class Parts(NamedTuple):
    """What an image needs to be whole: its blobs, each once, and the digests of its children; and its subject."""

    blobs: tuple[Blob, ...]
    children: tuple[str, ...]
    subject: str | None


class _Descriptor(Struct, rename="camel"):
    digest: str
    size: int | None = None
    media_type: str = ""

    @property
    def is_foreign(self) -> bool:
        """Whether it lies elsewhere, as the base layers of Windows do: no registry need have it."""
        return ".foreign." in self.media_type or ".nondistributable." in self.media_type


class _FsLayer(Struct):
    digest: str = msgspec.field(name="blobSum")


class _Manifest(Struct, rename="camel"):
    media_type: str | None = None
    config: _Descriptor | None = None
    layers: list[_Descriptor] = []
    blobs: list[_Descriptor] = []
    fs_layers: list[_FsLayer] = []
    manifests: list[_Descriptor] = []
    subject: _Descriptor | None = None


DIGEST = r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}"
"""The digests that OCI names, as a regular expression."""
_decoder = msgspec.json.Decoder(_Manifest)


def parts_of(manifest: bytes) -> Parts:
    """Raises ValueError of one line for what is no manifest."""
    try:
        read = _decoder.decode(manifest)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"no manifest: {error}") from error
    named = [*([read.config] if read.config else []), *read.layers, *read.blobs]
    blobs = {each.digest: Blob(each.digest, each.size, each.media_type) for each in named if not each.is_foreign}
    for layer in read.fs_layers:
        blobs.setdefault(layer.digest, Blob(layer.digest, None, ""))
    children = tuple(dict.fromkeys(each.digest for each in read.manifests))
    return Parts(tuple(blobs.values()), children, None if read.subject is None else read.subject.digest)


def stated_media_type(manifest: bytes) -> str | None:
    """The media type that a manifest states itself; OCI's need not."""
    try:
        return _decoder.decode(manifest).media_type
    except (msgspec.DecodeError, RecursionError):
        return None


def matches(digest: str, content: bytes) -> bool:
    """Whether the content has this digest (sha256 or sha512, as OCI names them)."""
    hashed = hash_of(digest)
    if hashed is None:
        return False
    hashed.update(content)
    return f"{hashed.name}:{hashed.hexdigest()}" == digest


def hash_of(digest: str) -> "hashlib._Hash | None":
    """An empty hash of the digest's kind; None for a kind that OCI does not name."""
    algorithm = digest.partition(":")[0]
    return hashlib.new(algorithm) if algorithm in {"sha256", "sha512"} else None


def is_digest(text: str) -> bool:
    """Whether it is a digest of a kind that OCI names, and nothing that could be taken for a path."""
    return re.fullmatch(DIGEST, text) is not None
