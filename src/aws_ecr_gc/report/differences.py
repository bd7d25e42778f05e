"""What one policy does and another does not, as text and as JSON.

`schemas/difference.schema.json` is generated from the shapes here.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from aws_ecr_gc.plan import Decision, Verdict
from aws_ecr_gc.reference import Repository
from aws_ecr_gc.report import document, text
from aws_ecr_gc.report.plans import Unread


class Turned(Struct, forbid_unknown_fields=True):
    """An image that changes sides: as the new policy decides, and what the old one says of it."""

    image: document.ImagePart
    old_decision: Verdict
    old_reasons: list[document.ReasonPart]


class RepositoryDifference(Struct, forbid_unknown_fields=True):
    """The images that go now and stayed before, and the other way round; their sizes in bytes, 'at most'.

    A policy is null where none fits. `newly_managed` images had a tag, or lacked one, that no rule of the old policy
    matches.
    """

    repository: document.RepositoryPart
    old_policy: str | None
    new_policy: str | None
    goes: list[Turned]
    stays: list[Turned]
    size_goes: int
    size_stays: int
    newly_managed: int


class DifferenceDocument(Struct, forbid_unknown_fields=True):
    """Two policies over the same repositories; those in which nothing changes sides are left out.

    What is in use was not read; `in_use_differs` says whether the policies would read the same.
    """

    version: int
    tool: str
    old: str
    new: str
    compared: int
    in_use_differs: bool
    repositories: list[RepositoryDifference]
    unread: list[Unread]


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return msgspec.json.schema(DifferenceDocument)


def between(
    repository: Repository, policies: tuple[str | None, str | None], old: Sequence[Decision], new: Sequence[Decision]
) -> RepositoryDifference:
    """Compare the decisions of two policies on the same images, in the same order."""
    goes: list[Turned] = []
    stays: list[Turned] = []
    size_goes = size_stays = newly_managed = 0
    for before, after in zip(old, new, strict=True):
        newly_managed += _unmanaged(before) and not _unmanaged(after)
        went, going = before.verdict is Verdict.COLLECTED, after.verdict is Verdict.COLLECTED
        if going is went:
            continue
        turned = Turned(document.image_part(after, None), before.verdict, document.reason_parts(before))
        size = after.image.own_size
        if going:
            goes.append(turned)
            size_goes += size
        else:
            stays.append(turned)
            size_stays += size
    return RepositoryDifference(
        document.repository_part(repository), *policies, goes, stays, size_goes, size_stays, newly_managed
    )


def _unmanaged(decision: Decision) -> bool:
    return any(reason.rule in {"unmatched-tag", "no-untagged-rule"} for reason in decision.reasons)


def lines(difference: RepositoryDifference) -> Iterator[str]:
    """One repository as text."""
    repository = difference.repository
    yield f"{repository.name} ({repository.region})"
    yield f"  old: {difference.old_policy or 'no policy fits'}"
    yield f"  new: {difference.new_policy or 'no policy fits'}"
    if difference.newly_managed:
        yield f"  Newly under management: {text.images(difference.newly_managed)}"
    for heading, turned, size in (
        ("Goes now", difference.goes, difference.size_goes),
        ("Stays now", difference.stays, difference.size_stays),
    ):
        if turned:
            yield f"  {heading} ({len(turned)}), at most {text.size(size)}"
        for item in turned:
            image = item.image
            pushed_at = text.moment(image.pushed_at.timestamp())
            yield f"    {pushed_at}: {text.short(image.digest)} [{', '.join(image.tags)}]"
            for word, reasons in (("old", item.old_reasons), ("new", image.reasons)):
                yield from (f"      {word}: {text.reason(each)}" for each in reasons)


def summary(compared: int, differences: Sequence[RepositoryDifference]) -> str:
    """The last line."""
    goes = sum(len(each.goes) for each in differences)
    stays = sum(len(each.stays) for each in differences)
    size_goes = sum(each.size_goes for each in differences)
    size_stays = sum(each.size_stays for each in differences)
    return (
        f"Compared in {text.repositories(compared)}: goes now: {text.images(goes)}, at most {text.size(size_goes)}; "
        f"stays now: {text.images(stays)}, at most {text.size(size_stays)}"
    )
