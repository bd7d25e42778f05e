"""What AWS says of a workload, and the images in it, wherever they stand."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from aws_ecr_gc.discovery.reader import Reader, references_of
from aws_ecr_gc.errors import AwsFailure
from aws_ecr_gc.usage import Use

_Result = TypeVar("_Result")

# In the way of AWS's members, such as ImageUri. Variables and properties, such as BASE_IMAGE, are the user's: any text.
_IMAGE = re.compile(r"[A-Za-z]*([Ii]mage(Uri|Identifier)?|[Cc]ontainerUri)")


def not_found(error: AwsFailure) -> bool:
    """Whether AWS says that the one thing asked for is not there."""
    return error.code in {"ResourceNotFoundException", "ResourceNotFound"}


def unless_gone(read: Callable[[], _Result], gone: Callable[[AwsFailure], bool] = not_found) -> _Result | None:
    """What `read` gives, or None for what vanished since it was listed: nothing runs there any more."""
    try:
        return read()
    except AwsFailure as error:
        if not gone(error):
            raise
        return None


def uses_in(reader: Reader, description: object, workload: str, *, current: bool = True) -> Iterator[Use]:
    """The images of a description, whatever its shape, so that a new place for an image needs no new code.

    A member that is named as one of an image is what runs, joined with the digest recorded beside it: Unintelligible
    is raised where it can't be understood. A reference in any other text, such as an environment variable or a command,
    is protected as well, but may be missing without harm: often it is only a repository.
    """
    waiting = [description]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            images = {name: text for name, text in value.items() if isinstance(text, str) and _IMAGE.fullmatch(name)}
            yield from _images(reader, value, images, workload, current)
            waiting.extend(each for name, each in value.items() if name not in images)
        elif isinstance(value, (list, tuple)):
            waiting.extend(value)
        elif isinstance(value, str):
            yield from (Use(reference, workload, reader.origin, current=False) for reference in references_of(value))


def _images(
    reader: Reader, beside: Mapping[str, Any], images: Mapping[str, str], workload: str, current: bool
) -> Iterator[Use]:
    """An image as the user named it and as AWS resolved it is one use, of the tag and of the digest."""
    resolved = {name: text for name, text in images.items() if name.lower().startswith("resolved")}
    recorded = [text for text in resolved.values() if "@" in text]
    recorded += [str(text) for name, text in beside.items() if name.lower().endswith("imagedigest") and text]
    digest = recorded[0].rpartition("@")[2] if recorded else None
    told = set()
    for name in [*(name for name in images if name not in resolved), *resolved]:
        for use in reader.use(images[name], workload, digest=digest, current=current):
            if name not in resolved or (use.reference.repository, use.reference.digest) not in told:
                yield use
            told.add((use.reference.repository, use.reference.digest))
