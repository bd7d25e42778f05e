"""Variables in the texts of Compose files and Dockerfiles, as far as the text itself says what they stand for."""

import re
from collections.abc import Mapping

from msgspec import Struct

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r":?[-?]|\}")
_MOST_NESTED = 20


class Text(Struct, frozen=True):
    """A text with its variables replaced. It ends before the first one without a value, which `missing` names."""

    text: str
    missing: str | None = None


def substitute(text: str, values: Mapping[str, str], *, escape: str) -> Text:
    """Replace $NAME, ${NAME}, ${NAME:-default}, ${NAME-default} and ${NAME:?error}, nested ones too.

    `escape` is what makes a dollar mean itself after it: a dollar in Compose files, a backslash in Dockerfiles. Other
    operators count as a variable without a value.
    """
    return _Reader(text, values, escape).read("", 0) if "$" in text else Text(text)


class _Reader:
    def __init__(self, text: str, values: Mapping[str, str], escape: str) -> None:
        self._text = text
        self._values = values
        self._escape = escape
        self._at = 0

    def read(self, end: str, depth: int) -> Text:
        """The text up to its end, which is passed over."""
        made: list[str] = []
        missing: str | None = None
        while self._at < len(self._text):
            piece = self._piece(end, depth)
            if piece is None:
                return Text("".join(made), missing)
            if missing is None:
                made.append(piece.text)
                missing = piece.missing
        return Text("".join(made), missing or ("${" if end else None))

    def _piece(self, end: str, depth: int) -> Text | None:
        """What stands here; None for the end."""
        letter = self._text[self._at]
        if self._text.startswith(f"{self._escape}$", self._at):
            self._at += 2
            return Text("$")
        self._at += 1
        if letter == end:
            return None
        return self._variable(depth) if letter == "$" else Text(letter)

    def _variable(self, depth: int) -> Text:
        braced = self._text.startswith("{", self._at)
        name = _NAME.match(self._text, self._at + braced)
        if name is None or depth > _MOST_NESTED:
            return Text("", "${") if braced else Text("$")
        self._at = name.end()
        value = self._values.get(name[0])
        if not braced:
            return Text("", name[0]) if value is None else Text(value)
        return self._braced(name[0], value, depth)

    def _braced(self, name: str, value: str | None, depth: int) -> Text:
        """The value of a variable in braces, of which the name is read already."""
        operator = _OPERATOR.match(self._text, self._at)
        if operator is None:
            return Text("", name)
        self._at = operator.end()
        default = Text("", name) if operator[0] == "}" else self.read("}", depth + 1)
        if operator[0].startswith(":"):
            value = value or None
        if value is not None:
            return Text(value)
        return default if operator[0].endswith("-") else Text("", name)
