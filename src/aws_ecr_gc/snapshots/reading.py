"""From a snapshot to inventories, one repository at a time."""

import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import BinaryIO, TypeVar

import msgspec
from msgspec import UnsetType
from msgspec.json import Decoder

from aws_ecr_gc.errors import Misuse, one_line
from aws_ecr_gc.globs import has_wildcard
from aws_ecr_gc.inventory import Image, Inventory
from aws_ecr_gc.ports import chosen
from aws_ecr_gc.reference import Registry, Repository
from aws_ecr_gc.snapshots.layout import (
    FORMAT,
    GZIP,
    LONGEST_HEADER,
    LONGEST_LINE,
    LONGEST_TABLE,
    MAGIC,
    TAIL_BYTES,
    VERSION,
    Entry,
    Format,
    Header,
    Line,
    Row,
    Table,
    Tail,
    Top,
)

_CHUNK = 1 << 20
_Kind = TypeVar("_Kind")
_Line = TypeVar("_Line", bound=Top)

_row_decoder = Decoder(Row)
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not JSON, not UTF-8, or nested too deeply."""


class Snapshot:
    """An open snapshot. Its methods raise Misuse for what is not in it, and where the file is broken.

    The file is held open: it stays the same one when another takes its place. May be read from several threads.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._lock = Lock()
        self.registry = self._read_header()
        self._entries = self._read_table()

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def names(self, patterns: Sequence[str]) -> list[str]:
        """As `ports.RegistryPort.names`."""
        return chosen(self._entries, patterns, self._not_there)

    def resource_tags(self, name: str) -> dict[str, str]:
        """As `ports.RegistryPort.resource_tags`."""
        return self._line(name, Top).resource_tags

    def inventory(self, name: str) -> Inventory:
        """The inventory of a repository, as it was read when the snapshot was taken."""
        line = self._line(name, Line)
        images: dict[str, Image] = {}
        shared: dict[str | None, str | None] = {}
        for raw in line.images:
            row = self._decoded(raw, Row, f"repository {name}: image {len(images) + 1}", _row_decoder)
            if row.digest in images:
                raise self._broken(f"repository {name}: {row.digest} is there twice")
            images[row.digest] = Image(
                row.digest,
                row.pushed_at,
                row.tags,
                shared.setdefault(row.media_type, row.media_type),
                row.size,
                row.status,
                row.subject,
                row.children,
                row.pulled_at,
                shared.setdefault(row.artifact_type, row.artifact_type),
                row.archived_at,
                row.activated_at,
            )
        ended_at = None if isinstance(line.ended_at, UnsetType) else line.ended_at
        return Inventory(Repository(self.registry, name), line.taken_at, images, ended_at)

    def _not_there(self, pattern: str) -> Misuse:
        snapshot = f"the snapshot {one_line(self._path)}"
        if has_wildcard(pattern):
            return Misuse(f"no repository fits {pattern} in {snapshot}; check --repo")
        return Misuse(f"repository {pattern}: not in {snapshot}; check --repo")

    def _broken(self, reason: object) -> Misuse:
        path, what = one_line(self._path), one_line(reason)
        return Misuse(f"snapshot {path}: cut off or damaged: {what}; copy it once more, or take it again")

    def _read_header(self) -> Registry:
        start = self._bytes(0, LONGEST_HEADER)
        if start[:2] != MAGIC[: len(start)] or not start:
            raise self._foreign()
        line, _ = self._inflated([start], LONGEST_HEADER)
        try:
            stated = msgspec.json.decode(line, type=Format)
        except _UNDECODABLE as error:
            raise self._foreign() from error
        if stated.format != FORMAT:
            raise self._foreign()
        if stated.version != VERSION:
            raise Misuse(
                f"snapshot {one_line(self._path)}: its version is {stated.version}, and this aws-ecr-gc reads version "
                f"{VERSION}; use the aws-ecr-gc that wrote it, or take it again"
            )
        return self._decoded(line, Header, "the header").registry

    def _foreign(self) -> Misuse:
        return Misuse(
            f"snapshot {one_line(self._path)}: not a snapshot; give a file that `aws-ecr-gc snapshot --out FILE` wrote"
        )

    def _read_table(self) -> dict[str, Entry]:
        with self._disk():
            end = self._file.seek(0, os.SEEK_END) - TAIL_BYTES
        if end < 0:
            raise self._broken("its end is missing")
        tail = self._decoded(self._member(end, TAIL_BYTES, TAIL_BYTES), Tail, "the end")
        if tail.table_at >= end:
            raise self._broken(f"no table at {tail.table_at}")
        line = self._member(tail.table_at, end - tail.table_at, LONGEST_TABLE)
        rows = self._decoded(line, Table, "the table").repositories
        table = {row.name: row for row in rows}
        if len(table) != len(rows):
            raise self._broken("a repository is there twice")
        for row in rows:
            if row.at + row.compressed > tail.table_at or row.size > LONGEST_LINE:
                raise self._broken(f"no line of {row.name} at {row.at}, {row.compressed} bytes, {row.size} in all")
        return table

    def _line(self, name: str, kind: type[_Line]) -> _Line:
        entry = self._entries.get(name)
        if entry is None:
            raise self._not_there(name)
        line = self._decoded(self._member(entry.at, entry.compressed, entry.size), kind, f"repository {name}")
        if line.name != name:
            raise self._broken(f"the table says {name} where {line.name} is")
        return line

    def _member(self, at: int, length: int, limit: int) -> bytearray:
        """The content of the gzip member that takes these bytes of the file, at most `limit` of it."""
        chunks = (self._bytes(start, min(_CHUNK, at + length - start)) for start in range(at, at + length, _CHUNK))
        line, rest = self._inflated(chunks, limit)
        if rest or any(chunks):
            raise self._broken(f"more than one line at {at}")
        return line

    def _inflated(self, chunks: Iterable[bytes], limit: int) -> tuple[bytearray, bytes]:
        """The content of a gzip member, and what is behind it in its last chunk. zlib verifies CRC and length."""
        inflation = zlib.decompressobj(GZIP)
        content = bytearray()
        for chunk in chunks:
            waiting, full = chunk, False
            # A full answer may be followed by more that zlib holds back, even when it has taken all of the input.
            while (waiting or full) and not inflation.eof:
                try:
                    piece = inflation.decompress(waiting, _CHUNK)
                except zlib.error as error:
                    raise self._broken(error) from error
                content += piece
                if len(content) > limit:
                    raise self._broken(f"a line is longer than the {limit} bytes that it may have")
                waiting, full = inflation.unconsumed_tail, len(piece) == _CHUNK
            if inflation.eof:
                return content, inflation.unused_data
        raise self._broken("a line has no end")

    def _bytes(self, at: int, length: int) -> bytes:
        with self._lock, self._disk():
            self._file.seek(at)
            return self._file.read(length)

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise _unreadable(self._path, error) from error

    def _decoded(
        self, content: bytearray | msgspec.Raw, kind: type[_Kind], what: str, decoder: Decoder[_Kind] | None = None
    ) -> _Kind:
        try:
            return msgspec.json.decode(content, type=kind) if decoder is None else decoder.decode(content)
        except _UNDECODABLE as error:
            raise self._broken(f"{what}: {error}") from error


def open_snapshot(path: Path) -> Snapshot:
    """The snapshot in this file, its header and table read. Raises Misuse for what is none, or a broken one."""
    try:
        file = path.open("rb", buffering=0)
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        return Snapshot(path, file)
    except BaseException:
        file.close()
        raise


def _unreadable(path: Path, error: OSError) -> Misuse:
    return Misuse(f"snapshot {one_line(path)}: can't be read: {one_line(error.strerror or error)}; check --snapshot")
