"""The results of many accounts and regions as one report: `schemas/merged.schema.json`."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from aws_ecr_gc.errors import Exit
from aws_ecr_gc.report import fleets, text
from aws_ecr_gc.report.fleets import AbsentPart, Summary
from aws_ecr_gc.report.plans import Unread


class Place(Struct):
    """What is taken over of a `fleets.PlaceDocument`: all but its repositories, which may be a million images."""

    account: str
    region: str
    partition: str
    failure: str | None
    unread: list[Unread]
    exit: int
    summary: Summary


class Result(Struct):
    """What is taken over of a `fleets.FleetDocument`."""

    version: int
    at: datetime
    policy_sha256: str | None
    places: list[Place]
    absent: list[AbsentPart]
    exit: int
    shard: str | None = None


class MergedPlace(Struct, forbid_unknown_fields=True):
    """One account and region, as the youngest of its results says; `results` is how many there were of it.

    `found_in` is the file or the address of the result, with all its images.
    """

    account: str
    region: str
    partition: str
    failure: str | None
    unread: list[Unread]
    exit: int
    summary: Summary
    results: int
    found_in: str


class MergedDocument(Struct, forbid_unknown_fields=True):
    """All accounts and regions, sorted, each once. `absent` are those without a result, and why.

    `missing_shards` are the parts of the fleet that nobody handed in, such as 2/8. `policies` are the SHA-256 of the
    policy files that the results were made by: more than one says that the policy changed in between.
    """

    version: int
    tool: str
    places: list[MergedPlace]
    absent: list[AbsentPart]
    missing_shards: list[str]
    policies: list[str]
    exit: int
    summary: Summary


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return msgspec.json.schema(MergedDocument)


def lines(content: MergedDocument) -> Iterator[str]:
    """The same as text: what went wrong, place by place, and the sum."""
    for place in content.places:
        if place.exit != Exit.DONE:
            yield f"{place.account}, {place.region}: exit {place.exit}{_why(place)}"
    yield _total(content)
    yield from fleets.absent([_where(each) for each in content.absent])
    if content.missing_shards:
        yield f"Shards without a result: {', '.join(content.missing_shards)}"
    if len(content.policies) > 1:
        yield f"Made by {len(content.policies)} different policies"


def _total(content: MergedDocument) -> str:
    summary = content.summary
    empty = sum(not place.summary.repositories and place.failure is None for place in content.places)
    where = fleets.extent(len(content.places), empty, summary)
    apart = f"; guards refuse {text.images(summary.refused)}" if summary.refused else ""
    if any(place.summary.done or place.summary.failed for place in content.places):
        return f"Done in {where}: {summary.done} of {text.images(summary.planned)}{apart}"
    return f"Planned in {where}: {text.images(summary.planned)}{apart}"


def _why(place: MergedPlace) -> str:
    reasons: Sequence[str] = [
        *([] if place.failure is None else [place.failure]),
        *(f"repository {each.repository}: {each.reason}" for each in place.unread[:3]),
        *([f"{text.images(place.summary.failed)} failed"] if place.summary.failed else []),
    ]
    return f": {'; '.join(reasons)}" if reasons else ""


def _where(each: AbsentPart) -> str:
    place = each.account if each.region is None else f"{each.account}, {each.region}"
    return f"{place} ({each.reason})"
