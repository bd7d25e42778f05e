"""What one policy does and another does not, as text and as JSON.

`schemas/difference.schema.json` is generated from the shapes here.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from aws_ecr_gc.inventory import INDEX_TYPES
from aws_ecr_gc.plan import Action, Decision, Plan, Step, Verdict
from aws_ecr_gc.reference import Repository
from aws_ecr_gc.report import document, text
from aws_ecr_gc.report.plans import Unread


class Turned(Struct, forbid_unknown_fields=True):
    """An image that fares otherwise: as the new policy decides, and what the old one says of it.

    `old_action` is what the old policy does to it, null for nothing; `old_untag` are the tags that it removes.
    """

    image: document.ImagePart
    old_decision: Verdict
    old_action: Action | None
    old_untag: tuple[str, ...]
    old_reasons: list[document.ReasonPart]

    @property
    def action(self) -> Action | None:
        return None if self.image.action is UNSET else self.image.action

    @property
    def untag(self) -> tuple[str, ...]:
        return () if self.image.untag is UNSET else self.image.untag


class RepositoryDifference(Struct, forbid_unknown_fields=True):
    """The images that fare otherwise, each in one list; their sizes in bytes, 'at most'.

    `goes` are deleted or archived now and stayed before, `stays` the other way round; `deleted_now` were archived
    before, `archived_now` deleted. `other_tags` stay under both policies, and not with the same tags.
    A policy is null where none fits. `newly_managed` images had a tag, or lacked one, that no rule of the old policy
    matches.
    """

    repository: document.RepositoryPart
    old_policy: str | None
    new_policy: str | None
    goes: list[Turned]
    stays: list[Turned]
    deleted_now: list[Turned]
    archived_now: list[Turned]
    other_tags: list[Turned]
    size_goes: int
    size_stays: int
    size_deleted_now: int
    size_archived_now: int
    newly_managed: int

    @property
    def is_empty(self) -> bool:
        turned = (self.goes, self.stays, self.deleted_now, self.archived_now, self.other_tags)
        return not (self.newly_managed or any(turned))


class DifferenceDocument(Struct, forbid_unknown_fields=True):
    """Two policies over the same repositories; those in which no image fares otherwise are left out.

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
    repository: Repository, policies: tuple[str | None, str | None], old: Plan, new: Plan
) -> RepositoryDifference:
    """Compare the plans of two policies for the same images: what is done to each, and which tags it loses."""
    steps = [{step.digest: step for step in plan.steps} for plan in (old, new)]
    turned: list[Turned] = []
    newly_managed = 0
    for before, after in zip(old.decisions, new.decisions, strict=True):
        newly_managed += _unmanaged(before) and not _unmanaged(after)
        was, becomes = (_done(each.get(before.image.digest)) for each in steps)
        if was != becomes:
            image = document.image_part(after, None, steps[1].get(before.image.digest))
            turned.append(Turned(image, before.verdict, *was, document.reason_parts(before)))
    goes = [each for each in turned if each.action in _TAKES and each.old_action not in _TAKES]
    stays = [each for each in turned if each.action not in _TAKES and each.old_action in _TAKES]
    both = [each for each in turned if each.action in _TAKES and each.old_action in _TAKES]
    deleted_now = [each for each in both if each.action is Action.DELETE]
    archived_now = [each for each in both if each.action is Action.ARCHIVE]
    return RepositoryDifference(
        document.repository_part(repository),
        *policies,
        goes=goes,
        stays=stays,
        deleted_now=deleted_now,
        archived_now=archived_now,
        other_tags=[each for each in turned if each.action not in _TAKES and each.old_action not in _TAKES],
        size_goes=_size(goes),
        size_stays=_size(stays),
        size_deleted_now=_size(deleted_now),
        size_archived_now=_size(archived_now),
        newly_managed=newly_managed,
    )


_TAKES = frozenset({Action.DELETE, Action.ARCHIVE})
"""What is done to images that do not stay."""


def _done(step: Step | None) -> tuple[Action | None, tuple[str, ...]]:
    """What a plan does to an image, and the tags that it removes."""
    return (None, ()) if step is None else (step.action, step.untag)


def _size(turned: Sequence[Turned]) -> int:
    """Bytes, at most; an index has none of its own."""
    return sum(0 if each.image.media_type in INDEX_TYPES else each.image.size for each in turned)


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
    for heading, turned in _moves(difference):
        if turned:
            yield f"  {heading} ({len(turned)}), at most {text.size(_size(turned))}"
        for item in turned:
            yield from _lines(item, "")
    for heading, verb in (("Loses tags now", "loses"), ("Keeps tags now", "keeps")):
        of_tags = [(each, tags) for each in difference.other_tags if (tags := _tags(each, verb))]
        if of_tags:
            yield f"  {heading} ({len(of_tags)})"
        for item, tags in of_tags:
            yield from _lines(item, f"{verb} [{', '.join(tags)}] of ")


def _moves(difference: RepositoryDifference) -> Iterator[tuple[str, list[Turned]]]:
    """The images that are deleted or archived under one of the policies, by what becomes of them."""
    goes, stays = difference.goes, difference.stays
    yield "Goes now", [each for each in goes if each.action is Action.DELETE]
    yield "Goes to the archive now", [each for each in goes if each.action is Action.ARCHIVE]
    yield "Deleted now, archived before", difference.deleted_now
    yield "Archived now, deleted before", difference.archived_now
    yield "Stays now", [each for each in stays if each.old_action is Action.DELETE]
    yield "Stays now, archived before", [each for each in stays if each.old_action is Action.ARCHIVE]


def _tags(turned: Turned, verb: str) -> list[str]:
    """The tags that an image loses now and did not before; or keeps."""
    now, then = (turned.untag, turned.old_untag) if verb == "loses" else (turned.old_untag, turned.untag)
    return [tag for tag in now if tag not in then]


def _lines(turned: Turned, what: str) -> Iterator[str]:
    image = turned.image
    if turned.untag and not what:  # it was to go, and only loses tags now
        what = f"loses [{', '.join(turned.untag)}] of "
    yield f"    {text.moment(image.pushed_at.timestamp())}: {text.short(image.digest)} {what}[{', '.join(image.tags)}]"
    for word, reasons in (("old", turned.old_reasons), ("new", image.reasons)):
        yield from (f"      {word}: {text.reason(each)}" for each in reasons)


def summary(compared: int, differences: Sequence[RepositoryDifference]) -> str:
    """The last line; what goes and stays is named also where there is nothing of it."""
    counts: dict[str, tuple[int, int]] = {"Goes now": (0, 0), "Stays now": (0, 0)}
    for each in differences:
        for heading, turned in _moves(each):
            images, size = counts.get(heading, (0, 0))
            counts[heading] = images + len(turned), size + _size(turned)
    parts = [
        f"{heading.lower()}: {text.images(images)}, at most {text.size(size)}"
        for heading, (images, size) in counts.items()
        if images or heading in {"Goes now", "Stays now"}
    ]
    for heading, verb in (("loses tags now", "loses"), ("keeps tags now", "keeps")):
        images = sum(bool(_tags(turned, verb)) for each in differences for turned in each.other_tags)
        parts += [f"{heading}: {text.images(images)}"] if images else []
    return f"Compared in {text.repositories(compared)}: {'; '.join(parts)}"
