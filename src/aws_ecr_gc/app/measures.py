"""Writing the numbers of a run for those who watch many."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from aws_ecr_gc.app import telemetry
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.passage import Passage
from aws_ecr_gc.app.sources import LiveSource
from aws_ecr_gc.aws.pacing import Tally
from aws_ecr_gc.config import Watching
from aws_ecr_gc.errors import Exit
from aws_ecr_gc.files import write_whole
from aws_ecr_gc.report import metrics
from aws_ecr_gc.report.fleets import Summary

_STANDARD_ERROR = frozenset({"/dev/stderr", "/dev/fd/2", "/proc/self/fd/2"})


def prepare(watching: Watching) -> None:
    """Raise Misuse where it is known beforehand that nothing could be told."""
    if watching.otel is not None:
        telemetry.demand()


def count_plan(summary: Summary, each: Passage) -> None:
    """Add a repository that has a plan."""
    summary.repositories += 1
    summary.images += each.images
    if each.refused:
        summary.refused += each.sum.work.images
    else:
        summary.planned += each.sum.work.images
        summary.bytes_planned += each.sum.work.size


def count_end(summary: Summary, each: Passage) -> None:
    """Add how its plan ended, if it was carried out."""
    if each.ended is not None:
        summary.done += each.ended.done
        summary.skipped += each.ended.skipped
        summary.failed += each.ended.failed


def count_calls(summary: Summary, tally: Tally, seconds: float) -> None:
    """Note how AWS was called, and how long it took."""
    summary.calls, summary.retries, summary.throttled = tally.calls, tally.retries, tally.throttled
    summary.seconds = round(seconds, 3)


def publish_one(watching: Watching, source: LiveSource, summary: Summary, code: Exit, console: Console) -> None:
    """The same of a run over one registry."""
    if source.traffic is not None:
        count_calls(summary, source.traffic.tally, source.traffic.seconds)
    registry = source.registry.registry
    numbers = metrics.PlaceNumbers(registry.account or "", registry.region, int(code), summary, time.time())
    publish(watching, [numbers], code, console)


def publish(watching: Watching, places: Sequence[metrics.PlaceNumbers], code: Exit, console: Console) -> None:
    """Write what is asked for. What can't be written changes nothing of the run."""
    now = time.time()
    if watching.prometheus is not None:
        text = "".join(f"{line}\n" for line in metrics.prometheus(places, now, int(code)))
        try:
            write_whole(watching.prometheus, text.encode(), private=False)
        except OSError as error:
            console.say(f"warning: --metrics-file {watching.prometheus}: can't be written: {error.strerror}")
    if watching.embedded is not None:
        try:
            _append(watching.embedded, metrics.embedded(places, now), console)
        except OSError as error:
            console.say(f"warning: --emf-file {watching.embedded}: can't be written: {error.strerror}")
    if watching.otel is not None:
        for trouble in telemetry.send(watching.otel, places, now, int(code)):
            console.say(f"warning: --otel: {trouble}")


def _append(path: Path, lines: Iterable[str], console: Console) -> None:
    if str(path) in _STANDARD_ERROR:  # opened again, it would be written from where the other one began
        for line in lines:
            console.raw(line)
        return
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
