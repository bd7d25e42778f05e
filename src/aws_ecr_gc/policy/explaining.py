"""Why an image stays or goes: every rule's vote on it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from aws_ecr_gc import durations, globs
from aws_ecr_gc.inventory import Image, Inventory, Status
from aws_ecr_gc.plan import Action, Decision, Leftover, Verdict
from aws_ecr_gc.policy import calendar, versions
from aws_ecr_gc.policy.keeping import Vote, ordinal, vote
from aws_ecr_gc.policy.matching import Matches, Sweep, signed_by
from aws_ecr_gc.policy.planning import Verdicts
from aws_ecr_gc.policy.rules import Keep, Match, Policy, Rule
from aws_ecr_gc.policy.untagging import TagVerdicts
from aws_ecr_gc.policy.versions import parser as version_parser
from aws_ecr_gc.usage import Use


class TagView(Struct, frozen=True):
    """Whether a rule matches a tag (None: the lack of one), and why; `follows` names what it signs, if that decides."""

    tag: str | None
    matched: bool
    detail: str
    follows: str | None = None


class StatementView(Struct, frozen=True):
    """What one statement of a `keep` says, such as `newest 8`; `detail` is empty where that is all.

    `turns` is what would turn it: for what it retains, what would have to happen; for what it doesn't, the statement
    that would, empty where no number would do.
    """

    statement: str
    retains: bool
    detail: str
    turns: str


class PlaceView(Struct, frozen=True):
    """The image among those that a rule counts: from 1, newest first. `stream` is empty without groups.

    Where tags are counted, `tag` is the one of the image that has this place.
    """

    stream: str
    place: int
    nth: str
    of: int
    statements: tuple[StatementView, ...]
    tag: str | None = None


class RuleView(Struct, frozen=True):
    """A rule's vote on the image. No places: the rule does not count it, and `aside` says why where it matches."""

    rule: str
    keep: str
    tags: tuple[TagView, ...]
    places: tuple[PlaceView, ...]
    aside: str | None


class Relative(Struct, frozen=True):
    """An image that needs this one, or that this one needs."""

    relation: str
    digest: str
    tags: tuple[str, ...]
    verdict: Verdict


class Explanation(Struct, frozen=True):
    """All that led to the decision on one image: what `action` is done to it if it is collected, the tags it loses."""

    decision: Decision
    rules: tuple[RuleView, ...]
    relatives: tuple[Relative, ...]
    action: Action = Action.DELETE
    loses: tuple[str, ...] = ()


def explain(
    inventory: Inventory,
    policy: Policy,
    now: float,
    digest: str,
    leftovers: Sequence[Leftover] = (),
    *,
    uses: Sequence[Use] = (),
) -> Explanation:
    """Explain the decision on one image. Raises KeyError for a digest that is not in the inventory."""
    image = inventory.images[digest]
    if policy.action is Action.UNTAG:
        return _explain_tags(TagVerdicts(inventory, policy, now, uses), policy, now, image)
    verdicts = Verdicts(inventory, policy, now, leftovers, uses)
    decisions = {each.image.digest: each for each in verdicts.decisions()}
    decision = decisions[digest]
    at = verdicts.images.index(image)
    rules = tuple(
        _rule_view(rule, votes, verdicts, at, now) for rule, votes in zip(policy.rules, verdicts.votes, strict=True)
    )
    relatives = tuple(_relatives(image, verdicts, decisions))
    return Explanation(decision, rules, relatives, policy.action if image.status is Status.ACTIVE else Action.DELETE)


def _explain_tags(verdicts: TagVerdicts, policy: Policy, now: float, image: Image) -> Explanation:
    """The same where tags are removed: each tag has places of its own."""
    at = next(at for at, each in enumerate(verdicts.images) if each.digest == image.digest)
    numbers = verdicts.numbers[at]
    matches = Sweep(verdicts.images, policy, now).matches()
    rules = []
    for rule, votes in zip(policy.rules, verdicts.votes, strict=True):
        views = tuple(_tag_views(rule.match, verdicts.images[at], matches, tagless=False))
        places = tuple(
            replace(_place(rule, each, each.contenders.index(number), verdicts.of_tag, now), tag=verdicts.tags[number])
            for number in numbers
            for each in votes
            if number in each.contenders
        )
        matched = any(each.matched for each in views)
        aside = _why_aside(rule, image) if matched and not places else None
        rules.append(RuleView(rule.name, str(rule.keep), views, places, aside))
    decision = next(each for each in verdicts.decisions() if each.image.digest == image.digest)
    loses = tuple(verdicts.tags[number] for number in numbers if number in verdicts.removed)
    return Explanation(decision, tuple(rules), (), Action.UNTAG, loses)


def _rule_view(rule: Rule, votes: Sequence[Vote], verdicts: Verdicts, at: int, now: float) -> RuleView:
    image = verdicts.images[at]
    tags = tuple(_tag_views(rule.match, image, verdicts.matches, tagless=at in verdicts.matches.tagless))
    places = tuple(
        _place(rule, each, each.contenders.index(at), verdicts.images, now) for each in votes if at in each.contenders
    )
    matched = any(each.matched for each in tags)
    aside = _why_aside(rule, image) if matched and not places else None
    return RuleView(rule.name, str(rule.keep), tags, places, aside)


def _why_aside(rule: Rule, image: Image) -> str:
    wanted = rule.match.archived_for
    if wanted is not None and image.status is not Status.ARCHIVED:
        return f"it is {image.status}, and the rule is about archived images"
    if wanted is not None:
        since = "at an unknown time" if image.archived_at is None else f"at {moment(image.archived_at)}"
        return f"it was archived {since}, not {durations.spelled(wanted)} ago, or follows what stays"
    if image.status is not Status.ACTIVE:
        return f"it is {image.status} and takes no place"
    return "it follows an index or a subject and takes no place of its own"


def _tag_views(match: Match, image: Image, matches: Matches, *, tagless: bool) -> Iterator[TagView]:
    if tagless:
        why = (
            "a tag is asked for"
            if match.speaks_of_tags
            else _type_mismatch(match, image) or _exception(match, None, image)
        )
        yield TagView(None, why is None, why or "untagged images are matched")
    for tag in image.tags:
        if tag in matches.following:
            signed = signed_by(tag, image)
            yield TagView(tag, False, f"a signature's tag: it follows {signed}", signed)
            continue
        why = _tag_mismatch(match, tag, image)
        yield TagView(tag, why is None, why or "matched")


def _tag_mismatch(match: Match, tag: str, image: Image) -> str | None:
    """Why a match does not take a tag, or None where it does. The order is that of `matching`."""
    if match.untagged:
        return "only untagged images are matched"
    if match.prefix and not tag.startswith(match.prefix):
        return f"it does not begin with {_listed(match.prefix)}"
    if match.glob and not globs.matcher(match.glob)(tag):
        return f"it does not fit the glob {_listed(match.glob)}"
    if match.regex and not _fits_regex(match.regex, tag):
        return f"it does not fit the regex {_listed(match.regex)}"
    if match.semver is not None and version_parser(match.semver)(tag) is None:
        return f"it is no semantic version {match.semver}"
    return _type_mismatch(match, image) or _exception(match, tag, image)


def _fits_regex(patterns: Sequence[str], tag: str) -> bool:
    from aws_ecr_gc.policy import regular  # noqa: PLC0415 - RE2 is loaded only where a policy has expressions

    return bool(regular.matcher(patterns)(tag))


def _type_mismatch(match: Match, image: Image) -> str | None:
    for name, patterns in (("media_type", match.media_type), ("artifact_type", match.artifact_type)):
        value = getattr(image, name)
        if patterns and (value is None or not globs.matcher(patterns)(value)):
            return f"its {name} {value or '(none)'} does not fit {_listed(patterns)}"
    return None


def _exception(match: Match, tag: str | None, image: Image) -> str | None:
    excepted = match.excepted
    if excepted is None:
        return None
    if tag is None:
        holds = not excepted.speaks_of_tags and _type_mismatch(excepted, image) is None
    else:
        holds = _tag_mismatch(excepted, tag, image) is None
    return "it is excepted" if holds else None


def _listed(patterns: Sequence[str]) -> str:
    return " or ".join(patterns)


def _place(rule: Rule, cast: Vote, index: int, images: Sequence[Image], now: float) -> PlaceView:
    statements = []
    for part in _parts(rule.keep):
        alone = replace(rule, keep=part)
        why = vote(alone, cast.stream, cast.contenders, images, now).why[index]
        seen = _Seen(part, cast, index, images, now)
        if why is None:
            statements.append(StatementView(str(part), False, seen.why_not(), seen.would_retain()))
        else:
            statements.append(StatementView(str(part), True, why.partition(": ")[2], seen.would_lose()))
    return PlaceView(cast.stream.label, index + 1, ordinal(index + 1), len(cast.contenders), tuple(statements))


def _parts(keep: Keep) -> Iterator[Keep]:
    """The statements of a keep, each as one of its own."""
    if keep.newest:
        yield Keep(newest=keep.newest)
    if keep.younger_than is not None:
        yield Keep(younger_than=keep.younger_than)
    if keep.pulled_within is not None:
        yield Keep(pulled_within=keep.pulled_within)
    for each in keep.periods:
        yield Keep(periods=(each,), timezone=keep.timezone)
    for level in keep.versions:
        yield Keep(versions=(level,))
    for window in keep.within:
        yield Keep(within=(window,), timezone=keep.timezone)


class _Seen:
    """An image as one statement of a keep sees it, among the contenders of a stream."""

    def __init__(self, part: Keep, cast: Vote, index: int, images: Sequence[Image], now: float) -> None:
        self._part = part
        self._cast = cast
        self._index = index
        self._images = images
        self._image = images[cast.contenders[index]]
        self._now = now
        self._in_stream = f" in {cast.stream.label}" if cast.stream.key else ""

    def why_not(self) -> str:
        """Why the statement doesn't retain it."""
        part, image = self._part, self._image
        if part.newest:
            return f"it is the {ordinal(self._index + 1)}"
        if part.younger_than is not None:
            return f"it was pushed {durations.spelled(self._now - image.pushed_at)} ago"
        if part.pulled_within is not None:
            if image.pulled_at is None:
                return f"it was pushed {durations.spelled(self._now - image.pushed_at)} ago, and no pull is on record"
            return f"it was last pulled {durations.spelled(self._now - image.pulled_at)} ago"
        if part.versions:
            return versions.why_not(*part.versions[0], self._versions(), self._cast.contenders[self._index])
        name, count = part.periods[0] if part.periods else (part.within[0][0], None)
        return calendar.why_not(name, count, self._times())

    def would_retain(self) -> str:
        """The statement of this kind that would retain it; empty where none would."""
        part, image = self._part, self._image
        needed: int | None = None
        if part.newest:
            return f"newest {self._index + 1} or more{self._in_stream}"
        if part.younger_than is not None:
            return f"younger_than {_longer(self._now - image.pushed_at)} or more"
        if part.pulled_within is not None:
            return f"pulled_within {_longer(self._now - self._last_pull())} or more"
        if part.versions:
            name = part.versions[0][0]
            needed = versions.count_needed(name, self._versions(), self._cast.contenders[self._index])
        else:
            name = part.periods[0][0] if part.periods else part.within[0][0]
            needed = calendar.count_needed(name, self._times())
            if part.within and needed is not None:
                newest = max(self._images[at].pushed_at for at in self._cast.contenders)
                return f"{name} within {_longer(newest - image.pushed_at)} or more{self._in_stream}"
        return "" if needed is None else f"{name} {needed} or more{self._in_stream}"

    def would_lose(self) -> str:
        """What would have to happen for the statement to retain it no more."""
        part, image = self._part, self._image
        if part.newest:
            newer = part.newest - self._index
            return (
                f"{newer} newer images come{self._in_stream}" if newer > 1 else f"a newer image comes{self._in_stream}"
            )
        if part.younger_than is not None:
            return f"it is not younger than that from {moment(image.pushed_at + part.younger_than)} on"
        if part.pulled_within is not None:
            return f"it is not pulled until {moment(self._last_pull() + part.pulled_within)}"
        return f"{'higher versions' if part.versions else 'newer images'} take its place in {part}{self._in_stream}"

    def _last_pull(self) -> float:
        return self._image.pushed_at if self._image.pulled_at is None else self._image.pulled_at

    def _times(self) -> list[datetime]:
        zone = calendar.zone(self._part.timezone)
        among = self._cast.contenders[: self._index + 1]
        return [datetime.fromtimestamp(self._images[at].pushed_at, zone) for at in among]

    def _versions(self) -> list[tuple[versions.Version, int]]:
        among = set(self._cast.contenders)
        return [each for each in self._cast.stream.versions or () if each[1] in among]


def _longer(seconds: float) -> str:
    """A duration that is just longer, in whole hours or days."""
    hours = int(seconds // 3600) + 1
    return f"{hours}h" if hours < 48 else f"{hours // 24 + 1}d"


def moment(epoch: float) -> str:
    """A time for people."""
    try:
        return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):  # `younger_than: 999999w` is a way to say for ever
        return "the year 10000"


def _relatives(image: Image, verdicts: Verdicts, decisions: dict[str, Decision]) -> Iterator[Relative]:
    relations = verdicts.relations
    for relation, digests in (
        ("an index that lists it", relations.parents.get(image.digest, ())),
        ("its subject", relations.subjects_of(image)),
        ("its child", relations.children.get(image.digest, ())),
        ("its referrer", relations.referrers.get(image.digest, ())),
    ):
        for digest in digests:
            yield Relative(relation, digest, decisions[digest].image.tags, decisions[digest].verdict)
