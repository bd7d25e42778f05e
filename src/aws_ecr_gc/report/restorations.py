"""What was put back, as text and as JSON. `schemas/restoration.schema.json` is generated from the shapes here."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct

from aws_ecr_gc.report import text
from aws_ecr_gc.report.document import RepositoryPart


class Restored(StrEnum):
    """BACK: all of it. PARTLY: but for tags that are on other images now. THERE: nothing was missing. WOULD_BE_BACK:
    in a dry run.
    """

    BACK = "back"
    PARTLY = "partly"
    THERE = "there"
    NOT_BACK = "not-back"
    WOULD_BE_BACK = "would-be-back"


class MissingLayer(Struct, forbid_unknown_fields=True, frozen=True):
    """A layer or config that is gone; its size in bytes, where the manifest tells it."""

    digest: str
    size: int | None


class RestoredImage(Struct, forbid_unknown_fields=True, frozen=True):
    """An image, and what became of it.

    `tags` are those that were put back, or would be, or are there. `elsewhere` are those that were left on other
    images, with the digests of these. `pushed_anew` is an image that was gone: it counts as pushed when it was put
    back.
    """

    digest: str
    result: Restored
    tags: tuple[str, ...]
    elsewhere: dict[str, str]
    missing_layers: tuple[MissingLayer, ...]
    detail: str
    pushed_anew: bool


class RestoredRepository(Struct, forbid_unknown_fields=True, frozen=True):
    """A repository; images that were not attempted are only counted. `stopped_by` is why the work ended early."""

    repository: RepositoryPart
    images: list[RestoredImage]
    not_attempted: int
    stopped_by: str | None

    @property
    def protectable(self) -> list[str]:
        """The digests of what is new to ECR."""
        return [each.digest for each in self.images if each.pushed_anew]


class Restoration(Struct, forbid_unknown_fields=True, frozen=True):
    """One `restore`. `journal` and `source` are what it was given; `protect` are the digests of what is new to ECR."""

    version: int
    tool: str
    journal: str | None
    source: str | None
    dry_run: bool
    interrupted: bool
    repositories: list[RestoredRepository]
    protect: list[str]


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return msgspec.json.schema(Restoration)


def lines(part: RestoredRepository) -> Iterator[str]:
    """A repository: its images, and their number."""
    repository = part.repository
    yield f"Repository {repository.name} ({repository.region})"
    for image in part.images:
        yield f"  {image.digest} {_of_image(image)}"
    counts = [f"{sum(each.result is kind for each in part.images)} {words}" for kind, words in _SUMS.items()]
    if part.not_attempted:
        counts.append(f"{part.not_attempted} not attempted")
    yield "Images: " + (", ".join(each for each in counts if not each.startswith("0 ")) or "none")


def advice(digests: Sequence[str], *, dry_run: bool) -> Iterator[str]:
    """What it means that images are new to ECR, and how they are protected."""
    if not digests:
        return
    yield (
        f"What {'would be' if dry_run else 'is'} back counts as pushed now: it is among the newest, and others may "
        "lose their place to it."
    )
    yield "Look at aws-ecr-gc plan before the next run. To keep it whatever the rules say, write in the policy file:"
    yield "  protect:"
    yield "    digests:"
    for digest in digests:
        yield f"      - {digest}"


_SUMS = {
    Restored.BACK: "back",
    Restored.WOULD_BE_BACK: "would be put back",
    Restored.PARTLY: "back without all their tags",
    Restored.THERE: "there already",
    Restored.NOT_BACK: "not back",
}


def _of_image(image: RestoredImage) -> str:
    tags = ", ".join(image.tags)
    match image.result:
        case Restored.THERE:
            return f"there already: {tags}" if tags else "there already, untagged"
        case Restored.NOT_BACK if image.missing_layers:
            return f"not back: {image.detail}: {', '.join(map(_layer, image.missing_layers))}"
        case Restored.NOT_BACK:
            return f"not back: {image.detail}"
    verb = "would be put back" if image.result is Restored.WOULD_BE_BACK else "back"
    untagged = f"{verb}, untagged" if image.pushed_anew else "there already"
    said = f"{verb}: {tags}" if tags else untagged
    if image.elsewhere:
        others = ", ".join(f"{tag} is on {digest} now" for tag, digest in image.elsewhere.items())
        said += f"; left there: {others}"
    return said


def _layer(layer: MissingLayer) -> str:
    return layer.digest if layer.size is None else f"{layer.digest} ({text.size(layer.size)})"
