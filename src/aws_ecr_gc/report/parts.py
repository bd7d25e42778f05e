"""A document of many parts that is never in memory whole."""

import tempfile
from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

from msgspec import Struct

from aws_ecr_gc.errors import OutputLost
from aws_ecr_gc.report import document

_IN_MEMORY = 1 << 20
"""Bytes of the parts of a document that are held; more of them wait on disk."""


class Parts:
    """The parts of a document as they come, out of memory, until the whole of it can be printed."""

    def __init__(self, key: str, depth: int) -> None:
        """They are to stand in the list under `key`, so deep in the document."""
        self._key = key
        self._indent = b"  " * (depth + 1)
        self._file = cast("BinaryIO", tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115 - until `close`
        self._any = False

    def add(self, part: Iterable[bytes]) -> None:
        """One more, line by line. Raises OutputLost where it can't be kept."""
        between = b",\n" if self._any else b""
        self._any = True
        try:
            for line in part:
                self._file.write(between + self._indent + line)
                between = b"\n"
        except OSError as error:
            raise OutputLost(f"a temporary file can't be written: {error.strerror}; see TMPDIR") from error

    def lines(self, content: Struct) -> Iterator[str]:
        """The document, line by line; in `content`, the list is empty."""
        before = self._indent[2:].decode()
        head, _, tail = document.encode(content).partition(f'\n{before}"{self._key}": []')
        yield from head.split("\n")
        if self._any:
            yield f'{before}"{self._key}": ['
            self._file.seek(0)
            for line in self._file:
                yield line.decode().rstrip("\n")
            yield from f"{before}]{tail}".split("\n")
        else:
            yield from f'{before}"{self._key}": []{tail}'.split("\n")

    def close(self) -> None:
        """Let go of what is kept."""
        self._file.close()


def lines_of(lines: Iterable[str]) -> Iterator[bytes]:
    """Printed lines, as a part of another document."""
    return (line.encode() for line in lines)


def encoded(part: Struct) -> bytes:
    """A part as it stands in the document, but for its place."""
    return document.encode(part).encode()
