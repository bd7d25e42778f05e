"""Backups in a directory. What is written is on the disk, under its name only when it is whole."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aws_ecr_gc.backup.layout import OCI_LAYOUT
from aws_ecr_gc.backup.places import blob_path, path_of, verified
from aws_ecr_gc.errors import BackupLost, Misuse, Passing, one_line
from aws_ecr_gc.files import make_directory, make_durable
from aws_ecr_gc.reference import Repository

_CHUNK = 1 << 18
_UNFINISHED = ".writing-"
_ABANDONED = 86400.0
"""Seconds after which an unfinished file is nobody's any more."""


class Directory:
    """A directory of layouts. It is made with the first of them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def layout(self, repository: Repository) -> "LayoutDirectory":
        return LayoutDirectory(self._path.joinpath(*path_of(repository)))


class LayoutDirectory:
    """One layout."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        return one_line(self._path)

    def free(self) -> int | None:
        with self._written():
            there = next(each for each in (self._path, *self._path.absolute().parents) if each.exists())
            return shutil.disk_usage(there).free

    def has(self, digest: str, size: int | None) -> bool:
        path = self._blob(digest)
        try:
            if size not in (None, path.stat().st_size):
                return False
            for _ in verified(digest, size, _chunks(path)):
                pass
        except (OSError, Passing):
            return False
        return True

    def write(self, digest: str, size: int | None, content: Iterable[bytes]) -> None:
        path = self._blob(digest)
        with self._written():
            make_directory(path.parent)
        self._write_whole(path, verified(digest, size, content))

    def read(self, digest: str) -> Iterator[bytes]:
        try:
            yield from _chunks(self._blob(digest))
        except OSError as error:
            raise self._unreadable(error) from error

    def index(self) -> bytes | None:
        try:
            return (self._path / "index.json").read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unreadable(error) from error

    def update(self, change: Callable[[bytes | None], bytes]) -> None:
        with self._written():
            make_directory(self._path)
            lock = os.open(self._path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with self._written():
                fcntl.flock(lock, fcntl.LOCK_EX)
            self._write_whole(self._path / "oci-layout", [OCI_LAYOUT])
            self._write_whole(self._path / "index.json", [change(self.index())])
            with self._written():
                self._remove_abandoned()
        finally:
            os.close(lock)

    def _blob(self, digest: str) -> Path:
        return self._path.joinpath(*blob_path(digest))

    def _write_whole(self, path: Path, content: Iterable[bytes]) -> None:
        with self._written():
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=_UNFINISHED)
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in content:
                    with self._written():
                        file.write(chunk)
                with self._written():
                    file.flush()
                    os.fsync(file.fileno())
            with self._written():
                Path(temporary).replace(path)
                make_durable(path.parent)
        except BaseException:  # Ctrl-C too must leave nothing behind
            Path(temporary).unlink(missing_ok=True)
            raise

    def _remove_abandoned(self) -> None:
        """What killed processes left."""
        for path in self._path.rglob(f"{_UNFINISHED}*"):
            if time.time() - path.stat().st_mtime > _ABANDONED:
                path.unlink(missing_ok=True)

    @contextmanager
    def _written(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BackupLost(f"backup {self.name}: can't be written: {one_line(error.strerror or error)}") from error

    def _unreadable(self, error: OSError) -> Misuse:
        return Misuse(f"backup {self.name}: can't be read: {one_line(error.strerror or error)}")


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
