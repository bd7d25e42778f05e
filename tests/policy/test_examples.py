"""Cases with names: the original's published behaviour, and every sentence of docs/semantics.md."""

from aws_ecr_gc.inventory import Image, Status
from aws_ecr_gc.plan import Leftover, Plan
from aws_ecr_gc.policy import Policy, indexes_to_read, make_plan, original_policy
from tests.policy.repositories import INDEX, MANIFEST, NOW, UNKNOWN, digest, inventory_of

HOUR = 3600.0


def image(name: str, *tags: str, hours_ago: float = 100, **fields: object) -> Image:
    children = fields.pop("children", ())
    assert isinstance(children, tuple)
    settings = {"media_type": INDEX if children else MANIFEST, **fields}
    return Image(
        digest=digest(name),
        pushed_at=NOW - hours_ago * HOUR,
        tags=tags,
        children=tuple(digest(child) for child in children),
        **settings,  # type: ignore[arg-type]  # any other field of Image
    )


def policy_of(*keep: tuple[str, int], untagged: bool = False, grace: float = HOUR) -> Policy:
    return original_policy(dict(keep), delete_untagged=untagged, grace=grace)


def plan(images: list[Image], *keep: tuple[str, int], untagged: bool = False, grace: float = HOUR) -> Plan:
    return make_plan(inventory_of(images), policy_of(*keep, untagged=untagged, grace=grace), NOW)


def going(images: list[Image], *keep: tuple[str, int], untagged: bool = False, grace: float = HOUR) -> list[str]:
    """The names of what goes, in the order of the printed list."""
    names = {digest(name): name for name in "abcdefghijklmnopqrstuvwxyz"}
    steps = plan(images, *keep, untagged=untagged, grace=grace).steps
    return [names[step.digest] for step in sorted(steps, key=lambda step: (-step.pushed_at, step.digest))]


def reasons(images: list[Image], name: str, *keep: tuple[str, int], untagged: bool = False) -> list[str]:
    for decision in plan(images, *keep, untagged=untagged).decisions:
        if decision.image.digest == digest(name):
            return [reason.rule for reason in decision.reasons]
    raise AssertionError(name)


def test_the_originals_example_without_deletions() -> None:
    images = [
        image("a", "foo-1", hours_ago=20),
        image("b", "foo-2", hours_ago=19),
        image("c", "foo-3", hours_ago=18),
        image("d", "foo-4", hours_ago=17),
        image("e", "bar", hours_ago=16),
        image("f", "bar-backup", hours_ago=15),
        image("g", "baz", hours_ago=14),
        image("h", hours_ago=12),
    ]
    assert going(images, ("foo", 4), ("bar", 2)) == []


def test_the_originals_example_with_deletions() -> None:
    images = [
        image("a", "foo-1", hours_ago=20),
        image("b", "foo-2", hours_ago=19),
        image("c", "foo-3", hours_ago=18),
        image("d", "foo-4", "latest", hours_ago=17),
        image("e", "bar-old", hours_ago=16),
        image("f", hours_ago=15),
        image("g", "bar", hours_ago=14),
        image("h", "bar-a", "baz", hours_ago=13),
        image("i", "bar-b", hours_ago=12),
        image("j", "bar-c", hours_ago=12),
        image("k", "baz-one", hours_ago=11),
        image("l", "baz-other", hours_ago=10),
        image("m", hours_ago=9),
    ]
    assert going(images, ("foo", 2), ("bar", 2), untagged=True) == ["m", "g", "f", "e", "b", "a"]


def test_an_image_with_two_tags_of_a_prefix_takes_one_place() -> None:
    images = [image("a", "build-1", hours_ago=3), image("b", "build-2", "build-b", hours_ago=2)]
    assert going(images, ("build", 2)) == []
    assert going(images, ("build", 1)) == ["a"]


def test_an_image_saved_by_an_unlisted_tag_still_takes_its_place() -> None:
    images = [image("a", "build-1", hours_ago=3), image("b", "build-2", "latest", hours_ago=2)]
    assert going(images, ("build", 1)) == ["a"]


def test_one_prefix_that_counts_it_among_its_newest_retains_an_image() -> None:
    images = [image("a", "build-1", "release-1", hours_ago=9), image("b", "build-2", hours_ago=2)]
    assert going(images, ("build", 1), ("release", 1)) == []
    assert reasons(images, "a", ("build", 1), ("release", 1)) == ["keep release=1"]


def test_a_longer_prefix_counts_apart_from_the_shorter_that_contains_it() -> None:
    images = [image("a", "build-x-1", hours_ago=9), image("b", "build-2", hours_ago=2)]
    assert going(images, ("build", 1), ("build-x", 1)) == []
    assert going(images, ("build", 1), ("build-x", 0)) == ["a"]


def test_equal_times_are_ordered_by_digest() -> None:
    images = [image(name, f"build-{name}", hours_ago=5) for name in "abcde"]
    kept = sorted(images, key=lambda each: each.digest)[:2]
    steps = plan(images, ("build", 2)).steps
    assert {step.digest for step in steps} == {each.digest for each in images} - {each.digest for each in kept}


def test_an_empty_prefix_counts_every_tagged_image() -> None:
    images = [image("a", "x", hours_ago=3), image("b", "y", hours_ago=2), image("c", hours_ago=1)]
    assert going(images, ("", 1)) == ["a"]


def test_an_empty_repository_is_fine() -> None:
    assert going([], ("build", 1), untagged=True) == []


def test_untagged_images_stay_without_their_rule_and_within_the_grace() -> None:
    images = [image("a", hours_ago=0.9), image("b", hours_ago=1)]
    assert going(images, ("build", 1)) == []
    assert going(images, untagged=True) == ["b"]
    assert going(images, untagged=True, grace=0) == ["a", "b"]


def test_an_image_from_the_future_is_young() -> None:
    assert going([image("a", hours_ago=-5)], untagged=True) == []


def test_untagged_children_go_with_their_last_index_without_any_rule_for_untagged_images() -> None:
    images = [
        image("a", hours_ago=9),
        image("b", hours_ago=9),
        image("i", "build-1", hours_ago=8, children=("a", "b")),
        image("j", "build-2", hours_ago=7, children=("b",)),
    ]
    assert going(images, ("build", 1)) == ["i", "a"]
    assert reasons(images, "a", ("build", 1)) == ["goes-with-index"]
    assert reasons(images, "b", ("build", 1)) == ["child-of-index"]


def test_children_go_with_their_index_however_young_they_are() -> None:
    images = [
        image("a", hours_ago=0.2),
        image("i", "build-1", hours_ago=0.1, children=("a",)),
        image("j", "build-2", hours_ago=0),
    ]
    assert going(images, ("build", 1)) == ["i", "a"]


def test_nested_indexes_hold_and_go_as_a_whole() -> None:
    images = [
        image("a", hours_ago=9),
        image("n", hours_ago=9, children=("a",)),
        image("i", "build-1", hours_ago=8, children=("n",)),
        image("j", "build-2", hours_ago=7),
    ]
    assert going(images, ("build", 2), untagged=True) == []
    steps = plan(images, ("build", 1)).steps
    assert [step.digest for step in steps] == [digest("i"), digest("n"), digest("a")]


def test_a_tagged_child_takes_no_place_while_an_index_that_stays_lists_it() -> None:
    images = [
        image("a", "build-2-amd64", hours_ago=6),
        image("i", "build-2", hours_ago=5, children=("a",)),
        image("b", "build-1-amd64", hours_ago=8),
        image("j", "build-1", hours_ago=7, children=("b",)),
    ]
    assert going(images, ("build", 2)) == []


def test_a_tagged_child_is_decided_by_its_own_tags_once_its_index_goes() -> None:
    images = [
        image("a", "keep-1", hours_ago=9),
        image("b", "build-1-arm64", hours_ago=9.5),
        image("i", "build-1", hours_ago=8, children=("a", "b")),
        image("j", "build-2", hours_ago=7),
    ]
    assert going(images, ("build", 1)) == ["i", "b"]
    assert going(images, ("build", 1), ("keep", 0)) == ["i", "a", "b"]


def test_a_tagged_child_that_contends_may_push_out_another_index() -> None:
    images = [
        image("c", hours_ago=9),
        image("j", "b-1", hours_ago=8, children=("c",)),
        image("a", "b-9", hours_ago=2),
        image("i", "x-1", hours_ago=1, children=("a",)),
    ]
    assert going(images, ("b", 1), ("x", 1)) == []
    assert going(images, ("b", 1), ("x", 0)) == ["i", "j", "c"]


def test_referrers_follow_their_subject_and_take_no_place() -> None:
    images = [
        image("a", "build-1", hours_ago=9),
        image("s", hours_ago=8, subject=digest("a")),
        image("t", hours_ago=7, subject=digest("s")),
        image("b", "build-2", hours_ago=6),
        image("u", "build-sig", hours_ago=5, subject=digest("b")),
    ]
    assert going(images, ("build", 2), untagged=True) == []
    assert going(images, ("build", 1)) == ["t", "s", "a"]
    assert [step.digest for step in plan(images, ("build", 1)).steps] == [digest("a"), digest("s"), digest("t")]


def test_a_referrer_with_an_unlisted_tag_keeps_its_subject_for_ecr_may_remove_referrers_with_it() -> None:
    images = [
        image("a", "build-1", hours_ago=9),
        image("s", "sbom", hours_ago=8, subject=digest("a")),
        image("b", "build-2", hours_ago=6),
    ]
    assert going(images, ("build", 1)) == []
    assert reasons(images, "a", ("build", 1)) == ["followed"]


def test_an_untagged_referrer_whose_subject_is_gone_goes_where_untagged_images_go() -> None:
    images = [
        image("s", hours_ago=8, subject=digest("gone")),
        image("t", hours_ago=0.5, subject=digest("gone")),
    ]
    assert going(images, ("build", 0)) == []
    assert going(images, untagged=True) == ["s"]


def test_a_tagged_referrer_without_its_subject_is_decided_by_its_tags() -> None:
    images = [
        image("a", "build-1", hours_ago=9),
        image("u", "build-2", hours_ago=8, subject=digest("gone")),
    ]
    assert going(images, ("build", 2), untagged=True) == []
    assert going(images, ("build", 1), untagged=True) == ["a"]
    assert going(images, ("build", 0)) == ["u", "a"]


def test_an_index_that_lists_its_own_subject_stays_because_neither_can_go_first() -> None:
    images = [
        image("c", hours_ago=9),
        image("i", "build-1", hours_ago=8, children=("c",), subject=digest("c")),
        image("s", hours_ago=7, subject=digest("i")),
        image("j", "build-2", hours_ago=6),
    ]
    assert going(images, ("build", 1), untagged=True) == []
    assert reasons(images, "i", ("build", 1)) == ["circle"]


def test_a_signature_tag_of_cosign_has_no_listed_prefix_and_stays() -> None:
    images = [image("a", "build-1", hours_ago=9), image("s", "sha256-" + "0" * 64 + ".sig", hours_ago=8)]
    assert going(images, ("build", 0), untagged=True) == ["a"]


def test_what_is_of_an_unknown_kind_stays() -> None:
    images = [image("a", media_type=UNKNOWN), image("b", "build-1", media_type=None)]
    assert going(images, ("build", 0), untagged=True) == []


def test_archived_images_take_no_place_and_are_left_alone() -> None:
    images = [
        image("a", "build-3", hours_ago=1, status=Status.ARCHIVED),
        image("b", "build-2", hours_ago=2, status=Status.ACTIVATING),
        image("c", "build-1", hours_ago=3),
        image("d", "build-0", hours_ago=4),
    ]
    assert going(images, ("build", 1)) == ["d"]


def test_an_archived_index_that_cannot_be_read_retains_all_untagged_images() -> None:
    unread = image("i", "build-9", hours_ago=90, status=Status.ARCHIVED, media_type=INDEX)
    unread = Image(unread.digest, unread.pushed_at, unread.tags, INDEX, status=Status.ARCHIVED, children=None)
    images = [unread, image("a", hours_ago=50), image("b", "build-1", hours_ago=40), image("c", "build-2", hours_ago=3)]
    assert going(images, ("build", 1), untagged=True) == ["b"]
    assert reasons(images, "a", untagged=True) == ["unread-archived-index"]


def test_indexes_are_read_only_where_something_would_be_collected() -> None:
    index = Image(digest("i"), NOW - 9 * HOUR, ("build-1",), INDEX, children=None)
    inventory = inventory_of([index, image("a", "build-2", hours_ago=8)])
    assert indexes_to_read(inventory, policy_of(("build", 2)), NOW) == []
    assert indexes_to_read(inventory, policy_of(("build", 1)), NOW) == [digest("i")]


def test_what_an_interrupted_run_left_over_goes_though_no_rule_asks_for_untagged_images() -> None:
    child = image("a", hours_ago=9)
    policy = policy_of(("build", 1))
    leftover = Leftover(child.digest, (), child.pushed_at, (digest("i"),))
    assert [step.digest for step in make_plan(inventory_of([child]), policy, NOW, [leftover]).steps] == [child.digest]


def test_a_leftover_that_was_pushed_again_or_tagged_or_is_needed_stays() -> None:
    child = image("a", hours_ago=9)
    policy = policy_of(("build", 1))
    pushed_again = Leftover(child.digest, (), child.pushed_at - 1, (digest("i"),))
    assert not make_plan(inventory_of([child]), policy, NOW, [pushed_again]).steps
    record = Leftover(child.digest, (), child.pushed_at, (digest("i"),))
    assert not make_plan(inventory_of([image("a", "new", hours_ago=9)]), policy, NOW, [record]).steps
    needed = [child, image("j", "other", children=("a",))]
    assert not make_plan(inventory_of(needed), policy, NOW, [record]).steps


def test_a_tagged_referrer_that_an_interrupted_run_left_over_goes_and_one_with_a_new_tag_stays() -> None:
    referrer = image("s", "build-sig", hours_ago=9, subject=digest("gone"))
    policy = policy_of(("build", 1))
    record = Leftover(referrer.digest, ("build-sig", "build-x"), referrer.pushed_at, (digest("gone"),))
    assert [step.digest for step in make_plan(inventory_of([referrer]), policy, NOW, [record]).steps] == [digest("s")]
    tagged = image("s", "build-sig", "build-new", hours_ago=9, subject=digest("gone"))
    assert not make_plan(inventory_of([tagged]), policy, NOW, [record]).steps


def test_a_tagged_child_that_an_interrupted_run_left_over_is_decided_by_its_own_tags() -> None:
    child = image("a", "build-1", hours_ago=9)
    record = Leftover(child.digest, child.tags, child.pushed_at, (digest("i"),))
    assert not make_plan(inventory_of([child]), policy_of(("build", 1)), NOW, [record]).steps


def test_a_tagged_referrer_left_over_goes_also_with_an_index_that_is_left_over_itself() -> None:
    images = [
        image("r", "build-x-1", hours_ago=8, subject=digest("gone")),
        image("i", hours_ago=7, subject=digest("gone"), children=("r",)),
    ]
    records = [
        Leftover(digest("r"), ("build-x-1",), images[0].pushed_at, (digest("i"), digest("gone"))),
        Leftover(digest("i"), (), images[1].pushed_at, (digest("gone"),)),
    ]
    policy = policy_of(("build", 0), ("build-x", 1))
    steps = make_plan(inventory_of(images), policy, NOW, records).steps
    assert [step.digest for step in steps] == [digest("i"), digest("r")]
