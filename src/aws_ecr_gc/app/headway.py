"""How far a run is: for the line on a terminal, and for one line a minute elsewhere."""

import time
from collections import defaultdict

from msgspec import Struct

from aws_ecr_gc import durations
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.passage import Mark, Passage
from aws_ecr_gc.app.site import FleetSite, Site
from aws_ecr_gc.report import text


class _Count(Struct):
    """Repositories told of one site, and the images in them."""

    repositories: int = 0
    images: int = 0
    planned: int = 0
    carried: int = 0

    def add(self, each: Passage) -> None:
        self.repositories += 1
        self.images += each.images
        self.planned += each.sum.work.images
        self.carried += 0 if each.ended is None else each.ended.done

    def __str__(self) -> str:
        return f"{text.images(self.images)} seen, {self.planned} to change, {self.carried} done"


class Headway:
    """Counts what has been told. `expect` says how many repositories, or places, there will be."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()
        self._expected = 0
        self._places = 0
        self._places_done = 0
        self._told: defaultdict[Site, _Count] = defaultdict(_Count)
        """Those of the sites that have begun and not ended."""

    def expect(self, repositories: int = 0, places: int = 0) -> None:
        """More are to come."""
        self._expected += repositories
        self._places += places

    def add(self, each: Passage) -> None:
        """One more has been told."""
        site = each.site
        if each.mark is Mark.END:
            self._places_done += 1
            self._told.pop(site, None)
        elif each.mark is None:
            count = self._told[site]
            count.add(each)
            if isinstance(site, FleetSite):
                site.console.show(self._of(site, count))
            elif self._expected > 1:
                self._console.show(self._of_one(count))

    def _of_one(self, count: _Count) -> str:
        done = f"{count.repositories} of {self._expected} repositories, {count}"
        return done + self._left(count.repositories, self._expected)

    def _of(self, site: FleetSite, count: _Count) -> str:
        refused = f", {site.tally.throttled} calls refused for their pace" if site.tally.throttled else ""
        here = f"{count.repositories} of {len(site.names)} repositories, {count}{refused}"
        return f"{here}; {self._places_done} of {self._places} places{self._left(self._places_done, self._places)}"

    def _left(self, done: int, expected: int) -> str:
        """About how long it will take at this rate, in words."""
        elapsed = time.monotonic() - self._started
        if not done or done >= expected or elapsed < 1:
            return ""
        return f", about {durations.spelled(max(1.0, round(elapsed / done * (expected - done))))} left"
