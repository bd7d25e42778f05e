"""YAML documents as plain values of which each text knows its line.

They are built from the parser's events: a tag such as !Ref means nothing here, an alias is the same value again and
costs nothing, and numbers stay as they are written.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from aws_ecr_gc.discovery.lists.mention import refusal

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# The parser takes quadratic time for brackets in brackets.
_MOST_DEEP = 500
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_MEND = "give the whole output of what wrote it"


class Line(str):
    """A scalar's text and the line that it begins in; `plain` if it stands there without quotes."""

    __slots__ = ("line", "plain")
    line: int
    plain: bool

    @property
    def null(self) -> bool:
        """Whether it stands for nothing."""
        return self.plain and self in _NULLS


class NotYaml(ValueError):
    """What the parser lets pass and the document can't mean."""

    def __init__(self, event: yaml.Event, reason: str) -> None:
        super().__init__(reason)
        self.line = _line_of(event)


class _Open:
    """A list or mapping of which more is to come; `key` is of the value that comes next."""

    def __init__(self, value: list[object] | dict[object, object]) -> None:
        self.value = value
        self.key: object = None

    def add(self, child: object) -> None:
        if isinstance(self.value, list):
            self.value.append(child)
        elif self.key is None:
            self.key = child if isinstance(child, str) else object()
        else:
            # What is stated twice is kept twice: which one counts depends on who reads it.
            self.value[object() if self.key in self.value else self.key] = child
            self.key = None


def documents(text: str) -> Iterator[object]:
    """The documents. Raises yaml.YAMLError for what is no YAML, and NotYaml."""
    builder = _Builder()
    for event in yaml.parse(str(text), Loader=_LOADER):
        builder.take(event)
        if isinstance(event, yaml.DocumentEndEvent):
            yield builder.root


class _Builder:
    def __init__(self) -> None:
        self.root: object = None
        self._open: list[_Open] = []
        self._anchors: dict[str, object] = {}

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self.root = None
            self._anchors.clear()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.ScalarEvent):
            self._add(_line(event), event.anchor)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()

    def _alias(self, event: yaml.AliasEvent) -> None:
        if event.anchor not in self._anchors:
            reason = f"the alias *{event.anchor} has no anchor &{event.anchor} before it"
            raise NotYaml(event, reason)
        self._add(self._anchors[event.anchor], None)

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        value: list[object] | dict[object, object] = [] if isinstance(event, yaml.SequenceStartEvent) else {}
        self._add(value, event.anchor)
        self._open.append(_Open(value))
        if len(self._open) > _MOST_DEEP:
            raise NotYaml(event, f"nests deeper than {_MOST_DEEP}")

    def _add(self, value: object, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = value
        if self._open:
            self._open[-1].add(value)
        else:
            self.root = value


def _line(event: yaml.ScalarEvent) -> Line:
    line = Line(event.value)
    line.line = _line_of(event)
    line.plain = bool(event.implicit[0])
    return line


def read(text: str, name: str) -> Iterator[object]:
    """The documents of a list named so."""
    try:
        yield from documents(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = "not YAML" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}"
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        raise refusal(name, where, f"not YAML: {reason}", _MEND) from error
    except yaml.reader.ReaderError as error:
        raise refusal(name, f"line {_unprintable(text)}", f"not YAML: {error.reason}", _MEND) from error
    except NotYaml as error:
        raise refusal(name, f"line {error.line}", f"not YAML: {error}", _MEND) from error
    except yaml.YAMLError as error:
        raise refusal(name, "not YAML", str(error), _MEND) from error


def _line_of(event: yaml.Event) -> int:
    return 1 if event.start_mark is None else event.start_mark.line + 1


def _unprintable(text: str) -> int:
    """The line of the first character that YAML does not take: the parser's position counts bytes, or letters."""
    found = yaml.reader.Reader.NON_PRINTABLE.search(text)
    return 1 if found is None else text.count("\n", 0, found.start()) + 1
