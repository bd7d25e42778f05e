"""What the stand-in stores: registries of repositories of images. Usable directly, without the API in between.

Every method that changes something takes the lock of the store, so a test may change a registry while clients talk
to it. An `Image` never changes; a change puts another one in its place, so that a listing begun earlier stays whole.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import RLock
from typing import Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from aws_ecr_gc.sandbox import manifests
from aws_ecr_gc.sandbox.behaviour import Behaviour
from aws_ecr_gc.sandbox.clock import Clock
from aws_ecr_gc.sandbox.layers import Layers
from aws_ecr_gc.sandbox.partitions import partition_of

Status = Literal["ACTIVE", "ARCHIVED", "ACTIVATING"]


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """An image, index or artifact. Times are epoch seconds, `size` is bytes as DescribeImages tells them."""

    digest: str
    manifest: bytes
    media_type: str
    size: int
    pushed_at: float
    artifact_media_type: str | None = None
    children: tuple[str, ...] = ()
    subject: str | None = None
    tags: tuple[str, ...] = ()
    pulled_at: float | None = None
    status: Status = "ACTIVE"
    archived_at: float | None = None
    activated_at: float | None = None
    activates_at: float | None = None
    """When an ACTIVATING image will be ACTIVE."""

    @property
    def contents(self) -> manifests.Contents:
        """What its manifest holds."""
        return manifests.read(self.manifest, self.media_type)


class Deletion(NamedTuple):
    """A tag that was removed, or (without `tag`) an image that vanished; `tags` is what the image had right before."""

    account: str
    region: str
    repository: str
    digest: str
    tags: tuple[str, ...]
    tag: str | None
    by: str
    """What removed it: an operation, `lifecycle` (a policy), `sweep` (of referrers), `event` (of a scenario) or
    `direct` (a call in Python)."""


@dataclass(kw_only=True)
class Settings:
    """What a repository is besides its images."""

    tag_mutability: str = "MUTABLE"
    exclusion_filters: list[str] = field(default_factory=list)
    scan_on_push: bool = False
    encryption: Mapping[str, str] = field(default_factory=lambda: {"encryptionType": "AES256"})
    resource_tags: dict[str, str] = field(default_factory=dict)
    missing_layers: frozenset[str] = frozenset()
    lifecycle_policy: str | None = None


class Repository:
    """The images of one repository and the tags on them. `settings` is what CreateRepository was told."""

    def __init__(self, registry: "Registry", name: str, settings: Settings, created_at: float) -> None:
        self.registry = registry
        self.name = name
        self.settings = settings
        self.created_at = created_at
        self.tags: dict[str, str] = {}
        self.layers = Layers()
        self._images: dict[str, Image] = {}
        self._parents: defaultdict[str, set[str]] = defaultdict(set)
        self._referrers: defaultdict[str, set[str]] = defaultdict(set)
        self._activating: set[str] = set()

    @property
    def arn(self) -> str:
        """`arn:<partition>:ecr:<region>:<account>:repository/<name>`."""
        registry = self.registry
        partition = partition_of(registry.region).name
        return f"arn:{partition}:ecr:{registry.region}:{registry.account}:repository/{self.name}"

    @property
    def uri(self) -> str:
        """`<account>.dkr.ecr.<region>.<suffix>/<name>`."""
        return f"{self.registry.host}/{self.name}"

    @property
    def images(self) -> dict[str, Image]:
        """Every image by its digest. To be read: change it by the methods."""
        if self._activating:
            self._finish_activations()
        return self._images

    def resolve(self, tag_or_digest: str) -> str:
        """The digest meant by a tag, or a digest itself. Raises KeyError when there is no such image."""
        digest = self.tags.get(tag_or_digest, tag_or_digest)
        return self.images[digest].digest

    def children_of(self, digest: str) -> tuple[str, ...]:
        """The digests that an index lists, in its order, whether or not they exist."""
        return self.images[digest].children

    def referrers_of(self, digest: str) -> list[str]:
        """The digests of the images whose subject this is; the subject itself need not exist."""
        return sorted(self._referrers.get(digest, ()))

    def holders_of(self, digest: str) -> list[str]:
        """The indexes that keep this image from being deleted or archived: those that list it and are not archived."""
        return sorted(parent for parent in self._parents.get(digest, ()) if self.images[parent].status != "ARCHIVED")

    def put(
        self,
        manifest: bytes,
        media_type: str | None = None,
        tag: str | None = None,
        *,
        pushed_at: float | None = None,
        pulled_at: float | None = None,
    ) -> str:
        """Store a manifest and tag it; returns its digest. An archived image is restored at once.

        Nothing is refused: the rules of PutImage are the API's. `media_type` is by default what the manifest states.
        Raises msgspec.DecodeError where that cannot be read.
        """
        with self.registry.lock:
            digest = manifests.digest_of(manifest)
            known = self.images.get(digest)
            if known is None:
                stated = media_type or manifests.stated_media_type(manifest) or ""
                self._add(self._new_image(digest, manifest, stated, pushed_at, pulled_at))
            elif known.status != "ACTIVE":
                self._activate(known, self.registry.clock.now())
            if tag is not None:
                self.tag(tag, digest)
            return digest

    def tag(self, tag: str, digest: str) -> None:
        """Put a tag on an image; the image that had it before keeps its other tags, and stays without any."""
        with self.registry.lock:
            if self.tags.get(tag) == digest:
                return
            image = self.images[digest]
            self.untag(tag)
            self.tags[tag] = digest
            self._images[digest] = replace(image, tags=(*image.tags, tag))

    def untag(self, tag: str) -> None:
        """Take a tag off; the image stays, even without tags. Nothing happens when there is no such tag."""
        with self.registry.lock:
            digest = self.tags.pop(tag, None)
            if digest is not None:
                image = self._images[digest]
                self._images[digest] = replace(image, tags=tuple(other for other in image.tags if other != tag))

    def remove_tag(self, tag: str, by: str = "direct") -> None:
        """Take a tag off as a deletion: on record, and the image goes with its last tag."""
        with self.registry.lock:
            image = self._images[self.tags[tag]]
            if image.tags == (tag,):
                self.remove(image.digest, by)
                return
            self._record(image, tag, by)
            self.untag(tag)

    def remove(self, digest: str, by: str = "direct") -> None:
        """Delete an image with all its tags, whatever refers to it. Raises KeyError when there is no such image."""
        with self.registry.lock:
            image = self._images.pop(digest)
            self._record(image, None, by)
            for tag in image.tags:
                del self.tags[tag]
            for child in image.children:
                self._parents[child].discard(digest)
            if image.subject:
                self._referrers[image.subject].discard(digest)
            self._activating.discard(digest)
            drop = self.registry.behaviour.layer_garbage == "at-once"
            self.layers.release(digest, image.contents, drop=drop)

    def pull(self, digest: str) -> None:
        """Move the pull time of an image to now."""
        self.change(digest, pulled_at=self.registry.clock.now())

    def archive(self, digest: str) -> None:
        """Archive an image now."""
        self.change(digest, status="ARCHIVED", archived_at=self.registry.clock.now(), activates_at=None)

    def restore(self, digest: str, seconds: float = 0.0) -> None:
        """Begin to restore an archived image: it is ACTIVATING, and ACTIVE after `seconds` by the clock."""
        self.change(digest, status="ACTIVATING", activates_at=self.registry.clock.now() + seconds)

    def change(self, digest: str, **fields: object) -> None:
        """Set fields of a stored image: times and status. Tags and content have methods of their own."""
        with self.registry.lock:
            image = replace(self.images[digest], **fields)
            self._images[digest] = image
            if image.status == "ACTIVATING":
                self._activating.add(digest)
            else:
                self._activating.discard(digest)

    def _new_image(
        self, digest: str, manifest: bytes, media_type: str, pushed_at: float | None, pulled_at: float | None
    ) -> Image:
        contents = manifests.read(manifest, media_type)
        is_index = media_type in manifests.INDEX_TYPES
        children = tuple(dict.fromkeys(child.digest for child in contents.manifests)) if is_index else ()
        return Image(
            digest=digest,
            manifest=manifest,
            media_type=media_type,
            size=self._size_of(children) if is_index else sum(blob.size for blob in contents.blob_descriptors),
            pushed_at=self.registry.clock.now() if pushed_at is None else pushed_at,
            artifact_media_type=None if is_index else contents.artifact_media_type,
            children=children,
            subject=contents.subject.digest if contents.subject else None,
            pulled_at=pulled_at,
        )

    def _size_of(self, children: Iterable[str]) -> int:
        # DescribeImages says the size of a manifest list is the maximum over its manifests, not their sum.
        return max((self._images[child].size for child in children if child in self._images), default=0)

    def _add(self, image: Image) -> None:
        self._images[image.digest] = image
        self.layers.use(image.digest, image.contents)
        for child in image.children:
            self._parents[child].add(image.digest)
        if image.subject:
            self._referrers[image.subject].add(image.digest)

    def _activate(self, image: Image, at: float) -> None:
        self._images[image.digest] = replace(image, status="ACTIVE", activated_at=at, activates_at=None)
        self._activating.discard(image.digest)

    def _finish_activations(self) -> None:
        with self.registry.lock:
            now = self.registry.clock.now()
            for image in [self._images[digest] for digest in self._activating]:
                if image.activates_at is None or image.activates_at <= now:
                    self._activate(image, now if image.activates_at is None else image.activates_at)

    def _record(self, image: Image, tag: str | None, by: str) -> None:
        registry = self.registry
        registry.deletions.append(
            Deletion(registry.account, registry.region, self.name, image.digest, image.tags, tag, by)
        )


class Registry:
    """The repositories of one account in one region."""

    def __init__(
        self,
        account: str,
        region: str,
        *,
        clock: Clock,
        deletions: list[Deletion],
        lock: RLock,
        behaviour: Behaviour,
    ) -> None:
        self.account = account
        self.region = region
        self.clock = clock
        self.deletions = deletions
        self.lock = lock
        self.behaviour = behaviour
        self.repositories: dict[str, Repository] = {}

    @property
    def host(self) -> str:
        """The name by which Docker knows the registry."""
        return f"{self.account}.dkr.ecr.{self.region}.{partition_of(self.region).suffix}"

    def repository(self, name: str) -> Repository:
        """A repository by its name. Raises KeyError when there is none."""
        return self.repositories[name]

    def create_repository(
        self, name: str, settings: Settings | None = None, *, created_at: float | None = None
    ) -> Repository:
        """Create a repository. Raises KeyError when there is one of that name."""
        with self.lock:
            if name in self.repositories:
                raise KeyError(f"repository {name} exists")
            moment = self.clock.now() if created_at is None else created_at
            repository = Repository(self, name, settings or Settings(), moment)
            self.repositories[name] = repository
            return repository

    def delete_repository(self, name: str, by: str = "direct") -> None:
        """Delete a repository with all its images. Raises KeyError when there is none."""
        with self.lock:
            repository = self.repositories[name]
            for digest in list(repository.images):
                repository.remove(digest, by)
            del self.repositories[name]
