"""Forecasts, as text and as JSON. `schemas/forecast.schema.json` is generated from the shapes here."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from aws_ecr_gc import durations
from aws_ecr_gc.plan import Action
from aws_ecr_gc.policy.forecasting import Forecast
from aws_ecr_gc.reference import Repository
from aws_ecr_gc.report import document, text
from aws_ecr_gc.report.plans import Unread


class PointPart(Struct, forbid_unknown_fields=True):
    """The repository at a time, after the run of that time: active images, those in the archive, and those that the run
    deleted, archived, or took tags from. Sizes in bytes, 'at most'; what is in the archive is billed like the rest.
    """

    at: datetime
    images: int
    size: int
    deleted: int
    archived: int
    untagged: int
    images_in_archive: int
    size_in_archive: int
    images_without_policy: int
    size_without_policy: int


class RepositoryForecast(Struct, forbid_unknown_fields=True):
    """What was pushed in the window (seconds) before now comes again; a run every `interval_seconds` is assumed.

    `action` is what the policy does to active images that do not stay.
    """

    repository: document.RepositoryPart
    policy: str
    action: Action
    window_seconds: float
    pushed_in_window: int
    interval_seconds: float
    points: list[PointPart]


class ForecastDocument(Struct, forbid_unknown_fields=True):
    """The forecasts for several repositories. `left_alone` are those that no policy fits."""

    version: int
    tool: str
    repositories: list[RepositoryForecast]
    left_alone: list[str]
    unread: list[Unread]


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return msgspec.json.schema(ForecastDocument)


def part(repository: Repository, policy: str, forecast: Forecast) -> RepositoryForecast:
    """The part of the document that one repository fills."""
    return RepositoryForecast(
        repository=document.repository_part(repository),
        policy=policy,
        action=forecast.action,
        window_seconds=forecast.window,
        pushed_in_window=forecast.pushed,
        interval_seconds=forecast.interval,
        points=[
            PointPart(
                document.moment(each.at),
                each.images,
                each.size,
                each.deleted,
                each.archived,
                each.untagged,
                each.in_archive,
                each.size_in_archive,
                each.images_without,
                each.size_without,
            )
            for each in forecast.points
        ],
    )


_RUN_DOES = {
    Action.DELETE: "deletes",
    Action.ARCHIVE: "archives (an archived image is billed like others)",
    Action.UNTAG: "removes tags",
}


def lines(repository: Repository, policy: str, forecast: Forecast) -> Iterator[str]:
    """One repository as text: a table over time, with the columns that have something in them."""
    window = durations.spelled(forecast.window)
    yield f"Forecast for {repository.name} ({repository.registry.region})"
    yield f"Policy: {policy}"
    yield (
        f"If what was pushed in the last {window} ({text.images(forecast.pushed)}) comes again every {window}, "
        f"and a run {_RUN_DOES[forecast.action]} every {durations.spelled(forecast.interval)}; sizes are at most"
    )
    columns = list(_columns(forecast))
    yield f"  {'at':<10}{''.join(f'  {name:>{width}}' for name, width, _ in columns)}"
    for row, each in enumerate(forecast.points):
        yield f"  {text.moment(each.at)[:10]}{''.join(f'  {cells[row]:>{width}}' for _, width, cells in columns)}"


def _columns(forecast: Forecast) -> Iterator[tuple[str, int, list[str]]]:
    """The name of each, its width, and its cells."""
    points = forecast.points
    yield "images", 8, [str(each.images) for each in points]
    yield "size", 12, [text.size(each.size) for each in points]
    if forecast.action is Action.DELETE or any(each.deleted for each in points):
        yield "deleted", 8, [str(each.deleted) for each in points]
    if forecast.action is Action.ARCHIVE:
        yield "archived", 8, [str(each.archived) for each in points]
    if forecast.action is Action.UNTAG:
        yield "lose tags", 9, [str(each.untagged) for each in points]
    if any(each.in_archive for each in points):
        yield "in archive", 10, [str(each.in_archive) for each in points]
        yield "size there", 12, [text.size(each.size_in_archive) for each in points]
    yield "images without", 14, [str(each.images_without) for each in points]
    yield "size without", 12, [text.size(each.size_without) for each in points]
