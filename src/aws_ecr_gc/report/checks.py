"""What `doctor` found, as text and as JSON. `schemas/doctor.schema.json` is generated from the shapes here."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct


class Found(StrEnum):
    """How a check ended; UNKNOWN is what could not be asked."""

    OK = "ok"
    FINDING = "finding"
    UNKNOWN = "unknown"


class Check(Struct, forbid_unknown_fields=True, frozen=True):
    """One thing that was looked at. `mend` is null where nothing is to be mended, or where `detail` says how."""

    check: str
    result: Found
    detail: str
    mend: str | None = None


class DoctorDocument(Struct, forbid_unknown_fields=True):
    """All that was looked at, in order."""

    version: int
    tool: str
    checks: list[Check]


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return msgspec.json.schema(DoctorDocument)


def lines(checks: Sequence[Check]) -> Iterator[str]:
    """Each check on a line, and its mend on one of its own."""
    for each in checks:
        yield f"{each.result}: {each.check}: {each.detail}"
        if each.mend is not None:
            yield f"  {each.mend}"
