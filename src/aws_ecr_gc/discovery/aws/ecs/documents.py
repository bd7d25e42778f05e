"""The task definitions and images in JSON that tells another service what to call."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from aws_ecr_gc.discovery.aws.ecs.task_definitions import Naming, can_be_name
from aws_ecr_gc.discovery.reader import Reader, references_of, strings
from aws_ecr_gc.errors import Unintelligible, one_line
from aws_ecr_gc.usage import Use

_KEYS = frozenset({"TaskDefinition", "taskDefinition"})


def parsed(text: str, workload: str) -> Any:
    """The JSON value. Raises Unintelligible for what is none."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise Unintelligible(f"{workload}: no JSON: {one_line(error)}") from error


def named_in(reader: Reader, document: object, workload: str, *, current: bool = True) -> Iterator[Use | Naming]:
    """Every ECR reference in any string, and every value of a key TaskDefinition that can name one.

    Not what an expression will come to (`$.image`, `{% $image %}`): only whoever runs it knows.
    """
    for text in strings(document):
        for reference in references_of(text):
            yield from reader.use(str(reference), workload, current=current)
    for text in _task_definitions(document):
        if can_be_name(text):
            yield Naming(text, workload, current)


def _task_definitions(document: object) -> Iterator[str]:
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            yield from (inner for key, inner in value.items() if key in _KEYS and isinstance(inner, str))
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
