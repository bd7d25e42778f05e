"""Protected tags and digests, and the grace: they only add to what stays."""

import msgspec
from hypothesis import given

from aws_ecr_gc.inventory import Image, Inventory
from aws_ecr_gc.plan import Verdict
from aws_ecr_gc.policy import Keep, Match, Policy, make_plan
from tests.policy.cases import ALL, DAY, HOUR, decision, details, going, image, reasons, rule
from tests.policy.repositories import NOW, digest, inventories, policies

NONE = rule(ALL)
NEWEST = rule(Match(prefix=("build",)), Keep(newest=1))
UNTAGGED = rule(Match(untagged=True))


def said(images: list[Image], name: str, **settings: object) -> list[tuple[str, str, str | None]]:
    return [(each.rule, each.detail, each.via) for each in reasons(images, name, NONE, **settings)]


def test_a_protected_tag_retains_its_image_with_all_its_tags() -> None:
    images = [image("a", "x", "latest"), image("b", "latest-1"), image("c", "prod-1"), image("d", "Latest")]
    assert going(images, NONE, protect_tags=("latest", "prod-*")) == "bd"
    assert said(images, "a", protect_tags=("latest", "prod-*")) == [("protected-tag", "a protected tag", "latest")]


def test_an_image_with_two_protected_tags_names_the_first() -> None:
    assert said([image("a", "x", "p2", "p1")], "a", protect_tags=("p*",)) == [
        ("protected-tag", "a protected tag", "p2")
    ]


def test_a_protected_digest_retains_its_image() -> None:
    images = [image("a", "x"), image("b"), image("c")]
    protected = frozenset({digest("b"), digest("elsewhere")})
    assert going(images, NONE, protect_digests=protected) == "ac"
    assert said(images, "b", protect_digests=protected) == [("protected-digest", "its digest is protected", None)]


def test_the_grace_holds_for_tagged_and_untagged_images_alike() -> None:
    images = [image("a", "x", ago=HOUR - 1), image("b", ago=HOUR - 1), image("c", "y", ago=HOUR), image("d", ago=HOUR)]
    assert going(images, NONE, grace=HOUR) == "cd"
    for name in "ab":
        assert said(images, name, grace=HOUR) == [("grace", "pushed less than 1h ago", None)]


def test_an_image_from_the_future_is_within_the_grace() -> None:
    images = [image("a", "x", ago=-9 * DAY), image("b", "y", ago=DAY)]
    assert going(images, NONE, grace=HOUR) == "b"
    assert going(images, NONE, grace=0.0) == "ab"


def test_the_grace_is_an_hour_where_nothing_is_said() -> None:
    assert Policy().grace == HOUR


def test_all_reasons_for_which_an_image_is_saved_are_named() -> None:
    images = [image("a", "build-1", ago=HOUR)]
    saved: dict[str, object] = {
        "protect_tags": ("build-*",),
        "protect_digests": frozenset({digest("a")}),
        "grace": DAY,
    }
    assert [each.rule for each in reasons(images, "a", NEWEST, **saved)] == [
        "grace",
        "protected-digest",
        "protected-tag",
        "rule",
    ]
    assert [each.rule for each in reasons(images, "a", NONE, **saved)] == ["grace", "protected-digest", "protected-tag"]


def test_a_protected_image_takes_its_place_among_the_newest() -> None:
    images = [image("a", "build-1", ago=3 * HOUR), image("b", "build-2", ago=2 * HOUR), image("c", "build-3", ago=HOUR)]
    assert going(images, NEWEST, protect_tags=("build-3",)) == "ab"
    assert going(images, NEWEST, protect_tags=("build-2",)) == "a"
    assert details(images, "b", NEWEST) == ["2nd of 3; not kept by newest 1"]


def test_a_protected_index_holds_its_children_and_referrers() -> None:
    images = [
        image("c"),
        image("i", "x", children="c"),
        image("s", subject=digest("i")),
        image("d"),
        image("j", "y", children="d"),
    ]
    assert going(images, NONE, protect_tags=("x",)) == "dj"
    assert decision(images, "c", NONE, protect_tags=("x",)).verdict is Verdict.HELD


def test_a_protected_or_young_untagged_child_retains_its_index_and_its_siblings() -> None:
    images = [image("c", ago=HOUR / 2), image("d"), image("i", "x", children="cd"), image("e", "y")]
    for saved in ({"protect_digests": frozenset({digest("c")})}, {"grace": HOUR}):
        assert going(images, NONE, **saved) == "e"
        assert [(each.rule, each.via) for each in reasons(images, "i", NONE, **saved)] == [("followed", digest("c"))]
        assert decision(images, "d", NONE, **saved).verdict is Verdict.HELD


def test_a_protected_tagged_child_stays_without_its_index() -> None:
    images = [image("c", "child"), image("i", "x", children="c")]
    assert going(images, NONE, protect_tags=("child",)) == "i"


def test_a_protected_or_young_referrer_retains_its_subject_tagged_or_not() -> None:
    for tags in ((), ("sbom",)):
        images = [image("a", "x"), image("s", *tags, ago=HOUR / 2, subject=digest("a")), image("b", "y")]
        for saved in ({"protect_digests": frozenset({digest("s")})}, {"grace": HOUR}):
            assert going(images, NONE, **saved) == "b"
            assert [(each.rule, each.detail, each.via) for each in reasons(images, "a", NONE, **saved)] == [
                ("followed", "an image that follows it is protected, young, or unmanaged", digest("s"))
            ]


def test_a_young_signature_retains_what_it_signs() -> None:
    signature = image("s", f"sha256-{digest('a')[7:]}.sig", ago=60)
    images = [image("a", "x"), signature, image("b", "y")]
    assert going(images, NONE, grace=HOUR) == "b"
    assert going(images, NONE, grace=30.0) == "abs"


def test_what_is_followed_retains_in_turn_what_it_follows() -> None:
    images = [
        image("c"),
        image("i", "x", children="c"),
        image("s", subject=digest("c")),
        image("t", ago=60, subject=digest("s")),
    ]
    assert going(images, NONE, grace=HOUR) == ""
    assert [reasons(images, name, NONE, grace=HOUR)[0].rule for name in "tsci"] == ["grace", *["followed"] * 3]
    assert [reasons(images, name, NONE, grace=HOUR)[0].via for name in "sci"] == [digest(name) for name in "tsc"]


def test_followers_in_a_circle_are_no_trouble() -> None:
    images = [image("c", ago=60), image("i", "x", children="c", subject=digest("c"))]
    assert going(images, NONE, grace=HOUR) == ""


@given(inventories, policies)
def test_protecting_what_would_go_makes_it_stay_and_nothing_else_go(inventory: Inventory, policy: Policy) -> None:
    gone = [step.digest for step in make_plan(inventory, policy, NOW).steps]
    protected = frozenset(gone[::2]) | policy.protect_digests
    again = make_plan(inventory, msgspec.structs.replace(policy, protect_digests=protected), NOW)
    assert {step.digest for step in again.steps} <= set(gone) - protected


@given(inventories, policies)
def test_protected_tags_only_add(inventory: Inventory, policy: Policy) -> None:
    gone = {step.digest for step in make_plan(inventory, policy, NOW).steps}
    more = msgspec.structs.replace(policy, protect_tags=(*policy.protect_tags, "*[13579]"))
    again = {step.digest for step in make_plan(inventory, more, NOW).steps}
    assert again <= gone
    assert not [tag for each in again for tag in inventory.images[each].tags if tag[-1] in "13579"]
