"""Globs over tags and names: `*` any characters, `?` one, `[abc]` one of these, `[!abc]` none; case counts.

A `*` matches `/` too, as in ECR's own filters. The whole text must match. No glob can blow up: the standard library's
translation never tries again what one `*` took once the next one has begun.
"""

import re
from collections.abc import Callable, Iterable
from fnmatch import translate
from operator import methodcaller

WILDCARDS = frozenset("*?[")


def check(pattern: str, letters: str) -> None:
    """Raises ValueError with the reason and the mend if the pattern can match no text of these letters.

    `letters` is what stands within the brackets of a regular expression.
    """
    outside = re.sub(r"\[!?\]?[^\]]*\]", "", pattern)
    if "[" in outside:
        raise ValueError("its [ is never closed; close it, or write ? for any one letter")
    strange = re.search(rf"[^*?{letters}]", outside)
    if strange is not None:
        mend = "write a list of several" if strange[0] in ", " else "leave it out, or write ? in its place"
        raise ValueError(f"{strange[0]!r} can't stand there; {mend}")
    for found in re.finditer(r"\[(!?)(\]?[^\]]*)\]", pattern):
        inside = re.sub(r"(.)-(.)", lambda pair: "" if pair[1] > pair[2] else pair[0], found[2])
        if not found[1] and not re.search(rf"[{letters}]", inside):
            raise ValueError(f"{found[0]!r} stands for no letter; name the letters")


def matcher(patterns: Iterable[str]) -> Callable[[str], object]:
    """Tells, by something true or false, whether a text matches one of the patterns."""
    patterns = tuple(patterns)
    if all(pattern.endswith("*") and not has_wildcard(pattern[:-1]) for pattern in patterns):
        return methodcaller("startswith", tuple(pattern[:-1] for pattern in patterns))
    return re.compile("|".join(translate(pattern) for pattern in patterns) or "(?!)").match


def has_wildcard(pattern: str) -> bool:
    """Whether the pattern can match more than one text."""
    return not WILDCARDS.isdisjoint(pattern)
