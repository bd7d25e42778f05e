"""The two streams of a command: the result, and all else."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from enum import Enum
from itertools import groupby
from operator import itemgetter
from threading import RLock
from typing import TextIO

from aws_ecr_gc.errors import Interrupted, OutputLost
from aws_ecr_gc.report.logs import TEXT, log_line
from aws_ecr_gc.report.progress import Progress
from aws_ecr_gc.report.spool import Spool, Stretch

_LONG = 1 << 16
"""Characters of a result that are kept in memory until its turn comes, each time that something is printed."""
_CALM = 60.0
"""Seconds between two lines of progress where there is no terminal."""


class Console:
    """The result goes to `out`, all else to `err`; `stop` tells when to end after the call under way.

    May be used from several threads: no line is broken by another.
    """

    def __init__(self, out: TextIO, err: TextIO, stop: Callable[[], bool], log: str = TEXT) -> None:
        self._out = out
        self._err = err
        self._log = log
        self._calm_until = time.monotonic() + _CALM
        self._lock = RLock()
        self._said: set[str] = set()
        self._progress = Progress(err, shown=log == TEXT)
        self.stop = stop

    def print(self, lines: Iterable[str]) -> None:
        """Lines of the result. Raises OutputLost."""
        with self._lock:
            self._progress.clear()
            try:
                for line in lines:
                    self._out.write(f"{line}\n")
                self._out.flush()
            except OSError as error:
                raise OutputLost(f"standard output can't be written: {error.strerror}") from error

    def say(self, line: str) -> None:
        """A remark on standard error."""
        # A remark that nobody can read must not end the work.
        with self._lock, suppress(OSError):
            self._progress.clear()
            self._err.write(f"{log_line(line, self._log)}\n")
            self._err.flush()

    def announce(self, line: str) -> None:
        """A remark on what is about to be done: it is no use afterwards."""
        self.say(line)

    def say_once(self, line: str) -> None:
        """A remark that holds for the whole run."""
        with self._lock:
            if line not in self._said:
                self._said.add(line)
                self.say(line)

    def show(self, progress: str) -> None:
        """How far the work is: on a terminal at once, elsewhere a line now and then."""
        with self._lock:
            if self._progress.is_shown:
                self._progress.show(progress)
            elif time.monotonic() >= self._calm_until:
                self._calm_until = time.monotonic() + _CALM
                self.say(progress)

    def raw(self, line: str) -> None:
        """A line on standard error that is for a machine. Raises OSError."""
        with self._lock:
            self._progress.clear()
            self._err.write(f"{line}\n")
            self._err.flush()

    def clear(self) -> None:
        """End the line of progress."""
        with self._lock:
            self._progress.clear()

    def reading(self, progress: str) -> None:
        """How far the reading is. Raises Interrupted where the work is to end."""
        if self.stop():
            self.clear()
            raise Interrupted("interrupted while reading; nothing was changed")
        self.show(progress)


class _Kind(Enum):
    PRINTED = 1
    SAID = 2
    SAID_ONCE = 3


class Aside(Console):
    """What is said and printed of one of many things that are done at once, kept until its turn has come.

    Progress is shown at once, and so is what is about to be done. With a `spool`, a long result waits there.
    """

    def __init__(self, console: Console, stop: Callable[[], bool], spool: Spool | None = None) -> None:
        self._console = console
        self._spool = spool
        self._kept: list[tuple[_Kind, str | Stretch]] = []
        self.stop = stop

    def print(self, lines: Iterable[str]) -> None:
        some: list[str] = []
        characters = 0
        for line in lines:
            some.append(line)
            characters += len(line)
            if characters > _LONG:
                self._kept.append((_Kind.PRINTED, self._put_by(some)))
                some, characters = [], 0
        if some:
            self._kept.append((_Kind.PRINTED, "\n".join(some)))  # one for all: a hundred bytes less a line

    def _put_by(self, lines: list[str]) -> str | Stretch:
        """Out of memory, if that can be: a full disk must not keep back what was done."""
        if self._spool is not None:
            with suppress(OutputLost):
                return self._spool.add_text(lines)
        return "\n".join(lines)

    def say(self, line: str) -> None:
        self._kept.append((_Kind.SAID, line))

    def announce(self, line: str) -> None:
        self._console.announce(line)

    def say_once(self, line: str) -> None:
        self._kept.append((_Kind.SAID_ONCE, line))

    def show(self, progress: str) -> None:
        self._console.show(progress)

    def clear(self) -> None:
        self._console.clear()

    def tell(self) -> None:
        """Pass on what was kept, in its order. Raises OutputLost."""
        kept, self._kept = self._kept, []
        for kind, group in groupby(kept, itemgetter(0)):
            lines = (line for _, each in group for line in self._again(each))
            if kind is _Kind.PRINTED:
                self._console.print(lines)
                continue
            say = self._console.say if kind is _Kind.SAID else self._console.say_once
            for line in lines:
                say(line)

    def _again(self, kept: str | Stretch) -> Iterator[str]:
        if isinstance(kept, str) or self._spool is None:
            yield str(kept)
        else:
            yield from self._spool.text(kept)
