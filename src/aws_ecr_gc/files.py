"""Files that are whole or absent, and content in parts."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path


def write_whole(path: Path, content: bytes, *, private: bool = True) -> None:
    """Write a file so that a reader, and a crash, sees all of it or nothing; `private` is for its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if not private:
                os.fchmod(file.fileno(), 0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException:  # Ctrl-C too must leave nothing behind
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current


def make_directory(path: Path) -> None:
    """Make a directory, and what is missing above it, so that they last."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for each in missing:
        make_durable(each.parent)


def make_durable(directory: Path) -> None:
    """See to it that the names in a directory last."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def in_parts(content: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same content in parts of this size; only the last may be smaller, and none is empty."""
    part = bytearray()
    for chunk in content:
        part += chunk
        while len(part) >= size:
            yield bytes(part[:size])
            del part[:size]
    if part:
        yield bytes(part)
