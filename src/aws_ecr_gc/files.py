"""Files that are whole or absent."""

import os
import tempfile
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
