"""What is in use: which workload holds which image, as it was read once, and what could not be read."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from aws_ecr_gc.errors import WorkloadsUnread
from aws_ecr_gc.inventory import Image, Inventory, Status
from aws_ecr_gc.reference import Reference, Repository

Key = tuple[str | None, str, str]
"""A repository by its account, region and name. Not by its partition: no two have a region of the same name, and one
that is younger than a table of ours must not part a use from its image."""


class Origin(Struct, frozen=True, order=True):
    """Where workloads are read: a source, and there an account and region, or what `name` says.

    The name is a Kubernetes context, an EKS cluster or a list.
    """

    source: str
    account: str | None = None
    region: str | None = None
    name: str | None = None

    def __str__(self) -> str:
        """`ecs@123456789012/us-east-1`, `kubernetes@prod`: what `--allow-unread` takes."""
        where = "/".join(part for part in (self.account, self.region, self.name) if part is not None)
        return f"{self.source}@{where}" if where else self.source

    def is_named_by(self, stated: str) -> bool:
        """Whether it is what `SOURCE`, `SOURCE@ACCOUNT`, `SOURCE@ACCOUNT/REGION` or its whole name says."""
        account = f"{self.source}@{self.account}"
        places = [] if self.account is None else [account, f"{account}/{self.region}"]
        return stated in {self.source, *places, str(self)}


class Use(Struct, frozen=True):
    """A workload holds an image. With a tag and a digest it holds both: what the tag points at, and the digest.

    `current` is false for what would only be used again by going back: an old replica set, an old revision of a task
    definition. It protects as much, but its image may be missing without harm to anything that runs.
    """

    reference: Reference
    workload: str
    origin: Origin
    current: bool = True

    def __str__(self) -> str:
        """`ecs:prod/web`."""
        return f"{self.origin.source}:{self.workload}"


class Unread(Struct, frozen=True):
    """What could not be read, and why."""

    origin: Origin
    reason: str


class Reach(Struct, frozen=True):
    """How far a reading went, beyond the places that it names: `every` source, all of an organization, revisions."""

    every: bool = False
    organization: bool = False
    revisions: int = 0


class InUse(Struct, frozen=True):
    """One reading of all workloads. `taken_at` is when it began, in epoch seconds.

    `uses` are by the repository of their image, of every registry that was met; `read` is what was read to the end,
    `unread` what was not.
    """

    taken_at: float
    uses: Mapping["Key", Sequence[Use]]
    read: tuple[Origin, ...] = ()
    unread: tuple[Unread, ...] = ()
    reach: Reach = Reach()

    def in_repository(self, repository: Repository) -> Sequence[Use]:
        """The uses of images of one repository."""
        return self.uses.get(key_of(repository), ())


def key_of(repository: Repository) -> Key:
    """What uses of its images are kept under."""
    return repository.registry.account, repository.registry.region, repository.name


class Found(Struct, frozen=True):
    """The uses of one repository's images: those there by digest, and those whose image is not there to be pulled."""

    by_digest: Mapping[str, Sequence[Use]]
    missing: Sequence[Use]


def by_repository(uses: Iterable[Use]) -> dict["Key", list[Use]]:
    """The same uses, each once, by the repository of their image."""
    found: dict[Key, dict[Use, None]] = {}
    for use in uses:
        found.setdefault(key_of(use.reference.repository), {})[use] = None
    return {key: list(of_it) for key, of_it in found.items()}


def find(images: Mapping[str, Image], uses: Sequence[Use]) -> Found:
    """Which images the uses hold.

    A tag stands for what it points at now, and a reference without tag and digest for `latest`. What a workload would
    pull is the digest where one is known, else the tag: it is missing where that is not there, or is archived.
    """
    wanted = {_tag_of(use) for use in uses}
    tagged: dict[str | None, list[Image]] = {}
    for image in images.values():
        for tag in image.tags:
            if tag in wanted:
                tagged.setdefault(tag, []).append(image)  # two, where it was moved while the repository was read
    found: dict[str, list[Use]] = {}
    missing = []
    for use in uses:
        digest = use.reference.digest
        by_digest = [images[digest]] if digest is not None and digest in images else []
        by_tag = tagged.get(_tag_of(use), [])
        for held in {image.digest: image for image in (*by_tag, *by_digest)}:
            found.setdefault(held, []).append(use)
        pulled = by_tag if digest is None else by_digest
        if all(image.status is Status.ARCHIVED for image in pulled):
            missing.append(use)
    return Found(found, missing)


def _tag_of(use: Use) -> str | None:
    reference = use.reference
    return "latest" if reference.tag is None and reference.digest is None else reference.tag


def without(in_use: InUse, stated: Sequence[str]) -> InUse:
    """The same reading, to be gone on with although something is missing: what `stated` names may be.

    Raises WorkloadsUnread for the rest: it could veto any deletion.
    """
    missing = [each for each in in_use.unread if not any(map(each.origin.is_named_by, stated))]
    if missing:
        raise WorkloadsUnread(_complaints(missing))
    return in_use


def _complaints(unread: Iterable[Unread]) -> Iterator[str]:
    """A line for each reason, with all that it holds for, and the way round."""
    by_reason: dict[str, list[Origin]] = {}
    for each in unread:
        by_reason.setdefault(each.reason, []).append(each.origin)
    for reason, origins in by_reason.items():
        where = ", ".join(map(str, origins))
        way_round = " ".join(f"--allow-unread {shlex.quote(str(origin))}" for origin in origins[:3])
        unknown = "what is in use is not known, and without it nothing is deleted"
        yield f"{unknown}: {where}: {reason}; way round: {way_round}"


def broken(inventory: Inventory, uses: Sequence[Use]) -> list[Use]:
    """The uses by which something fails to start, for its image is not there. What is only gone back to is left out."""
    return [use for use in find(inventory.images, uses).missing if use.current]
