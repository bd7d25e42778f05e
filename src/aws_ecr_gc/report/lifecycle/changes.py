"""How policies were put. `schemas/lifecycle-changes.schema.json` is generated from here."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct

from aws_ecr_gc.lifecycle.changing import Change, counted_by_verb
from aws_ecr_gc.report import text
from aws_ecr_gc.report.plans import Unread


class Ending(StrEnum):
    """How it ended for a repository; SHOWN is where nothing was to be done but to show it."""

    DONE = "done"
    SHOWN = "shown"
    SKIPPED = "skipped"
    FAILED = "failed"


class ChangedPart(Struct, forbid_unknown_fields=True):
    """A repository, its policies before and after (null is none), and how the change ended."""

    repository: str
    change: str
    before: str | None
    after: str | None
    result: Ending
    detail: str


class ChangesDocument(Struct, forbid_unknown_fields=True):
    """Every repository that was to be changed; `unchanged` have that policy already, of `unread` nothing is known."""

    version: int
    tool: str
    changes: list[ChangedPart]
    unchanged: list[str]
    unread: list[Unread]


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return msgspec.json.schema(ChangesDocument)


def lines(change: Change) -> Iterator[str]:
    """The repositories, and the difference."""
    heading = {"put": "No policy yet", "replace": "Another policy", "remove": "To be removed"}[change.verb]
    yield f"{heading} ({text.repositories(len(change.names))}): {', '.join(change.names)}"
    yield from (f"  {line}" for line in change.lines())


def question(found: Sequence[Change]) -> str:
    """What the user is asked."""
    counts = counted_by_verb(found)
    parts = [f"{verb} the policy of {text.repositories(count)}" for verb, count in counts.items() if verb != "put"]
    if "put" in counts:
        parts.insert(0, f"put the policy on {text.repositories(counts['put'])}")
    joined = " and ".join(parts)
    return f"{joined[0].upper()}{joined[1:]}?"


def ended(part: ChangedPart) -> str:
    """How it ended, on a line."""
    detail = f": {part.detail}" if part.detail else ""
    return f"{part.repository}: {part.change}: {part.result}{detail}"
