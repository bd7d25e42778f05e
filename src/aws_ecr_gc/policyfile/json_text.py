"""Reading JSON. The standard library decides what JSON is; a walk over its tokens finds the places."""

import json
import re
from collections.abc import Iterator
from typing import NoReturn

from aws_ecr_gc.policyfile.mistakes import Mistake, Place
from aws_ecr_gc.policyfile.nodes import MOST_DEPTH, Lines, Node, Path, Read, mistake, number

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')

_Token = tuple[str, Place]


def read(text: str, file: str) -> Read:
    """The tree of a JSON text."""
    lines = Lines(text, file)
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += (token[0] in "[{") - (token[0] in "]}")
        if depth > MOST_DEPTH:
            place = lines.place(token.start())
            return None, [mistake(place, (), f"nests deeper than {MOST_DEPTH}", "write it flatter")]
    try:
        json.loads(text, parse_constant=_no_constant, parse_int=float)
    except json.JSONDecodeError as error:
        return None, [mistake(lines.place(error.pos), (), f"not JSON: {error.msg[0].lower()}{error.msg[1:]}")]
    except ValueError as error:
        return None, [mistake(Place(file, 1, 1), (), f"not JSON: {error}")]
    walk = _Walk((token[0], lines.place(token.start())) for token in _TOKEN.finditer(text))
    return walk.node(next(walk.tokens), ()), walk.mistakes


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


class _Walk:
    """Over the tokens of what is known to be JSON."""

    def __init__(self, tokens: Iterator[_Token]) -> None:
        self.tokens = tokens
        self.mistakes: list[Mistake] = []

    def node(self, token: _Token, path: Path) -> Node:
        """The value that begins with a token."""
        text, place = token
        if text == "{":
            return self._mapping(place, path)
        if text == "[":
            return self._list(place, path)
        if text[0] in "-0123456789":
            return Node(place, number(text), text)
        value: str | bool | None = json.loads(text)
        return Node(place, value, text if value is None or value is True or value is False else value)

    def _list(self, place: Place, path: Path) -> Node:
        items: list[Node] = []
        while (token := next(self.tokens))[0] != "]":
            if token[0] != ",":
                items.append(self.node(token, (*path, len(items))))
        return Node(place, items=tuple(items))

    def _mapping(self, place: Place, path: Path) -> Node:
        members: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        while (token := next(self.tokens))[0] != "}":
            if token[0] == ",":
                continue
            key: str = json.loads(token[0])
            next(self.tokens)  # the colon
            value = self.node(next(self.tokens), (*path, key))
            if key in members:
                reason = f"is stated twice, first in line {keys[key].line}, column {keys[key].column}"
                self.mistakes.append(mistake(token[1], (*path, key), reason, "leave one of them out"))
                continue
            members[key], keys[key] = value, token[1]
        return Node(place, members=members, keys=keys)
