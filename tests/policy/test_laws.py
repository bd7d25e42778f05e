"""The laws of planning, on generated repositories."""

from collections import Counter

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.inventory import KNOWN_TYPES, Image, Inventory, Status, newest_first
from aws_ecr_gc.plan import Action, Leftover, Plan, Verdict
from aws_ecr_gc.planfile import StoredDecisions
from aws_ecr_gc.policy import Keep, Policy, indexes_to_read, make_plan, original_policy
from aws_ecr_gc.policy.planning import Verdicts
from aws_ecr_gc.policy.rules import RESERVED_NAMES
from aws_ecr_gc.report.plans import lines
from tests.policy.repositories import INDEX, NOW, inventories, policies, prefix_counts


def collected(plan: Plan) -> set[str]:
    return {step.digest for step in plan.steps}


def without(inventory: Inventory, digests: set[str]) -> Inventory:
    rest = {digest: image for digest, image in inventory.images.items() if digest not in digests}
    return msgspec.structs.replace(inventory, images=rest)


@given(inventories, policies)
def test_every_image_gets_exactly_one_decision_with_a_reason(inventory: Inventory, policy: Policy) -> None:
    plan = make_plan(inventory, policy, NOW)
    known = {*RESERVED_NAMES, *(rule.name for rule in policy.rules)}
    assert {reason.rule for decision in plan.decisions for reason in decision.reasons} <= known
    assert [decision.image.digest for decision in plan.decisions] == [
        i.digest for i in newest_first(inventory.images.values())
    ]
    assert all(decision.reasons for decision in plan.decisions)
    assert collected(plan) == {d.image.digest for d in plan.decisions if d.verdict is Verdict.COLLECTED}
    assert len(collected(plan)) == len(plan.steps)


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.5, 2.0]), st.text("abc", max_size=3))))
def test_images_are_ordered_by_their_push_and_of_one_moment_by_their_digest(pushed: list[tuple[float, str]]) -> None:
    images = [Image(digest, at, (), None) for at, digest in pushed]
    assert newest_first(images) == sorted(images, key=lambda image: (-image.pushed_at, image.digest))


@given(inventories, policies)
def test_what_is_decided_beyond_the_rules_is_found_alone_as_among_all(inventory: Inventory, policy: Policy) -> None:
    decisions = make_plan(inventory, policy, NOW).decisions
    own = {"archived", "activating", "unread-archived-index", "unknown-media-type", "circle"}
    among_all = [each for each in decisions if each.verdict is Verdict.HELD or each.reasons[0].rule in own]
    alone = list(decisions.beyond_rules())
    assert [(each.image, each.verdict, each.reasons[0]) for each in alone] == [
        (each.image, each.verdict, each.reasons[0]) for each in among_all
    ]


@given(inventories, policies, st.data())
def test_some_decisions_alone_are_those_among_all_and_what_stays_is_counted_as_among_all(
    inventory: Inventory, policy: Policy, data: st.DataObject
) -> None:
    decisions = make_plan(inventory, policy, NOW).decisions
    among_all = list(decisions)
    some = data.draw(st.sets(st.sampled_from(sorted(inventory.images)))) if inventory.images else set[str]()
    assert list(decisions.of(some)) == [each for each in among_all if each.image.digest in some]
    counted, others = decisions.staying()
    briefly = [(each.image, each.verdict, [reason.rule for reason in each.reasons]) for each in others]
    staying = [
        (each.image, each.verdict, [reason.rule for reason in each.reasons])
        for each in among_all
        if each.verdict is not Verdict.COLLECTED
    ]
    assert [each for each in staying if each in briefly] == briefly
    by_rules_alone = [each for each in staying if each not in briefly]
    assert counted.total() == len(by_rules_alone)
    assert counted == Counter(rules[0] for _, _, rules in by_rules_alone)
    assert all(verdict is Verdict.RETAINED for _, verdict, _ in by_rules_alone)
    assert all(image.status is Status.ACTIVE for image, _, _ in by_rules_alone)
    assert {rule for _, _, rules in by_rules_alone for rule in rules} <= {rule.name for rule in policy.rules}


@given(inventories, policies)
def test_a_plan_is_told_alike_as_it_was_made_and_as_a_file_keeps_it(inventory: Inventory, policy: Policy) -> None:
    plan = make_plan(inventory, policy, NOW)
    kept = msgspec.structs.replace(plan, decisions=StoredDecisions(tuple(plan.decisions)))
    assert list(lines(kept, "p", [])) == list(lines(plan, "p", []))


@given(inventories, policies)
def test_what_is_up_to_the_rules_alone_is_decided_as_all_else(inventory: Inventory, policy: Policy) -> None:
    if policy.action is Action.UNTAG:
        return
    verdicts = Verdicts(inventory, policy, NOW, ())
    decisions = list(verdicts.decisions())
    verdicts._undecided = bytearray(len(verdicts.images))
    assert list(verdicts.decisions()) == decisions


@given(inventories, policies)
def test_a_second_run_right_after_the_first_deletes_nothing(inventory: Inventory, policy: Policy) -> None:
    first = make_plan(inventory, policy, NOW)
    assert not make_plan(without(inventory, collected(first)), policy, NOW).steps


@given(inventories, policies, st.data())
def test_the_order_of_the_rules_is_of_no_account(inventory: Inventory, policy: Policy, data: st.DataObject) -> None:
    shuffled = msgspec.structs.replace(policy, rules=tuple(data.draw(st.permutations(policy.rules))))
    assert collected(make_plan(inventory, policy, NOW)) == collected(make_plan(inventory, shuffled, NOW))


@given(inventories, policies, st.data())
def test_a_keep_with_more_in_it_never_deletes_more(inventory: Inventory, policy: Policy, data: st.DataObject) -> None:
    more = tuple(msgspec.structs.replace(rule, keep=_more(rule.keep, data)) for rule in policy.rules)
    generous = msgspec.structs.replace(policy, rules=more, grace=policy.grace + data.draw(st.sampled_from([0, 3600])))
    assert collected(make_plan(inventory, generous, NOW)) <= collected(make_plan(inventory, policy, NOW))


def _more(keep: Keep, data: st.DataObject) -> Keep:
    add = st.integers(0, 3)
    return msgspec.structs.replace(
        keep,
        newest=keep.newest + data.draw(add),
        younger_than=(keep.younger_than or 0) + data.draw(add) * 3600 or None,
        pulled_within=(keep.pulled_within or 0) + data.draw(add) * 3600 or None,
        periods=tuple((name, count + data.draw(add)) for name, count in keep.periods),
        within=tuple((name, seconds + data.draw(add) * 3600) for name, seconds in keep.within),
        versions=tuple((name, count + data.draw(add)) for name, count in keep.versions),
    )


@given(inventories, policies, st.data())
def test_one_more_rule_never_deletes_more_of_what_was_managed(
    inventory: Inventory, policy: Policy, data: st.DataObject
) -> None:
    """The new rule matches no more than an old one does: it manages nothing new."""
    if not policy.rules:
        return
    like = data.draw(st.sampled_from(policy.rules))
    rule = msgspec.structs.replace(like, name="one more", keep=_more(Keep(), data))
    more = msgspec.structs.replace(policy, rules=(*policy.rules, rule))
    assert collected(make_plan(inventory, more, NOW)) <= collected(make_plan(inventory, policy, NOW))


@given(inventories, prefix_counts)
def test_one_more_prefix_within_another_never_deletes_more(inventory: Inventory, counts: dict[str, int]) -> None:
    """`build-` manages nothing that `build` does not."""
    fewer = original_policy({**counts, "build": 1}, delete_untagged=True)
    more = original_policy({**counts, "build": 1, "build-": 2}, delete_untagged=True)
    assert collected(make_plan(inventory, more, NOW)) <= collected(make_plan(inventory, fewer, NOW))


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


@given(inventories, prefix_counts, st.booleans())
def test_a_tag_with_no_listed_prefix_is_never_deleted(
    inventory: Inventory, counts: dict[str, int], untagged: bool
) -> None:
    for step in make_plan(inventory, original_policy(counts, delete_untagged=untagged), NOW).steps:
        assert all(tag.startswith(tuple(counts)) for tag in step.tags)


@given(inventories, policies)
def test_what_is_archived_or_of_an_unknown_kind_is_left_alone(inventory: Inventory, policy: Policy) -> None:
    for digest in collected(make_plan(inventory, policy, NOW)):
        assert inventory.images[digest].status is Status.ACTIVE
        assert inventory.images[digest].media_type in KNOWN_TYPES


@given(inventories, prefix_counts)
def test_the_newest_of_each_prefix_stay(inventory: Inventory, counts: dict[str, int]) -> None:
    """Whatever else: a plain image (no child, no referrer) stays if no more than N - 1 newer ones have its prefix.

    Children and referrers may come to count, as what they follow goes; so all of them are taken to count here.
    """
    gone = collected(make_plan(inventory, original_policy(counts, delete_untagged=True), NOW))
    children = {child for image in inventory.images.values() for child in image.children or ()}
    for prefix, count in counts.items():
        candidates = [image for image in newest_first(inventory.images.values()) if _has_prefix(image, prefix)]
        newest = [image for image in candidates if image.status is Status.ACTIVE][:count]
        plain = {each.digest for each in newest if each.digest not in children and not _follows(each, inventory)}
        assert not gone & plain


def _follows(image: Image, inventory: Inventory) -> bool:
    signed = {tag[7:71] for tag in image.tags if tag.startswith("sha256-")}
    return image.subject in inventory.images or any(f"sha256:{each}" in inventory.images for each in signed)


def _has_prefix(image: Image, prefix: str) -> bool:
    return any(tag.startswith(prefix) for tag in image.tags)


@given(inventories, prefix_counts, st.booleans(), st.sampled_from([0.0, 3600.0]))
def test_young_untagged_images_stay_unless_what_they_follow_goes(
    inventory: Inventory, counts: dict[str, int], untagged: bool, grace: float
) -> None:
    policy = original_policy(counts, delete_untagged=untagged, grace=grace)
    for step in make_plan(inventory, policy, NOW).steps:
        if not step.tags and not step.after:
            assert untagged
            assert not grace or step.pushed_at <= NOW - grace


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
        follows = not step.tags or inventory.images[step.digest].subject in step.subjects
        if step.after and gone.issuperset(step.after) and follows:
            assert step.digest in going
    assert not make_plan(without(remaining, collected(second)), policy, NOW).steps


@given(inventories, policies, policies, inventories)
def test_leftovers_of_another_time_take_nothing_that_something_still_needs_or_a_tag_retains(
    inventory: Inventory, policy: Policy, other_policy: Policy, other: Inventory
) -> None:
    outdated = [
        Leftover(step.digest, step.tags, step.pushed_at, step.after)
        for source in (other, inventory)
        for step in make_plan(source, other_policy, NOW).steps
        if step.after
    ]
    without_record = make_plan(inventory, policy, NOW)
    plan = make_plan(inventory, policy, NOW, outdated)
    assert all(decision.reasons for decision in plan.decisions)
    gone = collected(plan)
    for image in inventory.images.values():
        if image.digest not in gone:
            assert not gone & set(image.children or ())
    for digest in gone - collected(without_record):
        image = inventory.images[digest]
        assert not image.tags or image.subject is not None or any(tag.startswith("sha256-") for tag in image.tags)
