"""What tags are removed: laws and examples."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aws_ecr_gc.inventory import Image, Inventory, Status, newest_first
from aws_ecr_gc.plan import Action, Plan, Verdict
from aws_ecr_gc.policy import Guards, Keep, Match, Policy, indexes_to_read, make_plan
from aws_ecr_gc.policy.guards import refusals
from aws_ecr_gc.policy.rules import RESERVED_NAMES
from tests.policy.cases import DAY, HOUR, image, plan, rule
from tests.policy.repositories import NOW, carried_out, digest, inventories, untagging_policies

BUILDS = rule(Match(prefix=("build",)), Keep(newest=2), name="builds")


def removed(made: Plan) -> dict[str, set[str]]:
    return {step.digest: set(step.untag) for step in made.steps}


def losing(images: list[Image], *rules: object, **settings: object) -> set[str]:
    made = plan(images, *rules, action=Action.UNTAG, **settings)  # type: ignore[arg-type]
    return {tag for step in made.steps for tag in step.untag}


@given(inventories, untagging_policies)
def test_no_image_goes_and_each_that_had_a_tag_keeps_one(inventory: Inventory, policy: Policy) -> None:
    made = make_plan(inventory, policy, NOW)
    after = carried_out(inventory, made)
    assert after.images.keys() == inventory.images.keys()
    for each in after.images.values():
        assert bool(each.tags) == bool(inventory.images[each.digest].tags)
    assert {step.action for step in made.steps} <= {Action.UNTAG}
    assert all(set(step.untag) < set(step.tags) and step.untag for step in made.steps)


@given(inventories, untagging_policies)
def test_every_image_gets_exactly_one_decision_that_speaks_of_each_tag_that_goes(
    inventory: Inventory, policy: Policy
) -> None:
    made = make_plan(inventory, policy, NOW)
    known = {*RESERVED_NAMES, *(each.name for each in policy.rules)}
    decisions = list(made.decisions)
    assert [each.image.digest for each in decisions] == [
        each.digest for each in newest_first(inventory.images.values())
    ]
    going = removed(made)
    for each in decisions:
        assert each.reasons
        assert {reason.rule for reason in each.reasons} <= known
        assert each.verdict is Verdict.RETAINED
        assert going.get(each.image.digest, set()) <= {reason.via for reason in each.reasons}


@given(inventories, untagging_policies)
def test_only_active_images_of_a_known_kind_lose_tags(inventory: Inventory, policy: Policy) -> None:
    for step in make_plan(inventory, policy, NOW).steps:
        assert inventory.images[step.digest].status is Status.ACTIVE


@given(inventories, untagging_policies)
def test_a_second_run_right_after_the_first_removes_nothing(inventory: Inventory, policy: Policy) -> None:
    after = carried_out(inventory, make_plan(inventory, policy, NOW))
    assert not make_plan(after, policy, NOW).steps


@given(inventories, untagging_policies, st.data())
def test_the_order_of_the_rules_is_of_no_account(inventory: Inventory, policy: Policy, data: st.DataObject) -> None:
    shuffled = replace(policy, rules=tuple(data.draw(st.permutations(policy.rules))))
    assert removed(make_plan(inventory, policy, NOW)) == removed(make_plan(inventory, shuffled, NOW))


@given(inventories, untagging_policies, st.data())
def test_one_more_keep_removes_no_more_but_the_tag_that_was_spared_as_the_last(
    inventory: Inventory, policy: Policy, data: st.DataObject
) -> None:
    more = tuple(
        replace(each, keep=replace(each.keep, newest=each.keep.newest + data.draw(st.integers(0, 3))))
        for each in policy.rules
    )
    before = make_plan(inventory, policy, NOW)
    spared = {reason.via for decision in before.decisions for reason in decision.reasons if reason.rule == "last-tag"}
    generous = removed(make_plan(inventory, replace(policy, rules=more), NOW))
    for each, tags in generous.items():
        assert tags - spared <= removed(before).get(each, set())


@given(inventories, untagging_policies)
def test_no_index_needs_to_be_read_for_it(inventory: Inventory, policy: Policy) -> None:
    assert not indexes_to_read(inventory, policy, NOW)


def test_tags_count_each_for_itself_and_the_newest_image_s_first() -> None:
    images = [
        image("a", "build-5", "build-4", "latest", ago=1 * DAY),
        image("b", "build-3", "stable", ago=2 * DAY),
        image("c", "build-2", "build-1", ago=3 * DAY),
    ]
    assert losing(images, BUILDS) == {"build-3", "build-2"}  # build-1, the first by name, is spared as the last
    assert losing(images, rule(Match(prefix=("build",)), Keep(newest=1))) == {"build-5", "build-3", "build-2"}


def test_a_tag_that_no_rule_matches_stays_and_lets_the_others_go() -> None:
    images = [image("a", "build-1", "prod"), image("b", "build-2"), image("c", "nightly")]
    made = plan(images, rule(Match(prefix=("build",)), name="builds"), action=Action.UNTAG)
    assert removed(made) == {digest("a"): {"build-1"}}
    (decision,) = (each for each in made.decisions if each.image.digest == digest("a"))
    assert [(each.rule, each.via) for each in decision.reasons] == [("builds", "build-1"), ("unmatched-tag", "prod")]


def test_what_is_protected_young_archived_or_a_signature_keeps_its_tags() -> None:
    everything = rule(Match(glob=("*",)))
    signature = f"sha256-{digest('a').removeprefix('sha256:')}.sig"
    images = [
        image("a", "x-1", "x-2", ago=HOUR / 2),
        image("b", "y-1", "y-2", "prod-1"),
        image("c", "z-1", "z-2"),
        image("d", "w-1", "w-2", status=Status.ARCHIVED),
        image("e", signature, "e-1"),
    ]
    made = losing(images, everything, grace=HOUR, protect_tags=("prod-*",), protect_digests=frozenset({digest("c")}))
    assert made == {"y-1", "y-2", "e-1"}


def test_what_nothing_refers_to_goes_first_for_the_first_shows_what_ecr_takes_for_a_pair() -> None:
    images = [
        image("a", "build-1", "x", ago=1 * DAY),
        image("b", "build-2", "y", ago=2 * DAY),
        image("c", subject=digest("a")),
        image("d", f"sha256-{digest('b').removeprefix('sha256:')}.sig"),
        image("e", "build-3", "z", ago=3 * DAY),
    ]
    made = plan(images, rule(Match(prefix=("build",))), action=Action.UNTAG)
    assert [step.untag for step in made.steps] == [("build-3",), ("build-1",), ("build-2",)]


def test_versions_are_kept_tag_by_tag() -> None:
    images = [image("a", "v1.2.3", "v1.2", "latest"), image("b", "v1.2.2", "v1.1.9", "old", ago=200 * HOUR)]
    found = losing(images, rule(Match(semver="v{version}"), Keep(versions=(("minors", 1),))))
    assert found == {"v1.2.2", "v1.1.9"}


def test_the_number_of_images_that_lose_tags_can_be_bounded() -> None:
    images = [image(name, f"build-{name}", f"other-{name}") for name in "abc"]
    made = plan(images, rule(Match(prefix=("build",))), action=Action.UNTAG)
    found = {each.guard: each.detail for each in refusals(made, Guards(max_delete=2, max_share=0.5, keep_at_least=9))}
    assert found == {
        "max_delete": "3 images would lose tags, and at most 2 may",
        "max_share": "3 of 3 images would lose tags (100%), and at most 50% may",
    }
