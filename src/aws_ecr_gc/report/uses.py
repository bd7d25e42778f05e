"""What is in use, as text and as parts of JSON documents."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from aws_ecr_gc.inventory import Image, Status
from aws_ecr_gc.plan import Decision, Plan
from aws_ecr_gc.reference import Repository
from aws_ecr_gc.report import text
from aws_ecr_gc.usage import InUse, Origin, Use

_KEPT_SHOWN = 20


class OriginPart(Struct, forbid_unknown_fields=True):
    """Where workloads were read: a source, and there an account and region, or a cluster or list by name."""

    source: str
    account: str | None
    region: str | None
    name: str | None


class UnreadOrigin(Struct, forbid_unknown_fields=True):
    """What was not read, and why."""

    origin: OriginPart
    reason: str


class InUsePart(Struct, forbid_unknown_fields=True):
    """One reading of what is in use. `gone_on_without` was not read, and --allow-unread said to go on."""

    taken_at: datetime
    read: list[OriginPart]
    gone_on_without: list[UnreadOrigin]


class UsePart(Struct, forbid_unknown_fields=True):
    """A workload that holds an image. It is not `current` if it is only kept to go back to."""

    workload: str
    image: str
    current: bool
    origin: OriginPart


def origin_part(origin: Origin) -> OriginPart:
    """Where workloads were read."""
    return OriginPart(origin.source, origin.account, origin.region, origin.name)


def in_use_part(in_use: InUse) -> InUsePart:
    """A reading, without its uses."""
    return InUsePart(
        taken_at=datetime.fromtimestamp(in_use.taken_at, UTC),
        read=[origin_part(origin) for origin in in_use.read],
        gone_on_without=[UnreadOrigin(origin_part(each.origin), each.reason) for each in in_use.unread],
    )


def use_parts(uses: Iterable[Use]) -> list[UsePart]:
    """Uses, as they are."""
    return [UsePart(use.workload, str(use.reference), use.current, origin_part(use.origin)) for use in uses]


def reading(in_use: InUse) -> Iterator[str]:
    """What was read to know what is in use, with how many uses each, and what was gone on without."""
    yield places(in_use, counted=True)
    yield from gone_on_without(in_use)


def gone_on_without(in_use: InUse) -> Iterator[str]:
    """What was not read, and why."""
    for each in in_use.unread:
        yield f"Gone on without {each.origin}: {each.reason}"


def places(in_use: InUse, *, counted: bool = False) -> str:
    """What was read; `counted` with how many uses each."""
    return f"In use was read from {'; '.join(_places(in_use, counted=counted)) or 'nothing'}"


def _places(in_use: InUse, *, counted: bool) -> Iterator[str]:
    """The sources, and where: those of one account and region together."""
    counts = Counter(use.origin for of_repository in in_use.uses.values() for use in of_repository)
    together: dict[tuple[str | None, str | None], list[str]] = {}
    for origin in in_use.read:
        named = origin.source if origin.name is None else f"{origin.source} {origin.name}"
        count = f" ({counts[origin]} use{'' if counts[origin] == 1 else 's'})" if counted else ""
        together.setdefault((origin.account, origin.region), []).append(f"{named}{count}")
    for (account, region), names in together.items():
        where = " ".join(part for part in (account, region) if part is not None)
        yield f"{', '.join(names)}{f' in {where}' if where else ''}"


def kept(plan: Plan) -> Iterator[str]:
    """The images that no rule keeps, but a workload does; not all of very many."""
    return kept_lines([each for each in plan.decisions.staying()[1] if is_kept(each)])


def is_kept(decision: Decision) -> bool:
    """Whether a workload keeps an image, and nothing else does."""
    return len(decision.reasons) == 1 and decision.reasons[0].rule == "in-use"


def kept_lines(only: Sequence[Decision]) -> Iterator[str]:
    """Such images, a line each."""
    for decision in only[:_KEPT_SHOWN]:
        yield f"{text.short(decision.image.digest)} [{', '.join(decision.image.tags)}]: {decision.reasons[0].detail}"
    if len(only) > _KEPT_SHOWN:
        yield f"{text.images(len(only) - _KEPT_SHOWN)} more; aws-ecr-gc in-use names them all"


def broken(uses: Iterable[Use]) -> Iterator[str]:
    """The workloads whose image is not there."""
    for use in uses:
        yield f"Broken: {broken_text(use)}"


def broken_text(use: Use) -> str:
    """What is wrong with a workload whose image is not there."""
    return f"{use} ({_where(use.origin)}) is to run {use.reference}, which is not there to be pulled"


class UsedImage(Struct, frozen=True):
    """An image and its uses; None where the registry that it is of was not looked into."""

    image: Image | None
    uses: tuple[Use, ...]


class UsedRepository(Struct, frozen=True):
    """The used images of a repository, and the uses whose image is not there to be pulled."""

    repository: Repository
    images: tuple[UsedImage, ...]
    missing: tuple[Use, ...]


class Listing(Struct, frozen=True):
    """What `in-use` lists."""

    in_use: InUse
    repositories: Sequence[UsedRepository]

    @property
    def broken(self) -> list[Use]:
        """The missing ones of current workloads."""
        return [use for each in self.repositories for use in each.missing if use.current]


class UsedImagePart(Struct, forbid_unknown_fields=True):
    """An image that is in use. Digest and status are null where its registry was not looked into, or it is missing."""

    account: str | None
    region: str
    repository: str
    digest: str | None
    tags: tuple[str, ...]
    status: Status | None
    missing: bool
    uses: list[UsePart]


class WorkloadPart(Struct, forbid_unknown_fields=True):
    """A workload and the images that it holds."""

    workload: str
    origin: OriginPart
    images: list[str]


class ListingDocument(Struct, forbid_unknown_fields=True):
    """What is in use, by image and by workload. `broken` are current workloads whose image is not there."""

    version: int
    tool: str
    in_use: InUsePart
    images: list[UsedImagePart]
    workloads: list[WorkloadPart]
    broken: list[UsePart]


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return msgspec.json.schema(ListingDocument)


def part(listing: Listing, tool: str) -> ListingDocument:
    """The document."""
    images = [each for repository in listing.repositories for each in _image_parts(repository)]
    workloads = [
        WorkloadPart(workload, origin_part(origin), list(dict.fromkeys(str(use.reference) for use in of_it)))
        for (origin, workload), of_it in _workloads(listing).items()
    ]
    return ListingDocument(1, tool, in_use_part(listing.in_use), images, workloads, use_parts(listing.broken))


def by_image(listing: Listing) -> Iterator[str]:
    """Every image in use, and below it what uses it."""
    yield from reading(listing.in_use)
    for repository in listing.repositories:
        yield f"{_named(repository.repository)}"
        for each in repository.images:
            yield f"  {_image(each)}"
            yield from (f"    {line}" for line in _workload_lines(each.uses, listing))
        for use in repository.missing:
            yield f"  {use.reference.digest or use.reference.tag or 'latest'} (missing)"
            yield from (f"    {line}" for line in _workload_lines([use], listing))
    yield from _end(listing)


def by_workload(listing: Listing) -> Iterator[str]:
    """Every workload, and below it the images that it holds."""
    yield from reading(listing.in_use)
    missing = {use for repository in listing.repositories for use in repository.missing}
    for (origin, workload), of_it in _workloads(listing).items():
        yield f"{origin.source}:{workload} ({_where(origin)})"
        for use in of_it:
            absent = " (missing)" if use in missing else ""
            kept = "" if use.current else " (to go back to)"
            yield f"  {use.reference}{kept}{absent}"
    yield from _end(listing)


def _end(listing: Listing) -> Iterator[str]:
    images = sum(len(each.images) for each in listing.repositories)
    workloads = len(_workloads(listing))
    yield f"In use: {images} image{'' if images == 1 else 's'}, by {workloads} workload{'' if workloads == 1 else 's'}"
    yield from broken(listing.broken)


def _workloads(listing: Listing) -> dict[tuple[Origin, str], list[Use]]:
    found: dict[tuple[Origin, str], dict[Use, None]] = {}
    for repository in listing.repositories:
        for use in (*(use for image in repository.images for use in image.uses), *repository.missing):
            found.setdefault((use.origin, use.workload), {})[use] = None
    return {key: list(found[key]) for key in sorted(found, key=lambda each: (str(each[0]), each[1]))}


def _image_parts(used: UsedRepository) -> Iterator[UsedImagePart]:
    registry, name = used.repository.registry, used.repository.name
    for each in used.images:
        image = each.image
        yield UsedImagePart(
            registry.account,
            registry.region,
            name,
            digest=each.uses[0].reference.digest if image is None else image.digest,
            tags=() if image is None else image.tags,
            status=None if image is None else image.status,
            missing=False,
            uses=use_parts(each.uses),
        )
    for use in used.missing:
        reference = use.reference
        tags = () if reference.tag is None else (reference.tag,)
        yield UsedImagePart(
            registry.account, registry.region, name, reference.digest, tags, None, missing=True, uses=use_parts([use])
        )


def _named(repository: Repository) -> str:
    registry = repository.registry
    return f"{repository.name} ({registry.account} {registry.region})"


def _image(used: UsedImage) -> str:
    if used.image is None:
        return f"{used.uses[0].reference} (not looked for there)"
    tags = ", ".join(used.image.tags)
    status = "" if used.image.status is Status.ACTIVE else f" {used.image.status}"
    return f"{used.image.digest[:16]}... [{tags}]{status}"


def _workload_lines(uses: Iterable[Use], listing: Listing) -> dict[str, None]:
    """The workloads, each once; with their places where several were looked into."""
    several = len({(origin.account, origin.region) for origin in listing.in_use.read}) > 1
    return dict.fromkeys(
        f"{use}{f' ({_where(use.origin)})' if several else ''}{'' if use.current else ' (to go back to)'}"
        for use in uses
    )


def _where(origin: Origin) -> str:
    return "/".join(part for part in (origin.account, origin.region, origin.name) if part)
