"""From a document that is known to be right to the values that the engine works with."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from aws_ecr_gc import durations
from aws_ecr_gc.discovery.settings import Kind, Kubernetes, Listing, Settings
from aws_ecr_gc.policy.calendar import PERIODS
from aws_ecr_gc.policy.rules import Guards, Keep, Match, Rule
from aws_ecr_gc.policy.versions import LEVELS
from aws_ecr_gc.policyfile.shape import (
    ExceptPart,
    GuardsPart,
    InUsePart,
    KeepPart,
    ListPart,
    MatchPart,
    ProtectPart,
    RulePart,
    TargetsPart,
)
from aws_ecr_gc.targets import Entry, Targets

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
        max_delete=_least(part.max_delete for part in stated),
        max_share=min((_share(part.max_share) for part in stated if part.max_share is not UNSET), default=None),
        keep_at_least=max((part.keep_at_least for part in stated if part.keep_at_least is not UNSET), default=1),
        keep_tagged=max((part.keep_tagged for part in stated if part.keep_tagged is not UNSET), default=1),
        canary=_least(part.canary for part in stated),
        max_failures=_least(part.max_failures for part in stated),
    )


def _least(numbers: Iterable[int | UnsetType]) -> int | None:
    return min((number for number in numbers if not isinstance(number, UnsetType)), default=None)


def in_use(parts: Sequence[tuple[Path, InUsePart]]) -> Settings | None:
    """What all of them ask for together; the first that states a role, an external id or a kubeconfig decides it.

    Each part comes with the folder that its files are seen from. None where there is no part.
    """
    if not parts:
        return None
    each = [part for _, part in parts]
    sources = dict.fromkeys(source for part in each for source in texts(part.sources))
    revisions = [part.task_definition_revisions for part in each if part.task_definition_revisions is not UNSET]
    return Settings(
        sources=tuple(source for source in sources if source != "all"),
        every="all" in sources,
        revisions=max(revisions, default=3),
        accounts=_united(part.accounts for part in each),
        organization=any(part.organization is True for part in each),
        role=_first(part.role for part in each),
        external_id=_first(part.external_id for part in each),
        regions=_united(part.regions for part in each),
        kubernetes=_clusters(parts),
        lists=tuple(dict.fromkeys(_listing(folder, row) for folder, part in parts for row in stated(part.lists, []))),
    )


def targets(parts: Iterable[TargetsPart]) -> Targets:
    """Of each member what the first states that states it; all that chooses accounts counts as one."""
    found = Targets()
    several = list(parts)
    for part in several:
        found = found.over(
            Targets(
                repositories=texts(part.repositories),
                regions=texts(part.regions),
                accounts=texts(part.accounts),
                organization=part.organization is True,
                units=(texts(part.units),) if part.units else (),
                account_tags=tuple(stated(part.account_tags, {}).items()),
            )
        )
    role = _first(part.role for part in several)
    if role is None:
        return found
    external_id = _first(part.external_id for part in several)
    return replace(found, entry=Entry(role, external_id, _tags_of(several)))


def _tags_of(parts: Iterable[TargetsPart]) -> dict[str, str]:
    return next((part.session_tags for part in parts if not isinstance(part.session_tags, UnsetType)), {})


def _united(lists: Iterable[list[str] | UnsetType]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for each in lists for text in texts(each)))


def _first(values: Iterable[str | UnsetType]) -> str | None:
    return next((value for value in values if not isinstance(value, UnsetType)), None)


def _clusters(parts: Sequence[tuple[Path, InUsePart]]) -> Kubernetes | None:
    there = [(folder, part.kubernetes) for folder, part in parts if part.kubernetes]
    if not there:
        return None
    files = (str(folder / part.kubeconfig) for folder, part in there if part.kubeconfig is not UNSET)
    return Kubernetes(
        contexts=tuple(dict.fromkeys(context for _, part in there for context in texts(part.contexts))),
        kubeconfig=next(files, None),
        in_cluster=any(part.in_cluster is True for _, part in there),
    )


def _listing(folder: Path, part: ListPart) -> Listing:
    if part.command is not UNSET:
        return Listing(Kind.COMMAND, tuple(part.command))
    if part.url is not UNSET:
        return Listing(Kind.URL, (part.url,))
    if part.file == "-":
        return Listing(Kind.STDIN)
    return Listing(Kind.FILE, (str(folder / stated(part.file, "")),))


def texts(stated: str | Sequence[str] | UnsetType) -> tuple[str, ...]:
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
        archived_for=_seconds(part.archived_for) if isinstance(part, MatchPart) else None,
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
