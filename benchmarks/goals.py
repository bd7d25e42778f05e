"""The goals, and what they are judged by."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from benchmarks import fleet
from benchmarks.contenders import BOTO3, FEW, PRODUCT, TEN_RULES
from benchmarks.in_use import Account, Reading
from benchmarks.lifecycle import Simulated
from benchmarks.measuring import Planned, Run

LATENCY = 0.05
"""Seconds a call, where the network's part of the time is of interest."""

DryRuns = Mapping[int, Mapping[str, Run]]


class Goal(NamedTuple):
    """One row."""

    goal: str
    measured: float
    bound: float
    images: tuple[int, int] | None = None
    """How many were measured, and how many the goal speaks of, where it does."""

    @property
    def verdict(self) -> str:
        if self.images is not None and self.images[0] != self.images[1]:
            return f"not judged: {self.images[0]:,} images"
        return "met" if self.measured <= self.bound else "missed"

    @property
    def cells(self) -> tuple[str, str, str, str]:
        return self.goal, _number(self.measured), _number(self.bound), self.verdict


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:.3g}"


def costs(dry_runs: DryRuns) -> Iterator[Goal]:
    """CPU time, beside the plain script."""
    for spoken_of, bound in ((10_000, 0.6), (100_000, 1 / 6)):
        images = nearest(dry_runs, spoken_of)
        runs = dry_runs[images]
        ratio = runs[PRODUCT].cpu / runs[BOTO3].cpu
        yield Goal(f"dry run of {spoken_of:,}: CPU / boto3", ratio, bound, (images, spoken_of))


def calls(dry_runs: DryRuns) -> Iterator[Goal]:
    """The number of calls to list."""
    for images, runs in dry_runs.items():
        yield Goal(f"dry run of {images:,}: calls", runs[PRODUCT].calls, -(-images // 1000))


def latency(images: int, slow: Run, start: float) -> Goal:
    """What is left of the wall time of a run with slow calls when the start is taken off."""
    return Goal(
        "dry run of 10,000 at 50 ms a call: (wall - start) / (calls x 50 ms)",
        (slow.wall - start) / (slow.calls * LATENCY),
        1.3,
        (images, 10_000),
    )


def start(empty: Mapping[str, Run]) -> Goal:
    """How soon the first call arrives."""
    return Goal("start to the first call: wall / boto3", empty[PRODUCT].first_call / empty[BOTO3].first_call, 0.95)


def small(words: str, measured: Run, bare: Run, *, loads_botocore: bool) -> Iterator[Goal]:
    """A command line that reads no repository."""
    yield Goal(f"{words}: wall / bare Python", measured.wall / bare.wall, 4)
    yield Goal(f"{words}: botocore imported (0 no, 1 yes)", loads_botocore, 0)


def memory(images: int, of_all: Run, of_none: Run, words: str, bound: float) -> Goal:
    """(peak at N - peak at 0) / N."""
    return Goal(f"bytes an image {words}", (of_all.peak - of_none.peak) / images, bound, (images, 100_000))


def planning(plans: Mapping[int, Mapping[str, Planned]]) -> Iterator[Goal]:
    """What ten rules cost beside the prefixes alone, over the same images, and the memory for the most images."""
    side_by_side = {images: planned for images, planned in plans.items() if FEW in planned}
    images = nearest(side_by_side, 100_000)
    ratio = side_by_side[images][TEN_RULES].seconds / side_by_side[images][FEW].seconds
    yield Goal("planning 100,000 with ten rules: CPU / by prefix alone", ratio, 10, (images, 100_000))
    images = max(plans)
    peak = plans[images][TEN_RULES].peak / 1e6
    yield Goal("planning 1,000,000 with ten rules: peak MB", peak, 1000, (images, 1_000_000))


def in_use(account: Account, reading: Reading, *, loads_reading: bool, full: bool) -> Iterator[Goal]:
    """Calls beside the fewest there can be; seconds beside those of the pace, where it matters."""
    yield Goal("what is in use: calls / fewest calls", reading.calls.total() / account.fewest(), 1.02)
    if full:
        yield Goal("what is in use: wall / pace alone", reading.read.seconds / reading.pace, 1.2)
    yield Goal("dry run without a source: what reads sources imported (0 no, 1 yes)", loads_reading, 0)


def fleets(sizes: fleet.Sizes, measured: fleet.Measured) -> Iterator[Goal]:
    """Many repositories at once: beside a bare client, beside a limit, and in memory."""
    full = fleet.Sizes()
    listing = measured.listing.run.wall / measured.bare_listing.run.wall
    images = (sizes.listed.repositories * sizes.listed.images, full.listed.repositories * full.listed.images)
    yield Goal("1,000 repositories of 100 at 50 ms, 32 at once: wall / bare client", listing, 1.3, images)
    deleting = measured.deleting.run.wall / measured.bare_deleting.run.wall
    images = (sizes.deleted.repositories * sizes.deleted.images, full.deleted.repositories * full.deleted.images)
    yield Goal("10,000 deletions at 50 ms, 16 at once: wall / bare client", deleting, 1.3, images)
    images = (sizes.throttled.repositories, full.throttled.repositories)
    for name, seen in (("default pace", measured.throttled), ("--max-rps 100", measured.pushed)):
        tried = seen.calls + seen.refused
        limit = fleet.allowed(sizes.throttled.repositories)
        yield Goal(f"throttled at 20 a second, {name}: wall / limit", seen.run.wall / max(limit, 1), 1.1, images)
        yield Goal(f"throttled at 20 a second, {name}: share refused", seen.refused / max(tried, 1), 0.05, images)
    in_flight = sizes.held.at_once * sizes.held.images
    images = (sizes.held.repositories * sizes.held.images, full.held.repositories * full.held.images)
    for name, seen in (("5% to go", measured.held), ("all to go", measured.cleared)):
        held = (seen.run.peak - measured.empty.run.peak) / in_flight
        yield Goal(f"1,000,000 images, {name}: bytes an image in flight", held, 800, images)


def simulating(images: int, made: Sequence[Simulated]) -> Iterator[Goal]:
    """One evaluation of a lifecycle policy, and a year of them."""
    for each in made:
        yield Goal(f"simulating 100,000, {each.evaluations} times: CPU s", each.seconds, 5, (images, 100_000))


def nearest(sizes: Mapping[int, object], wanted: int) -> int:
    """The size that a goal is measured at: the one it speaks of, or the largest there is below, or any."""
    return max((size for size in sizes if size <= wanted), default=min(sizes))
