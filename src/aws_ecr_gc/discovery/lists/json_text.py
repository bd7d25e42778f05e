"""JSON, one value or several one after another, such as `docker inspect` and `kubectl` write."""

import json
import re
from collections.abc import Iterator

from aws_ecr_gc.discovery.lists.mention import refusal

# Numbers stay as they are written: a tag 1.10 is none of 1.1.
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
_SPACE = re.compile(r"[ \t\n\r]*")


def values(text: str) -> Iterator[object]:
    """The values. Raises ValueError for what is no JSON; a JSONDecodeError where a line can be told."""
    at = _SPACE.match(text).end()  # type: ignore[union-attr]  # it matches nothing as well
    while at < len(text):
        try:
            value, at = _DECODER.raw_decode(text, at)
        except RecursionError as error:
            raise ValueError("it nests too deeply") from error
        yield value
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]


def read(text: str, name: str) -> Iterator[object]:
    """The values of a list named so."""
    try:
        yield from values(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise refusal(name, where, f"not JSON: {error.msg}", "give the whole output of what wrote it") from error
    except ValueError as error:
        raise refusal(name, "not JSON", str(error), "give the whole output of what wrote it") from error
