"""The calendar rules, with restic's semantics. Source: restic's manual, "Removing snapshots according to a policy".

Going from the newest image to the oldest, the newest of each period stays until as many periods are found as asked
for; where fewer are found, the oldest image stays as well, so that the history is as long as it can be. Each kind of
period counts for itself.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo

_Bucket = Callable[[datetime], tuple[int, ...]]

PERIODS: dict[str, _Bucket] = {
    "hourly": lambda time: (time.year, time.month, time.day, time.hour),
    "daily": lambda time: (time.year, time.month, time.day),
    "weekly": lambda time: time.isocalendar()[:2],
    "monthly": lambda time: (time.year, time.month),
    "yearly": lambda time: (time.year,),
}
"""Name, and what two times of the same period have in common. A week is one of ISO 8601."""

_FORMATS = {"hourly": "%Y-%m-%d %Hh", "daily": "%Y-%m-%d", "weekly": "%G-W%V", "monthly": "%Y-%m", "yearly": "%Y"}
_WORDS = {"hourly": "hours", "daily": "days", "weekly": "weeks", "monthly": "months", "yearly": "years"}

Kept = Iterator[tuple[int, str]]
"""The position of an image that stays, and why."""


def zone(name: str) -> tzinfo:
    """A time zone of the IANA database. Raises ValueError for an unknown one."""
    if name == "UTC":
        return UTC
    if not name[:1].isupper():  # `localtime`, `right/...`: what they mean is up to the machine
        raise ValueError(f"{name!r} is no time zone of the IANA database, such as Europe/Berlin")
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - start-up: few policies name a zone

    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone of the IANA database, such as Europe/Berlin") from error


def why_not(name: str, count: int | None, times: Sequence[datetime]) -> str:
    """Why the last of these times, newest first, is kept by none of `count` periods, or of those of a window."""
    bucket, time = PERIODS[name], times[-1]
    if bucket(time) in {bucket(newer) for newer in times[:-1]}:
        return f"a newer image of {time.strftime(_FORMATS[name])} stands for it"
    return (
        "it is older than that, seen from the newest" if count is None else f"{count} newer {_WORDS[name]} have images"
    )


def count_needed(name: str, times: Sequence[datetime]) -> int | None:
    """How many periods would have to be kept for the last of these times; None where a newer one stands for it."""
    bucket = PERIODS[name]
    newer = {bucket(time) for time in times[:-1]}
    return None if bucket(times[-1]) in newer else len(newer) + 1


def kept_by_count(name: str, count: int, times: Sequence[datetime]) -> Kept:
    """Of times from newest to oldest, the newest of each of `count` periods, and the oldest if there is room."""
    if not count:
        return
    bucket = PERIODS[name]
    # Not only the last one: where clocks go back by 45 minutes, two hours come by turns.
    seen: set[tuple[int, ...]] = set()
    for at, time in enumerate(times):
        period = bucket(time)
        if period not in seen:
            seen.add(period)
            yield at, f"{name} {count}: the newest of {time.strftime(_FORMATS[name])}"
            if len(seen) == count:
                return
        elif at == len(times) - 1:
            yield at, f"{name} {count}: the oldest, for there is room"


def kept_within(name: str, since: float, times: Sequence[datetime], stamps: Sequence[float]) -> Kept:
    """Of the times after `since`, the newest of each period; the very oldest time of all too, if it is among these.

    `times` need go no further than that.
    """
    bucket = PERIODS[name]
    seen: set[tuple[int, ...]] = set()
    for at, (time, stamp) in enumerate(zip(times, stamps, strict=False)):
        if stamp <= since:
            return
        period = bucket(time)
        if period not in seen:
            seen.add(period)
            yield at, f"{name} within: the newest of {time.strftime(_FORMATS[name])}"
        elif at == len(stamps) - 1:
            yield at, f"{name} within: the oldest"
