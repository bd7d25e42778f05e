"""Forecasts: what was pushed comes again, and the policy is carried out at every point."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_ecr_gc.errors import Misuse
from aws_ecr_gc.inventory import Image, Inventory, Status
from aws_ecr_gc.plan import Action
from aws_ecr_gc.policy import Keep, Match, Policy, Rule, make_plan
from aws_ecr_gc.policy.forecasting import Forecast, forecast
from aws_ecr_gc.report import forecasts
from tests.conftest import FULL
from tests.policy.cases import ALL, DAY, NOTHING, image, rule
from tests.policy.repositories import INDEX, NOW, REPOSITORY, digest, inventories, inventory_of, policies

NEWEST_10 = rule(Match(prefix=("build-",)), Keep(newest=10))


def one_a_day(days: int, size: int = 1000) -> list[Image]:
    return [image(f"day-{day}", f"build-{day}", ago=day * DAY + 60, size=size) for day in range(days)]


def of(there: Sequence[Image], *rules: Rule, days: float = 90, **fields: object) -> Forecast:
    policy = Policy(rules, **{"grace": 0.0, **fields})  # type: ignore[arg-type]  # any field of Policy
    return forecast(inventory_of(there), policy, NOW, days * DAY)


def test_with_the_newest_n_kept_the_size_becomes_level_and_without_it_grows() -> None:
    made = of(one_a_day(30), NEWEST_10)
    assert (made.window, made.pushed, made.interval) == (30 * DAY, 30, 7.5 * DAY)
    assert [each.images for each in made.points] == [10] * 13
    assert [each.size for each in made.points] == [10_000] * 13
    assert made.points[0].deleted == 20
    assert sum(each.deleted for each in made.points) == 20 + 90
    assert [each.images_without for each in made.points] == [int(30 + at * 7.5) for at in range(13)]
    assert made.points[-1].size_without == 120_000


def test_a_repository_that_only_keeps_by_age_is_level_after_that_age() -> None:
    made = of(one_a_day(30), rule(ALL, Keep(younger_than=20 * DAY)))
    assert {each.images for each in made.points} == {20}


def test_where_nothing_is_pushed_any_more_nothing_changes() -> None:
    old = [image(f"old-{number}", f"build-{number}", ago=(40 + number) * DAY, size=7) for number in range(12)]
    made = of(old, NEWEST_10)
    assert made.pushed == 0
    assert {(each.images, each.size, each.images_without, each.size_without) for each in made.points} == {
        (10, 70, 12, 84)
    }
    assert [each.deleted for each in made.points] == [2] + [0] * 12


@pytest.mark.parametrize(
    ("days", "points", "interval", "window"),
    [(1, 2, 1, 1), (7, 8, 1, 7), (12, 13, 1, 12), (30, 13, 2.5, 30), (90, 13, 7.5, 30), (3660, 13, 305, 30)],
)
def test_there_are_at_most_twelve_runs_and_no_two_on_one_day(
    days: int, points: int, interval: float, window: int
) -> None:
    made = of(one_a_day(3), NEWEST_10, days=days)
    assert (len(made.points), made.interval, made.window) == (points, interval * DAY, window * DAY)
    assert made.points[0].at == NOW
    assert made.points[-1].at == pytest.approx(NOW + days * DAY)


def test_what_was_pushed_in_the_window_comes_once_in_each() -> None:
    """31 days ago is too long ago, tomorrow is not yet there; and ten days are a third of a window."""
    there = [
        image("a", "build-a", ago=DAY),
        image("b", "build-b", ago=29 * DAY),
        image("c", "build-c", ago=31 * DAY),
        image("d", "build-d", ago=-DAY),
    ]
    keep = rule(ALL, Keep(newest=100))
    assert of(there, keep).pushed == 2
    assert [each.images_without for each in of(there, keep, days=90).points][-1] == 4 + 3 * 2
    assert of(there, keep, days=40).points[-1].images_without == 4 + 2 + 1


def test_an_index_comes_again_with_its_children_and_its_signature() -> None:
    signature = f"sha256-{digest('i')[7:]}.sig"
    family = [
        image("c", ago=3 * DAY, size=10),
        image("d", ago=3 * DAY, size=20),
        image("i", "build-i", children="cd", ago=2 * DAY, size=20),
        image("s", signature, ago=DAY, size=1),
        image("r", ago=DAY, size=2, subject=digest("i")),
    ]
    made = of(family, rule(Match(prefix=("build-",)), Keep(newest=1)))
    assert {(each.images, each.size) for each in made.points} == {(5, 33)}
    assert sum(each.deleted for each in made.points) == 15
    assert (made.points[-1].images_without, made.points[-1].size_without) == (20, 132)


def test_a_young_index_of_old_children_comes_again_with_the_same_ones() -> None:
    there = [image("c", ago=50 * DAY), image("i", "build-i", children="c", ago=2 * DAY)]
    made = of(there, rule(Match(prefix=("build-",)), Keep(newest=1)))
    assert {each.images for each in made.points} == {2}
    assert made.points[-1].images_without == 5


def test_a_protected_digest_does_not_come_again_but_its_tag_does() -> None:
    there = [image("a", "build-a", ago=DAY)]
    by_digest = of(there, rule(ALL, NOTHING), protect_digests=frozenset({digest("a")}))
    assert {each.images for each in by_digest.points} == {1}


def test_the_text_is_a_table_of_which_every_column_is_named() -> None:
    assumed = (
        "If what was pushed in the last 30d (30 images) comes again every 30d, and a run deletes every 2d12h; "
        "sizes are at most"
    )
    lines = list(forecasts.lines(REPOSITORY, "p.yaml: policies[0]", of(one_a_day(30), NEWEST_10, days=30)))
    assert lines[:5] == [
        "Forecast for testrepo (us-east-1)",
        "Policy: p.yaml: policies[0]",
        assumed,
        "  at            images          size   deleted  images without  size without",
        "  2017-07-14        10       10.0 kB        20              30       30.0 kB",
    ]
    assert len({len(line) for line in lines[3:]}) == 1
    assert len(lines) == 4 + 13


def test_what_is_archived_is_shown_apart_with_its_bytes_and_nothing_is_said_to_be_deleted() -> None:
    made = of(one_a_day(30), NEWEST_10, action=Action.ARCHIVE)
    assert [(each.images, each.size) for each in made.points] == [(10, 10_000)] * 13
    assert {each.deleted for each in made.points} == {0}
    assert (made.points[0].archived, made.points[0].in_archive, made.points[0].size_in_archive) == (20, 20, 20_000)
    for each in made.points:
        assert each.size + each.size_in_archive == each.size_without
    lines = list(forecasts.lines(REPOSITORY, "p", made))
    assert "and a run archives (an archived image is billed like others) every 7d12h" in lines[2]
    assert " ".join(lines[3].split()) == ("at images size archived in archive size there images without size without")
    assert lines[4].split()[:8] == ["2017-07-14", "10", "10.0", "kB", "20", "20", "20.0", "kB"]
    assert len({len(line) for line in lines[3:]}) == 1


def test_what_is_deleted_from_the_archive_is_counted_beside() -> None:
    old = rule(Match(archived_for=20 * DAY), NOTHING, name="old")
    made = of(one_a_day(30), NEWEST_10, old, action=Action.ARCHIVE)
    assert sum(each.deleted for each in made.points) > 0
    assert made.points[-1].in_archive == sum(each.archived - each.deleted for each in made.points)
    assert forecasts.part(REPOSITORY, "p", made).points[-1].images_in_archive == made.points[-1].in_archive
    assert "deleted" in list(forecasts.lines(REPOSITORY, "p", made))[3].split()


def test_where_tags_are_removed_no_image_goes_and_the_table_says_so() -> None:
    there = [msgspec.structs.replace(each, tags=(*each.tags, f"x-{each.tags[0]}")) for each in one_a_day(30)]
    made = of(there, NEWEST_10, action=Action.UNTAG)
    assert [each.images for each in made.points] == [each.images_without for each in made.points]
    assert made.points[0].untagged == 20
    lines = list(forecasts.lines(REPOSITORY, "p", made))
    assert "and a run removes tags every 7d12h" in lines[2]
    assert " ".join(lines[3].split()) == "at images size lose tags images without size without"


def test_what_comes_again_is_active_whatever_became_of_the_first() -> None:
    """Else what was archived by hand in the window would come archived, for ever longer, and be deleted from there."""
    archived = image("a", "build-a", ago=DAY, size=5, status=Status.ARCHIVED, archived_at=NOW - 3600)
    lost = image("i", "build-i", ago=2 * DAY, media_type=INDEX, status=Status.ARCHIVED, archived_at=NOW - 3600)
    back = image("b", "build-b", ago=DAY, size=5, activated_at=NOW - 3600)
    there = [archived, msgspec.structs.replace(lost, children=None), back]
    made = of(there, rule(Match(prefix=("build-",)), Keep(younger_than=2 * DAY)))
    assert made.points[0].images == 1
    assert made.points[-1].images_without == 1 + 3 * 3
    assert {each.in_archive for each in made.points} == {2}
    assert sum(each.deleted for each in made.points) == 10 - made.points[-1].images


@settings(max_examples=500 if FULL else 40)
@given(inventories, policies, st.sampled_from([1, 7, 45, 400]))
def test_without_a_policy_a_repository_never_shrinks_and_is_never_smaller(
    inventory: Inventory, policy: Policy, days: int
) -> None:
    made = forecast(inventory, policy, NOW, days * DAY)
    plan = make_plan(inventory, policy, NOW)
    assert made.points[0].deleted == len(plan.steps)
    assert made.points[0].images == plan.active - len(plan.steps)
    assert made.points[0].images_without == plan.active
    collected = 0
    for before, after in zip(made.points, made.points[1:], strict=False):
        assert before.images_without <= after.images_without
        assert before.size_without <= after.size_without
        assert before.at < after.at
    for each in made.points:
        collected += each.deleted
        assert each.images <= each.images_without
        assert each.size <= each.size_without
        assert each.images == each.images_without - collected


@settings(max_examples=500 if FULL else 40)
@given(inventories, st.sampled_from([30, 45, 400]))
def test_a_policy_that_asks_for_nothing_changes_nothing(inventory: Inventory, days: int) -> None:
    for each in forecast(inventory, Policy(), NOW, days * DAY).points:
        assert (each.images, each.size, each.deleted) == (each.images_without, each.size_without, 0)


def test_more_images_than_can_be_looked_at_are_refused_with_the_time_that_can() -> None:
    there = [image(f"day-{number}", ago=number + 60) for number in range(300)]
    with pytest.raises(Misuse, match=r"^3,000,000 images would come in that time; give --forecast 200000d at most$"):
        of(there, rule(ALL, NOTHING), days=300_000)
