"""What a policy says, as values. Everything here is understood and in itself consistent: `policyfile` saw to that."""

from enum import StrEnum

from msgspec import Struct

from aws_ecr_gc import durations
from aws_ecr_gc.plan import Action

_HOUR = 3600.0

RESERVED_NAMES = frozenset(
    {
        "activating",
        "archived",
        "child-of-index",
        "circle",
        "followed",
        "goes-with-index",
        "goes-with-subject",
        "grace",
        "in-use",
        "last-tag",
        "left-over",
        "needed-in-use",
        "no-policy",
        "no-tag",
        "no-untagged-rule",
        "protected-digest",
        "protected-tag",
        "referred-to",
        "referrer-of-subject",
        "subject-gone",
        "unknown-media-type",
        "unmatched-tag",
        "unread-archived-index",
    }
)
"""The reasons that are no rule's: a rule of such a name would be taken for one of them."""


class Match(Struct, frozen=True):
    """Which tags a rule matches, or which lack of tags. What is stated must all hold, for the same tag.

    Of several prefixes, globs or regexes one is enough. Globs and regexes match the whole tag, media and artifact
    types are globs too. With `untagged`, the image has no tag; without any statement about tags, tagged and untagged
    images match. With `archived_for`, in seconds, the rule is about images that have been in the archive for so long,
    and about no others.
    """

    prefix: tuple[str, ...] = ()
    glob: tuple[str, ...] = ()
    regex: tuple[str, ...] = ()
    semver: str | None = None
    untagged: bool = False
    media_type: tuple[str, ...] = ()
    artifact_type: tuple[str, ...] = ()
    excepted: "Match | None" = None
    archived_for: float | None = None

    @property
    def speaks_of_tags(self) -> bool:
        return bool(self.prefix or self.glob or self.regex or self.semver is not None)


class Keep(Struct, frozen=True):
    """What a rule retains of what it matches: the union of all that is stated. Durations are in seconds.

    `periods` and `versions` hold (name, how many), `within` (name, how long before the newest image); the names are
    those of `calendar.PERIODS` and `versions.LEVELS`.
    """

    newest: int = 0
    younger_than: float | None = None
    pulled_within: float | None = None
    periods: tuple[tuple[str, int], ...] = ()
    within: tuple[tuple[str, float], ...] = ()
    timezone: str = "UTC"
    versions: tuple[tuple[str, int], ...] = ()

    def __str__(self) -> str:
        """As in a policy file: `newest 3, younger_than 7d`, or `none`."""
        parts = [f"newest {self.newest}"] if self.newest else []
        if self.younger_than is not None:
            parts.append(f"younger_than {durations.spelled(self.younger_than)}")
        if self.pulled_within is not None:
            parts.append(f"pulled_within {durations.spelled(self.pulled_within)}")
        parts += [f"{name} {count}" for name, count in (*self.periods, *self.versions)]
        parts += [f"{name} within {durations.spelled(seconds)}" for name, seconds in self.within]
        return ", ".join(parts) or "none"


class Rule(Struct, frozen=True):
    """A named rule. `group_by` names groups of the regex: each combination of captures is a stream of its own."""

    name: str
    match: Match
    keep: Keep
    group_by: tuple[str, ...] = ()


class Signatures(StrEnum):
    """Whether a signature's tag (`sha256-<hex>.sig`) is managed by being one, or only where a rule matches it."""

    FOLLOW = "follow"
    LEAVE = "leave"


class Guards(Struct, frozen=True):
    """What a finished plan must satisfy; None is off. `max_share` is a part of 1 of the repository's active images.

    `canary` and `max_failures` look at no plan, but bound how it is carried out: first only so many images, then the
    rest if none of them failed; and no further once so many deletions in a row failed.
    """

    max_delete: int | None = None
    max_share: float | None = None
    keep_at_least: int = 1
    keep_tagged: int = 1
    canary: int | None = None
    max_failures: int | None = None


class Policy(Struct, frozen=True):
    """What holds for one repository. `protect_tags` are globs; `grace` is in seconds and holds for every image.

    `action` is what happens to active images (or to their tags, each for itself) that do not stay; what rules with
    `archived_for` take is deleted. `name` says where it comes from, for people: the file and which of its policies, or
    the command line.
    """

    rules: tuple[Rule, ...] = ()
    protect_tags: tuple[str, ...] = ()
    protect_digests: frozenset[str] = frozenset()
    grace: float = _HOUR
    signatures: Signatures = Signatures.FOLLOW
    guards: Guards = Guards()
    name: str = ""
    action: Action = Action.DELETE

    @property
    def looks_into_archive(self) -> bool:
        """Whether a rule is about archived images; without one they are left alone."""
        return any(rule.match.archived_for is not None for rule in self.rules)

    @property
    def goes_by_pulls(self) -> bool:
        """Whether a rule asks for the last pull."""
        return any(rule.keep.pulled_within is not None for rule in self.rules)

    @property
    def asks_for_nothing(self) -> bool:
        return not self.rules


def original_policy(keep: dict[str, int], *, delete_untagged: bool, grace: float = _HOUR) -> Policy:
    """What the original's flags stand for. A tag of no listed prefix is never deleted, a signature's included."""
    rules = [
        Rule(f"keep {prefix}={count}", Match(prefix=(prefix,)), Keep(newest=count)) for prefix, count in keep.items()
    ]
    if delete_untagged:
        rules.append(Rule("delete-untagged", Match(untagged=True), Keep(younger_than=grace or None)))
    return Policy(
        tuple(rules),
        grace=0.0,
        signatures=Signatures.LEAVE,
        guards=Guards(keep_at_least=0, keep_tagged=0),
        name="the command line",
    )
