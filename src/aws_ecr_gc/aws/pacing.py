"""How fast AWS is called: deploy tools share its limits, so reading leaves them room."""

import threading
import time
from typing import NamedTuple


class Rate(NamedTuple):
    """Calls a second in the long run, and how many may come at once after a pause."""

    sustained: float
    burst: int


class Pace:
    """One limiter for all threads that make the same kind of call."""

    def __init__(self, rate: Rate) -> None:
        self._interval = 1 / rate.sustained
        self._ahead = self._interval * (rate.burst - 1)
        self._lock = threading.Lock()
        self._due = time.monotonic() - self._ahead

    def wait(self) -> None:
        """Return when the next call may be made."""
        with self._lock:
            now = time.monotonic()
            self._due = max(self._due + self._interval, now - self._ahead)
            delay = self._due - now
        if delay > 0:
            time.sleep(delay)
