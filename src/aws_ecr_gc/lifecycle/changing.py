"""From the lifecycle policies that repositories have to the one that they shall have."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff

from msgspec import Struct

from aws_ecr_gc.lifecycle.writing import pretty, same


class Change(Struct, frozen=True):
    """Repositories whose policy is the same now, and is to become another; None is none."""

    names: tuple[str, ...]
    old: str | None
    new: str | None

    @property
    def verb(self) -> str:
        """What is done: `put`, `replace` or `remove`."""
        if self.new is None:
            return "remove"
        return "put" if self.old is None else "replace"

    def lines(self) -> Iterator[str]:
        """The difference, as of a patch."""
        old = [] if self.old is None else list(pretty(self.old))
        new = [] if self.new is None else list(pretty(self.new))
        for line in unified_diff(old, new, lineterm="", n=2):
            if not line.startswith(("---", "+++")):
                yield line


def changes(kept: Mapping[str, str | None], new: str | None) -> list[Change]:
    """What is to be done to repositories with these policies, by name; those that change alike stand together."""
    alike: dict[str | None, list[str]] = {}
    for name, old in kept.items():
        if not is_same(old, new):
            alike.setdefault(old, []).append(name)
    return [Change(tuple(names), old, new) for old, names in alike.items()]


def is_same(one: str | None, other: str | None) -> bool:
    """Whether two policies say the same; a text that is no policy is the same as itself alone."""
    if one is None or other is None or one == other:
        return one == other
    try:
        return same(one, other)
    except (ValueError, KeyError, TypeError):
        return False


def counted_by_verb(found: Sequence[Change]) -> dict[str, int]:
    """How many repositories are changed, by verb."""
    counts: dict[str, int] = {}
    for change in found:
        counts[change.verb] = counts.get(change.verb, 0) + len(change.names)
    return counts
