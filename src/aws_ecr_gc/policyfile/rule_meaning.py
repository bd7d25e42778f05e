"""What a rule says and can't mean. Shape is not looked at again: what is unsound there is passed over here."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from aws_ecr_gc import durations, globs
from aws_ecr_gc.policy import calendar, regular, versions
from aws_ecr_gc.policyfile.mistakes import Mistake
from aws_ecr_gc.policyfile.nodes import quoted
from aws_ecr_gc.policyfile.spots import Spot

LONGEST = 36_500 * 86_400
"""A hundred years, in seconds: what is longer is a slip, and would lead out of the calendar."""

TAG_LETTERS = "A-Za-z0-9_.-"
_TAG_BEGINNING = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_OF_TAGS = ("prefix", "glob", "regex", "semver")
_CALENDAR = (*calendar.PERIODS, "within")
_NAMED_GROUP = re.compile(
    r"\\Q.*?(?:\\E|$) | \\. | \[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\] | \(\?P?<(\w+)>", re.VERBOSE | re.DOTALL
)


def rule_mistakes(rule: Spot, *, untags: bool = False) -> Iterator[Mistake]:
    """All of one rule's; `untags` is whether it stands in a policy that removes tags."""
    match = rule.at("match")
    if match is not None:
        yield from _match_mistakes(match)
        if untags:
            yield from _untag_mistakes(match)
        yield from _group_mistakes(rule, match)
        excepted = match.at("except")
        if excepted is not None:
            yield from _except_mistakes(match, excepted)
    keep = rule.at("keep")
    if keep is not None and keep.node.members is not None:
        yield from _keep_mistakes(keep, match)


def duration_mistakes(spot: Spot | None, *, zero: str | None) -> Iterator[Mistake]:
    """Of a duration, which may be 0 only where `zero` is None; otherwise that is the mend of it."""
    if spot is None:
        return
    seconds = durations.parse(spot.text)
    if seconds > LONGEST:
        yield spot.mistake(f"{quoted(spot.text)} is longer than a hundred years", "write a shorter one")
    elif seconds == 0 and zero is not None:
        yield spot.mistake(f"{quoted(spot.text)} keeps nothing", zero)


def glob_mistakes(spot: Spot, key: str, letters: str) -> Iterator[Mistake]:
    """Of globs that match nothing: where they protect or except, more would be deleted than was meant."""
    for glob in spot.texts(key):
        try:
            globs.check(glob.text, letters)
        except ValueError as error:
            reason, _, mend = str(error).partition("; ")
            yield glob.mistake(f"{quoted(glob.text)} matches nothing: {reason}", mend)


def _match_mistakes(match: Spot) -> Iterator[Mistake]:
    yield from duration_mistakes(match.sound("archived_for"), zero=None)
    yield from _pattern_mistakes(match)
    for key in ("untagged", "any"):
        flag = match.sound(key)
        if flag is not None and flag.node.scalar is False:
            yield flag.mistake("can only be true", "leave it out")
    if match.is_sound and not match.keys:
        yield match.mistake("is empty", "for every image, write any: true")
    if _is_true(match, "any"):
        yield from _contradiction(match, "any", (*_OF_TAGS, "untagged"), "tags are of no account")
    elif _is_true(match, "untagged"):
        yield from _contradiction(match, "untagged", _OF_TAGS, "there is no tag")


def _untag_mistakes(match: Spot) -> Iterator[Mistake]:
    if _is_true(match, "untagged"):
        reason = "takes images without a tag, and action: untag finds none to remove there"
        yield match.mistake_of("untagged", reason, "leave the rule out")
    if "archived_for" in match.keys:
        reason = "takes archived images, and action: untag leaves them alone"
        yield match.mistake_of("archived_for", reason, "move the rule to a policy that deletes or archives")


def _contradiction(match: Spot, key: str, others: tuple[str, ...], meaning: str) -> Iterator[Mistake]:
    found = [other for other in match.keys if other in others]
    if found:
        reason = f"says that {meaning}, which contradicts {', '.join(found)}"
        yield match.mistake_of(key, reason, "leave one of them out, or write two rules")


def _except_mistakes(match: Spot, excepted: Spot) -> Iterator[Mistake]:
    yield from _pattern_mistakes(excepted)
    if excepted.is_sound and not excepted.keys:
        yield excepted.mistake("is empty", "leave it out")
    useless = [key for key in excepted.keys if key in _OF_TAGS]
    if _is_true(match, "untagged") and useless:
        reason = f"has no effect: an image without tags never has the {useless[0]}"
        yield match.mistake_of("except", reason, f"leave {useless[0]} out")


def _pattern_mistakes(match: Spot) -> Iterator[Mistake]:
    for prefix in match.texts("prefix"):
        if not re.fullmatch(_TAG_BEGINNING, prefix.text):
            as_glob = f"for a glob, write glob: {quoted(prefix.text)}"
            allowed = "a tag has up to 128 letters, digits and _ . -, and begins with none of . -"
            mend = as_glob if globs.has_wildcard(prefix.text) else allowed
            yield prefix.mistake(f"no tag begins with {quoted(prefix.text)}", mend)
    yield from glob_mistakes(match, "glob", TAG_LETTERS)
    for regex in match.texts("regex"):
        yield from _regex_mistakes(regex)
    semver = match.sound("semver")
    if semver is not None:
        try:
            versions.parser(semver.text)
        except ValueError as error:
            yield semver.mistake(str(error))


def _regex_mistakes(regex: Spot) -> Iterator[Mistake]:
    try:
        regular.check(regex.text)
    except ValueError as error:
        yield regex.mistake(f"not an RE2 expression: {error}", _regex_mend(str(error)))
        return
    counted = Counter(found[1] for found in _NAMED_GROUP.finditer(regex.text) if found[1])
    for group, count in counted.items():
        if count > 1:
            yield regex.mistake(f"has {count} groups named {group!r}", "name each group once")


def _regex_mend(reason: str) -> str:
    if re.search(r"\(\?(?:[=!>]|<[=!])", reason):
        return "RE2 has no look-around, for it could take forever; to leave tags out, use except"
    if re.search(r"sequence: \\[1-9kg]|operator: \(\?P", reason):
        return "RE2 has no back-references, for they could take forever; to leave tags out, use except"
    if "too large" in reason or "repetition size" in reason:
        return "repeat at most 1000 times, or write * or +"
    return "its syntax: https://github.com/google/re2/wiki/Syntax"


def _group_mistakes(rule: Spot, match: Spot) -> Iterator[Mistake]:
    if "group_by" not in rule.keys:
        return
    if "regex" not in match.keys:
        if match.node.members is not None:
            yield rule.mistake_of(
                "group_by", "names groups of a regex, and match has none", "write match: {regex: ...}"
            )
        return
    seen: set[str] = set()
    for group in rule.texts("group_by"):
        if group.text in seen:
            yield group.mistake(f"{quoted(group.text)} is named twice", "leave one of them out")
            continue
        seen.add(group.text)
        for regex in match.texts("regex"):
            groups = _groups(regex.text)
            if groups is not None and group.text not in groups:
                reason = f"the regex {quoted(regex.text)} has no group named {quoted(group.text)}"
                yield group.mistake(reason, f"name one with (?P<{group.text}>...)")


def _groups(pattern: str) -> Mapping[str, int] | None:
    try:
        return regular.check(pattern)
    except ValueError:  # told where the regex stands
        return None


def _keep_mistakes(keep: Spot, match: Spot | None) -> Iterator[Mistake]:
    yield from _period_mistakes(keep)
    for key in ("younger_than", "pulled_within"):
        yield from duration_mistakes(keep.sound(key), zero="leave it out, or write keep: none")
    if keep.is_sound and set(keep.keys) <= {"timezone"}:
        yield keep.mistake("keeps nothing", "write keep: none if that is meant")
    elif "timezone" in keep.keys and not set(keep.keys) & set(_CALENDAR):
        reason = "has no effect without one of " + ", ".join(_CALENDAR)
        yield keep.mistake_of("timezone", reason, "leave it out")
    if match is not None and match.node.members is not None and "semver" not in match.keys:
        for key in keep.keys:
            if key in versions.LEVELS:
                yield keep.mistake_of(key, "needs match: {semver: ...}", 'write match: {semver: "v{version}"}')


def _period_mistakes(keep: Spot) -> Iterator[Mistake]:
    within = keep.at("within")
    if within is not None:
        for key in calendar.PERIODS:
            yield from duration_mistakes(within.sound(key), zero="leave it out")
        if within.is_sound and not within.keys:
            yield within.mistake("is empty", "write one such as {daily: 30d}, or leave it out")
    timezone = keep.sound("timezone")
    if timezone is not None:
        try:
            calendar.zone(timezone.text)
        except ValueError as error:
            yield timezone.mistake(str(error))


def _is_true(match: Spot, key: str) -> bool:
    flag = match.sound(key)
    return flag is not None and flag.node.scalar is True
