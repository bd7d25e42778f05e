"""Plain lists: an image name a line. Blank lines and those that begin with # say nothing."""

from collections.abc import Iterator

from aws_ecr_gc.discovery.lists.mention import Mention, quoted, refusal
from aws_ecr_gc.reference import mentions_unread, reference_of, references_in

_MEND = "write one image name a line, such as 123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1.2.3"


def read(text: str, name: str) -> Iterator[Mention]:
    """The references of the lines. Images of other registries are none of ours."""
    for number, line in enumerate(text.split("\n"), 1):
        word = line.strip()
        if word and not word.startswith("#"):
            yield from _image(word, name, number)


def _image(word: str, name: str, number: int) -> Iterator[Mention]:
    where = f"line {number}"
    try:
        reference = reference_of(word)
    except ValueError as error:
        raise refusal(name, where, str(error), _MEND) from error
    if reference is not None:
        yield Mention(reference, f"{name}:{number}")
        return
    if word.startswith("sha256:"):
        raise refusal(name, where, f"{quoted(word)} names no repository", _MEND)
    if mentions_unread(word):
        raise refusal(name, where, f"{quoted(word)} names an ECR registry, but no image", _MEND)
    for each in references_in(word):  # of a mirror whose paths begin with the host that it mirrors
        yield Mention(each, f"{name}:{number}")
