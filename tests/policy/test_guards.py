"""Guards: what a finished plan must satisfy before it may be carried out."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.inventory import Image, Inventory, Status
from aws_ecr_gc.plan import Decisions, Plan
from aws_ecr_gc.policy import Guards, Keep, Match, Policy, Signatures, make_plan
from aws_ecr_gc.policy.guards import refusals
from aws_ecr_gc.policy.matching import signed_by
from tests.policy.cases import ALL, DAY, NOTHING, image, plan, rule
from tests.policy.repositories import NOW, digest, inventories, policies

OFF = Guards(keep_at_least=0, keep_tagged=0)


def planned(kept: int, going: int, archived: int = 0) -> Plan:
    """A plan over that many images, newest first."""
    letters = "abcdefghijklmnopqrst"
    there: list[Image] = [image(name, name, ago=at * 3600.0 + 3600) for at, name in enumerate(letters[: kept + going])]
    there += [image(name, name, status=Status.ARCHIVED) for name in letters[kept + going : kept + going + archived]]
    made = plan(there, rule(ALL, Keep(newest=kept) if kept else NOTHING))
    assert (len(made.steps), made.active) == (going, kept + going)
    return made


@pytest.mark.parametrize(
    ("kept", "going", "guards", "refusing"),
    [
        (0, 3, OFF, []),
        (5, 3, Guards(max_delete=3), []),
        (5, 4, Guards(max_delete=3), ["max_delete"]),
        (5, 1, Guards(max_delete=0), ["max_delete"]),
        (5, 0, Guards(max_delete=0), []),
        (5, 5, Guards(max_share=0.5), []),
        (4, 5, Guards(max_share=0.5), ["max_share"]),
        (5, 1, Guards(max_share=0.0), ["max_share"]),
        (0, 5, Guards(max_share=1.0, keep_at_least=0, keep_tagged=0), []),
        (7, 3, Guards(max_share=0.3), []),
        (1, 5, Guards(), []),
        (0, 5, Guards(), ["keep_at_least", "keep_tagged"]),
        (0, 5, Guards(keep_at_least=0), ["keep_tagged"]),
        (0, 5, Guards(keep_tagged=0), ["keep_at_least"]),
        (3, 5, Guards(keep_tagged=3), []),
        (2, 5, Guards(keep_tagged=3), ["keep_tagged"]),
        (2, 0, Guards(keep_tagged=3), []),
        (0, 5, Guards(keep_at_least=0, keep_tagged=0, canary=1, max_failures=1), []),
        (0, 0, Guards(keep_at_least=9), []),
        (4, 0, Guards(keep_at_least=9), []),
        (4, 1, Guards(keep_at_least=4), []),
        (3, 1, Guards(keep_at_least=4), ["keep_at_least"]),
        (1, 9, Guards(max_delete=1, max_share=0.1, keep_at_least=2), ["max_delete", "max_share", "keep_at_least"]),
    ],
)
def test_a_guard_refuses_beyond_its_bound_and_not_at_it(
    kept: int, going: int, guards: Guards, refusing: list[str]
) -> None:
    found = refusals(planned(kept, going), guards)
    assert [each.guard for each in found] == refusing


def test_archived_images_neither_count_as_remaining_nor_make_the_share_smaller() -> None:
    made = planned(0, 3, archived=9)
    assert [each.guard for each in refusals(made, Guards(max_share=0.5))] == [
        "max_share",
        "keep_at_least",
        "keep_tagged",
    ]


def test_a_refusal_tells_the_numbers_and_the_way_round() -> None:
    delete, share, remaining = refusals(planned(1, 9), Guards(max_delete=1, max_share=0.25, keep_at_least=2))
    assert (delete.detail, delete.way_round) == (
        "9 images would go, and at most 1 may",
        "raise guards.max_delete in the policy",
    )
    assert share.detail == "9 of 10 images would go (90%), and at most 25% may"
    assert remaining.detail == "1 of 10 images would remain, and at least 2 must"
    assert remaining.way_round == "lower guards.keep_at_least in the policy"


def test_a_share_that_is_refused_never_looks_like_one_that_may() -> None:
    """1 of 199 is 0.503 percent: a whole number would say that 1% would go and 0% may."""
    letters = [image(f"image-{number}", "t", ago=3600.0 * (number + 2)) for number in range(199)]
    made = plan(letters, rule(ALL, Keep(newest=198)))
    (refusal,) = refusals(made, Guards(max_share=0.005))
    assert refusal.detail == "1 of 199 images would go (0.503%), and at most 0.5% may"


def test_a_share_that_comes_out_even_is_not_refused_whatever_binary_numbers_make_of_it() -> None:
    whole = planned(1, 1)
    (step,) = whole.steps
    for percent in range(101):
        bound = msgspec.structs.replace(OFF, max_share=percent / 100)
        for active in (100, 300, 700):
            going = percent * active // 100
            made = msgspec.structs.replace(whole, active=active, steps=(step,) * going)
            assert not refusals(made, bound), (percent, active)
            one_more = msgspec.structs.replace(whole, active=active, steps=(step,) * (going + 1))
            assert refusals(one_more, bound), (percent, active)


@given(inventories, policies)
def test_what_passes_the_guards_leaves_what_they_ask_for(inventory: Inventory, policy: Policy) -> None:
    made = make_plan(inventory, policy, NOW)
    guards = Guards(max_delete=3, max_share=0.4, keep_at_least=2, keep_tagged=0)
    active = sum(each.status is Status.ACTIVE for each in inventory.images.values())
    going = len(made.steps)
    fine = not going or (going <= 3 and going <= 0.4 * active and active - going >= 2)
    assert (not refusals(made, guards)) is fine


SIGNATURE = "sha256-{}.sig"


def tag_signing(named: str) -> str:
    return SIGNATURE.format(digest(named).removeprefix("sha256:"))


def test_the_last_tagged_image_is_guarded_however_many_untagged_ones_remain() -> None:
    builds = rule(Match(prefix=("build",)), NOTHING)
    there = [image("a", "build-1"), image("b", "build-2"), *(image(name, ago=2 * DAY) for name in "cdefgh")]
    made = plan(there, builds)
    (refusal,) = refusals(made, Guards())
    assert (refusal.guard, refusal.detail, refusal.way_round) == (
        "keep_tagged",
        "0 tagged images would remain, and at least 1 must",
        "lower guards.keep_tagged in the policy",
    )
    assert not refusals(plan([*there, image("i", "v1")], builds), Guards())
    (refusal,) = refusals(plan([*there, image("i", "v1")], builds), Guards(keep_tagged=2))
    assert refusal.detail == "1 tagged image would remain, and at least 2 must"


def test_a_tag_that_only_names_what_is_signed_makes_no_tagged_image() -> None:
    for policy in (Signatures.FOLLOW, Signatures.LEAVE):
        made = plan(
            [image("a", "build-1"), image("b", tag_signing("z")), image("c", ago=2 * DAY)],
            rule(Match(prefix=("build",)), NOTHING),
            signatures=policy,
        )
        assert [each.guard for each in refusals(made, Guards())] == ["keep_tagged"]
    beside = image("b", tag_signing("z"), "v1")
    made = plan([image("a", "build-1"), beside, image("c", ago=2 * DAY)], rule(Match(prefix=("build",)), NOTHING))
    assert not refusals(made, Guards())


def test_a_plan_that_takes_no_tagged_image_is_not_to_blame_that_there_are_few() -> None:
    there = [image("a", "v1"), image("b", ago=2 * DAY), image("c", ago=3 * DAY), image("d", tag_signing("z"))]
    made = plan(there, rule(Match(untagged=True)), rule(Match(prefix=("sha256-",)), name="orphans"))
    assert len(made.steps) == 3
    assert not refusals(made, Guards(keep_tagged=9))


def test_archived_tagged_images_do_not_count_as_remaining() -> None:
    there = [image("a", "build-1"), image("b", "v1", status=Status.ARCHIVED), image("c", ago=2 * DAY)]
    made = plan(there, rule(Match(prefix=("build",)), NOTHING))
    assert [each.guard for each in refusals(made, Guards())] == ["keep_tagged"]


@given(inventories, policies, st.integers(0, 4))
def test_what_passes_leaves_tagged_images_wherever_it_takes_one(
    inventory: Inventory, policy: Policy, least: int
) -> None:
    made = make_plan(inventory, policy, NOW)
    tagged = {
        each.digest
        for each in inventory.images.values()
        if each.status is Status.ACTIVE and any(signed_by(tag, each) is None for tag in each.tags)
    }
    going = {step.digest for step in made.steps}
    fine = not least or not tagged & going or len(tagged - going) >= least
    assert (not refusals(made, Guards(keep_at_least=0, keep_tagged=least))) is fine


@given(inventories, policies)
def test_the_images_of_a_plan_are_those_of_its_decisions(inventory: Inventory, policy: Policy) -> None:
    decisions = make_plan(inventory, policy, NOW).decisions
    assert list(decisions.images()) == list(Decisions.images(decisions)) == [each.image for each in decisions]
