"""What a policy of ours and one of ECR have in common: how tags are said in both, and how differences are told."""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum

from msgspec import Struct

from aws_ecr_gc.lifecycle.patterns import reduced
from aws_ecr_gc.lifecycle.reading import MOST_WILDCARDS
from aws_ecr_gc.policy.rules import Match

EVERYTHING = "*"
_REGEX_PREFIX = re.compile(r"\^?([A-Za-z0-9_-]*)(.?)", re.DOTALL)


class Difference(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that the two don't say alike: the rule or the part of the policy, and what comes of it.

    `deletes_more` is for what comes of the translation where it may delete what the original keeps.
    """

    subject: str
    detail: str
    deletes_more: bool = False

    def __str__(self) -> str:
        return f"{self.subject}: {self.detail}"


class Condition(StrEnum):
    """What must be so in a repository, or the exported policy may delete what ours keeps."""

    MIXED_TAGS = "no image has, beside a tag that a rule matches, one that no rule matches and nothing protects"
    TAGGED_PARTS = "no child of an index, and nothing that refers to another image (subject), has a tag"
    COSIGN = "what is tagged as cosign's signature (sha256-...) has no other tag"
    NO_COSIGN = "nothing is tagged as cosign's signature (sha256-...)"
    NO_REFERRERS = "nothing refers to another image (signatures and SBOMs of OCI 1.1)"
    NO_INDEXES = "there are no indexes"
    KNOWN_TYPES = "all media types are known"
    NO_ARCHIVE = "nothing is archived, on its way back, or was archived before"
    GRACE = "what is younger than the grace is within every count, and belongs to nothing older"
    TIES = "no two images at the edge of a count have the same push time"
    GUARDS = "no guard would refuse the plan: ECR has none"


def pattern_of(glob: str) -> str | None:
    """The pattern of ECR that means the same as a glob of ours; None where none does."""
    if "?" in glob or "[" in glob:
        return None
    pattern = re.sub(r"\*+", "*", glob)
    return pattern if pattern.count("*") <= MOST_WILDCARDS else None


def cover_of(glob: str) -> str:
    """A pattern that matches at least what a glob of ours does."""
    pattern = re.sub(r"\*+", "*", re.sub(r"\?|\[!?\]?[^\]]*\]", "*", glob))
    return "*".join([*pattern.split("*")[:MOST_WILDCARDS], ""]) if pattern.count("*") > MOST_WILDCARDS else pattern


class Tags(Struct, frozen=True):
    """Which tags a match of ours takes, as patterns of ECR of which one is enough. `exact` says they take no more."""

    patterns: tuple[str, ...]
    exact: bool


def tags_of(match: Match) -> Tags | None:
    """The tags that a match takes, its exceptions left aside; None for one that says nothing of tags."""
    if not match.speaks_of_tags:
        return None
    stated: list[Tags] = []
    if match.prefix:
        possible = [f"{prefix}*" for prefix in match.prefix if "*" not in prefix]
        stated.append(Tags(_widest(possible), exact=True))
    if match.glob:
        exact = [pattern_of(glob) for glob in match.glob]
        covers = [cover_of(glob) for glob in match.glob]
        stated.append(Tags(_widest(covers), exact=None not in exact))
    if match.regex:
        stated.append(Tags(_widest(_regex_cover(regex) for regex in match.regex), exact=False))
    if match.semver is not None:
        stated.append(Tags((cover_of(match.semver.replace("{version}", "*")),), exact=False))
    narrowest = max(stated, key=lambda each: min((len(pattern) for pattern in each.patterns), default=0))
    return Tags(narrowest.patterns, exact=narrowest.exact and len(stated) == 1)


def _widest(patterns: Iterable[str]) -> tuple[str, ...]:
    """The same without what another one takes as well."""
    listed = list(dict.fromkeys(patterns))
    return tuple(each for each in listed if not any(other != each and _takes(other, each) for other in listed))


def _takes(wide: str, narrow: str) -> bool:
    return reduced((wide, narrow)) == (narrow,)


def _regex_cover(regex: str) -> str:
    """What the tags of a regular expression begin with, as far as that is plain."""
    found = _REGEX_PREFIX.match(regex)
    if found is None or "|" in regex:
        return EVERYTHING
    prefix, following = found[1], found[2]
    return f"{prefix[:-1] if following in set('?*{') else prefix}*"


def joined(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
