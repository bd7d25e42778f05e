"""From inventories to a snapshot: one file, whole or not at all."""

import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from msgspec import UNSET, Struct
from msgspec.json import Encoder

from aws_ecr_gc import __version__
from aws_ecr_gc.errors import Misuse, OutputLost, one_line
from aws_ecr_gc.inventory import Inventory
from aws_ecr_gc.reference import Registry
from aws_ecr_gc.snapshots.layout import FORMAT, GZIP, LONGEST_LINE, VERSION, Entry, Header, Row, Table, Top, tail

_IMAGES_AT_ONCE = 1000
_BUFFER = 1 << 20
_LEVEL = 3

_encoder = Encoder()


class RepositorySnapshot(Struct, frozen=True):
    """A repository as it was read, and its tags as an AWS resource."""

    inventory: Inventory
    resource_tags: Mapping[str, str] = {}


class Written(Struct, frozen=True):
    """What went into a snapshot; `size` is the file's, in bytes."""

    repositories: int
    images: int
    size: int


def write(path: Path, registry: Registry, repositories: Iterable[RepositorySnapshot]) -> Written:
    """Write a snapshot of repositories of one registry, each once; only one is held at a time.

    The file is there whole or not at all, readable to its owner alone; an earlier one stays until it is replaced. The
    same values make the same bytes. Raises OutputLost where it can't be written, Misuse for a directory and for a
    repository that is too large, and whatever `repositories` raises.
    """
    if path.is_dir():
        raise Misuse(f"snapshot {one_line(path)}: is a directory; name a file")
    table: dict[str, Entry] = {}
    images = 0
    with _whole(path) as file:
        writer = _Writer(path, file)
        writer.member([_encoder.encode(Header(FORMAT, VERSION, f"aws-ecr-gc {__version__}", registry)), b"\n"])
        for each in repositories:
            repository = each.inventory.repository
            if repository.registry != registry or repository.name in table:
                raise ValueError(f"{repository}: of another registry, or twice")
            at = writer.at
            size = writer.member(_line_of(each))
            if size > LONGEST_LINE:
                raise Misuse(
                    f"repository {repository.name}: {len(each.inventory.images)} images take {size} bytes, more than a "
                    f"snapshot can hold of one ({LONGEST_LINE}); leave it out with --repo"
                )
            table[repository.name] = Entry(repository.name, at, writer.at - at, size)
            images += len(each.inventory.images)
            del each, repository  # or two would be held while the next one is read
        table_at = writer.at
        writer.member([_encoder.encode(Table(list(table.values()))), b"\n"])
        writer.append(tail(table_at))
    return Written(len(table), images, writer.at)


class _Writer:
    """Appends to a file; `at` is its length so far."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self.at = 0

    def member(self, pieces: Iterable[bytes]) -> int:
        """Write one gzip member; the length of its content. zlib's own header holds no time and no name."""
        compression = zlib.compressobj(_LEVEL, wbits=GZIP)
        size = 0
        for piece in pieces:
            size += len(piece)
            self.append(compression.compress(piece))
        self.append(compression.flush())
        return size

    def append(self, content: bytes) -> None:
        with _disk(self._path):
            self._file.write(content)
        self.at += len(content)


def _line_of(repository: RepositorySnapshot) -> Iterator[bytes]:
    inventory = repository.inventory
    tags = dict(sorted(repository.resource_tags.items()))
    ended_at = UNSET if inventory.ended_at is None else inventory.ended_at
    top = Top(inventory.repository.name, inventory.taken_at, tags, ended_at)
    yield _encoder.encode(top)[:-1] + b',"images":['
    images = iter(inventory.images.values())
    separator = b""
    while some := list(islice(images, _IMAGES_AT_ONCE)):
        rows = [Row(*(getattr(image, name) for name in Row.__struct_fields__)) for image in some]
        yield separator + _encoder.encode(rows)[1:-1]
        separator = b","
    yield b"]}\n"


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `path` when all went well, and else is gone. Mode 0600, as mkstemp makes it."""
    with _disk(path):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    temporary, file = Path(name), os.fdopen(handle, "wb", buffering=_BUFFER)
    try:
        yield file
        with _disk(path):
            file.close()
            temporary.replace(path)
    except BaseException:  # Ctrl-C too must leave nothing behind
        with suppress(OSError):  # closing writes what is left, which a full disk refuses once more
            file.close()
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputLost(f"snapshot {one_line(path)}: can't be written: {one_line(error.strerror or error)}") from error
