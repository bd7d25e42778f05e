"""Journals as files: JSON lines, each on the disk before the next is made."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aws_ecr_gc.errors import JournalLost, Misuse, one_line
from aws_ecr_gc.files import make_directory, make_durable
from aws_ecr_gc.journal.places import MEND, Glance, end_of
from aws_ecr_gc.journal.records import Line

_SUFFIX = ".jsonl"
_TAIL = 4096
_TRIES, _WAIT = 10, 0.05
"""How often a lock is tried: whoever only looks whether it is held holds it for an instant."""


class Directory:
    """A directory of journals. It is made with the first of them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def address(self, name: str) -> str:
        return one_line(self._path / name)

    def create(self, stem: str) -> "File":
        path = self._path / f"{stem}{_SUFFIX}"
        with _written(path):
            make_directory(self._path)
            handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            file = File(path, handle)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                make_durable(self._path)
            except BaseException:
                file.close()
                raise
        return file

    def again(self, name: str) -> "File":
        path = self._path / name
        with _read(path):
            handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
            try:
                _lock(handle)
            except BlockingIOError as error:
                os.close(handle)
                raise Misuse(
                    f"journal {one_line(path)}: another process is at work with it; wait until it has ended"
                ) from error
            except BaseException:
                os.close(handle)
                raise
        return File(path, handle)

    def lines(self, name: str) -> Iterator[bytes]:
        path = self._path / name
        with _read(path), path.open("rb") as file:
            yield from file

    def is_under_way(self, name: str) -> bool:
        with _read(self._path / name), (self._path / name).open("rb") as file:
            return _is_locked(file.fileno())

    def newest(self) -> Iterator[Glance]:
        with _read(self._path):
            names = [each.name for each in self._path.glob(f"journal-*{_SUFFIX}")]
        for name in sorted(names, reverse=True):
            with suppress(FileNotFoundError):  # removed meanwhile
                yield self._glance(name)

    def _glance(self, name: str) -> Glance:
        path = self._path / name
        try:
            with path.open("rb") as file:
                under_way = _is_locked(file.fileno())
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
                lines = file.read().splitlines(keepends=True)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise _unreadable(path, error) from error
        return Glance(name, end_of(lines[-1]) if lines else None, under_way)


class File:
    """A journal that is open for writing, and locked against all others."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path = path
        self._handle = handle
        self._open = True

    @property
    def name(self) -> str:
        return one_line(self._path)

    def append(self, number: int, line: Line) -> None:  # noqa: ARG002 - the order of the lines is their number
        with _written(self._path):
            left = memoryview(line)
            while left:
                left = left[os.write(self._handle, left) :]

    def settle(self) -> None:
        with _written(self._path):
            os.fsync(self._handle)
            self._demand_there()

    def cut(self, length: int) -> None:
        with _written(self._path):
            if os.fstat(self._handle).st_size != length:
                os.ftruncate(self._handle, length)
                os.fsync(self._handle)

    def close(self) -> None:
        if self._open:
            self._open = False
            os.close(self._handle)

    def _demand_there(self) -> None:
        """A file without a name takes all that is written, and nobody ever finds it."""
        if not os.path.samestat(os.fstat(self._handle), self._path.stat()):
            raise FileExistsError(0, "another file has taken its place")


def _lock(handle: int) -> None:
    """Raises BlockingIOError where another process holds it."""
    for left in reversed(range(_TRIES)):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not left:
                raise
            time.sleep(_WAIT)
        else:
            return


def _is_locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(handle, fcntl.LOCK_UN)
    return False


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = one_line(error.strerror or error)
        raise JournalLost(f"journal {one_line(path)}: can't be written: {reason}{MEND}") from error


@contextmanager
def _read(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> Misuse:
    reason = one_line(error.strerror or error)
    return Misuse(f"journal {one_line(path)}: can't be read: {reason}; name one that aws-ecr-gc wrote")
