"""Trying again what may go well another time, for calls that botocore does not repeat."""

import time
from collections.abc import Callable
from typing import TypeVar

from aws_ecr_gc.errors import Interrupted, Passing

T = TypeVar("T")

_TRIES = 10
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 5.0


def persistently(call: Callable[[], T], stop: Callable[[], bool], pause: Callable[[float], None] = time.sleep) -> T:
    """What the call gives, at the tenth try at the latest. What a try did, the next one must see for itself.

    Raises Interrupted, rather than trying again, where `stop` says so.
    """
    for attempt in range(_TRIES - 1):
        try:
            return call()
        except Passing:
            if stop():
                raise Interrupted("interrupted") from None
            pause(min(_LONGEST_WAIT, _FIRST_WAIT * 2**attempt))
    return call()
