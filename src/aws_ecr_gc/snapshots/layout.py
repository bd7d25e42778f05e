"""What a snapshot looks like inside: gzip-compressed JSON lines, for `zcat FILE | jq` too.

A header, a line for each repository, a table, and a last line of fixed length that tells where the table is:

    {"format": "aws-ecr-gc snapshot", "version": 1, "tool": ..., "registry": {"account", "region", "partition"}}
    {"name": ..., "taken_at": ..., "resource_tags": {...}, "images": [{"digest", "pushed_at", ...}, ...]}
    {"repositories": [{"name", "at", "compressed", "size"}, ...]}
    {"table_at": ...}

Each line is a gzip member of its own, and the table says where each begins. So no more than one repository is in
memory, whatever their number; a large file is opened as fast as a small one; and gzip's checksums cover every line by
itself. The table comes last, for only then the places are known.

Images have the members of `inventory.Image`; those at their defaults are left out, and `children` is null where an
index was not read. Times are numbers, epoch seconds, and come back exactly. Members that are not known are ignored;
what must not be ignored gets a higher version. `workloads`, beside `repositories`, is kept free for what was in use.
"""

import struct
import zlib
from typing import Annotated

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from aws_ecr_gc.inventory import Status
from aws_ecr_gc.reference import Registry

FORMAT = "aws-ecr-gc snapshot"
VERSION = 1

LONGEST_HEADER = 1 << 16
LONGEST_TABLE = 1 << 26
LONGEST_LINE = 1 << 30
"""The most bytes of a repository's line, about four million images: a broken file must not fill the memory."""

GZIP = 31
"""zlib's word for gzip members: it writes and verifies their checksums and lengths."""

MAGIC = b"\x1f\x8b"

Seconds = Annotated[float, Meta(ge=0, le=250_000_000_000)]
"""A time that has a date: the last is in the year 9892."""

Count = Annotated[int, Meta(ge=0, le=1 << 62)]
Word = Annotated[str, Meta(pattern=r"^[!-~]+\Z")]


class Format(Struct):
    """What the header has in every version."""

    format: str
    version: Count


class Header(Format):
    """The header of this version."""

    tool: str
    registry: Registry


class Top(Struct):
    """A repository's line but for its images."""

    name: Word
    taken_at: Seconds
    resource_tags: dict[str, str] = {}
    ended_at: Seconds | UnsetType = UNSET


class Line(Top, kw_only=True):
    """A repository's line."""

    images: list[Raw]


class Row(Struct, omit_defaults=True, gc=False):
    """An image; the same members in the same order as `inventory.Image`."""

    digest: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+.-]+:[0-9A-Fa-f]+\Z")]
    pushed_at: Seconds
    tags: tuple[Word, ...] = ()
    media_type: str | None = None
    size: Count = 0
    status: Status = Status.ACTIVE
    subject: str | None = None
    children: tuple[str, ...] | None = ()
    pulled_at: Seconds | None = None
    artifact_type: str | None = None
    archived_at: Seconds | None = None
    activated_at: Seconds | None = None


class Entry(Struct):
    """Where a repository's line is: its gzip member's place and length in the file, and its own length, in bytes."""

    name: Word
    at: Count
    compressed: Count
    size: Count


class Table(Struct):
    """Where everything is, in the order of the file."""

    repositories: list[Entry]


class Tail(Struct):
    """Where the table is."""

    table_at: Count


def _stored(content: bytes) -> bytes:
    """A gzip member that is not compressed, so that its length is known beforehand (RFC 1952; RFC 1951, 3.2.4)."""
    length = len(content)
    block = struct.pack("<BHH", 1, length, length ^ 0xFFFF) + content
    return MAGIC + b"\x08\0\0\0\0\0\0\xff" + block + struct.pack("<II", zlib.crc32(content), length)


def tail(table_at: int) -> bytes:
    """The last member of a file, of the same length for every place."""
    return _stored(b'{"table_at":%20d}\n' % table_at)


TAIL_BYTES = len(tail(0))
