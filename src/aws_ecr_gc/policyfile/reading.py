"""Policy files from the disk to trees."""

from collections.abc import Callable
from pathlib import Path

from aws_ecr_gc.errors import Misuse
from aws_ecr_gc.policyfile import json_text, toml_text, yaml_text
from aws_ecr_gc.policyfile.nodes import Read

MOST_BYTES = 1 << 20

_READERS: dict[str, Callable[[str, str], Read]] = {".json": json_text.read, ".toml": toml_text.read}
"""By the file's suffix; any other one means YAML."""


def content_of(path: Path, kind: str = "policy file", mend: str = "split it, with extends") -> bytes:
    """The bytes of a file. Raises Misuse for what can't be read, and for what is too large to be meant.

    The kind of file, and the mend of one that is too large, are for people.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Misuse(f"{path}: can't be read: {error.strerror}; give the path of a {kind}") from error
    except ValueError as error:
        raise Misuse(f"{path}: can't be read: {error}; give the path of a {kind}") from error
    if len(content) > MOST_BYTES:
        raise Misuse(f"{path}: is larger than {MOST_BYTES} bytes; {mend}")
    return content


def tree_of(content: bytes, path: Path) -> Read:
    """The tree of a policy file's content. Raises Misuse for bytes that are not UTF-8."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Misuse(f"{path}: line {line} is not UTF-8; save the file as UTF-8") from error
    return _READERS.get(path.suffix.lower(), yaml_text.read)(text, str(path))
