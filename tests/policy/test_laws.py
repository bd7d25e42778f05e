"""The laws of planning, on generated repositories."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.inventory import KNOWN_TYPES, Image, Inventory, Status, newest_first
from aws_ecr_gc.plan import Leftover, Plan, Verdict
from aws_ecr_gc.policy import KeepNewest, Policy, indexes_to_read, make_plan
from tests.policy.repositories import INDEX, NOW, inventories, policies


def collected(plan: Plan) -> set[str]:
    return {step.digest for step in plan.steps}


def without(inventory: Inventory, digests: set[str]) -> Inventory:
    rest = {digest: image for digest, image in inventory.images.items() if digest not in digests}
    return msgspec.structs.replace(inventory, images=rest)


@given(inventories, policies)
def test_every_image_gets_exactly_one_decision_with_a_reason(inventory: Inventory, policy: Policy) -> None:
    plan = make_plan(inventory, policy, NOW)
    assert [decision.image.digest for decision in plan.decisions] == [
        i.digest for i in newest_first(inventory.images.values())
    ]
    assert all(decision.reasons for decision in plan.decisions)
    assert collected(plan) == {d.image.digest for d in plan.decisions if d.verdict is Verdict.COLLECTED}
    assert len(collected(plan)) == len(plan.steps)


@given(inventories, policies)
def test_a_second_run_right_after_the_first_deletes_nothing(inventory: Inventory, policy: Policy) -> None:
    first = make_plan(inventory, policy, NOW)
    assert not make_plan(without(inventory, collected(first)), policy, NOW).steps


@given(inventories, policies, st.data())
def test_the_order_of_the_rules_is_of_no_account(inventory: Inventory, policy: Policy, data: st.DataObject) -> None:
    shuffled = msgspec.structs.replace(policy, keep=tuple(data.draw(st.permutations(policy.keep))))
    assert collected(make_plan(inventory, policy, NOW)) == collected(make_plan(inventory, shuffled, NOW))


@given(inventories, policies, st.data())
def test_a_higher_number_never_deletes_more(inventory: Inventory, policy: Policy, data: st.DataObject) -> None:
    more = tuple(KeepNewest(rule.prefix, rule.count + data.draw(st.integers(0, 3))) for rule in policy.keep)
    generous = msgspec.structs.replace(policy, keep=more)
    assert collected(make_plan(inventory, generous, NOW)) <= collected(make_plan(inventory, policy, NOW))


@given(inventories, policies)
def test_one_more_keep_never_deletes_more_of_what_was_managed(inventory: Inventory, policy: Policy) -> None:
    """`build-` manages nothing that `build` does not."""
    others = tuple(rule for rule in policy.keep if rule.prefix != "build")
    policy = msgspec.structs.replace(policy, keep=(*others, KeepNewest("build", 1)))
    more = msgspec.structs.replace(policy, keep=(*policy.keep, KeepNewest("build-", 2)))
    assert collected(make_plan(inventory, more, NOW)) <= collected(make_plan(inventory, policy, NOW))


@given(inventories, policies)
def test_no_retained_index_loses_a_child_and_no_retained_image_a_referrer(inventory: Inventory, policy: Policy) -> None:
    gone = collected(make_plan(inventory, policy, NOW))
    for image in inventory.images.values():
        if image.digest not in gone:
            assert not gone & set(image.children or ())
        if image.subject in inventory.images and image.subject not in gone:
            assert image.digest not in gone


@given(inventories, policies)
def test_in_order_no_step_meets_a_reference_and_each_prerequisite_is_in_an_earlier_wave(
    inventory: Inventory, policy: Policy
) -> None:
    plan = make_plan(inventory, policy, NOW)
    there = dict(inventory.images)
    waves = {step.digest: step.wave for step in plan.steps}
    for step in plan.steps:
        for image in there.values():
            assert step.digest not in (image.children or ()), f"{step.digest} is referenced by {image.digest}"
        assert all(waves[digest] < step.wave for digest in step.after)
        assert not set(step.after) & there.keys()
        del there[step.digest]
    assert [step.wave for step in plan.steps] == sorted(step.wave for step in plan.steps)


@given(inventories, policies)
def test_a_tag_with_no_listed_prefix_is_never_deleted(inventory: Inventory, policy: Policy) -> None:
    for step in make_plan(inventory, policy, NOW).steps:
        assert all(any(tag.startswith(rule.prefix) for rule in policy.keep) for tag in step.tags)


@given(inventories, policies)
def test_what_is_archived_or_of_an_unknown_kind_is_left_alone(inventory: Inventory, policy: Policy) -> None:
    for digest in collected(make_plan(inventory, policy, NOW)):
        assert inventory.images[digest].status is Status.ACTIVE
        assert inventory.images[digest].media_type in KNOWN_TYPES


@given(inventories, policies)
def test_the_newest_of_each_prefix_stay(inventory: Inventory, policy: Policy) -> None:
    """Whatever else: a plain image (no child, no referrer) stays if no more than N - 1 newer ones have its prefix.

    Children and referrers may come to count, as what they follow goes; so all of them are taken to count here.
    """
    gone = collected(make_plan(inventory, policy, NOW))
    children = {child for image in inventory.images.values() for child in image.children or ()}
    for rule in policy.keep:
        candidates = [image for image in newest_first(inventory.images.values()) if _has_prefix(image, rule.prefix)]
        newest = [image for image in candidates if image.status is Status.ACTIVE][: rule.count]
        plain = {each.digest for each in newest if each.digest not in children and not _follows(each, inventory)}
        assert not gone & plain


def _follows(image: Image, inventory: Inventory) -> bool:
    return image.subject in inventory.images


def _has_prefix(image: Image, prefix: str) -> bool:
    return any(tag.startswith(prefix) for tag in image.tags)


@given(inventories, policies)
def test_young_untagged_images_stay_unless_what_they_follow_goes(inventory: Inventory, policy: Policy) -> None:
    for step in make_plan(inventory, policy, NOW).steps:
        if not step.tags and not step.after:
            assert policy.delete_untagged
            assert not policy.grace or step.pushed_at <= NOW - policy.grace


@given(inventories, policies)
def test_without_reading_indexes_nothing_that_needs_reading_is_planned(inventory: Inventory, policy: Policy) -> None:
    """Where no index is asked for, knowing all of them changes nothing: nothing is collected either way."""
    unread = msgspec.structs.replace(
        inventory,
        images={
            digest: msgspec.structs.replace(image, children=None) if image.media_type == INDEX else image
            for digest, image in inventory.images.items()
            if not (image.media_type == INDEX and image.status is not Status.ACTIVE)
        },
    )
    read = msgspec.structs.replace(inventory, images={digest: inventory.images[digest] for digest in unread.images})
    has_indexes = any(image.media_type == INDEX for image in read.images.values())
    if has_indexes and not indexes_to_read(unread, policy, NOW):
        assert not make_plan(read, policy, NOW).steps
        assert not make_plan(unread, policy, NOW).steps


@given(inventories, policies, st.data())
def test_a_run_killed_between_any_two_steps_is_finished_by_the_next(
    inventory: Inventory, policy: Policy, data: st.DataObject
) -> None:
    """The next run may retain more: a place that a deleted image left is given to an index that was to go.

    It never deletes what the first would have kept, and leaves nothing behind of what is gone.
    """
    plan = make_plan(inventory, policy, NOW)
    cut = data.draw(st.integers(0, len(plan.steps)))
    done, rest = plan.steps[:cut], plan.steps[cut:]
    leftovers = [Leftover(step.digest, step.tags, step.pushed_at, step.after) for step in rest if step.after]
    remaining = without(inventory, {step.digest for step in done})
    second = make_plan(remaining, policy, NOW, leftovers)
    going = collected(second)
    assert going <= {step.digest for step in rest}
    gone = going | {step.digest for step in done}
    for step in rest:
        # What followed images that are gone goes too, whatever the rules say of untagged images.
        if step.after and gone.issuperset(step.after) and (not step.tags or step.subject is not None):
            assert step.digest in going
    assert not make_plan(without(remaining, collected(second)), policy, NOW).steps


@given(inventories, policies, policies, inventories)
def test_leftovers_of_another_time_take_nothing_that_something_still_needs_or_a_tag_retains(
    inventory: Inventory, policy: Policy, other_policy: Policy, other: Inventory
) -> None:
    stale = [
        Leftover(step.digest, step.tags, step.pushed_at, step.after)
        for source in (other, inventory)
        for step in make_plan(source, other_policy, NOW).steps
        if step.after
    ]
    without_record = make_plan(inventory, policy, NOW)
    plan = make_plan(inventory, policy, NOW, stale)
    assert all(decision.reasons for decision in plan.decisions)
    gone = collected(plan)
    for image in inventory.images.values():
        if image.digest not in gone:
            assert not gone & set(image.children or ())
    for digest in gone - collected(without_record):
        assert not inventory.images[digest].tags or inventory.images[digest].subject is not None
