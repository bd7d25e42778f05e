"""What is to be printed later, out of memory."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import BytesIO, FileIO
from threading import RLock
from typing import NamedTuple

from aws_ecr_gc.errors import OutputLost, one_line


class Room(NamedTuple):
    """In bytes: `at_once` are written and read at a time, about; more than `in_memory` wait on disk; after `volume` a
    new file is begun, so that the older can be given back once all in it was read.
    """

    at_once: int = 1 << 16
    in_memory: int = 1 << 18
    volume: int = 1 << 27


_ROOM = Room()


class Stretch(NamedTuple):
    """Lines that stand in a `Spool`: in which of its files, and where they begin and end, in bytes."""

    volume: "_Volume"
    start: int
    end: int


class Spool:
    """Lines that wait, each stretch of them to be read once. For all threads.

    A stretch that was taken can be read, whatever becomes of those after it: where the disk is full, only these are
    refused.
    """

    def __init__(self, room: Room = _ROOM) -> None:
        self._lock = RLock()
        self._room = room
        self._volumes = [_Volume(room)]

    def add(self, lines: Iterable[bytes]) -> Stretch:
        """Keep them. Raises OutputLost where they can't be."""
        with self._lock:
            if self._volumes[-1].end > self._room.volume:
                self._volumes.append(_Volume(self._room))
            try:
                return self._volumes[-1].add(lines)
            except OSError as error:
                raise _lost("written", error) from error

    def lines(self, stretch: Stretch) -> Iterator[bytes]:
        """Those that stand there; with the last of them they are let go of. Raises OutputLost."""
        at, rest = stretch.start, b""
        while at < stretch.end:
            with self._lock:
                try:
                    some = stretch.volume.read(at, min(self._room.at_once, stretch.end - at))
                except OSError as error:
                    raise _lost("read", error) from error
            at += len(some)
            *whole, rest = (rest + some).split(b"\n")
            yield from whole
        with self._lock:
            stretch.volume.let_go()
            if stretch.volume.end == 0 and stretch.volume is not self._volumes[-1]:
                self._volumes.remove(stretch.volume)
                stretch.volume.close()

    def add_text(self, lines: Iterable[str]) -> Stretch:
        """As `add`, of text, with what a file name may hold that is no UTF-8."""
        return self.add(line.encode(errors="surrogatepass") for line in lines)

    def text(self, stretch: Stretch) -> Iterator[str]:
        """As `lines`, of what `add_text` took."""
        return (line.decode(errors="surrogatepass") for line in self.lines(stretch))

    @property
    def size(self) -> int:
        """Bytes that are taken up."""
        return sum(each.end for each in self._volumes)

    def close(self) -> None:
        """Let go of what is kept."""
        for each in self._volumes:
            each.close()


class _Volume:
    """One file, in memory as long as it is small, that is gone when it is closed. Raises OSError, as files do.

    What is there is never touched by what is added: a write that fails leaves nothing behind that counts.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._file: BytesIO | FileIO = BytesIO()
        self._unread = 0
        self.end = 0

    def add(self, lines: Iterable[bytes]) -> Stretch:
        end = self.end
        waiting = bytearray()
        for line in lines:
            waiting += line + b"\n"
            if len(waiting) >= self._room.at_once:
                end += self._write(end, waiting)
                waiting = bytearray()
        end += self._write(end, waiting)
        stretch = Stretch(self, self.end, end)
        self.end = end
        self._unread += 1
        return stretch

    def read(self, at: int, size: int) -> bytes:
        """Some of it; never nothing."""
        self._file.seek(at)
        some = self._file.read(size)
        if not some:
            raise OSError(0, "it was cut short")
        return some

    def let_go(self) -> None:
        """One stretch less is to be read; of an empty file nothing is left."""
        self._unread -= 1
        if not self._unread:
            self.end = 0
            with suppress(OSError):  # then its room is used again, and not given back before
                self._file.truncate(0)

    def close(self) -> None:
        self._file.close()

    def _write(self, at: int, content: bytes | bytearray) -> int:
        if isinstance(self._file, BytesIO) and at + len(content) > self._room.in_memory:
            self._file = _on_disk(self._file.getvalue())
        self._file.seek(at)
        _write_all(self._file, content)
        return len(content)


def _on_disk(content: bytes) -> FileIO:
    """A file with this content. It buffers nothing that could fail later."""
    file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - until the volume is closed
    try:
        _write_all(file, content)
    except BaseException:  # Ctrl-C too must leave nothing open
        file.close()
        raise
    return file


def _write_all(file: BytesIO | FileIO, content: bytes | bytearray) -> None:
    with memoryview(content) as left:
        at = 0
        while at < len(left):
            at += file.write(left[at:]) or 0


def _lost(what: str, error: OSError) -> OutputLost:
    return OutputLost(f"a temporary file can't be {what}: {one_line(error.strerror or error)}; see TMPDIR")
