"""A run over several accounts and regions, as text and as JSON: `schemas/fleet.schema.json`."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from aws_ecr_gc.report import text, work
from aws_ecr_gc.report.plans import RepositoryPlan, Unread
from aws_ecr_gc.report.uses import InUsePart
from aws_ecr_gc.report.work import Work


class Summary(Struct, forbid_unknown_fields=True):
    """What was done, in numbers. All of them but `seconds` can be added up over places and runs.

    `planned` are the images that plans would delete, archive or untag, and no guard refuses; `done`, `skipped` and
    `failed` how those ended that were carried out. `retries` are calls that were made again, `throttled` those that
    AWS refused for their pace.
    """

    repositories: int = 0
    images: int = 0
    planned: int = 0
    refused: int = 0
    done: int = 0
    skipped: int = 0
    failed: int = 0
    bytes_planned: int = 0
    calls: int = 0
    retries: int = 0
    throttled: int = 0
    seconds: float = 0.0

    def add(self, other: "Summary") -> None:
        """The numbers of another one too; seconds are left, for places are read at the same time."""
        for name in self.__struct_fields__:
            if name != "seconds":
                setattr(self, name, getattr(self, name) + getattr(other, name))


class PlaceDocument(Struct, forbid_unknown_fields=True):
    """One account and region: the unit that a fleet is made of.

    `failure` is why it was not brought to its end, and `without_plan` are the repositories that had none by then.
    """

    account: str
    region: str
    partition: str
    failure: str | None
    repositories: list[RepositoryPlan]
    left_alone: list[str]
    unread: list[Unread]
    without_plan: list[str]
    exit: int
    summary: Summary


class AbsentPart(Struct, forbid_unknown_fields=True):
    """An account, or one region of it, that could not be looked into at all."""

    account: str
    region: str | None
    reason: str


class FleetDocument(Struct, forbid_unknown_fields=True):
    """All places of a run, in order. `in_use` is null where nothing was to be asked, or nothing was to be deleted.

    `shard` is the part of the fleet that these places are, such as 2/8.
    """

    version: int
    tool: str
    at: datetime
    policy_files: list[str]
    policy_sha256: str | None
    places: list[PlaceDocument]
    absent: list[AbsentPart]
    in_use: InUsePart | None
    exit: int
    summary: Summary
    shard: str | None = None


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return msgspec.json.schema(FleetDocument)


def heading(account: str, region: str) -> str:
    """What stands above the repositories of a place."""
    return f"Account {account}, {region}"


def total(places: int, empty: int, summary: Summary, planned: Work, *, carried_out: bool) -> Iterator[str]:
    """The sum over all places."""
    where = extent(places, empty, summary)
    apart = f"; guards refuse {text.images(summary.refused)}" if summary.refused else ""
    if carried_out:
        verb = "Deleted" if planned.only_deletes else "Done"
        yield f"{verb} in {where}: {summary.done} of {text.images(summary.planned)}{apart}"
    elif planned.only_deletes:
        yield f"To delete in {where}: {text.images(planned.deleted)}{work.at_most(planned)}{apart}"
    else:
        yield f"To do in {where}: {work.to_do(planned)}{work.at_most(planned)}{apart}"


def extent(places: int, empty: int, summary: Summary) -> str:
    """How many repositories of how many places."""
    where = f"{text.repositories(summary.repositories)} of {_places(places)}"
    return f"{where}, {empty} of them empty" if empty else where


def absent(names: Sequence[str]) -> Iterator[str]:
    """The places that could not be looked into, or not to the end."""
    if names:
        yield f"Not looked into, or not to the end ({len(names)}): {'; '.join(names)}"


def of_one(summary: Summary) -> str:
    """What became of one place, in a line."""
    seen = f"{text.repositories(summary.repositories)}, {text.images(summary.images)}"
    parts = [f"{summary.planned} to change, {summary.done} done"]
    parts += [f"{summary.failed} failed"] if summary.failed else []
    parts += [f"guards refuse {summary.refused}"] if summary.refused else []
    return f"{seen}: {', '.join(parts)}; {traffic(summary)}"


def traffic(summary: Summary) -> str:
    """How AWS was called."""
    return (
        f"{summary.calls} calls, {summary.retries} of them made again, {summary.throttled} refused for their pace; "
        f"{summary.seconds:.1f} s"
    )


def _places(count: int) -> str:
    return "1 place" if count == 1 else f"{count} places"
