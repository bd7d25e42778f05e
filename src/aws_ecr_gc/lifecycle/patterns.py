"""ECR's tag patterns: `*` stands for any run of characters, an empty one too; all else for itself, and case counts.

What is said of two patterns is true beyond doubt; not all that is true is said.
"""

import re
from collections.abc import Callable, Sequence

from aws_ecr_gc.lifecycle.values import Rule, TagStatus

_TAG_LETTERS = re.compile(r"[A-Za-z0-9_.*-]*", re.ASCII)


def matcher(pattern: str) -> Callable[[str], bool]:
    """Tells whether a whole tag matches. Its time is linear: what one asterisk took is never tried again."""
    first, *rest = pattern.split("*")
    if not rest:
        return lambda tag: tag == first
    *middle, last = rest
    if not any(middle) and not last:
        return lambda tag: tag.startswith(first)
    shortest = len(first) + len(last)
    pieces = [piece for piece in middle if piece]

    def matches(tag: str) -> bool:
        if len(tag) < shortest or not tag.startswith(first) or not tag.endswith(last):
            return False
        at, end = len(first), len(tag) - len(last)
        for piece in pieces:
            at = tag.find(piece, at, end)
            if at < 0:
                return False
            at += len(piece)
        return True

    return matches


def selector(rule: Rule) -> Callable[[Sequence[str]], bool]:
    """Tells whether an image with these tags meets what the rule says of tags: every entry is met by some tag."""
    if rule.tag_status is TagStatus.ANY:
        return lambda _: True
    if rule.tag_status is TagStatus.UNTAGGED:
        return lambda tags: not tags
    if rule.are_prefixes:
        prefixes = rule.entries
        return lambda tags: all(any(tag.startswith(prefix) for tag in tags) for prefix in prefixes)
    tests = [matcher(pattern) for pattern in rule.entries]
    if len(tests) == 1:
        only = tests[0]
        return lambda tags: any(map(only, tags))
    return lambda tags: all(any(map(test, tags)) for test in tests)


def covers(wide: str, narrow: str) -> bool:
    """Whether every tag that `narrow` matches is matched by `wide`.

    An asterisk of `wide` that stands over a part of `narrow`'s own text stands over whatever that part can match.
    """
    return wide == narrow or matcher(wide)(narrow)


def meet(one: str, other: str) -> bool:
    """Whether some tag may match both patterns: False is certain."""
    if "*" not in one:
        return matcher(other)(one)
    if "*" not in other:
        return matcher(one)(other)
    (first, *_, last), (other_first, *_, other_last) = one.split("*"), other.split("*")
    begin = first.startswith(other_first) or other_first.startswith(first)
    return begin and (last.endswith(other_last) or other_last.endswith(last))


def can_match(pattern: str) -> bool:
    """Whether a pattern can match any tag that ECR takes: letters, digits and . _ -"""
    return _TAG_LETTERS.fullmatch(pattern) is not None


def implied(rule: Rule, by: Rule) -> bool:
    """Whether every image that meets what `by` says of tags also meets what `rule` says."""
    if rule.tag_status is TagStatus.ANY:
        return True
    if rule.tag_status is not by.tag_status:
        return False
    if rule.tag_status is TagStatus.UNTAGGED:
        return True
    wide, narrow = rule.patterns, by.patterns
    if wide is None or narrow is None:
        return rule.entries == by.entries and rule.are_prefixes == by.are_prefixes
    return all(any(covers(each, entry) for entry in narrow) for each in wide)


def reduced(patterns: Sequence[str]) -> tuple[str, ...]:
    """The same patterns, all of which must be met, without those that another one implies."""
    kept: list[str] = []
    for at, pattern in enumerate(patterns):
        others = [each for place, each in enumerate(patterns) if place != at]
        if not any(covers(pattern, each) and (not covers(each, pattern) or each in kept) for each in others):
            kept.append(pattern)
    return tuple(kept)
