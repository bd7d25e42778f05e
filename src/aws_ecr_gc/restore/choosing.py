"""Which of the lost images are meant, and the order in which they can be put back."""

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from aws_ecr_gc.restore.values import Lost

_DIGEST = re.compile(r"[a-z0-9]+:[0-9a-f]{32,}")


class Choice(Struct, frozen=True):
    """What a user calls an image: by tag or digest, in any repository or in one."""

    text: str
    repository: str | None
    tag: str | None
    digest: str | None

    @classmethod
    def read(cls, text: str) -> "Choice":
        """`TAG`, `DIGEST`, `REPOSITORY:TAG`, `REPOSITORY@DIGEST`, `REPOSITORY:TAG@DIGEST` (then the digest counts)."""
        if _DIGEST.fullmatch(text):
            return cls(text, None, None, text)
        name, at, digest = text.partition("@")
        repository, colon, tag = name.rpartition(":")
        if at:
            return cls(text, repository if colon else name, None, digest)
        return cls(text, repository if colon else None, tag, None)

    def means(self, repository: str, lost: Lost) -> bool:
        """Whether this is the image."""
        if self.repository not in (None, repository):
            return False
        return lost.digest == self.digest if self.digest is not None else self.tag in {*lost.tags, *lost.removed}


def with_relatives(chosen: Iterable[str], lost: Mapping[str, Lost]) -> dict[str, Lost]:
    """The chosen digests, with all that they list and all that refers to them, as far as it is lost as well.

    An index can't be put back without its children, and what refers to an image (signatures) went with it.
    """
    referrers: dict[str, list[str]] = {}
    for each in lost.values():
        if each.parts.subject is not None:
            referrers.setdefault(each.parts.subject, []).append(each.digest)
    found: dict[str, Lost] = {}
    waiting = list(chosen)
    while waiting:
        digest = waiting.pop()
        if digest in lost and digest not in found:
            found[digest] = lost[digest]
            waiting += [*lost[digest].parts.children, *referrers.get(digest, ())]
    return {digest: each for digest, each in lost.items() if digest in found}


def in_order(lost: Mapping[str, Lost]) -> list[Lost]:
    """Children before the indexes that list them, subjects before what refers to them.

    Where these contradict (an index lists what refers to it), children go first: ECR demands them, and no subject.
    """
    waiting = dict(lost)
    ordered: list[Lost] = []
    while waiting:
        free = [each for each in waiting.values() if waiting.keys().isdisjoint(each.parts.children)]
        # No manifest can hold its own digest, so there is always one that lists nothing that waits.
        ready = [each for each in free if each.parts.subject not in waiting] or free or list(waiting.values())
        for each in ready:
            del waiting[each.digest]
        ordered += ready
    return ordered
