"""Semantic versions in tags. Source: semver.org, version 2.0.0, sections 2, 9, 10 and 11.

A tag can't hold a `+`: build metadata stands after `_` instead, as Helm writes it. It has no part in precedence.
"""

import re
from collections.abc import Callable, Iterator, Sequence

PLACE = "{version}"

_NUMBER = r"(?:0|[1-9][0-9]*)"
_FIELD = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION = rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_FIELD}(?:\.{_FIELD})*))?(?:_[0-9A-Za-z.-]+)?"

Version = tuple[int, int, int, tuple[tuple[int, int, str], ...]]
"""(major, minor, patch, prerelease fields). A release has no fields. Prereleases of one patch compare by them."""

LEVELS: dict[str, int] = {"majors": 1, "minors": 2, "patches": 3, "prereleases": 4}
"""Name, and how many parts of a version two versions of the same group have in common."""


def parser(template: str) -> Callable[[str], Version | None]:
    """Reads the version in a tag, or None. The template is text around `{version}`, in which one `*` may stand.

    Raises ValueError for another template.
    """
    if template.count(PLACE) != 1 or template.count("*") > 1:
        raise ValueError(f"{template!r} must hold {PLACE} once, and at most one *, such as v{PLACE}")
    before, after = template.split(PLACE)
    # A star takes no digit of the version: 10.2.3 is not 0.2.3 after something.
    bounds = (r"(?<![0-9])" * before.endswith("*"), r"(?![0-9])" * after.startswith("*"))
    texts = [re.escape(text).replace(re.escape("*"), ".*") for text in (before, after)]
    match = re.compile(texts[0] + bounds[0] + _VERSION + bounds[1] + texts[1]).fullmatch

    def parse(tag: str) -> Version | None:
        found = match(tag)
        if found is None:
            return None
        major, minor, patch, prerelease = found.groups()
        fields = tuple([_field(field) for field in prerelease.split(".")]) if prerelease else ()
        return int(major), int(minor), int(patch), fields

    return parse


def _field(text: str) -> tuple[int, int, str]:
    """Numbers come before words, and compare as numbers."""
    return (0, int(text), "") if text.isdecimal() else (1, 0, text)


def why_not(name: str, count: int, versions: Sequence[tuple[Version, int]], position: int) -> str:
    """Why `kept` with the same words doesn't retain this position."""
    parts = LEVELS[name]
    own = [version for version, at in versions if at == position and bool(version[3]) is (parts == 4)]
    if not own:
        return "it is a release" if parts == 4 else "it is a prerelease"
    higher = [version for version, at in versions if version > own[0] and bool(version[3]) is (parts == 4)]
    if any(version[:parts] == own[0][:parts] for version in higher):
        return f"another of {_spelled(own[0][: min(parts, 3)])} is higher"
    same = [at for version, at in versions if version[:parts] == own[0][:parts]]
    if same[0] != position:
        return f"a newer image of {_spelled(own[0][:3])} stands for it"
    return f"it is not among the {count} highest"


def count_needed(name: str, versions: Sequence[tuple[Version, int]], position: int) -> int | None:
    """How many groups would have to be kept for this position; None where another one stands for its group."""
    parts = LEVELS[name]
    groups: dict[tuple[object, ...], int] = {}
    for version, at in versions:
        if bool(version[3]) is (parts == 4):
            groups.setdefault(version[:parts], at)
    return next((number for number, at in enumerate(groups.values(), 1) if at == position), None)


def _spelled(numbers: Sequence[object]) -> str:
    return ".".join(map(str, numbers))


def kept(name: str, count: int, versions: Sequence[tuple[Version, int]]) -> Iterator[tuple[int, str]]:
    """The position and the reason of what a level retains: the highest of each of the `count` highest groups.

    `versions` holds (version, position), highest version first, and of equal versions the lowest position first.
    Prereleases are a level of their own and stand in for no release.
    """
    parts, asked = LEVELS[name], count
    last: tuple[object, ...] | None = None
    for version, position in versions:
        if bool(version[3]) is not (parts == 4):
            continue
        group = version[:parts]
        if group == last:
            continue
        if count == 0:
            return
        count -= 1
        last = group
        yield position, f"{name} {asked}: the highest of {_spelled(version[: min(parts, 3)])}"
