"""Which rule matches which tag: every tag is looked at once for each rule, all tags of a repository in one sweep.

Images are named by their position in the list they came in, newest first; the matches lie beside them in columns.
Archived images are matched by the rules about the archive alone, where there are any, and no others by these.
"""

import re
from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, compress, repeat
from operator import attrgetter

from msgspec import Struct

from aws_ecr_gc import globs
from aws_ecr_gc.inventory import INDEX_TYPES, Image, Status
from aws_ecr_gc.policy.rules import Match, Policy, Rule, Signatures
from aws_ecr_gc.policy.versions import Version
from aws_ecr_gc.policy.versions import parser as version_parser

_TYPES = attrgetter("media_type", "artifact_type")
_SIGNATURE = re.compile(r"sha256-([0-9a-f]{64})(\.sig|\.att|\.sbom)?")


class Stream(Struct):
    """The images of a rule that count among one another: positions, newest first.

    `key` is what the rule's groups captured, empty without groups. `versions` holds (version, position), highest
    version first, where the rule matches semantic versions.
    """

    key: tuple[str, ...]
    members: Sequence[int]
    versions: list[tuple[Version, int]] | None = None

    @property
    def label(self) -> str:
        """The key for people; empty without groups."""
        return "/".join(part or "(empty)" for part in self.key)


class Matches(Struct):
    """What the rules match. Columns are by position.

    `unmatched` holds a tag that no rule matches, or None; `tagless` the positions of images without a tag to be decided
    by; `matched_tagless` those of them that some rule matches; `signed` what an image's tags name as signed, for images
    without unmatched tag; `following` the tags that no rule needs to match, for what they sign decides; `archived` the
    archived images whose tags, or lack of them, rules about the archive match.
    """

    streams: list[list[Stream]]
    unmatched: list[str | None]
    tagless: set[int]
    matched_tagless: set[int]
    signed: dict[int, tuple[str, ...]]
    following: frozenset[str]
    archived: set[int]


def signed_by(tag: str, image: Image) -> str | None:
    """The digest of the image that a tag of this image marks as signed, or None.

    `sha256-<hex>` with cosign's endings, or without any on an index: the fallback of OCI's referrers API.
    """
    found = _SIGNATURE.fullmatch(tag)
    if found is None or (found[2] is None and image.media_type not in INDEX_TYPES):
        return None
    named = f"sha256:{found[1]}"
    return named if named != image.digest else None


def match_all(images: Sequence[Image], policy: Policy, now: float, left_over: Container[str] = ()) -> Matches:
    """Match every tag of every image. `left_over` holds digests of which an interrupted run deleted what they sign."""
    return Sweep(images, policy, now, left_over).matches()


def has_been_archived_for(image: Image, seconds: float, now: float) -> bool:
    """Whether an image is in the archive, and has been for so long."""
    return image.status is Status.ARCHIVED and image.archived_at is not None and image.archived_at <= now - seconds


class Sweep:
    """All tags side by side, with the position of the image that each belongs to."""

    def __init__(self, images: Sequence[Image], policy: Policy, now: float, left_over: Container[str] = ()) -> None:
        self._images = images
        self._now = now
        self._left_over = left_over
        self._policy = policy
        of_images = [image.tags for image in images]
        counts = list(map(len, of_images))
        self._tags = list(chain.from_iterable(of_images))
        self._owners = array("I", chain.from_iterable(map(repeat, range(len(counts)), counts)))
        self._untagged = [at for at, count in enumerate(counts) if not count]
        self._signatures: dict[int, str] = {}
        if policy.signatures is Signatures.FOLLOW:
            self._signatures = self._signature_tags(range(len(self._tags)))
        self._regex_hits = self._all_regexes()

    @cached_property
    def _kinds(self) -> Collection[Image]:
        """An image of each pair of types that there is: few."""
        return dict(zip(map(_TYPES, self._images), self._images, strict=True)).values()

    def _signature_tags(self, among: Sequence[int]) -> dict[int, str]:
        """The tags that say what their image signs; one that names nothing that is here is a tag like others."""
        tags, images, owners = self._tags, self._images, self._owners
        suspects = [at for at in among if tags[at].startswith("sha256-")]
        if not suspects:
            return {}
        there = {image.digest for image in images}
        found: dict[int, str] = {}
        for at in suspects:
            image = images[owners[at]]
            named = signed_by(tags[at], image)
            if named is not None and (named in there or image.digest in self._left_over):
                found[at] = named
        return found

    def matches(self) -> Matches:
        uncovered = bytearray(b"\1") * len(self._tags)
        for at in self._signatures:
            uncovered[at] = 0
        tagless = self._tagless()
        matched_tagless: set[int] = set()
        archived: set[int] = set()
        streams: list[list[Stream]] = []
        for rule in self._policy.rules:
            hits = self.tags_of(rule)
            for at in hits:
                uncovered[at] = 0
            fits = _tagless_test(rule.match)
            without_tag = self._in_pool(rule, [at for at in tagless if fits(self._images[at])])
            matched_tagless.update(without_tag)
            if rule.match.archived_for is not None:
                archived.update(without_tag, map(self._owners.__getitem__, hits))
            streams.append(self._streams(rule, hits, without_tag))
        following = frozenset(map(self._tags.__getitem__, self._signatures))
        unmatched: list[str | None] = [None] * len(self._images)
        for owner, tag in compress(zip(self._owners, self._tags, strict=True), uncovered):
            unmatched[owner] = tag
        archived = {at for at in archived if unmatched[at] is None}
        return Matches(streams, unmatched, set(tagless), matched_tagless, self._signed(unmatched), following, archived)

    def tags_of(self, rule: Rule) -> Sequence[int]:
        """The tags that a rule takes, by their place in the sweep, ascending; none that says what its image signs."""
        hits = self._hits(rule.match)
        if self._signatures:
            hits = [at for at in hits if at not in self._signatures]
        if not self._policy.looks_into_archive:
            return hits
        owners = self._owners
        pool = set(self._in_pool(rule, sorted({owners[at] for at in hits})))
        return [at for at in hits if owners[at] in pool]

    def _in_pool(self, rule: Rule, positions: list[int]) -> list[int]:
        """Those that the rule may be about: what is in the archive for long enough, or what is not in it."""
        if not self._policy.looks_into_archive:
            return positions
        images, seconds = self._images, rule.match.archived_for
        if seconds is None:
            return [at for at in positions if images[at].status is not Status.ARCHIVED]
        return [at for at in positions if has_been_archived_for(images[at], seconds, self._now)]

    def _tagless(self) -> list[int]:
        """Untagged images, and those whose tags only say what they sign."""
        if not self._signatures:
            return self._untagged
        tagged = {owner for at, owner in enumerate(self._owners) if at not in self._signatures}
        return [at for at in range(len(self._images)) if at not in tagged]

    def _signed(self, unmatched: Sequence[str | None]) -> dict[int, tuple[str, ...]]:
        signatures = self._signatures
        if self._policy.signatures is Signatures.LEAVE:
            managed = [at for at, owner in enumerate(self._owners) if unmatched[owner] is None]
            signatures = self._signature_tags(managed)
        signed: dict[int, tuple[str, ...]] = {}
        for at, named in signatures.items():
            owner = self._owners[at]
            if unmatched[owner] is None and named not in signed.get(owner, ()):
                signed[owner] = (*signed.get(owner, ()), named)
        return signed

    def _all_regexes(self) -> dict[str, list[int]]:
        patterns = tuple({pattern: None for rule in self._policy.rules for pattern in _regexes(rule.match)})
        if not patterns:
            return {}
        from aws_ecr_gc.policy import regular  # noqa: PLC0415 - RE2 is loaded only where a policy has expressions

        hits: list[list[int]] = [[] for _ in patterns]
        match = regular.matcher(patterns)
        for at, tag in enumerate(self._tags):
            for number in match(tag):
                hits[number].append(at)
        return dict(zip(patterns, hits, strict=True))

    def _hits(self, match: Match, among: Sequence[int] | None = None) -> Sequence[int]:
        """The tags that a match takes, of these or of all, by their place in the sweep, ascending."""
        if match.untagged:
            return ()
        everything = range(len(self._tags))
        hits: Sequence[int] = everything if among is None else among
        owners, images = self._owners, self._images
        if match.prefix:
            hits = [at for at, tag in self._numbered(hits) if tag.startswith(match.prefix)]
        if match.glob:
            fits = globs.matcher(match.glob)
            hits = [at for at, tag in self._numbered(hits) if fits(tag)]
        if match.regex:
            hit = {at for pattern in match.regex for at in self._regex_hits[pattern]}
            hits = sorted(hit) if hits is everything else [at for at in hits if at in hit]
        if match.semver is not None:
            parse = version_parser(match.semver)
            hits = [at for at, tag in self._numbered(hits) if parse(tag) is not None]
        if match.media_type or match.artifact_type:
            fit = _type_test(match)
            hits = [at for at in hits if fit(images[owners[at]])] if any(map(fit, self._kinds)) else []
        if match.excepted is not None and hits:
            excepted = set(self._hits(match.excepted, hits))
            hits = [at for at in hits if at not in excepted]
        return hits

    def _numbered(self, places: Sequence[int]) -> Iterator[tuple[int, str]]:
        """Tags with their places; in passes over all of them without looking each up."""
        tags = self._tags
        return enumerate(tags) if len(places) == len(tags) else ((at, tags[at]) for at in places)

    def _streams(self, rule: Rule, hits: Sequence[int], tagless: Sequence[int]) -> list[Stream]:
        """The images of the hits by what the groups captured, and those without tag."""
        made = self.streams_of(rule, hits, self._owners)
        if tagless:  # there are no groups then: a rule with a regex speaks of tags
            made[0].members = array("I", sorted({*made[0].members, *tagless}))
        return made

    def streams_of(self, rule: Rule, hits: Sequence[int], members: Sequence[int]) -> list[Stream]:
        """The hits by what the groups captured: each as the member that counts for it, once in a stream."""
        by_key = self._captured(rule, hits) if rule.group_by else {(): hits}
        return [
            Stream(key, array("I", dict.fromkeys([members[at] for at in places])), self._ordered(rule, places, members))
            for key, places in by_key.items()
        ]

    def _captured(self, rule: Rule, hits: Sequence[int]) -> Mapping[tuple[str, ...], Sequence[int]]:
        """The hits by what the groups hold in them."""
        from aws_ecr_gc.policy import regular  # noqa: PLC0415 - as in `_all_regexes`

        capture, *others = [regular.capturer(pattern, rule.group_by) for pattern in rule.match.regex]
        by_key: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        tags = self._tags
        for at in hits:
            key = capture(tags[at])
            if key is None:
                key = next(key for other in others if (key := other(tags[at])) is not None)
            by_key[key].append(at)
        return by_key

    def _ordered(self, rule: Rule, places: Sequence[int], members: Sequence[int]) -> list[tuple[Version, int]] | None:
        if rule.match.semver is None or not rule.keep.versions:
            return None
        parse = version_parser(rule.match.semver)
        found = [(version, members[at]) for at in places if (version := parse(self._tags[at])) is not None]
        found.sort(key=lambda each: each[0], reverse=True)  # stable: of equal versions the newest stays first
        return found


def _regexes(match: Match) -> Iterator[str]:
    yield from match.regex
    if match.excepted is not None:
        yield from _regexes(match.excepted)


def _tagless_test(match: Match) -> Callable[[Image], bool]:
    """Whether an image without tag is one that the rule is about."""
    if match.speaks_of_tags:
        return lambda _: False
    fits, excepted = _type_test(match), match.excepted
    if excepted is None or excepted.speaks_of_tags:
        return fits
    excludes = _type_test(excepted)
    return lambda image: fits(image) and not excludes(image)


def _type_test(match: Match) -> Callable[[Image], bool]:
    """Whether an image is of the media and artifact types that a match asks for; one without a type fits no glob."""
    tests = [
        (globs.matcher(patterns), field)
        for patterns, field in ((match.media_type, "media_type"), (match.artifact_type, "artifact_type"))
        if patterns
    ]
    known: dict[tuple[str | None, str | None], bool] = {}

    def fit(image: Image) -> bool:
        types = _TYPES(image)  # there are few
        if types not in known:
            known[types] = all(
                (value := getattr(image, field)) is not None and bool(fits(value)) for fits, field in tests
            )
        return known[types]

    return fit
