"""Asking the user whether to go on."""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from aws_ecr_gc.errors import Interrupted, Misuse


def demand_answer(*, output: str, look: str) -> None:
    """Raise Misuse where nobody can be asked, or would not see what about; `look` is the command to look first."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise Misuse(f"this is no terminal, so nobody can be asked: give --yes, or look first with {look}")
    if output != "text":
        raise Misuse("nobody can agree to plans that are not shown: give --yes with --output json")


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
    raise Interrupted("interrupted; nothing was changed")
