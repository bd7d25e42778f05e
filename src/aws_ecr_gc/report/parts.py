"""A document of many parts that is never in memory whole."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from aws_ecr_gc.report import document
from aws_ecr_gc.report.spool import Spool, Stretch


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
