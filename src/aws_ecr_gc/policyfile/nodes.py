"""A document as a tree whose every value and key knows its place, whatever the format it was written in."""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date, datetime, time
from itertools import accumulate
from re import fullmatch

import msgspec
from msgspec import Struct

from aws_ecr_gc.policyfile.mistakes import Mistake, Place

MOST_DEPTH = 100
"""How deep mappings and lists may nest: what recurs over a tree relies on it."""

_MOST_DIGITS = 18
_MOST_SHOWN = 60

Path = tuple[str | int, ...]
Scalar = str | int | float | bool | date | datetime | time | None


class Node(Struct, frozen=True, eq=False):
    """A mapping (`members`, and the places of its `keys`), a list (`items`), or a scalar as it is `spelled`."""

    place: Place
    scalar: Scalar = None
    spelled: str = ""
    items: tuple["Node", ...] | None = None
    members: Mapping[str, "Node"] | None = None
    keys: Mapping[str, Place] = {}

    @property
    def is_scalar(self) -> bool:
        return self.items is None and self.members is None


Read = tuple[Node | None, list[Mistake]]
"""What a reader makes of a text: the tree, or None where there is none, and what is wrong with the text."""


def plain(node: Node) -> object:
    """The value without places. A number without a fraction is an integer, as in JSON Schema."""
    if node.members is not None:
        return {key: plain(member) for key, member in node.members.items()}
    if node.items is not None:
        return [plain(item) for item in node.items]
    if isinstance(node.scalar, float) and node.scalar.is_integer():
        return int(node.scalar)
    return node.scalar


def spelled(path: Path) -> str:
    """A path for people: `policies[0].rules[2].keep`; keys that are no plain words stand in brackets."""
    text = ""
    for part in path:
        if isinstance(part, str) and fullmatch(r"[A-Za-z0-9_-]+", part):
            text += f".{part}" if text else part
        else:
            text += f"[{quoted(part) if isinstance(part, str) else part}]"
    return text


def mistake(place: Place, path: Path, reason: str, mend: str = "") -> Mistake:
    """A mistake at a place."""
    return Mistake(place.file, place.line, place.column, spelled(path), reason, mend)


def quoted(text: str) -> str:
    """A text in quotes for people, cut where it is long."""
    shown = text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
    return msgspec.json.encode(shown.encode("utf-8", "replace").decode()).decode()


def number(text: str) -> int | float:
    """The value of a decimal number. One too long for exactness is a float: nothing here counts that far."""
    return int(text) if fullmatch(rf"[-+]?[0-9]{{1,{_MOST_DIGITS}}}", text) else float(text)


class Lines:
    """Places in a text, by offset."""

    def __init__(self, text: str, file: str) -> None:
        self._file = file
        self._starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]

    def place(self, offset: int) -> Place:
        line = bisect_right(self._starts, offset)
        return Place(self._file, line, offset - self._starts[line - 1] + 1)
