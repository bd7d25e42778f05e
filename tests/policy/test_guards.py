"""Guards: what a finished plan must satisfy before it may be carried out."""

import msgspec
import pytest
from hypothesis import given

from aws_ecr_gc.inventory import Image, Inventory, Status
from aws_ecr_gc.plan import Plan
from aws_ecr_gc.policy import Guards, Keep, Policy, make_plan
from aws_ecr_gc.policy.guards import refusals
from tests.policy.cases import ALL, NOTHING, image, plan, rule
from tests.policy.repositories import NOW, inventories, policies

OFF = Guards(keep_at_least=0)


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
        (0, 5, Guards(max_share=1.0, keep_at_least=0), []),
        (7, 3, Guards(max_share=0.3), []),
        (1, 5, Guards(), []),
        (0, 5, Guards(), ["keep_at_least"]),
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
    assert [each.guard for each in refusals(made, Guards(max_share=0.5))] == ["max_share", "keep_at_least"]


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
        for active in (100, 300, 700):
            going = percent * active // 100
            made = msgspec.structs.replace(whole, active=active, steps=(step,) * going)
            assert not refusals(made, Guards(max_share=percent / 100, keep_at_least=0)), (percent, active)
            one_more = msgspec.structs.replace(whole, active=active, steps=(step,) * (going + 1))
            assert refusals(one_more, Guards(max_share=percent / 100, keep_at_least=0)), (percent, active)


@given(inventories, policies)
def test_what_passes_the_guards_leaves_what_they_ask_for(inventory: Inventory, policy: Policy) -> None:
    made = make_plan(inventory, policy, NOW)
    guards = Guards(max_delete=3, max_share=0.4, keep_at_least=2)
    active = sum(each.status is Status.ACTIVE for each in inventory.images.values())
    going = len(made.steps)
    fine = not going or (going <= 3 and going <= 0.4 * active and active - going >= 2)
    assert (not refusals(made, guards)) is fine
