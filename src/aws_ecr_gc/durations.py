"""Durations as users write them: 90m, 1h30m, 2d, 2w, or 0. A day is 24 hours, a week seven days."""

import re

SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
PATTERN = r"^(0|([0-9]{1,6}[wdhms])+)$"


def parse(text: str) -> float:
    """Seconds. Raises ValueError for what is no duration."""
    if not re.fullmatch(PATTERN, text):
        raise ValueError(f"{text!r} is not a duration, such as 90m, 1h30m, 2d, 2w or 0")
    return float(sum(int(number) * SECONDS[unit] for number, unit in re.findall(r"([0-9]+)([wdhms])", text)))


def spelled(seconds: float) -> str:
    """A text that `parse` reads as these (whole) seconds, in days at most."""
    rest = int(seconds)
    parts = []
    for unit in "dhms":
        count, rest = divmod(rest, SECONDS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0"
