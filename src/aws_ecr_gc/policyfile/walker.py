"""Checks the shape of a tree: everything that is wrong at once, each with its place and its mend."""

from collections.abc import Sequence
from difflib import get_close_matches
from re import fullmatch, search
from typing import Any

import msgspec
from msgspec import Struct, inspect

from aws_ecr_gc.policyfile.mistakes import Mistake, Place
from aws_ecr_gc.policyfile.nodes import Node, Path, mistake, quoted

_NUMBERS = (int, float)


class _Note(Struct, frozen=True):
    """What a type says for people (a title, examples, a mend), and the pattern that only the schema has."""

    title: str = ""
    examples: tuple[Any, ...] = ()
    mend: str = ""
    pattern: str | None = None

    def over(self, kind: inspect.Metadata) -> "_Note":
        """This note, with what a type within says first, except that the mend further out is the nearer one."""
        shown, extra = kind.extra_json_schema or {}, kind.extra or {}
        return _Note(
            shown.get("title", self.title),
            tuple(shown.get("examples", self.examples)),
            self.mend or extra.get("mend", ""),
            shown.get("pattern", self.pattern),
        )

    @property
    def example(self) -> str:
        """`write one such as 7d`, or empty."""
        shown = list(map(_flow, self.examples))
        return f"write one such as {' or '.join(shown)}" if shown else ""


class Walk:
    """What was found in a tree. `unsound` holds the path of everything in which something is wrong."""

    def __init__(self, root: Node, kind: inspect.Type) -> None:
        self.mistakes: list[Mistake] = []
        self.unsound: set[Path] = set()
        self._visit(root, kind, (), _Note())

    def _complain(self, place: Place, path: Path, reason: str, mend: str, within: Path | None = None) -> None:
        self.mistakes.append(mistake(place, path, reason, mend))
        path = path if within is None else within
        self.unsound.update(path[:length] for length in range(len(path) + 1))

    def _visit(self, node: Node, kind: inspect.Type, path: Path, note: _Note, wanted: str = "") -> None:
        if isinstance(kind, inspect.Metadata):
            self._visit(node, kind.type, path, note.over(kind), wanted)
            return
        wanted = wanted or _wanted(kind)
        if not _takes(kind, node):
            self._complain(node.place, path, f"must be {wanted}, is {_shown(node)}", _mend_of_kind(node, kind, note))
        elif isinstance(kind, inspect.UnionType):
            self._visit(node, next(each for each in kind.types if _takes(each, node)), path, note, wanted)
        elif isinstance(kind, inspect.StructType):
            self._structure(node, kind, path)
        elif isinstance(kind, inspect.DictType):
            self._mapping(node, kind, path, note)
        elif isinstance(kind, inspect.ListType):
            self._list(node, kind, path, note)
        elif isinstance(kind, inspect.StrType):
            self._text(node, kind, path, note)
        elif isinstance(kind, inspect.IntType):
            self._integer(node, kind, path, note)
        elif isinstance(kind, inspect.LiteralType) and node.scalar not in kind.values:
            close = get_close_matches(str(node.scalar), map(str, kind.values), 1)
            mend = note.mend or (f"did you mean {close[0]}?" if close else note.example)
            self._complain(node.place, path, f"must be {wanted}, is {_shown(node)}", mend)

    def _structure(self, node: Node, kind: inspect.StructType, path: Path) -> None:
        fields = {each.encode_name: each for each in kind.fields}
        offered = [name for name, each in fields.items() if not _is_reserved(each.type)]
        meant = set()
        for key, member in (node.members or {}).items():
            if key in fields:
                self._visit(member, fields[key].type, (*path, key), _Note())
                continue
            close = get_close_matches(key, offered, 1)
            meant.update(close)
            mend = f"did you mean {close[0]}?" if close else f"there are {', '.join(offered)}"
            self._complain(node.keys[key], (*path, key), "is no key that is known here", mend, path)
        for name, each in fields.items():
            if each.required and name not in (node.members or {}) and name not in meant:
                note = _Note().over(each.type) if isinstance(each.type, inspect.Metadata) else _Note()
                example = f"write one such as {name}: {_flow(note.examples[0])}" if note.examples else ""
                self._complain(node.place, (*path, name), "is missing", example, path)

    def _mapping(self, node: Node, kind: inspect.DictType, path: Path, note: _Note) -> None:
        for key, member in (node.members or {}).items():
            if _is_broken(key):
                self._complain(node.keys[key], (*path, key), "holds half a character", "write the whole character")
            self._visit(member, kind.value_type, (*path, key), note)

    def _list(self, node: Node, kind: inspect.ListType, path: Path, note: _Note) -> None:
        if len(node.items or ()) < (kind.min_length or 0):
            self._complain(node.place, path, "is an empty list", note.example or "leave it out")
        examples = tuple(each[0] for each in note.examples if isinstance(each, list) and each)
        for at, item in enumerate(node.items or ()):
            self._visit(item, kind.item_type, (*path, at), _Note(examples=examples))

    def _text(self, node: Node, kind: inspect.StrType, path: Path, note: _Note) -> None:
        text = str(node.scalar)
        pattern = kind.pattern or note.pattern
        if _is_broken(text):
            self._complain(node.place, path, "holds half a character", "write the whole character")
        elif kind.min_length and not text:
            self._complain(node.place, path, "is empty", note.mend or note.example)
        elif kind.max_length is not None and len(text) > kind.max_length:
            reason = f"has {len(text)} characters, {kind.max_length} at most are taken"
            self._complain(node.place, path, reason, "write a shorter one")
        elif pattern is not None and not (search(pattern, text) and not text.endswith("\n")):
            self._complain(node.place, path, f"{quoted(text)} is not {note.title or 'of this form'}", note.example)

    def _integer(self, node: Node, kind: inspect.IntType, path: Path, note: _Note) -> None:
        value = node.scalar
        if isinstance(value, _NUMBERS) and kind.ge is not None and value < kind.ge:
            mend = note.mend or f"write {kind.ge} or more"
            self._complain(node.place, path, f"must be {kind.ge} or more, is {node.spelled}", mend)


def _takes(kind: inspect.Type, node: Node) -> bool:
    """Whether the kind of value is right, whatever the value."""
    if isinstance(kind, inspect.Metadata):
        return _takes(kind.type, node)
    if isinstance(kind, inspect.UnionType):
        return any(_takes(each, node) for each in kind.types)
    if isinstance(kind, inspect.StructType | inspect.DictType):
        return node.members is not None
    if isinstance(kind, inspect.ListType):
        return node.items is not None
    if isinstance(kind, inspect.AnyType):
        return True
    return node.is_scalar and _takes_scalar(kind, node.scalar)


def _takes_scalar(kind: inspect.Type, value: object) -> bool:
    if isinstance(kind, inspect.StrType):
        return isinstance(value, str)
    if isinstance(kind, inspect.BoolType):
        return isinstance(value, bool)
    if isinstance(kind, inspect.LiteralType) and isinstance(kind.values[0], str):
        return isinstance(value, str)
    return value.is_integer() if isinstance(value, float) else isinstance(value, int) and not isinstance(value, bool)


def _wanted(kind: inspect.Type) -> str:
    """What a kind of value is, for people."""
    if isinstance(kind, inspect.Metadata):
        return _wanted(kind.type)
    if isinstance(kind, inspect.UnionType):
        return _alternatives([_wanted(each) for each in kind.types])
    if isinstance(kind, inspect.LiteralType):
        return _alternatives([str(value) for value in kind.values])
    if isinstance(kind, inspect.ListType):
        return f"a list of {_wanted(kind.item_type).removeprefix('a ')}s"
    if isinstance(kind, inspect.StructType | inspect.DictType):
        return "a mapping"
    names = {inspect.StrType: "a text", inspect.IntType: "a whole number", inspect.BoolType: "true or false"}
    return names.get(type(kind), "a value")


def _alternatives(words: Sequence[str]) -> str:
    return " or ".join([*([", ".join(words[:-1])] if words[:-1] else []), *words[-1:]])


def _shown(node: Node) -> str:
    """What stands there, for people."""
    if node.members is not None:
        return "a mapping"
    if node.items is not None:
        return "a list"
    if node.scalar is None:
        return "null" if node.spelled else "empty"
    if isinstance(node.scalar, str):
        return f"the text {quoted(node.scalar)}"
    if isinstance(node.scalar, bool):
        return node.spelled
    return f"the {'number' if isinstance(node.scalar, _NUMBERS) else 'time'} {node.spelled[:60]}"


def _mend_of_kind(node: Node, kind: inspect.Type, note: _Note) -> str:
    kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    if isinstance(kinds[0], inspect.Metadata) and not note.examples:
        note = note.over(kinds[0])
    plain_kinds = [each.type if isinstance(each, inspect.Metadata) else each for each in kinds]
    takes_text = any(isinstance(each, inspect.StrType) for each in plain_kinds)
    pattern = next((each.pattern for each in plain_kinds if isinstance(each, inspect.StrType)), None) or note.pattern
    if takes_text and node.is_scalar and node.spelled and (pattern is None or search(pattern, node.spelled)):
        return f"write it in quotes: {quoted(node.spelled)}"
    takes_number = any(isinstance(each, inspect.IntType) for each in plain_kinds)
    if takes_number and isinstance(node.scalar, str) and fullmatch("[0-9]{1,18}", node.scalar):
        return f"write it without quotes: {node.scalar}"
    return note.example or note.mend


def _is_reserved(kind: inspect.Type) -> bool:
    return isinstance(kind, inspect.Metadata) and "reserved" in (kind.extra or {})


def _is_broken(text: str) -> bool:
    """Whether a text holds a half of a surrogate pair, as JSON's escapes can write it: it could not even be shown."""
    return not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text)


def _flow(value: object) -> str:
    """A value as YAML writes it on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return value if isinstance(value, str) and _is_plain(value) else msgspec.json.encode(value).decode()


def _is_plain(text: str) -> bool:
    """Whether YAML takes the text as it is, without quotes."""
    return bool(fullmatch(r"[A-Za-z0-9_/][A-Za-z0-9_./%*:+-]*", text)) and not fullmatch(
        r"[0-9.]+(?:e[0-9]+)?|true|false|null|[^:]*:", text
    )
