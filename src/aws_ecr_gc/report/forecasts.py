"""Forecasts, as text and as JSON. `schemas/forecast.schema.json` is generated from the shapes here."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from aws_ecr_gc import durations
from aws_ecr_gc.policy.forecasting import Forecast
from aws_ecr_gc.reference import Repository
from aws_ecr_gc.report import document, text
from aws_ecr_gc.report.plans import Unread


class PointPart(Struct, forbid_unknown_fields=True):
    """The repository at a time, after the run of that time; sizes in bytes, 'at most'."""

    at: datetime
    images: int
    size: int
    collected: int
    images_without_policy: int
    size_without_policy: int


class RepositoryForecast(Struct, forbid_unknown_fields=True):
    """What was pushed in the window (seconds) before now comes again; a run every `interval_seconds` is assumed."""

    repository: document.RepositoryPart
    policy: str
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
        window_seconds=forecast.window,
        pushed_in_window=forecast.pushed,
        interval_seconds=forecast.interval,
        points=[
            PointPart(
                document.moment(each.at),
                each.images,
                each.size,
                each.collected,
                each.images_without,
                each.size_without,
            )
            for each in forecast.points
        ],
    )


def lines(repository: Repository, policy: str, forecast: Forecast) -> Iterator[str]:
    """One repository as text: a table over time."""
    window = durations.spelled(forecast.window)
    yield f"Forecast for {repository.name} ({repository.registry.region})"
    yield f"Policy: {policy}"
    yield (
        f"If what was pushed in the last {window} ({text.images(forecast.pushed)}) comes again every {window}, "
        f"and a run deletes every {durations.spelled(forecast.interval)}; sizes are at most"
    )
    yield f"  {'at':<10}  {'images':>8}  {'size':>12}  {'deleted':>8}  {'images without':>14}  {'size without':>12}"
    for each in forecast.points:
        yield (
            f"  {text.moment(each.at)[:10]}  {each.images:>8}  {text.size(each.size):>12}  {each.collected:>8}"
            f"  {each.images_without:>14}  {text.size(each.size_without):>12}"
        )
