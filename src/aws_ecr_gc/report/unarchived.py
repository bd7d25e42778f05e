"""What came out of the archive, as text and as JSON. `schemas/unarchive.schema.json` is generated from the shapes."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from aws_ecr_gc.inventory import Status
from aws_ecr_gc.report import text
from aws_ecr_gc.report.work import dollars, retrieval

ASKED_FOR = "asked for"


class Row(Struct, forbid_unknown_fields=True, frozen=True):
    """An image, why it is to be active, and its status now; null where it could not be asked for, as `failed` says.

    `asked_now` is whether ECR was asked for it: what was active or on its way already was not. `size` is in bytes.
    """

    repository: str
    digest: str
    tags: list[str]
    size: int
    why: str
    asked_now: bool
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
    return sum(row.size for row in rows if row.asked_now)


_SAID = {Status.ACTIVATING: "on the way back", Status.ACTIVE: "active", Status.ARCHIVED: "in the archive again"}


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """Each on a line, then what it costs and how to keep it, if anything comes back."""
    for row in rows:
        yield f"{row.repository}: {text.short(row.digest)} [{', '.join(row.tags)}] {_status(row)} ({row.why})"
    if not any(row.asked_now and row.failed is None for row in rows):
        return
    size = _size(rows)
    amount = dollars(retrieval(size))
    bill = amount if amount.startswith("less") else f"at most {amount}"
    if size:
        yield f"Coming back takes up to 20 minutes, and is billed: {bill} for {text.size(size)}"
    back = [row.digest for row in rows if row.failed is None and row.why == ASKED_FOR]
    if back:
        yield "A policy may archive them again once the grace is over; to keep them, write in it"
        yield f"  protect: {{digests: [{', '.join(back)}]}}"


def _status(row: Row) -> str:
    if row.status is None:
        return f"failed: {row.failed}"
    status = Status(row.status)
    return f"already {_SAID[status]}" if status is not Status.ARCHIVED and not row.asked_now else _SAID[status]
