"""A repository's content in memory, under ECR's rules for pushes, for laws that need many examples."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence

from aws_ecr_gc.errors import AwsFailure, Passing
from aws_ecr_gc.inventory import Image
from aws_ecr_gc.manifest import parts_of
from aws_ecr_gc.ports import Availability
from aws_ecr_gc.restore import Lost

INDEX = "application/vnd.oci.image.index.v1+json"
IMAGE = "application/vnd.oci.image.manifest.v1+json"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def layer(name: str) -> str:
    return digest_of(f"layer {name}".encode())


def lost(
    name: str,
    *tags: str,
    children: Sequence[Lost] = (),
    subject: Lost | None = None,
    layers: Sequence[str] = (),
) -> Lost:
    """An image that was deleted with all its tags."""
    content: dict[str, object] = {"schemaVersion": 2, "annotations": {"name": name}}
    if children:
        content |= {"mediaType": INDEX, "manifests": [{"digest": each.digest} for each in children]}
    else:
        content |= {"mediaType": IMAGE, "layers": [{"digest": layer(each), "size": 7} for each in layers]}
    if subject is not None:
        content["subject"] = {"digest": subject.digest}
    manifest = json.dumps(content).encode()
    return Lost(digest_of(manifest), tags, tags, INDEX if children else IMAGE, manifest)


class Repository:
    """Implements `ports.ContentPort`. `strike(call)` may change it, or raise before or after the effect of a call."""

    def __init__(self, layers: Sequence[str] = (), *, immutable: bool = False) -> None:
        self.images: dict[str, bytes] = {}
        self.tags: dict[str, str] = {}
        self.stored = {layer(name) for name in layers}
        self.immutable = immutable
        self.puts: list[tuple[str, str | None]] = []
        self.strike: Callable[[str, str], None] = lambda _call, _when: None

    @property
    def inventory(self) -> dict[str, Image]:
        """What a listing says."""
        return {
            digest: Image(digest, 1.0, tuple(sorted(tag for tag, at in self.tags.items() if at == digest)), None)
            for digest in self.images
        }

    def layers(self, digests: Sequence[str]) -> dict[str, Availability]:
        self.strike("layers", "before")
        return {each: Availability.AVAILABLE if each in self.stored else Availability.UNAVAILABLE for each in digests}

    def tagged(self, tag: str) -> str | None:
        self.strike("tagged", "before")
        return self.tags.get(tag)

    def put(self, digest: str, manifest: bytes, media_type: str | None, tag: str | None) -> None:
        self.strike("put", "before")
        assert digest_of(manifest) == digest
        parts = parts_of(manifest)
        assert media_type == (INDEX if parts.children else IMAGE)
        if not self.stored.issuperset(blob.digest for blob in parts.blobs):
            raise AwsFailure("layers are missing", "LayersNotFoundException")
        if not self.images.keys() >= set(parts.children):
            raise AwsFailure("children are missing", "ReferencedImagesNotFoundException")
        if tag is not None and self.immutable and self.tags.get(tag, digest) != digest:
            raise AwsFailure("the tag is immutable", "ImageTagAlreadyExistsException")
        self.images[digest] = manifest
        if tag is not None:
            self.tags[tag] = digest
        self.puts.append((digest, tag))
        self.strike("put", "after")

    def download(self, digest: str) -> Iterator[bytes]:
        raise AssertionError(f"nobody wants {digest}")

    def upload(self, digest: str, content: Callable[[], Iterator[bytes]]) -> None:
        assert digest_of(b"".join(content())) == digest
        self.stored.add(digest)


class Backup:
    """Layers of a backup. Implements `restore.Source`."""

    def __init__(self, names: Sequence[str]) -> None:
        self._content = {layer(name): f"layer {name}".encode() for name in names}

    def has(self, digest: str) -> bool:
        return digest in self._content

    def content(self, digest: str) -> Iterator[bytes]:
        yield self._content[digest]


class Faults:
    """Answers that are lost, and calls that are refused for a while, as drawn."""

    def __init__(self, drawn: Sequence[str]) -> None:
        self._drawn = list(drawn)

    def __call__(self, call: str, when: str) -> None:
        if self._drawn and (call, when) != ("put", "after"):
            drawn = self._drawn.pop()
            if drawn == "refused":
                raise Passing("try again")
            if drawn == "lost" and call == "put":
                self._drawn.append("lose")
        elif self._drawn and self._drawn[-1] == "lose":
            self._drawn.pop()
            raise Passing("no answer")
