"""What is in use stays, with all that it needs and all that lists it."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aws_ecr_gc.inventory import KNOWN_TYPES, Image, Inventory, Status, unread_indexes
from aws_ecr_gc.plan import Plan, Verdict
from aws_ecr_gc.policy import Keep, Match, Policy, indexes_to_read, make_plan
from aws_ecr_gc.policy.protection import needed_by
from aws_ecr_gc.reference import Reference
from aws_ecr_gc.usage import Origin, Use, broken, find
from tests.policy.cases import ALL, HOUR, rule
from tests.policy.cases import image as made
from tests.policy.repositories import INDEX, NOW, REPOSITORY, digest, inventories, inventory_of, policies

ECS = Origin("ecs", "123456789012", "us-east-1")
NONE = Policy((rule(ALL),), grace=0.0)


def use(tag: str | None = None, name: str | None = None, *, workload: str = "prod/web", current: bool = True) -> Use:
    """A use of a tag, of the digest of a name, or of both."""
    return Use(Reference(REPOSITORY, tag, None if name is None else digest(name)), workload, ECS, current)


@st.composite
def uses(draw: st.DrawFn, there: Inventory) -> list[Use]:
    """Uses of what is there, by tag, by digest or by both (which need not agree), and of what is not."""
    digests = [*there.images, digest("gone")]
    tags = [tag for image in there.images.values() for tag in image.tags[:2]] or ["gone"]
    found = []
    for number in range(draw(st.integers(0, 4))):
        by_tag = draw(st.none() | st.sampled_from(tags))
        by_digest = draw(st.none() | st.sampled_from(digests))
        found.append(Use(Reference(REPOSITORY, by_tag, by_digest), f"w{number}", ECS, draw(st.booleans())))
    return found


def collected(plan: Plan) -> set[str]:
    return {step.digest for step in plan.steps}


def used(there: Inventory, found: Sequence[Use]) -> set[str]:
    """The images that the uses name, by their own words: written anew, not by `find`."""
    names = {each.reference.digest for each in found}
    tags = {each.reference.tag for each in found}
    if any(each.reference.tag is None and each.reference.digest is None for each in found):
        tags.add("latest")
    return {image.digest for image in there.images.values() if image.digest in names or tags & set(image.tags)}


def needed(there: Inventory, start: set[str]) -> set[str]:
    """What lists them and what they refer to, over all steps; then all that these list, and what refers to them."""
    up = set(start)
    while True:
        more = {image.digest for image in there.images.values() if up & set(image.children or ())}
        more |= {subject for each in up if (subject := there.images[each].subject) in there.images and subject}
        if more <= up:
            break
        up |= more
    down = set(up)
    while True:
        more = {child for each in down for child in there.images[each].children or () if child in there.images}
        more |= {image.digest for image in there.images.values() if image.subject in down}
        if more <= down:
            return down
        down |= more


@given(inventories, policies, st.data())
def test_what_is_in_use_and_all_that_it_needs_is_never_collected(
    there: Inventory, policy: Policy, data: st.DataObject
) -> None:
    found = data.draw(uses(there))
    plan = make_plan(there, policy, NOW, (), found)
    assert not collected(plan) & needed(there, used(there, found))


@given(inventories, st.data())
def test_a_veto_needs_no_policy_to_know_all_that_uses_need(there: Inventory, data: st.DataObject) -> None:
    """So `apply` need not plan again."""
    found = data.draw(uses(there))
    assert needed(there, used(there, found)) <= needed_by(found, there).keys()


@given(inventories, policies, st.data())
def test_one_more_use_never_deletes_more(there: Inventory, policy: Policy, data: st.DataObject) -> None:
    fewer = data.draw(uses(there))
    more = [*fewer, *data.draw(uses(there))]
    assert collected(make_plan(there, policy, NOW, (), more)) <= collected(make_plan(there, policy, NOW, (), fewer))


@given(inventories, policies, st.data())
def test_a_second_run_with_the_same_uses_deletes_nothing(there: Inventory, policy: Policy, data: st.DataObject) -> None:
    found = data.draw(uses(there))
    gone = collected(make_plan(there, policy, NOW, (), found))
    rest = Inventory(REPOSITORY, NOW, {name: image for name, image in there.images.items() if name not in gone})
    assert not make_plan(rest, policy, NOW, (), found).steps


@given(inventories, policies, st.data())
def test_a_plan_with_uses_needs_no_index_that_one_without_does_not(
    there: Inventory, policy: Policy, data: st.DataObject
) -> None:
    """Indexes are read before workloads are."""
    found = data.draw(uses(there))
    unread = {
        name: replace(image, children=None) if image.media_type == INDEX and image.status is Status.ACTIVE else image
        for name, image in there.images.items()
    }
    before = Inventory(REPOSITORY, NOW, unread)
    if unread_indexes(before) and not indexes_to_read(before, policy, NOW):
        assert not make_plan(there, policy, NOW, (), found).steps


@given(inventories, policies, st.data())
def test_what_is_in_use_says_so_first(there: Inventory, policy: Policy, data: st.DataObject) -> None:
    found = data.draw(uses(there))
    plan = make_plan(there, policy, NOW, (), found)
    named = used(there, found)
    for decision in plan.decisions:
        image = decision.image
        if image.digest in named and image.status is Status.ACTIVE and image.media_type in KNOWN_TYPES:
            assert decision.verdict is Verdict.RETAINED
            assert decision.reasons[0].rule == "in-use"


def kept(images: list[Image], *found: Use) -> dict[str, tuple[str, str, str | None]]:
    """Of what stays, the first reason."""
    names = {digest(name): name for name in "abcdefgh"}
    plan = make_plan(inventory_of(images), NONE, NOW, (), found)
    return {
        names[each.image.digest]: (each.reasons[0].rule, each.reasons[0].detail, each.reasons[0].via)
        for each in plan.decisions
        if each.verdict is not Verdict.COLLECTED
    }


def test_a_used_tag_retains_what_it_points_at_now_and_what_the_consumer_recorded() -> None:
    images = [made("a", "web", ago=HOUR), made("b", ago=2 * HOUR), made("c", "web-2", ago=3 * HOUR)]
    assert kept(images, use("web", "b")) == {
        "a": ("in-use", "ecs:prod/web uses it", "web"),
        "b": ("in-use", "ecs:prod/web uses it", digest("b")),
    }


def test_a_use_without_tag_and_digest_is_of_latest() -> None:
    assert list(kept([made("a", "latest", ago=HOUR), made("b", "late", ago=HOUR)], use())) == ["a"]


def test_a_tag_is_matched_whole() -> None:
    images = [made("a", "v1", ago=HOUR), made("b", "v10", ago=HOUR), made("c", "xv1", ago=HOUR)]
    assert list(kept(images, use("v1"))) == ["a"]


def test_a_used_child_retains_the_indexes_that_list_it_and_their_other_children() -> None:
    images = [
        made(
            "a",
            "top",
            ago=HOUR,
            children="b",
        ),
        made(
            "b",
            ago=HOUR,
            children="cd",
        ),
        made("c", ago=HOUR),
        made("d", ago=HOUR),
        made("e", "other", ago=HOUR),
    ]
    assert {name: reason[0] for name, reason in kept(images, use(name="c")).items()} == {
        "a": "needed-in-use",
        "b": "needed-in-use",
        "c": "in-use",
        "d": "child-of-index",
    }


def test_a_used_image_retains_its_subject_and_its_referrers() -> None:
    images = [
        made("a", "x", ago=HOUR),
        made("b", ago=HOUR, subject=digest("a")),
        made("c", ago=HOUR, subject=digest("b")),
        made("d", ago=HOUR),
    ]
    assert {name: reason[0] for name, reason in kept(images, use(name="b")).items()} == {
        "a": "needed-in-use",
        "b": "in-use",
        "c": "referrer-of-subject",
    }


def test_of_several_workloads_a_current_one_is_named_and_the_others_are_counted() -> None:
    found = [
        use("x", workload="task definition web:6", current=False),
        use("x", workload="prod/api"),
        use("x", workload="prod/web"),
    ]
    assert kept([made("a", "x", ago=HOUR)], *found)["a"] == ("in-use", "ecs:prod/api uses it, and 2 more", "x")


def test_an_image_in_use_takes_its_place_among_the_newest() -> None:
    images = [made("a", "x-3", ago=HOUR), made("b", "x-2", ago=2 * HOUR), made("c", "x-1", ago=3 * HOUR)]
    policy = Policy((rule(Match(prefix=("x",)), Keep(newest=1)),), grace=0.0)
    assert collected(make_plan(inventory_of(images), policy, NOW, (), [use("x-3")])) == {digest("b"), digest("c")}


def test_a_use_is_broken_where_the_digest_it_recorded_is_gone_or_else_the_tag() -> None:
    there = inventory_of([made("a", "web"), made("b", "api")])
    assert broken(there, [use("web", "b"), use("gone", "b"), use("web")]) == []
    lost = [use("web", "gone"), use("gone"), use(name="gone"), use()]
    assert broken(there, lost) == lost


def test_an_archived_image_can_not_be_pulled_so_its_use_is_broken() -> None:
    there = inventory_of([made("a", "web", status=Status.ARCHIVED), made("b", "api", status=Status.ACTIVATING)])
    assert broken(there, [use("web"), use("api")]) == [use("web")]
    assert set(find(there.images, [use("web")]).by_digest) == {digest("a")}


def test_what_is_only_kept_to_go_back_to_is_never_broken() -> None:
    assert broken(inventory_of([made("a", "web")]), [use("gone", current=False)]) == []
