"""The stand-in's clock."""

import time
from typing import Protocol


class Schedule(Protocol):
    """What is to happen at certain times."""

    def notice(self, now: float) -> None:
        """Take note of what is to happen from now on."""

    def next_due(self) -> float | None:
        """When something is to happen next, in epoch seconds."""

    def catch_up(self, now: float) -> None:
        """Do all that is due."""


class Clock:
    """Runs at the speed of real time, from `start` (epoch seconds) or from the real time, and can be put forward."""

    def __init__(self, start: float | None = None) -> None:
        self._ahead = 0.0 if start is None else start - time.time()
        self._schedule: Schedule | None = None

    def follow(self, schedule: Schedule) -> None:
        """When the clock is put forward, stop at every time at which something is due."""
        self._schedule = schedule

    def now(self) -> float:
        """Epoch seconds, rounded to milliseconds as ECR's timestamps are."""
        return round(time.time() + self._ahead, 3)

    def advance(self, seconds: float) -> None:
        """Put the clock forward. What is due meanwhile happens at its time."""
        end = self.now() + seconds
        if self._schedule is not None:
            self._schedule.notice(self.now())
            while (due := self._schedule.next_due()) is not None and due <= end:
                self._ahead += max(0.0, due - self.now())
                self._schedule.catch_up(due)
        self._ahead += end - self.now()
