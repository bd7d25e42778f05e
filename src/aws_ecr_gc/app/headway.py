"""How far a run is: for the line on a terminal, and for one line a minute elsewhere."""

import time

from aws_ecr_gc import durations
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.passage import Mark, Passage
from aws_ecr_gc.app.site import FleetSite
from aws_ecr_gc.report import text


class Headway:
    """Counts what has been told. `expect` says how many repositories, or places, there will be."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()
        self._expected = 0
        self._places = 0
        self._places_done = 0
        self._place = ""
        self._done = self._images = self._planned = self._carried = 0

    def expect(self, repositories: int = 0, places: int = 0) -> None:
        """More are to come."""
        self._expected += repositories
        self._places += places

    def add(self, each: Passage) -> None:
        """One more has been told."""
        if each.mark is not None:
            self._places_done += each.mark is Mark.END
            if isinstance(each.site, FleetSite):
                self._place = f"{each.site.place}: "
            return
        self._done += 1
        self._images += each.images
        self._planned += each.sum.work.images
        self._carried += 0 if each.ended is None else each.ended.done
        if self._expected > 1 or self._places:
            self._console.headway(str(self))

    def __str__(self) -> str:
        done, expected, unit = self._done, self._expected, "repositories"
        if self._places:
            done, expected, unit = self._places_done, self._places, "places"
        parts = [f"{self._place}{done} of {expected} {unit}", f"{text.images(self._images)} seen"]
        parts.append(f"{self._planned} to change, {self._carried} done")
        left = self._left(done, expected)
        return ", ".join([*parts, *([] if left is None else [f"about {left} left"])])

    def _left(self, done: int, expected: int) -> str | None:
        elapsed = time.monotonic() - self._started
        if not done or done >= expected or elapsed < 1:
            return None
        return durations.spelled(max(1.0, round(elapsed / done * (expected - done))))
