"""Which format a list has, by its content, and by its file's name where that says more."""

import codecs
import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from aws_ecr_gc.discovery.lists import dockerfile, documents, plain
from aws_ecr_gc.discovery.lists.mention import Mention, refusal

_Format = Callable[[str, str], Iterator[Mention]]

_SUFFIXES: dict[str, _Format] = {
    ".json": documents.read_json,
    ".yaml": documents.read_yaml,
    ".yml": documents.read_yaml,
    ".dockerfile": dockerfile.read,
    ".containerfile": dockerfile.read,
}
# What the first line that says something begins with; a plain list is anything else. A key has no slash: a name whose
# tag was lost, `host/app:`, is none.
_BEGINNINGS: tuple[tuple[re.Pattern[str], _Format], ...] = (
    (re.compile(r"[\[{][\[{\s]*(?:[\"\]}]|-?[0-9]|true|false|null|$)"), documents.read_json),
    (re.compile(r"(?:FROM|ARG)\s+\S", re.IGNORECASE), dockerfile.read),
    (re.compile(r"---(?:\s|$)|%YAML|-(?:\s|$)|[\[{&!?\"'|>]|[^\s#:/]+\s*:(?:\s|$)"), documents.read_yaml),
)
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def references(content: bytes, name: str, path: str = "") -> Iterator[Mention]:
    """The references in a list. `name` is what people call it, `path` a file's or URL's if it came from one."""
    text = _text_of(content, name)
    if not text.strip():
        raise documents.nothing(name)
    return _format_of(text, path)(text, name)


def _text_of(content: bytes, name: str) -> str:
    encoding = next((encoding for mark, encoding in _MARKS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise refusal(name, f"line {line}", f"not {encoding.upper()}", "give text in UTF-8") from error


def _format_of(text: str, path: str) -> _Format:
    file = PurePosixPath(path.lower())
    if re.fullmatch(r"(?:dockerfile|containerfile)(?:\..*)?", file.name) and file.suffix not in _SUFFIXES:
        return dockerfile.read
    if file.suffix in _SUFFIXES:
        return _SUFFIXES[file.suffix]
    lines = (line.strip() for line in text.split("\n"))
    first = next((line for line in lines if line and not line.startswith("#")), "")
    return next((read for beginning, read in _BEGINNINGS if beginning.match(first)), plain.read)
