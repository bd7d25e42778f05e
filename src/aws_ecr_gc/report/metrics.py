"""The numbers of a run for those who watch many: a file for Prometheus, lines for CloudWatch. docs/metrics.md."""

import json
from collections.abc import Iterator, Sequence

from msgspec import Struct

from aws_ecr_gc.report.fleets import Summary

NAMESPACE = "AwsEcrGc"
_PREFIX = "aws_ecr_gc_last_run_"


class Measure(Struct, frozen=True):
    """One number of `Summary`: its names for Prometheus, for CloudWatch with its unit there, and for OpenTelemetry with
    that of UCUM; and what it is.
    """

    field: str
    prometheus: str
    cloudwatch: str
    unit: str
    otel: str
    ucum: str
    meaning: str


MEASURES = (
    Measure(
        "repositories",
        "repositories",
        "Repositories",
        "Count",
        "aws_ecr_gc.repositories.planned",
        "{repository}",
        "repositories that got a plan",
    ),
    Measure("images", "images", "Images", "Count", "aws_ecr_gc.images.active", "{image}", "active images in them"),
    Measure(
        "planned",
        "planned_images",
        "ImagesPlanned",
        "Count",
        "aws_ecr_gc.images.planned",
        "{image}",
        "images that plans would delete, archive or untag",
    ),
    Measure(
        "refused",
        "refused_images",
        "ImagesRefused",
        "Count",
        "aws_ecr_gc.images.refused",
        "{image}",
        "images whose plans a guard refused",
    ),
    Measure(
        "done",
        "done_images",
        "ImagesDone",
        "Count",
        "aws_ecr_gc.images.done",
        "{image}",
        "images that are deleted, archived or untagged",
    ),
    Measure(
        "skipped",
        "skipped_images",
        "ImagesSkipped",
        "Count",
        "aws_ecr_gc.images.skipped",
        "{image}",
        "images that changed since the plan, and stay",
    ),
    Measure(
        "failed",
        "failed_images",
        "ImagesFailed",
        "Count",
        "aws_ecr_gc.images.failed",
        "{image}",
        "images whose deletion failed",
    ),
    Measure(
        "bytes_planned",
        "planned_bytes",
        "BytesPlanned",
        "Bytes",
        "aws_ecr_gc.size.planned",
        "By",
        "size of what would go, at most",
    ),
    Measure("calls", "calls", "Calls", "Count", "aws_ecr_gc.calls.made", "{call}", "calls of ECR"),
    Measure(
        "retries", "retries", "Retries", "Count", "aws_ecr_gc.calls.retried", "{call}", "calls that were made again"
    ),
    Measure(
        "throttled",
        "throttled_calls",
        "ThrottledCalls",
        "Count",
        "aws_ecr_gc.calls.throttled",
        "{call}",
        "calls that AWS refused for their pace",
    ),
    Measure("seconds", "duration_seconds", "Duration", "Seconds", "aws_ecr_gc.duration", "s", "how long it took"),
)


class PlaceNumbers(Struct, frozen=True):
    """The numbers of one account and region; `account` is empty where nothing named it.

    `ended_at` is in epoch seconds.
    """

    account: str
    region: str
    exit: int
    summary: Summary
    ended_at: float


def prometheus(places: Sequence[PlaceNumbers], ended_at: float, exit_code: int) -> Iterator[str]:
    """The lines of a file in Prometheus's text format, for node_exporter's textfile collector."""
    for measure in MEASURES:
        name = _PREFIX + measure.prometheus
        yield f"# HELP {name} Of the last run: {measure.meaning}."
        yield f"# TYPE {name} gauge"
        for place in places:
            yield f"{name}{_labels(place)} {_number(getattr(place.summary, measure.field))}"
    yield f"# HELP {_PREFIX}place_exit_code The exit code that the last run would have had for the place alone."
    yield f"# TYPE {_PREFIX}place_exit_code gauge"
    for place in places:
        yield f"{_PREFIX}place_exit_code{_labels(place)} {place.exit}"
    yield f"# HELP {_PREFIX}exit_code The exit code of the last run."
    yield f"# TYPE {_PREFIX}exit_code gauge"
    yield f"{_PREFIX}exit_code {exit_code}"
    yield f"# HELP {_PREFIX}timestamp_seconds When the last run ended, in epoch seconds."
    yield f"# TYPE {_PREFIX}timestamp_seconds gauge"
    yield f"{_PREFIX}timestamp_seconds {ended_at:.3f}"


def embedded(places: Sequence[PlaceNumbers], ended_at: float) -> Iterator[str]:
    """Lines in CloudWatch's embedded metric format, one for each place."""
    metrics = [{"Name": each.cloudwatch, "Unit": each.unit} for each in MEASURES]
    metrics.append({"Name": "ExitCode", "Unit": "None"})
    about = {"Namespace": NAMESPACE, "Dimensions": [["Account", "Region"]], "Metrics": metrics}
    for place in places:
        yield json.dumps(
            {
                "_aws": {"Timestamp": int(ended_at * 1000), "CloudWatchMetrics": [about]},
                "Account": place.account or "unknown",
                "Region": place.region,
                **{each.cloudwatch: getattr(place.summary, each.field) for each in MEASURES},
                "ExitCode": place.exit,
            },
            separators=(",", ":"),
        )


def _labels(place: PlaceNumbers) -> str:
    return f'{{account="{place.account}",region="{place.region}"}}'


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3f}"
