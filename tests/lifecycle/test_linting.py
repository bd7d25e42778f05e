"""What is valid and may surprise is told, each once, and nothing of a policy that says what it means."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.inventory import Image
from aws_ecr_gc.lifecycle.linting import Ground, idle_rules, warnings, warnings_in
from aws_ecr_gc.lifecycle.patterns import covers, implied, matcher, meet, reduced
from aws_ecr_gc.lifecycle.reading import read
from aws_ecr_gc.lifecycle.simulating import simulate
from tests.lifecycle.cases import policies, repositories
from tests.lifecycle.worlds import ARCHIVE, DAY, NOW, Spec, image_of, play, policy_of, rule, text_of
from tests.policy.repositories import INDEX, MANIFEST, digest

CLEAN = [rule(1, ["keep-*"], "pushed", 9999), rule(2, ["build-*"], "more", 10), rule(3, "untagged", "pushed", 1)]


def found(*rules: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each.check, each.path) for each in warnings(read(text_of(*rules), "p.json"))]


def test_a_policy_that_says_what_it_means_has_no_warnings() -> None:
    assert found(*CLEAN) == []


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param(
            [rule(1, ["prod*"], "more", 9), rule(2, ["prod-eu-*"], "pushed", 9)],
            [("never-acts", "rules[1]")],
            id="covered",
        ),
        pytest.param(
            [rule(1, ["prod"], "pushed", 3, prefixes=True), rule(2, ["prod-*", "x-*"], "pushed", 9)],
            [("all-entries", "rules[1].selection.tagPatternList"), ("never-acts", "rules[1]")],
            id="covered-by-a-prefix",
        ),
        pytest.param(
            [rule(1, ["prod*"], "pushed", 9, prefixes=True)],
            [("never-acts", "rules[0].selection.tagPrefixList[0]")],
            id="asterisk-in-a-prefix",
        ),
        pytest.param(
            [rule(1, ["v[0-9]+"], "pushed", 9)], [("never-acts", "rules[0].selection.tagPatternList[0]")], id="regex"
        ),
        pytest.param(
            [rule(1, ["a*", "b*"], "pushed", 9)], [("all-entries", "rules[0].selection.tagPatternList")], id="and"
        ),
        pytest.param([rule(1, ["a*", "a-b*"], "pushed", 9)], [], id="and-that-is-none"),
        pytest.param(
            [rule(1, ["build*"], "more", 5), rule(2, ["keep*"], "more", 9999)],
            [("priority", "rules[1]")],
            id="protects-last",
        ),
        pytest.param(
            [rule(1, ["keep*"], "more", 9999), rule(2, "any", "more", 5)],
            [("counts-others", "rules[1]"), ("counts-parts", "rules[1]")],
            id="any-counts-what-is-kept",
        ),
        pytest.param([rule(1, "untagged", "more", 5)], [("counts-parts", "rules[0]")], id="untagged-count"),
        pytest.param([rule(1, ["*"], "more", 5)], [("counts-parts", "rules[0]")], id="signatures"),
        pytest.param([rule(1, "any", "archived", 90)], [("nothing-archived", "rules[0]")], id="nothing-archives"),
        pytest.param([rule(1, "any", "archived", 90), rule(2, "any", "pulled", 90)], [], id="archive"),
        pytest.param([rule(1, "any", "pushed", 9, action=ARCHIVE), rule(2, "any", "archived", 90)], [], id="classes"),
    ],
)
def test_a_surprise_is_told_with_its_place(rules: list[dict[str, Any]], expected: list[tuple[str, str]]) -> None:
    assert found(*rules) == expected


def ground(images: list[Image], *rules: dict[str, Any], needed: dict[str, str] | None = None) -> list[tuple[str, str]]:
    written = read(text_of(*rules), "p.json")
    simulation = simulate(images, policy_of(*rules), NOW)
    return [(each.check, each.path) for each in warnings_in(written, Ground("app", images, simulation, needed or {}))]


def image(name: str, *tags: str, age: float = 9, subject: str | None = None, children: tuple[str, ...] = ()) -> Image:
    listed = tuple(map(digest, children))
    kind = INDEX if children else MANIFEST
    return Image(digest(name), NOW - age * DAY, tags, kind, subject=subject and digest(subject), children=listed)


def test_untagged_rules_are_warned_of_where_there_are_indexes_and_signatures() -> None:
    images = [image("child"), image("index", "v1", children=("child",)), image("signature", subject="index")]
    assert ground(images, rule(1, "untagged", "pushed", 1)) == [
        ("children-of-indexes", "rules[0]"),
        ("signatures", "rules[0]"),
    ]


def test_a_count_that_keeps_parts_is_told() -> None:
    images = [
        image("old", "v0"),
        image("child", age=2),
        image("index", "v1", children=("child",), age=2),
        image("signature", f"sha256-{digest('index')[7:]}.sig", age=1),
    ]
    assert ("counts-parts", "rules[0]") in ground(images, rule(1, "any", "more", 3))


def test_what_runs_and_would_go_is_told() -> None:
    images = [image("a", "v1"), image("b", "v2", age=1)]
    expected = [("in-use", "rules[0]")]
    assert ground(images, rule(1, ["v*"], "more", 1), needed={digest("a"): "in-use: ecs:prod/web uses it"}) == expected
    assert ground(images, rule(1, ["v*"], "more", 1), needed={digest("b"): "in-use: ecs:prod/web uses it"}) == []


def test_rules_without_an_image_are_idle_and_say_who_has_theirs() -> None:
    images = [image("a", "prod-1", "beta-1")]
    rules = [rule(1, ["prod*"], "pushed", 99), rule(2, ["beta*"], "pushed", 1), rule(3, ["x*"], "pushed", 1)]
    simulation = simulate(images, policy_of(*rules), NOW)
    idle = list(idle_rules(read(text_of(*rules), "p.json"), images, simulation))
    assert [str(each) for each in idle] == [
        "never acts as things are: 1 image that it selects belongs to rule 1",
        "selects no image that is there now",
    ]


_PATTERNS = st.text("ab*", max_size=7).filter(lambda pattern: pattern.count("*") <= 4)
_WORDS = st.text("ab", max_size=8)


@given(_PATTERNS, _PATTERNS, _WORDS)
def test_a_pattern_that_covers_another_matches_all_that_it_does(wide: str, narrow: str, word: str) -> None:
    if covers(wide, narrow) and matcher(narrow)(word):
        assert matcher(wide)(word)
    if matcher(wide)(word) and matcher(narrow)(word):
        assert meet(wide, narrow)


@given(st.lists(_PATTERNS, min_size=1, max_size=4), st.lists(_WORDS, max_size=4))
def test_what_is_left_of_several_patterns_asks_for_the_same(patterns: list[str], tags: list[str]) -> None:
    def met(asked: tuple[str, ...] | list[str]) -> bool:
        return all(any(map(matcher(pattern), tags)) for pattern in asked)

    assert reduced(patterns)
    assert met(patterns) == met(reduced(patterns))


@given(policies(), repositories())
def test_a_rule_that_is_said_never_to_act_never_marks(rules: list[dict[str, Any]], specs: list[Spec]) -> None:
    text = text_of(*rules)
    written = read(text, "p.json")
    simulation = simulate(
        [image_of(each) for each in play(specs, text).repository.images.values()], policy_of(*rules), NOW
    )
    marking = {priority for priority, _ in simulation.marks.values()}
    priority_at = {f"rules[{at}]": each.priority for at, each in written.rules}
    for warning in warnings(written):
        if warning.check == "never-acts" and warning.path in priority_at:
            assert priority_at[warning.path] not in marking
    ordered = policy_of(*rules).rules
    for place, later in enumerate(ordered):
        for earlier in ordered[:place]:
            if earlier.storage is later.storage and implied(earlier, by=later):
                assert later.priority not in marking
