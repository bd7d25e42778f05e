"""How repositories fare with lifecycle policies. `schemas/lifecycle-report.schema.json` is generated from here."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from aws_ecr_gc.report import document, text
from aws_ecr_gc.report.plans import Unread


class Remark(Struct, forbid_unknown_fields=True):
    """What was found: no-policy, near-limit, never-evaluated, not-evaluated, never-acts or rule-never-acts."""

    check: str
    detail: str


class RepositoryHealth(Struct, forbid_unknown_fields=True):
    """A repository: its images of any status, beside the most that it may have; how many rules its policy has."""

    repository: document.RepositoryPart
    images: int
    limit: int
    rules: int | None
    evaluated_at: datetime | None
    remarks: list[Remark]


class ReportDocument(Struct, forbid_unknown_fields=True):
    """All repositories that were looked at, also those of which there is nothing to say."""

    version: int
    tool: str
    repositories: list[RepositoryHealth]
    unread: list[Unread]


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return msgspec.json.schema(ReportDocument)


def lines(found: RepositoryHealth) -> Iterator[str]:
    """A line for each remark."""
    for remark in found.remarks:
        yield f"{found.repository.name}: {remark.detail}"


def summary(found: Sequence[RepositoryHealth]) -> str:
    """The last line."""
    with_remarks = sum(bool(each.remarks) for each in found)
    return f"{text.repositories(len(found))}: something to say of {with_remarks}"
