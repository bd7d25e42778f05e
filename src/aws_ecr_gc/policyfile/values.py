"""From a document that is known to be right to the values that the engine works with."""

from collections.abc import Iterable
from typing import TypeVar

from msgspec import UNSET, UnsetType

from aws_ecr_gc import durations
from aws_ecr_gc.policy.calendar import PERIODS
from aws_ecr_gc.policy.rules import Guards, Keep, Match, Rule
from aws_ecr_gc.policy.versions import LEVELS
from aws_ecr_gc.policyfile.shape import ExceptPart, GuardsPart, KeepPart, MatchPart, ProtectPart, RulePart

_DEFAULT_GRACE = 3600.0
_Stated = TypeVar("_Stated")


def rule(part: RulePart) -> Rule:
    """One rule."""
    excepted = part.match.except_
    match = _match(part.match, untagged=part.match.untagged is True, excepted=excepted or None)
    return Rule(part.name, match, Keep() if part.keep == "none" else _keep(part.keep), texts(part.group_by))


def grace(parts: Iterable[ProtectPart | UnsetType]) -> float:
    """The greatest that is stated, in seconds; an hour where none is."""
    stated = [durations.parse(part.grace) for part in parts if part and part.grace is not UNSET]
    return max(stated, default=_DEFAULT_GRACE)


def protected_tags(parts: Iterable[ProtectPart | UnsetType]) -> tuple[str, ...]:
    """The globs of all, each once."""
    return tuple(dict.fromkeys(tag for part in parts if part for tag in texts(part.tags)))


def protected_digests(parts: Iterable[ProtectPart | UnsetType]) -> frozenset[str]:
    """The digests of all."""
    return frozenset(digest for part in parts if part for digest in texts(part.digests))


def guards(parts: Iterable[GuardsPart | UnsetType]) -> Guards:
    """Of each guard the strictest that is stated."""
    stated = [part for part in parts if part]
    return Guards(
        max_delete=min((part.max_delete for part in stated if part.max_delete is not UNSET), default=None),
        max_share=min((_share(part.max_share) for part in stated if part.max_share is not UNSET), default=None),
        keep_at_least=max((part.keep_at_least for part in stated if part.keep_at_least is not UNSET), default=1),
    )


def texts(stated: str | list[str] | UnsetType) -> tuple[str, ...]:
    """A list of texts, in place of which one text may stand."""
    if isinstance(stated, UnsetType):
        return ()
    return (stated,) if isinstance(stated, str) else tuple(stated)


def stated(value: _Stated | UnsetType, otherwise: _Stated) -> _Stated:
    """A value, or another one where nothing is stated."""
    return otherwise if isinstance(value, UnsetType) else value


def _match(part: MatchPart | ExceptPart, *, untagged: bool = False, excepted: ExceptPart | None = None) -> Match:
    return Match(
        prefix=texts(part.prefix),
        glob=texts(part.glob),
        regex=texts(part.regex),
        semver=None if isinstance(part.semver, UnsetType) else part.semver,
        untagged=untagged,
        media_type=texts(part.media_type),
        artifact_type=texts(part.artifact_type),
        excepted=None if excepted is None else _match(excepted),
    )


def _keep(part: KeepPart) -> Keep:
    return Keep(
        newest=stated(part.newest, 0),
        younger_than=_seconds(part.younger_than),
        pulled_within=_seconds(part.pulled_within),
        periods=_counts(part, PERIODS),
        within=tuple(
            (name, durations.parse(getattr(part.within, name)))
            for name in PERIODS
            if part.within and getattr(part.within, name) is not UNSET
        ),
        timezone=stated(part.timezone, "UTC"),
        versions=_counts(part, LEVELS),
    )


def _counts(part: KeepPart, names: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple((name, getattr(part, name)) for name in names if getattr(part, name) is not UNSET)


def _seconds(text: str | UnsetType) -> float | None:
    return None if isinstance(text, UnsetType) else durations.parse(text)


def _share(text: str) -> float:
    return float(text.removesuffix("%")) / 100
