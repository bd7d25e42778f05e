"""A document of many parts that is never in memory whole."""

import tempfile
from collections.abc import Iterable, Iterator
from threading import RLock
from typing import BinaryIO, NamedTuple, cast

from msgspec import Struct

from aws_ecr_gc.errors import OutputLost
from aws_ecr_gc.report import document

_AT_ONCE = 1 << 16
"""Bytes that are read at a time, about."""
_IN_MEMORY = 1 << 20
"""Bytes of the parts of a document that are held; more of them wait on disk."""


class Stretch(NamedTuple):
    """Lines that stand in a `Spool`: where they begin and end, in bytes."""

    start: int
    end: int


class Spool:
    """Lines, out of memory: a file that is gone when it is closed. For all threads."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._file = cast("BinaryIO", tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115 - until `close`
        self._end = 0

    def add(self, lines: Iterable[bytes]) -> Stretch:
        """Keep them. Raises OutputLost where they can't be."""
        with self._lock:
            start = self._end
            try:
                self._file.seek(start)
                for line in lines:
                    self._end += self._file.write(line + b"\n")
            except OSError as error:
                raise OutputLost(f"a temporary file can't be written: {error.strerror}; see TMPDIR") from error
            return Stretch(start, self._end)

    def lines(self, stretch: Stretch) -> Iterator[bytes]:
        """Those that stand there."""
        at = stretch.start
        while at < stretch.end:
            with self._lock:
                self._file.seek(at)
                some = self._file.readlines(min(_AT_ONCE, stretch.end - at))
            for line in some:
                if at < stretch.end:  # it may be one line more
                    yield line.removesuffix(b"\n")
                at += len(line)

    def close(self) -> None:
        """Let go of what is kept."""
        self._file.close()


class Parts:
    """The parts of a document as they come, out of memory, until the whole of it can be printed."""

    def __init__(self, key: str, depth: int) -> None:
        """They are to stand in the list under `key`, so deep in the document."""
        self._key = key
        self._indent = b"  " * (depth + 1)
        self._spool = Spool()
        self._parts: list[tuple[int, Stretch]] = []

    def add(self, part: Iterable[bytes], at: int | None = None) -> None:
        """One more, line by line, at its place among the others or at their end. Raises OutputLost."""
        stretch = self._spool.add(self._indent + line for line in part)
        self._parts.append((len(self._parts) if at is None else at, stretch))

    def lines(self, content: Struct) -> Iterator[str]:
        """The document, line by line; in `content`, the list is empty."""
        before = self._indent[2:].decode()
        head, _, tail = document.encode(content).partition(f'\n{before}"{self._key}": []')
        yield from head.split("\n")
        if self._parts:
            yield f'{before}"{self._key}": ['
            *others, last = (stretch for _, stretch in sorted(self._parts))
            for each in others:
                yield from _between(map(bytes.decode, self._spool.lines(each)))
            yield from map(bytes.decode, self._spool.lines(last))
            yield from f"{before}]{tail}".split("\n")
        else:
            yield from f'{before}"{self._key}": []{tail}'.split("\n")

    def close(self) -> None:
        """Let go of what is kept."""
        self._spool.close()


def _between(lines: Iterable[str]) -> Iterator[str]:
    """Lines of a part that another one follows."""
    held: str | None = None
    for line in lines:
        if held is not None:
            yield held
        held = line
    yield f"{held},"


def lines_of(lines: Iterable[str]) -> Iterator[bytes]:
    """Printed lines, as a part of another document."""
    return (line.encode() for line in lines)


def encoded(part: Struct) -> bytes:
    """A part as it stands in the document, but for its place."""
    return document.encode(part).encode()
