"""The simulator beside ECR's own preview. `schemas/lifecycle-verification.schema.json` is generated from here."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from aws_ecr_gc.inventory import Inventory
from aws_ecr_gc.lifecycle.comparing import Differing, Mark, Why
from aws_ecr_gc.lifecycle.values import Action
from aws_ecr_gc.report import document, text
from aws_ecr_gc.report.plans import Unread

_REASONS = {
    Why.UNKNOWN: "",
    Why.TIE: "; images of the same age stand at the edge of a count",
    Why.UNLISTED: "; it was not there when the repository was read",
}


class MarkPart(Struct, forbid_unknown_fields=True):
    """What a rule would do."""

    rule: int
    action: Action


class DifferingPart(Struct, forbid_unknown_fields=True):
    """An image that the two mark otherwise; null is not at all. `why` is what may lie behind it."""

    digest: str
    tags: tuple[str, ...]
    pushed_at: datetime | None
    simulated: MarkPart | None
    previewed: MarkPart | None
    why: Why


class RepositoryVerification(Struct, forbid_unknown_fields=True):
    """One repository. `policy` is a file, or null for its own; the numbers are of images that are marked."""

    repository: document.RepositoryPart
    policy: str | None
    simulated: int
    previewed: int
    differences: list[DifferingPart]


class VerificationDocument(Struct, forbid_unknown_fields=True):
    """All repositories that were looked at; `without_policy` have none of their own, of `unread` nothing is known."""

    version: int
    tool: str
    repositories: list[RepositoryVerification]
    without_policy: list[str]
    unread: list[Unread]


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return msgspec.json.schema(VerificationDocument)


def part(
    inventory: Inventory,
    file: str | None,
    simulated: Mapping[str, Mark],
    previewed: Mapping[str, Mark],
    found: Sequence[Differing],
) -> RepositoryVerification:
    """One repository's part."""
    repository = document.repository_part(inventory.repository)
    differing = [_differing(inventory, each) for each in found]
    return RepositoryVerification(repository, file, len(simulated), len(previewed), differing)


def _differing(inventory: Inventory, each: Differing) -> DifferingPart:
    image = inventory.images.get(each.digest)
    return DifferingPart(
        each.digest,
        () if image is None else image.tags,
        None if image is None else document.moment(image.pushed_at),
        None if each.simulated is None else MarkPart(*each.simulated),
        None if each.previewed is None else MarkPart(*each.previewed),
        each.why,
    )


def lines(made: RepositoryVerification) -> Iterator[str]:
    """The same for people."""
    verdict = f"{len(made.differences)} differ" if made.differences else "the same, each by the same rule"
    yield (
        f"{made.repository.name} ({made.repository.region}): the preview marks {text.images(made.previewed)}, the "
        f"simulator {made.simulated}: {verdict}"
    )
    for each in made.differences:
        tags = ", ".join(each.tags)
        said = f"preview {_mark(each.previewed)}, simulator {_mark(each.simulated)}"
        yield f"  {text.short(each.digest)} [{tags}]: {said}{_REASONS[each.why]}"


def _mark(mark: MarkPart | None) -> str:
    return "nothing" if mark is None else f"{mark.action} by rule {mark.rule}"
