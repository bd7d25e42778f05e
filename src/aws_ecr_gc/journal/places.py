"""Where journals are kept. Back ends implement `Place`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import DecodeError, Struct
from msgspec.json import decode

from aws_ecr_gc.errors import Misuse, one_line
from aws_ecr_gc.journal.records import End, Line, body_of

if TYPE_CHECKING:
    from aws_ecr_gc.aws.client import Client


MEND = "; see --journal"
"""What ends the line of a journal that can't be written, unless who reports it says more."""


class Sink(Protocol):
    """One journal that is open for writing."""

    @property
    def name(self) -> str:
        """What people call it."""

    def append(self, number: int, line: Line) -> None:
        """Put a line behind the others. It is the caller's, and another one once this returns. Raises JournalLost."""

    def settle(self) -> None:
        """Return when no line that was put there before can be lost any more. Raises JournalLost."""

    def cut(self, length: int) -> None:
        """Take off what is behind so many bytes. Raises JournalLost."""

    def close(self) -> None:
        """Let others write it."""


class Glance(Struct, frozen=True):
    """A journal as its last record shows it.

    `end` is None where its process was killed, or is still at work; whether it is, is not known of every place.
    """

    name: str
    end: End | None
    under_way: bool | None


class Place(Protocol):
    """Where journals are kept."""

    def create(self, stem: str) -> Sink:
        """A new journal. Raises JournalLost."""

    def again(self, name: str) -> Sink:
        """One that is there, for writing. Raises Misuse where another process writes it, or it can't be opened."""

    def lines(self, name: str) -> Iterator[bytes]:
        """Its lines in order, each with its line break; without one, the last is torn. Raises Misuse, or AwsFailure."""

    def address(self, name: str) -> str:
        """What people call it."""

    def is_under_way(self, name: str) -> bool:
        """Whether it is known that another process writes it at this moment. Raises Misuse."""

    def newest(self) -> Iterator[Glance]:
        """The journals, newest first, none where there is no such place. Raises Misuse, or AwsFailure."""


def place_of(stated: str | Path, s3: "Callable[[], Client]") -> Place:
    """The place that a path of a directory or `s3://bucket/prefix` names; `s3` gives a client. Raises Misuse."""
    named = _bucket_of(str(stated))
    if named is not None:
        from aws_ecr_gc.journal.s3 import Bucket  # noqa: PLC0415 - only where it is asked for

        return Bucket(s3(), *named)
    from aws_ecr_gc.journal.directory import Directory  # noqa: PLC0415 - only where it is asked for

    return Directory(Path(stated))


def demand_place(stated: str | Path) -> None:
    """Raise Misuse for what `place_of` refuses, without a client."""
    _bucket_of(str(stated))


def _bucket_of(text: str) -> tuple[str, str] | None:
    """Bucket and prefix of what is no directory."""
    if not text.startswith("s3://"):
        return None
    bucket, _, prefix = text.removeprefix("s3://").partition("/")
    if not bucket:
        raise Misuse(f"journal {one_line(text)}: names no bucket; write s3://BUCKET/PREFIX")
    return bucket, prefix.strip("/")


def journal_at(stated: str | Path, s3: "Callable[[], Client]") -> tuple[Place, str]:
    """The place and the name of one journal, given by its path or its s3:// address. Raises Misuse."""
    text = str(stated)
    if not text.startswith("s3://"):
        path = Path(text)
        return place_of(path.parent, s3), path.name
    parent, _, name = text.rstrip("/").rpartition("/")
    if not parent.startswith("s3://"):
        raise Misuse(f"journal {one_line(text)}: names no journal; write s3://BUCKET/PREFIX/journal-...")
    return place_of(parent, s3), name


def end_of(line: bytes) -> End | None:
    """What the last line says of the end, if that is what it says. It is not checked against those before it."""
    try:
        return decode(body_of(line), type=End) if line.endswith(b"\n") else None
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return None
