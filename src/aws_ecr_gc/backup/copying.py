"""Copying images to a layout: what they list with them, each layer once, verified while it comes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

from msgspec import Struct

from aws_ecr_gc.aws.trying import persistently
from aws_ecr_gc.backup.layout import Listed, stand_in_for, with_images
from aws_ecr_gc.backup.places import Layout
from aws_ecr_gc.errors import AwsFailure, BackupLost, Interrupted, Unintelligible
from aws_ecr_gc.inventory import Image, Status
from aws_ecr_gc.manifest import Blob, Parts, is_digest, matches, parts_of, stated_media_type
from aws_ecr_gc.plan import Step
from aws_ecr_gc.ports import BATCH, ContentPort, RepositoryPort

CONNECTIONS = 8
"""How many layers are copied at a time."""
_OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_NOT_TO_BE_HAD = frozenset({"LayersNotFoundException", "LayerInaccessibleException", "Http404"})


class Copied(Struct, frozen=True):
    """What a backup came to: images (children among them), blobs (layers and configs) fetched, and their bytes.

    `archived` are images that copied indexes list, and that ECR gives nothing of: the copy lacks them.
    """

    images: int
    blobs: int
    size: int
    archived: tuple[str, ...] = ()


def copy(
    steps: Sequence[Step],
    images: Mapping[str, Image],
    port: RepositoryPort,
    content: ContentPort,
    layout: Layout,
    *,
    stop: Callable[[], bool],
    progress: Callable[[str], None],
) -> Copied:
    """Copy the images of the steps, and all that indexes among them list, as far as it is still there.

    `images` are those of the repository, as they were listed. Reading a manifest counts as a pull. Raises BackupLost
    where the layout can't be written, AwsFailure where what is there can't be read whole, and Interrupted.
    """
    return _Copying(images, port, content=content, layout=layout, stop=stop, progress=progress).copy(steps)


class _Copying:
    def __init__(
        self,
        images: Mapping[str, Image],
        port: RepositoryPort,
        *,
        content: ContentPort,
        layout: Layout,
        stop: Callable[[], bool],
        progress: Callable[[str], None],
    ) -> None:
        self._images = images
        self._port = port
        self._content = content
        self._layout = layout
        self._stop = stop
        self._progress = progress
        self._over = False
        self._manifests: dict[str, bytes] = {}
        self._parts: dict[str, Parts] = {}

    def copy(self, steps: Sequence[Step]) -> Copied:
        archived = [step.digest for step in steps if step.status is not Status.ACTIVE]
        if archived:
            raise AwsFailure(
                f"{archived[0]} is archived, and ECR gives nothing of what is: take it out of the archive first",
                "Archived",
            )
        self._read([step.digest for step in steps])
        with ThreadPoolExecutor(CONNECTIONS, "backup") as pool:
            fetched = self._fetch(self._missing(pool), pool)
        for digest, manifest in self._manifests.items():
            self._layout.write(digest, len(manifest), [manifest])
        listed = list(self._listed(steps))
        for stand_in in (image.stand_in for image in listed if image.stand_in is not None):
            self._layout.write(stand_in.digest, len(stand_in.content), [stand_in.content])
        if listed:
            try:
                self._layout.update(lambda index: with_images(index, listed))
            except ValueError as error:
                raise BackupLost(f"backup {self._layout.name}: its index.json is none: {error}") from error
        children = dict.fromkeys(child for parts in self._parts.values() for child in parts.children)
        lacking = tuple(each for each in children if each not in self._manifests and self._is_archived(each))
        return Copied(len(self._manifests), len(fetched), sum(blob.size or 0 for blob in fetched), lacking)

    def _is_archived(self, digest: str) -> bool:
        return digest in self._images and self._images[digest].status is not Status.ACTIVE

    def _read(self, digests: Iterable[str]) -> None:
        """The manifests, and those that they list, and so on. What is gone is left out."""
        waiting = list(dict.fromkeys(digests))
        asked: set[str] = set()
        while waiting:
            batch, waiting = waiting[:BATCH], waiting[BATCH:]
            self._go_on()
            asked.update(batch)
            found = self._port.manifests(batch)
            for digest in batch:
                if digest in found:
                    self._take(digest, found[digest])
                    known = {*asked, *waiting}
                    waiting += [child for child in self._parts[digest].children if child not in known]
            self._progress(f"{len(self._manifests)} manifests read for the backup")

    def _take(self, digest: str, manifest: bytes) -> None:
        if not matches(digest, manifest):
            raise Unintelligible(f"{digest}: ECR answered with something else than was asked for")
        try:
            parts = parts_of(manifest)
        except ValueError as error:
            raise Unintelligible(f"{digest}: its manifest can't be parsed: {error}") from error
        wrong = [named for named in (*parts.children, *(blob.digest for blob in parts.blobs)) if not is_digest(named)]
        if wrong:
            raise Unintelligible(f"{digest}: its manifest names what is no digest: {wrong[0]!r}")
        self._manifests[digest] = manifest
        self._parts[digest] = parts

    def _missing(self, pool: ThreadPoolExecutor) -> list[Blob]:
        """The layers that are not in the layout, or not right. Raises BackupLost where there is no room for them."""
        blobs = {blob.digest: blob for parts in self._parts.values() for blob in parts.blobs}
        self._progress("looking for what the backup has already")
        has = pool.map(lambda blob: self._layout.has(blob.digest, blob.size), blobs.values())
        missing = [blob for blob, there in zip(blobs.values(), has, strict=True) if not there]
        needed = sum(blob.size or 0 for blob in missing) + sum(map(len, self._manifests.values()))
        free = self._layout.free()
        if free is not None and needed > free:
            raise BackupLost(
                f"backup {self._layout.name}: there is no room: {needed:,} bytes are to be copied, {free:,} are free"
            )
        return missing

    def _fetch(self, blobs: list[Blob], pool: ThreadPoolExecutor) -> list[Blob]:
        futures: dict[Future[None], Blob] = {pool.submit(self._fetch_one, blob): blob for blob in blobs}
        waiting = set(futures)
        fetched: list[Blob] = []
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=0.2, return_when=FIRST_EXCEPTION)
                self._go_on()
                fetched += [futures[each] for each in done if self._came(each, futures[each])]
                self._progress(f"{len(fetched)} of {len(blobs)} layers and configs copied")
        finally:
            self._over = True
            for each in waiting:
                each.cancel()
        return fetched

    def _came(self, future: Future[None], blob: Blob) -> bool:
        """Whether the layer was copied. Raises what went wrong, unless all images that name it are gone by now."""
        error = future.exception()
        if error is None:
            return True
        if not isinstance(error, AwsFailure) or error.code not in _NOT_TO_BE_HAD:
            raise error
        users = [
            digest for digest, parts in self._parts.items() if blob.digest in {each.digest for each in parts.blobs}
        ]
        there = self._still_there(users)
        if there:
            raise AwsFailure(f"{there[0]}: its layer {blob.digest} can't be read: {error}", error.code) from error
        for digest in users:
            del self._parts[digest], self._manifests[digest]
        return False

    def _still_there(self, digests: Sequence[str]) -> list[str]:
        found: list[str] = []
        for start in range(0, len(digests), BATCH):
            found += self._port.manifests(digests[start : start + BATCH])
        return found

    def _fetch_one(self, blob: Blob) -> None:
        def try_once() -> None:
            self._layout.write(blob.digest, blob.size, self._while_wanted(self._content.download(blob.digest)))

        persistently(try_once, self._is_over)

    def _while_wanted(self, content: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in content:
            if self._is_over():
                raise Interrupted("broken off")
            yield chunk

    def _is_over(self) -> bool:
        """Whether nobody waits any more for what the threads do."""
        return self._over or self._stop()

    def _listed(self, steps: Sequence[Step]) -> Iterator[Listed]:
        """What index.json is to name: the images of the steps, but for children that have no tag of their own."""
        children = {child for parts in self._parts.values() for child in parts.children}
        for step in steps:
            manifest = self._manifests.get(step.digest)
            if manifest is not None and (step.tags or step.digest not in children):
                known = self._images[step.digest].media_type if step.digest in self._images else None
                media_type = stated_media_type(manifest) or known or _OCI_MANIFEST
                stand_in = stand_in_for(step.digest, media_type, manifest)
                yield Listed(step.digest, media_type, len(manifest), step.tags, stand_in)

    def _go_on(self) -> None:
        if self._stop():
            raise Interrupted("interrupted while the backup was made; nothing of this repository was deleted")
