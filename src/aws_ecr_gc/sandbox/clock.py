"""The stand-in's clock."""

import time


class Clock:
    """Runs at the speed of real time, from `start` (epoch seconds) or from the real time, and can be put forward."""

    def __init__(self, start: float | None = None) -> None:
        self._ahead = 0.0 if start is None else start - time.time()

    def now(self) -> float:
        """Epoch seconds, rounded to milliseconds as ECR's timestamps are."""
        return round(time.time() + self._ahead, 3)

    def advance(self, seconds: float) -> None:
        """Put the clock forward."""
        self._ahead += seconds
