"""Times and durations as scenario files write them."""

import re
from datetime import datetime

_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
_DURATION = r"[0-9]+(\.[0-9]+)?[smhdw]"

TIME = f"^{_TIME}$"
DURATION = f"^{_DURATION}$"
MOMENT = f"^({_TIME}|{_DURATION})$"
MOMENT_OR_NEVER = f"^({_TIME}|{_DURATION}|never)$"

_SECONDS_BY_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def seconds_in(duration: str) -> float:
    """The seconds in a duration such as `36h`, of the form DURATION."""
    return float(duration[:-1]) * _SECONDS_BY_UNIT[duration[-1]]


def epoch_seconds(moment: str, now: float = 0.0) -> float:
    """A moment of the form MOMENT: a time such as `2017-03-25T00:00:00Z`, or an age such as `3d`, before `now`.

    Raises ValueError for a day that is in no calendar.
    """
    if re.match(DURATION, moment):
        return now - seconds_in(moment)
    return datetime.fromisoformat(moment).timestamp()
