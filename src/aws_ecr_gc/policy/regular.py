"""Regular expressions from users, in RE2: its time is linear in the text, whatever the expression.

What RE2 leaves out (look-around, back-references) is what could blow up; docs/adr/0007 has the figures.
"""

from collections.abc import Callable, Mapping, Sequence

import re2

_MOST_MEMORY = 8 << 20
"""Of all expressions together, in bytes; each alone may take an eighth. More than any expression over tags needs."""


def check(pattern: str) -> Mapping[str, int]:
    """The numbers of the named groups, by name. Raises ValueError with the reason for what RE2 doesn't take."""
    index: Mapping[str, int] = _compiled(pattern).groupindex
    return index


def matcher(patterns: Sequence[str]) -> Callable[[str], Sequence[int]]:
    """Tells which of the patterns match a whole text, all in one pass where they fit into one automaton."""
    together = re2.Set.FullMatchSet(_options())
    try:
        for pattern in patterns:
            together.Add(pattern)
        together.Compile()
    except re2.error:  # each is sound, all together are too large
        compiled = [_compiled(pattern) for pattern in patterns]
        return lambda text: [number for number, each in enumerate(compiled) if each.fullmatch(text)]
    return lambda text: together.Match(text.encode()) or ()


def capturer(pattern: str, groups: Sequence[str]) -> Callable[[str], tuple[str, ...] | None]:
    """What the named groups hold in a whole text, or None where it doesn't match. What took no part is empty."""
    compiled = _compiled(pattern)
    numbers = [compiled.groupindex[group] for group in groups]

    def captures(text: str) -> tuple[str, ...] | None:
        # Of bytes, RE2's binding needs no offsets of characters worked out; in a tag they are the same.
        found = compiled.fullmatch(text.encode() if text.isascii() else text)
        return tuple([text[start:end] for start, end in map(found.span, numbers)]) if found else None

    return captures


def _compiled(pattern: str) -> "re2._Regexp":
    try:
        return re2.compile(pattern, _options(_MOST_MEMORY // 8))
    except re2.error as error:
        reason = error.args[0] if error.args else "not an RE2 expression"
        raise ValueError(reason.decode() if isinstance(reason, bytes) else str(reason)) from error


def _options(memory: int = _MOST_MEMORY) -> "re2.Options":
    options = re2.Options()
    options.log_errors = False
    options.max_mem = memory
    return options
