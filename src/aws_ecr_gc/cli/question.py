"""Asking the user whether to go on."""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from aws_ecr_gc.errors import Interrupted


def can_ask() -> bool:
    """Whether there is a terminal to ask on."""
    return sys.stdin is not None and sys.stdin.isatty()


def ask(text: str) -> bool:
    """Whether the answer is yes. Raises Interrupted."""
    # Nothing is under way that a signal would have to wait for.
    listening = {number: signal.signal(number, _end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        print(f"{text} [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in {"y", "yes"}
    finally:
        for number, before in listening.items():
            signal.signal(number, before)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    with suppress(OSError):  # not sys.stderr, as in `interruption`
        os.write(2, b"\n")
    raise Interrupted("interrupted; nothing was deleted")
