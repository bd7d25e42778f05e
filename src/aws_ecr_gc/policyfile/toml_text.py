"""Reading TOML. The standard library decides what TOML is, and tells no places: a scanner of our own finds them.

The scanner goes first: it stops where the nesting passes the limit, before `tomllib` would recur over it. What is no
TOML it leaves to `tomllib` to complain of.
"""

import re
import tomllib
from datetime import date, time
from typing import Any

from aws_ecr_gc.policyfile.mistakes import Mistake, Place
from aws_ecr_gc.policyfile.nodes import MOST_DEPTH, Lines, Node, Path, Read, Scalar, mistake

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_STRING = re.compile(
    r"""
    "{3} (?:[^"\\] | \\. | "{1,2}(?!"))* "{3,5}
    | '{3} (?:[^'] | '{1,2}(?!'))* '{3,5}
    | " (?:[^"\\\n] | \\.)* "
    | ' [^'\n]* '
    """,
    re.DOTALL | re.VERBOSE,
)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_OTHER = re.compile(r"[^\s,\]}#]+(?: [0-9][^\s,\]}#]*)?")  # a date and its time may have one space between them
_WHERE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class _Lost(Exception):
    """This is no TOML."""


class _TooDeep(Exception):
    """The nesting passes the limit, at the offset."""

    def __init__(self, offset: int) -> None:
        super().__init__()
        self.offset = offset


def read(text: str, file: str) -> Read:
    """The tree of a TOML text."""
    text = text.replace("\r\n", "\n")
    lines = Lines(text, file)
    scanner = _Scanner(text)
    try:
        scanner.document()
    except _TooDeep as error:
        return None, [mistake(lines.place(error.offset), (), f"nests deeper than {MOST_DEPTH}", "write it flatter")]
    except _Lost:
        pass
    try:
        content = tomllib.loads(text)
    except ValueError as error:
        return None, [_syntax_mistake(str(error), text, lines, file)]
    return _tree(content, (), scanner, lines), []


def _syntax_mistake(text: str, content: str, lines: Lines, file: str) -> Mistake:
    where = _WHERE.search(text)
    reason = f"not TOML: {_WHERE.sub('', text)}"
    if where is None:
        return mistake(Place(file, 1, 1), (), reason)
    place = Place(file, int(where[1]), int(where[2])) if where[1] else lines.place(len(content))
    return mistake(place, (), reason)


def _tree(value: Any, path: Path, scanner: "_Scanner", lines: Lines) -> Node:
    known = path
    while known not in scanner.values:
        known = known[:-1]
    place = lines.place(scanner.values[known])
    if isinstance(value, dict):
        members = {key: _tree(member, (*path, key), scanner, lines) for key, member in value.items()}
        keys = {key: lines.place(scanner.keys.get((*path, key), scanner.values[known])) for key in value}
        return Node(place, members=members, keys=keys)
    if isinstance(value, list):
        return Node(place, items=tuple(_tree(item, (*path, at), scanner, lines) for at, item in enumerate(value)))
    scalar: Scalar = value
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return Node(place, scalar, value.isoformat() if isinstance(value, date | time) else shown)


class _Scanner:
    """Finds the offset of every key and value, by the path to it."""

    def __init__(self, text: str) -> None:
        self.keys: dict[Path, int] = {}
        self.values: dict[Path, int] = {(): 0}
        self._text = text
        self._at = 0
        self._lengths: dict[Path, int] = {}

    def document(self) -> None:
        """Scan all. Raises _TooDeep, or _Lost for what is no TOML."""
        table: Path = ()
        while self._skip(_BLANK) < len(self._text):
            start = self._at
            if self._take("[["):
                table = self._table(start, self._key((), start), again=True)
                self._demand("]]")
            elif self._take("["):
                table = self._table(start, self._key((), start), again=False)
                self._demand("]")
            else:
                self._pair(table)

    def _table(self, start: int, name: Path, *, again: bool) -> Path:
        """The path of the table that a header opens: in each list of tables on the way the last one is meant."""
        path: Path = ()
        for part in name[:-1]:
            path = self._entered((*path, part), start)
        path = (*path, name[-1])
        self.keys.setdefault(path, start)
        self.values.setdefault(path, start)
        if not again:
            return self._entered(path, start)
        self._lengths[path] = self._lengths.get(path, 0) + 1
        path = (*path, self._lengths[path] - 1)
        self.values[path] = start
        return path

    def _entered(self, path: Path, start: int) -> Path:
        self.keys.setdefault(path, start)
        self.values.setdefault(path, start)
        return (*path, self._lengths[path] - 1) if path in self._lengths else path

    def _pair(self, table: Path) -> None:
        start = self._at
        path = self._key(table, start)
        for length in range(len(table) + 1, len(path) + 1):
            self.keys.setdefault(path[:length], start)
            self.values.setdefault(path[:length], start)
        self._demand("=")
        self._skip(_SPACE)
        self._value(path)

    def _key(self, table: Path, start: int) -> Path:
        path = list(table)
        while True:
            self._skip(_SPACE)
            if found := _BARE.match(self._text, self._at):
                path.append(found[0])
            elif found := _STRING.match(self._text, self._at):
                path.append(self._unquoted(found[0]))
            else:
                raise _Lost
            self._at = found.end()
            self._skip(_SPACE)
            if len(path) > MOST_DEPTH:
                raise _TooDeep(start)
            if not self._take("."):
                return tuple(path)

    @staticmethod
    def _unquoted(text: str) -> str:
        try:
            return str(tomllib.loads(f"key = {text}")["key"])
        except ValueError as error:
            raise _Lost from error

    def _value(self, path: Path) -> None:
        self.values[path] = self._at
        if len(path) > MOST_DEPTH:
            raise _TooDeep(self._at)
        if self._take("["):
            self._list(path)
        elif self._take("{"):
            self._inline_table(path)
        elif found := _STRING.match(self._text, self._at) or _OTHER.match(self._text, self._at):
            self._at = found.end()
        else:
            raise _Lost

    def _list(self, path: Path) -> None:
        length = 0
        while self._skip(_BLANK) < len(self._text) and not self._take("]"):
            self._value((*path, length))
            length += 1
            self._skip(_BLANK)
            self._take(",")

    def _inline_table(self, path: Path) -> None:
        while self._skip(_BLANK) < len(self._text) and not self._take("}"):
            self._pair(path)
            self._skip(_BLANK)
            self._take(",")

    def _skip(self, what: re.Pattern[str]) -> int:
        if found := what.match(self._text, self._at):
            self._at = found.end()
        return self._at

    def _take(self, text: str) -> bool:
        taken = self._text.startswith(text, self._at)
        self._at += len(text) if taken else 0
        return taken

    def _demand(self, text: str) -> None:
        if not self._take(text):
            raise _Lost
