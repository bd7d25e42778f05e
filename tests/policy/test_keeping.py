"""What a rule retains of what it matches, and what it says of it."""

import pytest

from aws_ecr_gc.inventory import Image
from aws_ecr_gc.plan import Verdict
from aws_ecr_gc.policy import Keep, Match
from tests.policy.cases import ALL, DAY, HOUR, decision, details, going, image, reasons, rule
from tests.policy.repositories import NOW

TAGGED = Match(prefix=("",))


def builds(count: int) -> list[Image]:
    """a is the newest."""
    return [image(chr(ord("a") + at), f"build-{at}", ago=HOUR * (at + 1)) for at in range(count)]


def test_newest_keeps_that_many_images() -> None:
    assert going(builds(4), rule(TAGGED, Keep(newest=1))) == "bcd"
    assert going(builds(4), rule(TAGGED, Keep(newest=3))) == "d"
    assert going(builds(4), rule(TAGGED, Keep(newest=4))) == ""
    assert going(builds(4), rule(TAGGED, Keep(newest=400))) == ""


def test_newest_counts_images_and_not_tags() -> None:
    images = [image("a", "x", "y", "z", ago=HOUR), image("b", "w", ago=2 * HOUR), image("c", "v", ago=3 * HOUR)]
    assert going(images, rule(TAGGED, Keep(newest=2))) == "c"


def test_newest_holds_whatever_the_ages_say() -> None:
    images = [image("a", "x", ago=900 * DAY), image("b", "y", ago=901 * DAY)]
    assert going(images, rule(TAGGED, Keep(newest=1, younger_than=DAY, pulled_within=DAY))) == "b"


def test_an_image_that_is_exactly_as_old_is_not_younger() -> None:
    images = [image("a", "x", ago=DAY), image("b", "y", ago=DAY - 0.001), image("c", "z", ago=DAY + 0.001)]
    assert going(images, rule(TAGGED, Keep(younger_than=DAY))) == "ac"


def test_an_image_from_the_future_is_younger_than_anything() -> None:
    assert going([image("a", "x", ago=-DAY)], rule(TAGGED, Keep(younger_than=1))) == ""


def test_an_image_that_was_pulled_exactly_so_long_ago_was_not_pulled_within() -> None:
    images = [
        image("a", "x", pulled_at=NOW - DAY),
        image("b", "y", pulled_at=NOW - DAY + 0.001),
        image("c", "z", pulled_at=NOW + DAY),
    ]
    assert going(images, rule(TAGGED, Keep(pulled_within=DAY))) == "a"


def test_the_last_pull_and_not_the_push_decides_where_it_is_known() -> None:
    images = [image("a", "x", ago=HOUR, pulled_at=NOW - 2 * DAY), image("b", "y", ago=9 * DAY, pulled_at=NOW - HOUR)]
    assert going(images, rule(TAGGED, Keep(pulled_within=DAY))) == "a"
    assert details(images, "b", rule(TAGGED, Keep(pulled_within=DAY))) == ["2nd of 2; kept by pulled_within 1d"]


def test_an_unknown_pull_falls_back_to_the_push_and_that_is_said() -> None:
    images = [image("a", "x", ago=HOUR), image("b", "y", ago=DAY - 1), image("c", "z", ago=DAY)]
    keep = rule(TAGGED, Keep(pulled_within=DAY))
    assert going(images, keep) == "c"
    assert details(images, "a", keep) == [
        "1st of 3; kept by pulled_within 1d: no pull is on record, so its push counts"
    ]
    assert details(images, "c", keep) == ["3rd of 3; not kept by pulled_within 1d"]


def test_keep_none_keeps_nothing() -> None:
    assert going(builds(2), rule(TAGGED, Keep())) == "ab"
    assert details(builds(2), "b", rule(TAGGED, Keep())) == ["2nd of 2; keep none"]


def test_all_that_a_keep_states_is_united() -> None:
    images = [
        image("a", "a", ago=2 * DAY),
        image("b", "b", ago=3 * DAY, pulled_at=NOW - HOUR),
        image("c", "c", ago=4 * DAY),
        image("d", "d", ago=40 * DAY),
        image("e", "e", ago=400 * DAY),
        image("f", "f", ago=401 * DAY),
    ]
    assert going(images, rule(TAGGED, Keep(newest=1))) == "bcdef"
    assert going(images, rule(TAGGED, Keep(newest=1, pulled_within=DAY))) == "cdef"
    assert going(images, rule(TAGGED, Keep(newest=1, pulled_within=DAY, younger_than=5 * DAY))) == "def"
    more = Keep(newest=1, pulled_within=DAY, younger_than=5 * DAY, within=(("monthly", 60 * DAY),))
    assert going(images, rule(TAGGED, more)) == "ef"
    most = Keep(1, 5 * DAY, DAY, within=(("monthly", 60 * DAY),), periods=(("yearly", 2),))
    assert going(images, rule(TAGGED, most)) == "f"


def test_reasons_are_united_in_the_order_of_the_keep() -> None:
    images = [image("a", "1.0.0", ago=HOUR, pulled_at=NOW - HOUR), image("b", "0.1.0", ago=900 * DAY)]
    keep = Keep(
        newest=1,
        younger_than=90 * 60,
        pulled_within=7 * DAY,
        periods=(("daily", 1),),
        within=(("hourly", DAY),),
        versions=(("majors", 1),),
    )
    kept = [
        "newest 1",
        "younger_than 1h30m",
        "pulled_within 7d",
        "daily 1: the newest of 2017-07-14",
        "hourly within: the newest of 2017-07-14 01h",
        "majors 1: the highest of 1",
    ]
    stated = "newest 1, younger_than 1h30m, pulled_within 7d, daily 1, majors 1, hourly within 1d"
    versions = rule(Match(semver="{version}"), keep)
    assert details(images, "a", versions) == [f"1st of 2; kept by {', '.join(kept)}"]
    assert details(images, "b", versions) == [f"2nd of 2; not kept by {stated}"]


def test_a_retained_image_names_each_rule_that_keeps_it_and_a_collected_one_each_that_does_not() -> None:
    rules = [
        rule(Match(prefix=("build",)), Keep(newest=1), name="builds"),
        rule(TAGGED, Keep(newest=2), name="all"),
        rule(Match(untagged=True), Keep(newest=9), name="untagged"),
    ]
    assert [(each.rule, each.detail, each.via) for each in reasons(builds(3), "a", *rules)] == [
        ("builds", "1st of 3; kept by newest 1", None),
        ("all", "1st of 3; kept by newest 2", None),
    ]
    assert [(each.rule, each.detail) for each in reasons(builds(3), "b", *rules)] == [
        ("all", "2nd of 3; kept by newest 2")
    ]
    assert [(each.rule, each.detail) for each in reasons(builds(3), "c", *rules)] == [
        ("builds", "3rd of 3; not kept by newest 1"),
        ("all", "3rd of 3; not kept by newest 2"),
    ]


def test_the_place_is_told_within_the_stream() -> None:
    match = Match(regex=("(?P<service>[a-z]+)-(?P<branch>[a-z]+)-[0-9]",))
    images = [image("a", "api-main-1", ago=HOUR), image("b", "api-main-2", ago=2 * HOUR), image("c", "api-dev-1")]
    streams = rule(match, Keep(newest=1), "service", "branch")
    assert details(images, "a", streams) == ["1st of 2 in api/main; kept by newest 1"]
    assert details(images, "b", streams) == ["2nd of 2 in api/main; not kept by newest 1"]
    assert details(images, "c", streams) == ["1st of 1 in api/dev; kept by newest 1"]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        *[(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (10, "10th"), (11, "11th"), (12, "12th"), (13, "13th")],
        *[(20, "20th"), (21, "21st"), (22, "22nd"), (23, "23rd"), (101, "101st"), (111, "111th"), (112, "112th")],
    ],
)
def test_places_are_told_as_people_count(place: int, said: str) -> None:
    images = [image(str(at), "x", ago=HOUR - at) for at in range(112)]
    images[112 - place] = image("a", "x", ago=HOUR - (112 - place))
    assert details(images, "a", rule(TAGGED, Keep(newest=112))) == [f"{said} of 112; kept by newest 112"]


@pytest.mark.parametrize(
    ("keep", "text"),
    [
        (Keep(), "none"),
        (Keep(newest=3), "newest 3"),
        (Keep(younger_than=0), "younger_than 0"),
        (Keep(newest=3, younger_than=7 * DAY, pulled_within=14 * DAY), "newest 3, younger_than 7d, pulled_within 14d"),
        (Keep(periods=(("hourly", 1), ("yearly", 5)), timezone="Europe/Berlin"), "hourly 1, yearly 5"),
        (Keep(versions=(("majors", 2), ("prereleases", 1))), "majors 2, prereleases 1"),
        (Keep(within=(("daily", 30 * DAY),)), "daily within 30d"),
    ],
)
def test_a_keep_prints_as_in_a_policy_file(keep: Keep, text: str) -> None:
    assert str(keep) == text


def test_a_rule_keeps_what_another_rule_does_not() -> None:
    rules = (rule(TAGGED, Keep(), name="none"), rule(Match(prefix=("build-1",)), Keep(newest=1), name="one"))
    assert going(builds(3), *rules) == "ac"
    assert decision(builds(3), "b", *rules).verdict is Verdict.RETAINED


def test_a_rule_for_everything_counts_tagged_and_untagged_images_together() -> None:
    images = [image("a", "x", ago=HOUR), image("b", ago=2 * HOUR), image("c", "y", ago=3 * HOUR)]
    assert going(images, rule(ALL, Keep(newest=1))) == "bc"


def test_without_rules_nothing_goes() -> None:
    images = [image("a", "x"), image("b")]
    assert going(images) == ""
    assert [reasons(images, name)[0].rule for name in "ab"] == ["unmatched-tag", "no-untagged-rule"]
