"""The blobs of one repository: what was uploaded, what images name, and what is being uploaded."""

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from aws_ecr_gc.sandbox import blobs
from aws_ecr_gc.sandbox.manifests import NAME_ANNOTATION, Contents, Descriptor, digest_of

_EMPTY = digest_of(b"{}")


class Blob(NamedTuple):
    """A blob; its content was uploaded, or is made up from a name, or nobody knows it."""

    size: int
    media_type: str
    content: bytes | None = None
    layer: str | None = None

    def chunks(self) -> Iterator[bytes] | None:
        """Its bytes; None where nobody knows them."""
        if self.content is not None:
            return iter((self.content,))
        return None if self.layer is None else blobs.layer_content(self.layer, self.size)


class Upload:
    """An upload that has begun."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.parts: list[int] = []
        """Their sizes."""


class Layers:
    """The blobs of one repository. What images name that were put in from behind counts as uploaded."""

    def __init__(self) -> None:
        self._blobs: dict[str, Blob] = {}
        self._users: defaultdict[str, set[str]] = defaultdict(set)
        self.uploads: dict[str, Upload] = {}

    def get(self, digest: str) -> Blob | None:
        """A blob that is there."""
        return self._blobs.get(digest)

    def users_of(self, digest: str) -> frozenset[str]:
        """The digests of the images that name it."""
        return frozenset(self._users.get(digest, ()))

    def add(self, content: bytes) -> str:
        """Store a blob, as if it had been uploaded; its digest."""
        digest = digest_of(content)
        self._blobs[digest] = Blob(len(content), "", content)
        return digest

    def begin_upload(self) -> str:
        """The id of a new upload."""
        upload = str(uuid.uuid4())
        self.uploads[upload] = Upload()
        return upload

    def use(self, image: str, contents: Contents) -> None:
        """Note what an image names."""
        for descriptor in contents.blob_descriptors:
            self._users[descriptor.digest].add(image)
            known = self._blobs.get(descriptor.digest)
            if known is None:
                self._blobs[descriptor.digest] = _blob_of(descriptor, is_config=descriptor is contents.config)
            elif not known.media_type:
                self._blobs[descriptor.digest] = known._replace(media_type=descriptor.media_type)

    def release(self, image: str, contents: Contents, *, drop: bool) -> None:
        """An image is gone; `drop` what no other one names."""
        for descriptor in contents.blob_descriptors:
            users = self._users.get(descriptor.digest, set())
            users.discard(image)
            if not users:
                self._users.pop(descriptor.digest, None)
                if drop:
                    self.remove(descriptor.digest)

    def remove(self, digest: str) -> None:
        """Lose a blob, whoever names it."""
        self._blobs.pop(digest, None)

    def collect_garbage(self) -> None:
        """Lose every blob that no image names, as ECR does in its own time."""
        for digest in [digest for digest in self._blobs if digest not in self._users]:
            self.remove(digest)


def _blob_of(descriptor: Descriptor, *, is_config: bool) -> Blob:
    size, media_type = descriptor.size, descriptor.media_type
    if descriptor.digest == _EMPTY:
        return Blob(size, media_type, b"{}")
    name = (descriptor.annotations or {}).get(NAME_ANNOTATION)
    if name is None:
        return Blob(size, media_type)
    if is_config:
        return Blob(size, media_type, blobs.config_content(name))
    return Blob(size, media_type, layer=name)


def is_digest_of(digest: str, content: bytes | bytearray) -> bool:
    """Whether this is the SHA-256 of the content."""
    return digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
