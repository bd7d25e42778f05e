"""Generated repositories: nested indexes, shared children, referrers of referrers, ties, many tags."""

import hashlib
import random
from collections.abc import Sequence

from hypothesis import strategies as st
from msgspec.structs import replace

from aws_ecr_gc.inventory import Image, Inventory, Status
from aws_ecr_gc.plan import Action, Plan
from aws_ecr_gc.policy import Guards, Keep, Match, Policy, Rule, Signatures, original_policy
from aws_ecr_gc.reference import Registry, Repository

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
UNKNOWN = "application/x.unheard-of"
NOW = 1_500_000_000.0
REPOSITORY = Repository(Registry("123456789012", "us-east-1", "aws"), "testrepo")

_PREFIXES = ("build", "build-x", "release", "nightly")
_VERSIONS = tuple(f"v{number % 3}.{number // 3 % 3}.{number // 9}{'-rc.1' * (number % 4 == 0)}" for number in range(36))
_TAGS = (*(f"{prefix}-{number}" for prefix in (*_PREFIXES, "other") for number in range(200)), *_VERSIONS * 9)


_ARCHIVED_FOR = [60.0, 89 * 86400.0, 90 * 86400.0, 400 * 86400.0]


def digest(name: object) -> str:
    """A real digest, of the name."""
    return f"sha256:{hashlib.sha256(str(name).encode()).hexdigest()}"


def carried_out(inventory: Inventory, plan: Plan) -> Inventory:
    """The repository once all steps of a plan are done."""
    images = dict(inventory.images)
    for step in plan.steps:
        image = images.pop(step.digest)
        if step.action is Action.ARCHIVE:
            images[step.digest] = replace(image, status=Status.ARCHIVED, archived_at=NOW)
        elif step.action is Action.UNTAG:
            images[step.digest] = replace(image, tags=tuple(tag for tag in image.tags if tag not in step.untag))
    return replace(inventory, images=images)


def inventory_of(images: Sequence[Image]) -> Inventory:
    return Inventory(REPOSITORY, NOW, {image.digest: image for image in images})


@st.composite
def images(draw: st.DrawFn, *, archived: bool = True) -> list[Image]:
    """Up to 25 images. What an image names comes earlier in the list, as a digest must be known to be named.

    A signature names by its tag what it signs, as cosign's do.

    An index may have a subject too, one of its own children included: so both together may form circles.
    """
    free_tags = list(_TAGS)
    random.Random(draw(st.integers(0, 100))).shuffle(free_tags)
    made: list[Image] = []
    for number in range(draw(st.integers(0, 25))):
        kind = draw(st.sampled_from(["manifest", "manifest", "index", "index", "referrer", "signature", "unknown"]))
        earlier = [image.digest for image in made]
        children: tuple[str, ...] | None = ()
        if kind == "index":
            children = tuple(draw(st.lists(st.sampled_from(earlier), max_size=4, unique=True))) if earlier else ()
        subject = None
        if kind == "referrer" or (kind == "index" and draw(st.integers(0, 4)) == 0):
            subject = draw(st.sampled_from([*earlier, *(children or ()), digest("gone")]))
        status = draw(st.sampled_from([Status.ACTIVE] * 8 + ([Status.ARCHIVED, Status.ACTIVATING] if archived else [])))
        if status is Status.ARCHIVED and kind == "index" and draw(st.booleans()):
            children = None
        count = draw(st.sampled_from([0, 0, 0, 0, 1, 1, 1, 1, 2, 4, 150]))
        tags = tuple(dict.fromkeys(free_tags.pop() for _ in range(count) if free_tags))
        if kind == "signature":
            signed = draw(st.sampled_from([*earlier, digest("gone")]))
            tags = (*tags[: draw(st.sampled_from([0, 0, 1]))], f"sha256-{signed.removeprefix('sha256:')}.sig")
        made.append(
            Image(
                digest=digest(number),
                pushed_at=NOW - draw(st.sampled_from([60, 1800, 3599, 3600, 3601, 7200, 86400, 259200, 3456000, -60])),
                tags=tags,
                media_type={"index": INDEX, "unknown": UNKNOWN}.get(kind, MANIFEST),
                status=status,
                subject=subject,
                children=children,
                pulled_at=draw(st.sampled_from([None, None, NOW - 300, NOW - 5000, NOW - 90000])),
                archived_at=None if status is Status.ACTIVE else NOW - draw(st.sampled_from(_ARCHIVED_FOR)),
                activated_at=draw(st.sampled_from([None] * 6 + [NOW - 1800, NOW - 864000])),
            )
        )
    return made


inventories = images().map(inventory_of)

prefix_counts = st.dictionaries(st.sampled_from(_PREFIXES), st.integers(0, 5), max_size=4)
original_policies = st.builds(
    original_policy, prefix_counts, delete_untagged=st.booleans(), grace=st.sampled_from([0.0, 3600.0])
)

_HOURS = st.sampled_from([600.0, 3600.0, 7200.0, 86400.0, 864000.0])


def _named(names: Sequence[str], values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.dictionaries(st.sampled_from(names), values, max_size=2).map(lambda found: tuple(found.items()))


keeps = st.builds(
    Keep,
    newest=st.sampled_from([0, 0, 1, 2, 4]),
    younger_than=st.none() | _HOURS,
    pulled_within=st.none() | _HOURS,
    periods=_named(["hourly", "daily", "weekly", "monthly", "yearly"], st.integers(1, 3)),
    within=_named(["hourly", "daily", "weekly"], _HOURS),
    timezone=st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Chatham"]),
)
version_keeps = st.builds(
    Keep,
    newest=st.sampled_from([0, 0, 1]),
    versions=_named(["majors", "minors", "patches", "prereleases"], st.integers(1, 3)),
)
_excepted = st.none() | st.sampled_from(
    [Match(glob=("*-1?",)), Match(regex=(".*[5-9]",)), Match(media_type=(UNKNOWN,))]
)
rules = st.one_of(
    st.builds(
        Rule,
        name=st.just(""),
        match=st.builds(Match, prefix=st.sampled_from([(), ("build",), ("release", "nightly")]), excepted=_excepted),
        keep=keeps,
    ),
    st.builds(
        Rule,
        name=st.just(""),
        match=st.builds(Match, glob=st.sampled_from([("*",), ("build-*", "other-1*")]), excepted=_excepted),
        keep=keeps,
    ),
    st.builds(
        Rule,
        name=st.just(""),
        match=st.builds(Match, regex=st.just(("(?P<stream>[a-z]+)(-x)?-(?P<number>[0-9]+)",)), excepted=_excepted),
        keep=keeps,
        group_by=st.sampled_from([(), ("stream",)]),
    ),
    st.builds(Rule, name=st.just(""), match=st.just(Match(semver="v{version}")), keep=version_keeps),
    st.builds(Rule, name=st.just(""), match=st.just(Match(untagged=True)), keep=keeps),
    st.builds(Rule, name=st.just(""), match=st.just(Match(media_type=("*index*",))), keep=keeps),
)


def _with_names(drawn: list[Rule]) -> tuple[Rule, ...]:
    return tuple(Rule(f"rule {number}", each.match, each.keep, each.group_by) for number, each in enumerate(drawn))


file_policies = st.builds(
    Policy,
    rules=st.lists(rules, max_size=4).map(_with_names),
    protect_tags=st.sampled_from([(), (), ("*-1", "release-*7")]),
    protect_digests=st.frozensets(st.integers(0, 25).map(digest), max_size=2),
    grace=st.sampled_from([0.0, 0.0, 3600.0]),
    signatures=st.sampled_from(Signatures),
    guards=st.just(Guards()),
)
policies = original_policies | file_policies


def _about_the_archive(rule: Rule, seconds: float) -> Rule:
    return replace(rule, match=replace(rule.match, archived_for=seconds))


archive_rules = st.builds(_about_the_archive, rules, st.sampled_from([0.0, 90 * 86400.0]))
archiving_policies = st.builds(
    lambda policy, more, action: replace(policy, rules=_with_names([*policy.rules, *more]), action=action),
    file_policies,
    st.lists(archive_rules, max_size=3),
    st.sampled_from([Action.DELETE, Action.ARCHIVE]),
)
"""Policies that archive, or delete from the archive, or both."""

untagging_policies = st.builds(lambda policy: replace(policy, action=Action.UNTAG), file_policies)
