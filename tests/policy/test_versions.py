"""Semantic versions in tags. Source: semver.org, version 2.0.0."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.plan import Verdict
from aws_ecr_gc.policy import Keep, Match, Policy, Rule, make_plan
from aws_ecr_gc.policy.versions import parser
from tests.policy.cases import HOUR, details, going, image, plan, reasons, rule
from tests.policy.repositories import inventory_of

SECTION_11 = [
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
]
ASCENDING = ["0.9.10", "0.10.0", "1.0.0", "2.0.0", "2.1.0", "2.1.1", "10.0.0"]


def versions(template: str = "{version}", /, **levels: int) -> Rule:
    return rule(Match(semver=template), Keep(versions=tuple(levels.items())))


def kept(tags: Sequence[str], *rules: Rule) -> list[str]:
    """The tags of what stays, newest first; each tag is an image, the first the oldest."""
    images = [image(chr(ord("a") + at), tag, ago=HOUR * (100 - at)) for at, tag in enumerate(tags)]
    return [each.image.tags[0] for each in plan(images, *rules).decisions if each.verdict is not Verdict.COLLECTED]


@pytest.mark.parametrize("count", range(1, 9))
@pytest.mark.parametrize("step", [1, 3, 5, 7])
def test_prereleases_have_the_precedence_of_section_11_in_whatever_order_they_were_pushed(
    count: int, step: int
) -> None:
    pushed = [SECTION_11[at * step % 8] for at in range(8)]
    assert set(kept(pushed, versions(prereleases=count))) == set(SECTION_11[:-1][-count:])


@pytest.mark.parametrize("step", [1, 2, 3, 5])
def test_releases_compare_by_numbers_in_whatever_order_they_were_pushed(step: int) -> None:
    pushed = [ASCENDING[at * step % 7] for at in range(7)]
    for count in range(1, 8):
        assert set(kept(pushed, versions(patches=count))) == set(ASCENDING[-count:])


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        ("1.0.0-2", "1.0.0-10"),
        ("1.0.0-999", "1.0.0-a"),
        ("1.0.0-a", "1.0.0-a.0"),
        ("1.0.0-Z", "1.0.0-a"),
        ("1.0.0-a.b", "1.0.0-a-b"),
        ("1.0.0--", "1.0.0-0a"),
        ("1.0.0-10a", "1.0.0-9a"),
        ("1.0.0-rc.1", "1.0.1-alpha"),
        ("9.0.0-rc.1", "10.0.0-alpha"),
    ],
)
def test_fields_of_prereleases_compare_as_numbers_or_by_ascii(lower: str, higher: str) -> None:
    assert kept([higher, lower], versions(prereleases=1)) == [higher]
    assert kept([lower, higher], versions(prereleases=1)) == [higher]


RELEASES = ["1.0.0", "1.0.1", "1.1.0", "1.2.0", "1.2.1", "2.0.0", "2.0.1", "3.1.4"]


def test_majors_keep_the_highest_version_of_each_of_the_highest_majors() -> None:
    assert kept(RELEASES, versions(majors=1)) == ["3.1.4"]
    assert kept(RELEASES, versions(majors=3)) == ["3.1.4", "2.0.1", "1.2.1"]
    assert kept(RELEASES, versions(majors=9)) == ["3.1.4", "2.0.1", "1.2.1"]


def test_minors_keep_the_highest_version_of_each_of_the_highest_minors() -> None:
    assert kept(RELEASES, versions(minors=3)) == ["3.1.4", "2.0.1", "1.2.1"]
    assert kept(RELEASES, versions(minors=5)) == ["3.1.4", "2.0.1", "1.2.1", "1.1.0", "1.0.1"]


def test_patches_keep_the_highest_versions() -> None:
    assert kept(RELEASES, versions(patches=4)) == ["3.1.4", "2.0.1", "2.0.0", "1.2.1"]


def test_all_levels_are_united() -> None:
    assert kept([*RELEASES, "4.0.0-rc.1"], versions(majors=3, patches=3, prereleases=1)) == [
        "4.0.0-rc.1",
        "3.1.4",
        "2.0.1",
        "2.0.0",
        "1.2.1",
    ]


def test_a_prerelease_stands_in_for_no_release_and_a_release_for_no_prerelease() -> None:
    tags = ["1.0.0", "2.0.0-rc.1", "2.0.0-rc.2", "3.0.0-alpha"]
    assert kept(tags, versions(majors=2, minors=2, patches=2)) == ["1.0.0"]
    assert kept(tags, versions(prereleases=2)) == ["3.0.0-alpha", "2.0.0-rc.2"]


def test_the_highest_version_stays_and_not_the_one_pushed_last() -> None:
    assert kept(["2.0.0", "1.9.9", "1.9.10", "1.9.8"], versions(majors=2)) == ["1.9.10", "2.0.0"]


def test_of_equal_versions_the_newest_image_stays() -> None:
    tags = ["1.0.0_b1", "1.0.0_b3", "1.0.0_b2", "0.9.0"]
    assert kept(tags, versions(patches=2)) == ["0.9.0", "1.0.0_b2"]
    assert kept(["1.0.0-rc.1_x", "1.0.0-rc.1_a", "1.0.0-beta"], versions(prereleases=2)) == [
        "1.0.0-beta",
        "1.0.0-rc.1_a",
    ]


def test_build_metadata_after_an_underscore_has_no_part_in_precedence() -> None:
    assert kept(["1.0.1_1", "1.0.0_999.z", "1.0.1-rc.1_a-b"], versions(majors=1)) == ["1.0.1_1"]


@pytest.mark.parametrize(
    "tag",
    [
        *["01.2.3", "1.02.3", "1.2.03", "1.2", "v1", "v1.2.3", "1.2.3.4", "1.2.3-01", "1.2.3-a.01", "1.2.3-"],
        *[
            "1.2.3-a..b",
            "1.2.3+x",
            "1.2.3_",
            "1.2.3-a_b_c",
            "-1.2.3",
            "1.2.3\n",
            "\u0661.2.3",
            "1.2.3-\u0661",
            "1.2.x",
            "",
        ],
    ],
)
def test_what_is_no_version_is_unmatched_and_not_touched(tag: str) -> None:
    images = [image("a", tag), image("b", "9.9.9", ago=HOUR)]
    assert reasons(images, "a", versions(majors=1))[0].rule == "unmatched-tag"
    assert going(images, versions(majors=1)) == ""


@pytest.mark.parametrize("tag", ["0.0.0", "1.2.3", "1.2.3-0", "1.2.3-0a", "1.2.3--1", "1.2.3-x-y-z.4", "1.2.3_a.b-c"])
def test_what_is_a_version_is_managed(tag: str) -> None:
    level = "prereleases" if "-" in tag.partition("_")[0] else "patches"
    higher = image("b", "1.2.4-0" if level == "prereleases" else "1.2.4", ago=HOUR)
    assert going([image("a", tag), higher], versions(**{level: 1})) == "a"


def test_numbers_of_any_length_are_numbers() -> None:
    long = "9" * 60
    assert kept([f"1.0.{long}", f"1.0.1{long}", f"1.0.0-{long}"], versions(patches=1)) == [f"1.0.1{long}"]


@pytest.mark.parametrize(
    ("template", "fits", "does_not_fit"),
    [
        ("v{version}", "v1.2.3", "1.2.3"),
        ("release-{version}-alpine", "release-1.2.3-alpine", "release-1.2.3"),
        ("release-{version}-alpine", "release-1.2.3-rc.1-alpine", "release-1.2-alpine"),
        ("*-v{version}", "api-v1.2.3", "v1.2.3"),
        ("*-v{version}", "-v1.2.3", "api-1.2.3"),
        ("{version}-*", "1.2.3-alpine", "1.2.3"),
        ("a.b{version}", "a.b1.2.3", "axb1.2.3"),
        ("[{version}", "[1.2.3", "1.2.3"),
    ],
)
def test_a_template_is_literal_text_around_the_version_with_a_star_for_any(
    template: str, fits: str, does_not_fit: str
) -> None:
    assert reasons([image("a", fits)], "a", versions(template, patches=1, prereleases=1))[0].rule == "rule"
    assert reasons([image("a", does_not_fit)], "a", versions(template, patches=1))[0].rule == "unmatched-tag"


def test_a_suffix_of_the_template_is_no_prerelease() -> None:
    tags = ["release-1.2.3-alpine", "release-1.2.3-rc.1-alpine", "release-1.2.2-alpine"]
    assert kept(tags, versions("release-{version}-alpine", patches=1)) == tags[:1]
    assert kept(tags, versions("release-{version}-alpine", prereleases=1)) == tags[1:2]


def test_a_star_before_the_version_takes_no_digits_of_it() -> None:
    """10.2.3 is not 0.2.3 after something that ends with 1."""
    assert kept(["10.2.3", "9.9.9"], versions("*{version}", patches=1)) == ["10.2.3"]
    assert kept(["api10.2.3", "api9.9.9"], versions("*{version}", patches=1)) == ["api10.2.3"]


def test_a_star_after_the_version_takes_no_digits_of_it() -> None:
    """1.2.03 is not 1.2.0 with a 3 behind it."""
    assert reasons([image("a", "1.2.03")], "a", versions("{version}*", patches=1))[0].rule == "unmatched-tag"
    assert kept(["1.2.10x", "1.2.9x"], versions("{version}*", patches=1)) == ["1.2.10x"]


@pytest.mark.parametrize("template", ["", "v", "v*", "{version}{version}", "*{version}*", "v{Version}"])
def test_a_template_without_one_place_for_the_version_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"must hold \{version\} once, and at most one \*, such as v\{version\}"):
        parser(template)


def test_an_image_with_several_version_tags_is_judged_by_each() -> None:
    images = [image("a", "1.0.0", "2.0.0"), image("b", "1.0.1"), image("c", "2.1.0"), image("d", "3.0.0", "0.1.0")]
    assert going(images, versions(majors=2)) == "ab"
    assert going(images, versions(patches=3)) == "b"
    assert going(images, versions(patches=2)) == "ab"
    assert going(images, versions(majors=4)) == "a"


def test_an_image_that_also_has_a_tag_that_is_no_version_is_not_touched_and_has_its_place() -> None:
    images = [image("a", "1.0.0"), image("b", "1.0.1", "latest"), image("c", "2.0.0")]
    assert going(images, versions(majors=2)) == "a"


def test_each_stream_has_versions_of_its_own() -> None:
    by_service = rule(
        Match(regex=("(?P<service>[a-z]+)-.*",), semver="*-v{version}"), Keep(versions=(("majors", 1),)), "service"
    )
    images = [image("a", "api-v1.0.0"), image("b", "api-v2.0.0"), image("c", "web-v1.0.0"), image("d", "web-v0.9.0")]
    assert going(images, by_service) == "ad"
    assert details(images, "c", by_service)[0].endswith(" of 2 in web; kept by majors 1: the highest of 1")


def test_reasons_name_the_level_and_the_group() -> None:
    levels = versions(majors=1, minors=1, patches=1, prereleases=1)
    images = [image("a", "1.2.3"), image("b", "1.2.4-rc.1"), image("c", "1.2.2"), image("d", "1.2.4-rc.0")]
    highest = "majors 1: the highest of 1, minors 1: the highest of 1.2, patches 1: the highest of 1.2.3"
    assert details(images, "a", levels)[0].partition("kept by ")[2] == highest
    assert details(images, "b", levels)[0].partition("kept by ")[2] == "prereleases 1: the highest of 1.2.4"
    lost = "not kept by majors 1, minors 1, patches 1, prereleases 1"
    assert details(images, "c", levels)[0].partition("; ")[2] == lost
    assert details(images, "d", levels)[0].partition("; ")[2] == lost


# Versions once more, slowly: section 11 as a comparison of two.

_fields = st.sampled_from(["0", "1", "2", "10", "a", "A", "b", "a-", "1a"])
_made = st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from([0, 1, 10]), st.lists(_fields, max_size=3))


def _exceeds(one: tuple[int, int, int, list[str]], other: tuple[int, int, int, list[str]]) -> bool:
    if one[:3] != other[:3]:
        return one[:3] > other[:3]
    for left, right in zip(one[3], other[3], strict=False):
        if left != right:
            if left.isdigit() and right.isdigit():
                return int(left) > int(right)
            if left.isdigit() or right.isdigit():
                return right.isdigit()
            return left > right
    return len(one[3]) > len(other[3])


def _stays(made: Sequence[tuple[int, int, int, list[str]]], levels: dict[str, int]) -> set[int]:
    """For each level and group the highest, and of equals the newest; a group counts by how many groups are higher."""
    stays = set()
    for name, count in levels.items():
        parts = ["majors", "minors", "patches"].index(name) + 1 if name != "prereleases" else 4
        places = [at for at, version in enumerate(made) if bool(version[3]) == (parts == 4)]
        best = [
            at
            for at in places
            if not any(
                made[at][:parts] == made[other][:parts]
                and (_exceeds(made[other], made[at]) or (made[other] == made[at] and other > at))
                for other in places
            )
        ]
        stays |= {at for at in best if sum(_exceeds(made[other], made[at]) for other in best) < count}
    return stays


@given(
    st.lists(_made, max_size=20),
    st.dictionaries(st.sampled_from(["majors", "minors", "patches", "prereleases"]), st.integers(1, 4), min_size=1),
)
def test_a_slow_reading_of_semver_keeps_the_same(
    made: list[tuple[int, int, int, list[str]]], levels: dict[str, int]
) -> None:
    images = [
        image(str(at), f"{major}.{minor}.{patch}{'-' * bool(fields)}{'.'.join(fields)}", ago=HOUR * (100 - at))
        for at, (major, minor, patch, fields) in enumerate(made)
    ]
    gone = {
        step.digest for step in make_plan(inventory_of(images), Policy((versions(**levels),), grace=0.0), 2e9).steps
    }
    assert {at for at, each in enumerate(images) if each.digest not in gone} == _stays(made, levels)
