"""Durations and globs, as users write them."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc import durations, globs


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *[("0", 0), ("0s", 0), ("90s", 90), ("90m", 5400), ("1h30m", 5400), ("2d", 172800), ("2w", 1209600)],
        *[("1w1d1h1m1s", 694861), ("1d1d", 172800), ("30m1h", 5400), ("999999w", 604799395200), ("007d", 604800)],
    ],
)
def test_a_duration_is_a_sum_of_numbers_with_units(text: str, seconds: float) -> None:
    assert durations.parse(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "00",
        "d",
        "1y",
        "1D",
        "1 d",
        " 1d",
        "1d ",
        "1d\n",
        "0\n",
        "-1d",
        "+1d",
        "1.5d",
        "1d0",
        "1000000s",
        "\u0661d",
    ],
)
def test_what_is_no_duration_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration, such as 90m, 1h30m, 2d, 2w or 0$"):
        durations.parse(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0"), (1, "1s"), (60, "1m"), (3600, "1h"), (86400, "1d"), (604800, "7d"), (90061, "1d1h1m1s"), (59.9, "59s")],
)
def test_a_duration_is_spelled_in_days_and_smaller_units(seconds: float, text: str) -> None:
    assert durations.spelled(seconds) == text


@given(st.integers(0, 999_999 * 86400))
def test_what_is_spelled_is_read_as_the_same(seconds: int) -> None:
    assert durations.parse(durations.spelled(seconds)) == seconds


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not_fit"),
    [
        ("*", ["", "a", "a/b", "a\nb"], []),
        ("ci/*", ["ci/a", "ci/a/b", "ci/"], ["ci", "xci/a", "CI/a"]),
        ("v?", ["v1", "v/"], ["v", "v12", "V1"]),
        ("V*", ["V1"], ["v1"]),
        ("v[0-2]", ["v0", "v2"], ["v3", "v", "v[0-2]"]),
        ("v[!0-2]", ["v3", "vx"], ["v0", "v"]),
        ("v[]]", ["v]"], ["v[", "v[]]"]),
        ("a[b", ["a[b"], ["ab"]),
        ("a.b", ["a.b"], ["axb"]),
        ("a+(b|c)$^", ["a+(b|c)$^"], ["aab"]),
        ("[z-a]", [], ["z", "a", "m"]),
        ("*-*-*", ["a-b-c", "--", "a-b-c-d"], ["a-b"]),
        ("", [""], ["a"]),
    ],
)
def test_a_glob_matches_the_whole_text(pattern: str, fits: list[str], does_not_fit: list[str]) -> None:
    matches = globs.matcher([pattern])
    assert [text for text in fits if not matches(text)] == []
    assert [text for text in does_not_fit if matches(text)] == []


def test_of_several_globs_one_is_enough_and_none_match_nothing() -> None:
    matches = globs.matcher(["a*", "*z", "m"])
    assert [text for text in ("ab", "yz", "m", "mm", "b") if matches(text)] == ["ab", "yz", "m"]
    assert not globs.matcher([])("")
    assert not globs.matcher([])("a")


@given(st.lists(st.text("ab*?", max_size=5), max_size=3), st.text("ab*?\n", max_size=6))
def test_globs_without_brackets_match_as_those_of_the_shell(patterns: list[str], text: str) -> None:
    assert bool(globs.matcher(patterns)(text)) == any(fnmatchcase(text, pattern) for pattern in patterns)


def test_a_glob_of_many_stars_ends() -> None:
    assert not globs.matcher(["a*" * 60 + "b"])("a" * 128)


@pytest.mark.parametrize(
    ("pattern", "has"), [("a", False), ("a.b", False), ("a]", False), ("a*", True), ("?", True), ("[a]", True)]
)
def test_wildcards_are_told_from_literal_text(pattern: str, has: bool) -> None:
    assert globs.has_wildcard(pattern) is has
