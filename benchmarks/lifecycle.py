"""What simulating lifecycle policies costs."""

import json
import sys
from typing import NamedTuple

from benchmarks.measuring import output

HEAD = (
    "simulating a lifecycle policy of ten rules",
    "evaluations",
    "CPU s",
    "expire",
    "are archived",
    "marked in vain",
)


class Simulated(NamedTuple):
    """How long it took, in CPU seconds, and what came of it."""

    evaluations: int
    seconds: float
    expired: int
    archived: int
    failed: int


def measure(count: int) -> list[Simulated]:
    """One evaluation, and a year of them, in a process of its own."""
    finished = output([sys.executable, "-m", "benchmarks.simulating", str(count)])
    return [Simulated(*row) for row in json.loads(finished.stdout)]


def cells(count: int, made: Simulated) -> list[str]:
    """A row of the table."""
    numbers = (made.expired, made.archived, made.failed)
    return [f"{count:,} images", str(made.evaluations), f"{made.seconds:.2f}", *(f"{number:,}" for number in numbers)]
