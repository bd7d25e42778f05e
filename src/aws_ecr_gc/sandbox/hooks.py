"""Actions that run right before or right after a certain call of an operation."""

from collections import Counter, defaultdict
from collections.abc import Callable
from threading import Lock
from typing import Any, Literal

from aws_ecr_gc.sandbox.services import KNOWN

Action = Callable[[dict[str, Any]], None]
"""Gets the request of the call that it accompanies."""
When = Literal["before", "after"]


class Hooks:
    """Actions by operation and number of the call. Only calls that are carried out count, not those a fault turns away.

    Actions run without the lock of the store, so that they may call the API themselves.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[str] = Counter()
        self._actions: defaultdict[tuple[When, str, int], list[Action]] = defaultdict(list)

    def add(self, when: When, operation: str, action: Action, call: int) -> None:
        """Run `action` at the call of that number, counted from 1. Raises ValueError when that call can't come."""
        if operation not in KNOWN:
            raise ValueError(f"no such operation: {operation}")
        with self._lock:
            if call <= self._counts[operation]:
                raise ValueError(f"call {call} of {operation} has been already")
            self._actions[when, operation, call].append(action)

    def count(self, operation: str) -> int:
        """Count a call that is about to be carried out; its number."""
        with self._lock:
            self._counts[operation] += 1
            return self._counts[operation]

    def run(self, when: When, operation: str, call: int, request: dict[str, Any]) -> None:
        """Run the actions that wait for this call."""
        with self._lock:
            actions = self._actions.pop((when, operation, call), [])
        for action in actions:
            action(request)
