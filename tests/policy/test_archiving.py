"""What is archived, and what is deleted from the archive: laws and examples."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aws_ecr_gc.inventory import Image, Inventory, Status, newest_first
from aws_ecr_gc.plan import Action, Leftover, Plan, Verdict
from aws_ecr_gc.policy import Guards, Keep, Match, Policy, make_plan
from aws_ecr_gc.policy.guards import refusals
from aws_ecr_gc.policy.rules import RESERVED_NAMES
from tests.policy.cases import ALL, DAY, HOUR, NOTHING, details, going, image, plan, reasons, rule
from tests.policy.repositories import (
    INDEX,
    NOW,
    archiving_policies,
    carried_out,
    digest,
    inventories,
    inventory_of,
)

ARCHIVED = Match(archived_for=90 * DAY)
BUILDS = rule(Match(prefix=("build",)), Keep(newest=1), name="builds")
OLD = rule(ARCHIVED, name="old")


def archived(name: str, *tags: str, days: float = 100, **fields: object) -> Image:
    return image(name, *tags, status=Status.ARCHIVED, archived_at=NOW - days * DAY, **fields)  # type: ignore[arg-type]


def deleted(made: Plan) -> set[str]:
    return {step.digest for step in made.going(Action.DELETE)}


def holders(inventory: Inventory, digest: str) -> Iterable[str]:
    """What would miss an image: the indexes that list it."""
    return (each.digest for each in inventory.images.values() if digest in (each.children or ()))


@given(inventories, archiving_policies)
def test_active_images_are_archived_under_a_policy_that_archives_and_the_archive_is_only_deleted_from(
    inventory: Inventory, policy: Policy
) -> None:
    made = make_plan(inventory, policy, NOW)
    for step in made.steps:
        status = inventory.images[step.digest].status
        assert step.action is (policy.action if status is Status.ACTIVE else Action.DELETE)
        assert status is not Status.ACTIVATING
    assert made.action is policy.action


@given(inventories, archiving_policies)
def test_every_image_gets_exactly_one_decision_with_a_reason(inventory: Inventory, policy: Policy) -> None:
    made = make_plan(inventory, policy, NOW)
    known = {*RESERVED_NAMES, *(each.name for each in policy.rules)}
    assert {reason.rule for decision in made.decisions for reason in decision.reasons} <= known
    assert [each.image for each in made.decisions] == newest_first(inventory.images.values())
    assert all(decision.reasons for decision in made.decisions)
    going = {each.image.digest for each in made.decisions if each.verdict is Verdict.COLLECTED}
    assert going == {step.digest for step in made.steps}


@given(inventories, archiving_policies)
def test_what_is_deleted_from_the_archive_is_old_enough_for_a_rule_or_goes_with_such(
    inventory: Inventory, policy: Policy
) -> None:
    made = make_plan(inventory, policy, NOW)
    followed = {step.digest: step.after for step in made.steps}
    for each in deleted(made):
        found = inventory.images[each]
        if found.status is Status.ARCHIVED:
            longest = [known.match.archived_for for known in policy.rules if known.match.archived_for is not None]
            assert longest
            assert found.archived_at is not None
            assert found.archived_at <= NOW - min(longest) or followed[each]


@given(inventories, archiving_policies)
def test_nothing_that_stays_or_is_archived_loses_a_child_or_a_referrer_for_ever(
    inventory: Inventory, policy: Policy
) -> None:
    made = make_plan(inventory, policy, NOW)
    gone = deleted(made)
    for each in inventory.images.values():
        if each.digest not in gone:
            assert not gone & set(each.children or ())
        if each.subject in inventory.images and each.subject not in gone:
            assert each.digest not in gone


@given(inventories, archiving_policies)
def test_what_refers_to_an_image_that_is_deleted_is_deleted_with_it_for_ecr_may_sweep_it(
    inventory: Inventory, policy: Policy
) -> None:
    """Where all else is archived; what deletes leaves archived referrers to ECR as it leaves other ones."""
    gone = deleted(make_plan(inventory, replace(policy, action=Action.ARCHIVE), NOW))
    for each in inventory.images.values():
        if each.subject in gone:
            assert each.digest in gone


@given(inventories, archiving_policies)
def test_what_is_archived_is_listed_by_nothing_that_stays_active(inventory: Inventory, policy: Policy) -> None:
    after = carried_out(inventory, made := make_plan(inventory, policy, NOW))
    for step in made.going(Action.ARCHIVE):
        assert all(after.images[holder].status is not Status.ACTIVE for holder in holders(after, step.digest))


@given(inventories, archiving_policies)
def test_in_order_no_step_meets_an_active_index_that_lists_its_image(inventory: Inventory, policy: Policy) -> None:
    made = make_plan(inventory, policy, NOW)
    there = dict(inventory.images)
    for step in made.steps:
        for holder in holders(replace(inventory, images=there), step.digest):
            assert there[holder].status is not Status.ACTIVE, f"{step.digest} is referenced by {holder}"
        assert all(each not in there or there[each].status is Status.ARCHIVED for each in step.after)
        there = dict(carried_out(replace(inventory, images=there), replace(made, steps=(step,))).images)


@given(inventories, archiving_policies)
def test_a_second_run_right_after_the_first_changes_nothing_but_what_an_unread_index_hid(
    inventory: Inventory, policy: Policy
) -> None:
    """What was put away just now is too young for any rule but one that does not wait."""
    waiting = tuple(each for each in policy.rules if each.match.archived_for != 0)
    policy = replace(policy, rules=waiting)
    hidden = any(each.children is None for each in inventory.images.values())
    after = carried_out(inventory, make_plan(inventory, policy, NOW))
    assert hidden or not make_plan(after, policy, NOW).steps


@given(inventories, archiving_policies, st.data())
def test_one_more_keep_never_changes_more(inventory: Inventory, policy: Policy, data: st.DataObject) -> None:
    more = tuple(
        replace(each, keep=replace(each.keep, newest=each.keep.newest + data.draw(st.integers(0, 3))))
        for each in policy.rules
    )
    generous = make_plan(inventory, replace(policy, rules=more), NOW)
    assert {step.digest for step in generous.steps} <= {step.digest for step in make_plan(inventory, policy, NOW).steps}


@given(inventories, archiving_policies, st.data())
def test_a_run_killed_between_any_two_steps_is_finished_by_the_next(
    inventory: Inventory, policy: Policy, data: st.DataObject
) -> None:
    made = make_plan(inventory, policy, NOW)
    cut = data.draw(st.integers(0, len(made.steps)))
    rest = made.steps[cut:]
    leftovers = [Leftover(step.digest, step.tags, step.pushed_at, step.after) for step in rest if step.after]
    remaining = carried_out(inventory, replace(made, steps=made.steps[:cut]))
    second = make_plan(remaining, policy, NOW, leftovers)
    changing = {step.digest for step in second.steps}
    out_of_the_way = {step.digest for step in made.steps[:cut]} | changing
    hidden = any(each.children is None for each in inventory.images.values())
    for step in rest:
        follows = not step.tags or inventory.images[step.digest].subject in step.subjects
        if step.after and out_of_the_way.issuperset(step.after) and follows and not hidden:
            assert step.digest in changing


def test_what_does_not_stay_is_archived_with_its_children_after_it() -> None:
    images = [
        image("a", "build-2"),
        image("b", "build-1", ago=200 * HOUR, children="cd"),
        image("c", ago=200 * HOUR),
        image("d", ago=200 * HOUR),
    ]
    made = plan(images, BUILDS, action=Action.ARCHIVE)
    assert made.steps[0].digest == digest("b")
    assert {step.digest for step in made.steps} == {digest("b"), digest("c"), digest("d")}
    assert {step.action for step in made.steps} == {Action.ARCHIVE}
    assert [step.wave for step in made.steps] == [0, 1, 1]


def test_archived_images_are_left_alone_without_a_rule_about_the_archive() -> None:
    images = [image("a", "build-2"), archived("b", "build-1")]
    assert not going(images, BUILDS)
    assert details(images, "b", BUILDS) == ["archived images are left alone"]


def test_a_rule_about_the_archive_deletes_what_has_been_there_for_so_long_and_nothing_else() -> None:
    images = [
        image("a", "build-9", ago=500 * DAY),
        archived("b", "build-1", days=90),
        archived("c", "build-2", days=89.9),
        archived("d", "x", days=400),
        archived("e", days=400),
        image("f", "x-2", status=Status.ACTIVATING, archived_at=NOW - 400 * DAY),
        image("g", "x-3", status=Status.ARCHIVED),
    ]
    assert going(images, OLD) == "bde"
    assert details(images, "b", OLD) == ["2nd of 3; keep none"]
    assert going(images, rule(replace(ARCHIVED, prefix=("build",)), name="old")) == "b"
    assert going(images, rule(replace(ARCHIVED, untagged=True), name="old")) == "e"


def test_archived_images_count_among_one_another_and_never_among_the_active() -> None:
    images = [
        archived("a", "build-9", ago=1 * DAY),
        archived("b", "build-8", ago=2 * DAY),
        image("c", "build-7", ago=3 * DAY),
        image("d", "build-6", ago=4 * DAY),
    ]
    kept = rule(replace(ARCHIVED, prefix=("build",)), Keep(newest=1), name="old")
    assert going(images, BUILDS, kept) == "bd"


def test_a_child_is_deleted_from_the_archive_with_its_index_however_young_it_is_there() -> None:
    images = [archived("a", "v1", children="bc", days=90), archived("b", days=89), image("c")]
    made = plan(images, OLD)
    assert {step.digest for step in made.steps} == {digest("a"), digest("b"), digest("c")}
    assert reasons(images, "b", OLD)[0].rule == "goes-with-index"
    assert {step.action for step in made.steps} == {Action.DELETE}


def test_nothing_is_deleted_from_the_archive_that_an_index_on_its_way_there_will_need_again() -> None:
    images = [image("a", "build-1", children="b"), image("n", "build-2", ago=HOUR), archived("b", days=400)]
    made = plan(images, BUILDS, OLD, action=Action.ARCHIVE)
    assert [(step.digest, step.action) for step in made.steps] == [(digest("a"), Action.ARCHIVE)]
    assert going(images, BUILDS, OLD) == "ab"  # where the index is deleted, its child goes


def test_an_archived_image_stays_as_long_as_something_refers_to_it_that_is_not_deleted_with_it() -> None:
    images = [
        archived("a", "v1", days=400),
        image("s", subject=digest("a")),
        archived("t", days=400, subject=digest("s")),
    ]
    made = plan(images, BUILDS, OLD, action=Action.ARCHIVE)
    assert [(step.digest, step.action) for step in made.steps] == [(digest("s"), Action.ARCHIVE)]
    assert reasons(images, "a", BUILDS, OLD, action=Action.ARCHIVE)[0].rule == "referred-to"
    assert going(images, BUILDS, OLD) == "ast"


def test_what_a_killed_run_left_active_below_an_archived_index_is_archived_by_the_next() -> None:
    images = [archived("a", "build-1", children="bc", days=0), image("b"), image("c", "build-0", ago=300 * HOUR)]
    newest = image("n", "build-2", ago=HOUR)
    assert going([*images, newest], BUILDS, action=Action.ARCHIVE) == "bc"
    assert not going([*images, newest], rule(Match(prefix=("x",))))


def test_archived_indexes_that_can_not_be_read_go_only_if_all_of_them_do() -> None:
    old = replace(archived("a", "v1", media_type=INDEX), children=None)
    images = [old, image("u"), archived("b", "v2", days=400)]
    everything = rule(ALL, NOTHING, name="all")
    assert going(images, OLD, everything) == "ab"  # the untagged one may be a child: the next run decides
    young = replace(archived("y", "v3", days=1, media_type=INDEX), children=None)
    assert going([*images, young], OLD, everything) == "b"
    assert "unread-archived-index" in {each.rule for each in reasons([*images, young], "a", OLD, everything)}


def test_an_archived_index_that_can_not_be_read_stays_if_a_rule_keeps_another_one() -> None:
    unread = [replace(archived(name, f"v{name}", media_type=INDEX), children=None) for name in "ab"]
    kept = rule(ARCHIVED, Keep(newest=1), name="old")
    assert not going(unread, kept)
    referred_to = [*unread, image("s", subject=digest("a"))]
    assert "b" not in going(referred_to, OLD, action=Action.ARCHIVE)
    assert going(unread, OLD) == "ab"


def test_archived_indexes_that_can_not_be_read_go_one_after_the_other_the_newest_first() -> None:
    unread = [
        replace(archived(name, f"v{name}", media_type=INDEX, ago=ago * DAY), children=None)
        for name, ago in (("a", 300), ("b", 200), ("c", 250))
    ]
    steps = plan(unread, OLD).steps
    assert [step.digest for step in steps] == [digest("b"), digest("c"), digest("a")]
    assert [step.after for step in steps] == [(), (digest("b"),), (digest("c"),)]


def test_what_came_out_of_the_archive_lately_is_as_young_as_that() -> None:
    images = [image("a", "build-2"), image("b", "build-1", ago=300 * DAY, activated_at=NOW - HOUR)]
    assert going(images, BUILDS) == "b"
    assert not going(images, BUILDS, grace=2 * HOUR)
    assert not going(images, rule(ALL, Keep(newest=1, younger_than=2 * HOUR)))
    assert not going(images, rule(ALL, Keep(newest=1, pulled_within=2 * HOUR)))


def test_guards_count_what_is_archived_as_gone_but_the_archive_itself_only_where_the_number_is_bounded() -> None:
    images = [image("a", "build-2"), image("b", "build-1", ago=200 * HOUR), archived("c", "x", days=400)]
    made = plan(images, BUILDS, OLD, action=Action.ARCHIVE)
    assert len(made.steps) == 2
    found = {each.guard: each.detail for each in refusals(made, Guards(max_delete=1, keep_at_least=2, keep_tagged=2))}
    assert found == {
        "max_delete": "2 images would go, and at most 1 may",
        "keep_at_least": "1 of 2 images would remain, and at least 2 must",
        "keep_tagged": "1 tagged image would remain, and at least 2 must",
    }


def test_an_archived_image_that_is_protected_or_in_use_stays() -> None:
    images = [archived("a", "prod", days=400), archived("b", "x", days=400)]
    assert going(images, OLD, protect_tags=("prod",)) == "b"
    assert going(images, OLD, protect_digests=frozenset({digest("b")})) == "a"
    assert inventory_of(images).images.keys() == {digest("a"), digest("b")}
