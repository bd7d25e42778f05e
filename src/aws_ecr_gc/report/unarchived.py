"""What came out of the archive, as text and as JSON. `schemas/unarchive.schema.json` is generated from the shapes."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from aws_ecr_gc.inventory import Status
from aws_ecr_gc.report import text
from aws_ecr_gc.report.work import dollars, retrieval


class Row(Struct, forbid_unknown_fields=True, frozen=True):
    """An image, why it is to come back, and its status now; null where it could not be asked for, as `failed` says.

    `size` is in bytes.
    """

    repository: str
    digest: str
    tags: list[str]
    size: int
    why: str
    status: str | None
    failed: str | None


class UnarchiveDocument(Struct, forbid_unknown_fields=True):
    """All that was to come back; `retrieval_usd` is what ECR bills for it, at most."""

    version: int
    tool: str
    retrieval_usd: float
    images: list[Row]


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return msgspec.json.schema(UnarchiveDocument)


def document(rows: Sequence[Row], tool: str) -> UnarchiveDocument:
    """The document."""
    return UnarchiveDocument(1, tool, round(retrieval(_size(rows)), 2), list(rows))


def _size(rows: Sequence[Row]) -> int:
    return sum(row.size for row in rows if row.status == Status.ACTIVATING)


_SAID = {Status.ACTIVATING: "on the way back", Status.ACTIVE: "active", Status.ARCHIVED: "still in the archive"}


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """Each on a line, then what it costs and how to keep it."""
    for row in rows:
        status = f"failed: {row.failed}" if row.status is None else _SAID[Status(row.status)]
        yield f"{row.repository}: {text.short(row.digest)} [{', '.join(row.tags)}] {status} ({row.why})"
    size = _size(rows)
    if size:
        bill = f"at most {dollars(retrieval(size))} for {text.size(size)}"
        yield f"Coming back takes up to 20 minutes, and is billed: {bill}"
    back = [row.digest for row in rows if row.status is not None and row.why == "asked for"]
    if back:
        yield "A policy may archive them again once the grace is over; to keep them, write in it"
        yield f"  protect: {{digests: [{', '.join(back)}]}}"
