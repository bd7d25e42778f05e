"""Globs over tags and names: `*` any characters, `?` one, `[abc]` one of these, `[!abc]` none; case counts.

A `*` matches `/` too, as in ECR's own filters. The whole text must match. No glob can blow up: the standard library's
translation never tries again what one `*` took once the next one has begun.
"""

import re
from collections.abc import Callable, Iterable
from fnmatch import translate

WILDCARDS = frozenset("*?[")


def matcher(patterns: Iterable[str]) -> Callable[[str], object]:
    """Tells, by something true or None, whether a text matches one of the patterns."""
    return re.compile("|".join(translate(pattern) for pattern in patterns) or "(?!)").match


def has_wildcard(pattern: str) -> bool:
    """Whether the pattern can match more than one text."""
    return not WILDCARDS.isdisjoint(pattern)
