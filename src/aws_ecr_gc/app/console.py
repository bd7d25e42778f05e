"""The two streams of a command: the result, and all else."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TextIO

from aws_ecr_gc.errors import Interrupted, OutputLost
from aws_ecr_gc.report.progress import Progress


class Console:
    """The result goes to `out`, all else to `err`; `stop` tells when to end after the call under way."""

    def __init__(self, out: TextIO, err: TextIO, stop: Callable[[], bool]) -> None:
        self._out = out
        self._err = err
        self._progress = Progress(err)
        self.stop = stop

    def print(self, lines: Iterable[str]) -> None:
        """Lines of the result. Raises OutputLost."""
        self._progress.clear()
        try:
            for line in lines:
                self._out.write(f"{line}\n")
            self._out.flush()
        except OSError as error:
            raise OutputLost(f"standard output can't be written: {error.strerror}") from error

    def say(self, line: str) -> None:
        """A remark on standard error."""
        self._progress.clear()
        with suppress(OSError):  # a remark that nobody can read must not end the work
            self._err.write(f"aws-ecr-gc: {line}\n")
            self._err.flush()

    def show(self, progress: str) -> None:
        """How far the work is, on a terminal."""
        self._progress.show(progress)

    def clear(self) -> None:
        """End the line of progress."""
        self._progress.clear()

    def reading(self, progress: str) -> None:
        """How far the reading is. Raises Interrupted where the work is to end."""
        if self.stop():
            self._progress.clear()
            raise Interrupted("interrupted while reading; nothing was changed")
        self._progress.show(progress)
