"""What is exported never deletes more than ours under the conditions that come with it, and the same where it says so.

What is imported never deletes more than the original does, but for the differences that say it.
"""

from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st
from msgspec.structs import replace

from aws_ecr_gc.inventory import Image
from aws_ecr_gc.lifecycle.exporting import Export, export
from aws_ecr_gc.lifecycle.importing import import_
from aws_ecr_gc.lifecycle.reading import parse
from aws_ecr_gc.lifecycle.simulating import simulate
from aws_ecr_gc.lifecycle.translating import Condition
from aws_ecr_gc.lifecycle.writing import write
from aws_ecr_gc.plan import Action
from aws_ecr_gc.policy import Keep, Match, Policy, Rule, Signatures, make_plan
from tests.lifecycle.cases import policies as lifecycle_policies
from tests.lifecycle.worlds import policy_of
from tests.policy.repositories import INDEX, MANIFEST, NOW, UNKNOWN, digest, inventory_of

DAY = 86400.0
_TAGS = [
    *(f"{name}-{number}" for name in ("build", "build-x", "release", "prod") for number in (1, 2)),
    *("latest", "other-1", "v1.0.0", "v2.0.0", "hotfix-build-3"),
]
_PREFIXES = ("build", "build-x", "release", "prod", "")
_GLOBS = ("build-*", "*-1", "prod-*", "latest", "*", "v*", "*build*", "release-?", "[bp]*")
_AGES = (0.0, 30.0, 0.4 * DAY, 0.9 * DAY, 1.5 * DAY, 2.5 * DAY, 3.5 * DAY, 6.5 * DAY, 8.5 * DAY, 40.5 * DAY)


def _texts(choices: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(choices), min_size=1, max_size=2, unique=True).map(tuple)


@st.composite
def matches(draw: st.DrawFn, *, simple: bool) -> Match:
    kinds = ["prefix", "glob", "prefix", "glob", "untagged", "any"]
    kind = draw(st.sampled_from(kinds if simple else [*kinds, *kinds, "both", "regex", "semver", "type"]))
    excepted = Match(glob=draw(_texts(_GLOBS))) if not simple and draw(st.integers(0, 6)) == 0 else None
    made = {
        "prefix": Match(prefix=draw(_texts(_PREFIXES)), excepted=excepted),
        "glob": Match(glob=draw(_texts(_GLOBS[:-2] if simple else _GLOBS)), excepted=excepted),
        "untagged": Match(untagged=True),
        "any": Match(excepted=excepted),
        "both": Match(prefix=("build", "release"), glob=("*-1",)),
        "regex": Match(regex=(draw(st.sampled_from(["build-[0-9]", "prod-?1", "(build|prod)-1", ".*"])),)),
        "semver": Match(semver="v{version}"),
        "type": Match(prefix=("build",), media_type=("*index*",)),
    }
    return made[kind]


@st.composite
def keeps(draw: st.DrawFn, *, simple: bool) -> Keep:
    kinds = ["newest", "younger"]
    kind = draw(st.sampled_from(kinds if simple else [*kinds * 3, "both", "none", "pulled", "daily"]))
    return Keep(
        newest=draw(st.integers(1, 3)) if kind in ("newest", "both") else 0,
        younger_than=draw(st.sampled_from([1, 2, 3, 7] if simple else [0.5, 1, 2, 7])) * DAY
        if kind in ("younger", "both")
        else None,
        pulled_within=DAY if kind == "pulled" else None,
        periods=(("daily", 2),) if kind == "daily" else (),
    )


@st.composite
def policies(draw: st.DrawFn, *, simple: bool) -> Policy:
    number = draw(st.sampled_from([1, 1, 2, 2, 3]))
    return Policy(
        tuple(Rule(f"r{at}", draw(matches(simple=simple)), draw(keeps(simple=simple))) for at in range(number)),
        protect_tags=draw(
            st.lists(st.sampled_from(["latest", "prod-*", "release-1"] + ["v?.0.0"] * (not simple)), max_size=2).map(
                tuple
            )
        ),
        grace=draw(st.sampled_from([0.0, 3600.0] + [1.2 * DAY] * (not simple))),
        signatures=draw(st.sampled_from(list(Signatures))),
        action=draw(st.sampled_from([Action.DELETE, Action.DELETE, Action.ARCHIVE])),
    )


@st.composite
def repositories(draw: st.DrawFn, conditions: frozenset[Condition], *, plain: bool) -> list[Image]:
    """What meets the conditions, as far as it can be built so; `plain` images have one tag, and are all alone."""
    free = list(draw(st.permutations(_TAGS)))
    made: list[Image] = []
    kinds = ["image", "image", "image"]
    if not plain:
        kinds += [] if Condition.NO_INDEXES in conditions else ["index", "index"]
        kinds += [] if Condition.NO_REFERRERS in conditions else ["referrer"]
        kinds += [] if Condition.NO_COSIGN in conditions else ["signature"]
        kinds += [] if Condition.KNOWN_TYPES in conditions else ["unknown"]
    for number in range(draw(st.integers(0, 10))):
        kind = draw(st.sampled_from(kinds))
        earlier = [image.digest for image in made]
        count = draw(st.sampled_from([0, 1, 1] if plain else [0, 1, 1, 2]))
        tags = tuple(free.pop() for _ in range(count) if free)
        subject: str | None = None
        children: tuple[str, ...] = ()
        if kind == "referrer" and earlier:
            subject = draw(st.sampled_from(earlier))
            tags = () if Condition.TAGGED_PARTS in conditions else tags
        if kind == "index" and earlier:
            children = tuple(draw(st.lists(st.sampled_from(earlier), max_size=2, unique=True)))
        if kind == "signature" and earlier:
            tags = (f"sha256-{draw(st.sampled_from(earlier)).removeprefix('sha256:')}.sig",)
        age = draw(st.sampled_from(_AGES)) + number / 1000  # no two alike
        made.append(
            Image(
                digest(number),
                NOW - age,
                tags,
                {"index": INDEX, "unknown": UNKNOWN}.get(kind, MANIFEST),
                subject=subject,
                children=children,
                pulled_at=draw(st.sampled_from([None, NOW - 3.25 * DAY])),
            )
        )
    return made


def _made_to_meet(images: list[Image], policy: Policy, conditions: frozenset[Condition], *, plain: bool) -> list[Image]:
    """The same, changed where a condition is not built in."""
    children = {child for image in images for child in image.children or ()}
    made = []
    for image in images:
        tags, pushed_at = image.tags, image.pushed_at
        if Condition.TAGGED_PARTS in conditions and image.digest in children:
            tags = ()
        if Condition.GRACE in conditions and pushed_at > NOW - policy.grace:
            pushed_at -= 2.25 * DAY  # no whole number: exactly so old is a moment earlier here than in ECR
        if Condition.MIXED_TAGS in conditions and len({_is_matched(tag, policy) for tag in tags if _counts(tag)}) > 1:
            tags = tags[:1]
        if plain and sum(any(_is_matched(tag, Policy((rule,))) for tag in tags) for rule in policy.rules) > 1:
            tags = ()
        made.append(replace(image, tags=tags, pushed_at=pushed_at))
    return made


def _counts(tag: str) -> bool:
    return not tag.startswith("sha256-")


def _is_matched(tag: str | None, policy: Policy) -> bool:
    """Whether a rule matches an image that has this tag alone, or none."""
    alone = inventory_of([Image(digest("alone"), NOW - 99 * DAY, () if tag is None else (tag,), MANIFEST)])
    free = Policy(tuple(Rule(rule.name, rule.match, Keep()) for rule in policy.rules), grace=0.0)
    return bool(make_plan(alone, free, NOW).steps)


def _gone(images: list[Image], exported: Export) -> set[str]:
    assert exported.policy is not None
    read = parse(write(exported.policy), "exported.json")  # ECR takes it
    assert read == exported.policy
    made = simulate(images, read, NOW)
    return made.gone | made.archived


@given(policies(simple=False), st.data())
def test_what_is_exported_never_deletes_more_than_ours(policy: Policy, data: st.DataObject) -> None:
    exported = export(policy)
    event("exported" if exported.policy else "nothing to export")
    if exported.policy is None:
        assert exported.differences
        return
    conditions = frozenset(exported.conditions)
    images = _made_to_meet(data.draw(repositories(conditions, plain=False)), policy, conditions, plain=False)
    plan = make_plan(inventory_of(images), policy, NOW)
    gone = _gone(images, exported)
    event("deletes" if gone else "deletes nothing")
    assert gone <= {step.digest for step in plan.steps}


@given(policies(simple=True), st.data())
def test_where_the_export_says_so_it_deletes_the_same(policy: Policy, data: st.DataObject) -> None:
    exported = export(policy)
    event("same" if exported.is_same else "not the same")
    if not exported.is_same:
        return
    conditions = frozenset(exported.conditions)
    images = _made_to_meet(data.draw(repositories(conditions, plain=True)), policy, conditions, plain=True)
    plan = make_plan(inventory_of(images), policy, NOW)
    gone = _gone(images, exported)
    event("deletes" if gone else "deletes nothing")
    assert gone == {step.digest for step in plan.steps}


@given(lifecycle_policies(), st.data())
def test_what_is_imported_never_deletes_more_but_for_what_the_differences_say(
    rules: list[dict[str, Any]], data: st.DataObject
) -> None:
    original = policy_of(*rules)
    imported = import_(original)
    if imported.policy is None:
        return
    images = data.draw(repositories(frozenset({Condition.NO_INDEXES}), plain=False))
    steps = make_plan(inventory_of(images), imported.policy, NOW).steps
    made = simulate(images, original, NOW)
    event("acts" if steps else "does nothing")
    for action, theirs in ((Action.DELETE, made.gone), (Action.ARCHIVE, made.archived)):
        assert {step.digest for step in steps if step.action is action} <= theirs
