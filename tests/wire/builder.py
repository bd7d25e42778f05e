"""Repositories in the stand-in, put together in few words."""

from aws_ecr_gc.sandbox import Image, Repository, Sandbox
from aws_ecr_gc.sandbox.manifests import OCI_IMAGE, OCI_INDEX, Descriptor, layer, write
from aws_ecr_gc.sandbox.world import DEFAULT_ACCOUNT, DEFAULT_REGION

DAY = 86400.0


class Builder:
    """A repository and the names of its images. Each image is pushed a day after the one before it, all long ago."""

    def __init__(
        self,
        sandbox: Sandbox,
        name: str = "testrepo",
        now: float = 1_490_000_000.0,
        *,
        account: str = DEFAULT_ACCOUNT,
        region: str = DEFAULT_REGION,
    ) -> None:
        self.repository: Repository = sandbox.registry(account, region).create_repository(name)
        self.digests: dict[str, str] = {}
        self.subjects: dict[str, str] = {}
        self._now = now

    def image(self, name: str, *tags: str, subject: str | None = None, pushed_at: float | None = None) -> str:
        manifest = write(
            name,
            OCI_IMAGE,
            layers=[layer("base", 1000, OCI_IMAGE)],
            subject=None if subject is None else self._descriptor(subject),
        )
        digest = self._push(name, manifest, OCI_IMAGE, tags, pushed_at)
        if subject is not None:
            self.subjects[digest] = self.digests[subject]
        return digest

    def index(self, name: str, *tags: str, children: list[str], pushed_at: float | None = None) -> str:
        manifest = write(name, OCI_INDEX, children=[self._descriptor(child) for child in children])
        return self._push(name, manifest, OCI_INDEX, tags, pushed_at)

    def _descriptor(self, name: str) -> Descriptor:
        image = self.repository.images[self.digests[name]]
        return Descriptor(image.media_type, image.digest, len(image.manifest))

    def _push(self, name: str, manifest: bytes, kind: str, tags: tuple[str, ...], pushed_at: float | None) -> str:
        self._now += DAY
        digest = self.repository.put(manifest, kind, pushed_at=pushed_at or self._now)
        for tag in tags:
            self.repository.tag(tag, digest)
        self.digests[name] = digest
        return digest

    def __getitem__(self, name: str) -> Image:
        return self.repository.images[self.digests[name]]

    def names(self) -> set[str]:
        """The names of the images that are there."""
        return {name for name, digest in self.digests.items() if digest in self.repository.images}
