"""What a rule retains among the images of one of its streams: the union of all that its `keep` states."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import compress, islice
from operator import neg

from msgspec import Struct

from aws_ecr_gc import durations
from aws_ecr_gc.inventory import Image
from aws_ecr_gc.plan import Reason
from aws_ecr_gc.policy import calendar, versions
from aws_ecr_gc.policy.matching import Stream
from aws_ecr_gc.policy.rules import Rule

Said = tuple[int, bool, Reason]
"""A position, whether the rule retains the image there, and why."""


class Vote(Struct):
    """What a rule says about a stream. `why` lies beside `contenders` (positions, newest first): None is not kept."""

    rule: Rule
    stream: Stream
    contenders: Sequence[int]
    why: list[str | None]

    def kept(self) -> Iterator[int]:
        """The positions of what the rule retains."""
        return compress(self.contenders, self.why)  # every reason has words

    def reasons(self, wanted: Sequence[int] | None = None) -> Iterator[Said]:
        """For each contender, what the rule says, and the place it has. `wanted` is 0 at positions to be left out."""
        total = f" of {len(self.contenders)}{self._in_stream()}; "
        lost = f"{total}not kept by {self.rule.keep}" if str(self.rule.keep) != "none" else f"{total}keep none"
        for place, (at, why) in enumerate(zip(self.contenders, self.why, strict=True), 1):
            if wanted is None or wanted[at]:
                detail = f"{ordinal(place)}{lost}" if why is None else f"{ordinal(place)}{total}kept by {why}"
                yield at, why is not None, Reason(self.rule.name, detail)

    def briefly(self, wanted: Sequence[int]) -> Iterator[Said]:
        """The same without details."""
        reason = Reason(self.rule.name, "")
        return ((at, why is not None, reason) for at, why in zip(self.contenders, self.why, strict=True) if wanted[at])

    def _in_stream(self) -> str:
        return f" in {self.stream.label}" if self.stream.key else ""


def vote(rule: Rule, stream: Stream, contenders: Sequence[int], images: Sequence[Image], now: float) -> Vote:
    """Ask everything that the rule states about the contenders of a stream."""
    why: list[str | None] = [None] * len(contenders)
    joined: dict[tuple[str, str], str] = {}
    for at, reason in _kept(rule, stream, contenders, images, now):
        before = why[at]
        why[at] = reason if before is None else joined.setdefault((before, reason), f"{before}, {reason}")
    return Vote(rule, stream, contenders, why)


def _kept(
    rule: Rule, stream: Stream, contenders: Sequence[int], images: Sequence[Image], now: float
) -> Iterator[tuple[int, str]]:
    """The index among the contenders of each that stays, and why, once for each statement that retains it."""
    keep = rule.keep
    if keep.newest:
        reason = f"newest {keep.newest}"
        yield from ((at, reason) for at in range(min(keep.newest, len(contenders))))
    if keep.younger_than is not None:
        yield from _young(keep.younger_than, contenders, images, now)
    if keep.pulled_within is not None:
        yield from _recently_pulled(keep.pulled_within, contenders, images, now)
    if keep.periods or keep.within:
        yield from _by_calendar(rule, contenders, images, now)
    if stream.versions is not None:
        index = {position: at for at, position in enumerate(contenders)}
        among = [(version, index[position]) for version, position in stream.versions if position in index]
        for name, count in keep.versions:
            yield from versions.kept(name, count, among)


def _young(seconds: float, contenders: Sequence[int], images: Sequence[Image], now: float) -> Iterator[tuple[int, str]]:
    """What came out of the archive is as young as that: somebody wanted it back."""
    reason, since = f"younger_than {durations.spelled(seconds)}", now - seconds
    for at, position in enumerate(contenders):
        image = images[position]
        if image.pushed_at > since:
            yield at, reason
        elif image.activated_at is not None and image.activated_at > since:
            yield at, f"{reason}: it came out of the archive since"


def _recently_pulled(
    seconds: float, contenders: Sequence[int], images: Sequence[Image], now: float
) -> Iterator[tuple[int, str]]:
    known = f"pulled_within {durations.spelled(seconds)}"
    fallback = f"{known}: no pull is on record, so its push counts"
    for at, position in enumerate(contenders):
        image = images[position]
        if image.pulled_at is None:
            if image.pushed_at > now - seconds:
                yield at, fallback
                continue
        elif image.pulled_at > now - seconds:
            yield at, known
            continue
        if image.activated_at is not None and image.activated_at > now - seconds:
            yield at, f"{known}: it came out of the archive since"


def _by_calendar(
    rule: Rule, contenders: Sequence[int], images: Sequence[Image], now: float
) -> Iterator[tuple[int, str]]:
    keep = rule.keep
    zone = calendar.zone(keep.timezone)
    stamps = [images[position].pushed_at for position in contenders]
    # What a skewed clock pushed in the future doesn't move the window away from the rest.
    newest = next((stamp for stamp in stamps if stamp <= now), None)
    since = {name: float("-inf") if newest is None else newest - seconds for name, seconds in keep.within}
    looked_at = len(stamps) if keep.periods else bisect_left(stamps, -min(since.values()), key=neg)
    times = [datetime.fromtimestamp(stamp, zone) for stamp in islice(stamps, looked_at)]
    for name, count in keep.periods:
        yield from calendar.kept_by_count(name, count, times)
    for name, _ in keep.within:
        yield from calendar.kept_within(name, since[name], times, stamps)


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th."""
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
