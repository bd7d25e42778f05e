"""AWS's own worked examples, and more that follow from documented sentences: both evaluators give the known result."""

from typing import Any

import pytest

from aws_ecr_gc.lifecycle.values import Action
from tests.lifecycle.worlds import (
    ARCHIVE,
    DAY,
    Played,
    Spec,
    named,
    play,
    policy_of,
    rule,
    simulated,
    text_of,
)

_SECOND = 1 / DAY


def image(name: str, tags: str, age: float, **more: Any) -> Spec:
    return Spec(name, tuple(tags.split()), age, **more)


ONE = [image("A", "beta-1 prod-1", 10), image("B", "beta-2 prod-2", 9), image("C", "beta-3", 8)]
THREE = [
    image("A", "alpha-1", 12),
    image("B", "beta-1", 11),
    image("C", "alpha-2 beta-2", 10),
    image("D", "alpha-3", 4),
    image("E", "beta-3", 3),
    image("F", "alpha-4 beta-4", 2),
]
FOUR = [
    image("A", "alpha-1 beta-1 gamma-1", 10),
    image("B", "alpha-2 beta-2", 9),
    image("C", "alpha-3 beta-3 gamma-2", 8),
]
FIVE = [image("A", "alpha-1", 4), image("B", "beta-1", 3), image("C", "", 2), image("D", "alpha-2", 1)]
SIX = [
    image("A", "alpha-1 beta-1", 4),
    image("B", "", 3),
    image("C", "alpha-2", 2),
    image("D", "git-hash", 1),
    image("E", "", 1),
]
NINE = [
    image("E", "", 400, pulled=300, activated=10),
    image("F", "", 400, pulled=300, activated=120),
    image("G", "", 400, pulled=20, activated=120),
    image("A", "", 200, pulled=5),
    image("B", "", 200, pulled=100),
    image("C", "", 91),
    image("D", "", 89),
]
TEN = [
    image("B", "", 900, status="ARCHIVED", archived=364),
    image("C", "", 900),
    image("A", "", 400, status="ARCHIVED", archived=366),
]
ELEVEN = [
    image("C", "", 900, status="ARCHIVED", archived=366),
    image("D", "", 800, status="ARCHIVED", archived=100),
    image("A", "", 31),
    image("B", "", 29),
]
SEVENTEEN = [
    image("alpine", "", 9.3),
    image("centos", "", 9.2),
    image("child", "", 9.1),
    image("list", "v1", 9, children=("child",)),
    image("newest", "v2", 8),
]


def rules(number: int, form: str) -> list[dict[str, Any]]:
    """The rules of a vector, with lists of prefixes or of patterns."""
    prefixes = form == "prefixes"

    def of(*names: str) -> tuple[str, ...]:
        return names if prefixes else tuple(f"{name}*" for name in names)

    def tagged(priority: int, names: tuple[str, ...], count: str, limit: int) -> dict[str, Any]:
        return rule(priority, of(*names), count, limit, prefixes=prefixes)

    return {
        1: [tagged(1, ("prod",), "more", 1), tagged(2, ("beta",), "more", 1)],
        2: [tagged(1, ("beta",), "more", 1), tagged(2, ("prod",), "more", 1)],
        3: [tagged(1, ("alpha", "beta"), "pushed", 5)],
        4: [tagged(1, ("alpha", "beta"), "more", 1)],
        5: [rule(1, "any", "more", 1)],
        6: [tagged(1, ("alpha",), "more", 1), rule(2, "untagged", "pushed", 1), rule(3, "any", "more", 1)],
        7: [tagged(1, ("prod",), "pushed", 14)],
        8: [rule(1, "untagged", "more", 1)],
        9: [rule(1, "any", "pulled", 90)],
        10: [rule(1, "any", "archived", 365)],
        11: [rule(1, "any", "pushed", 30, action=ARCHIVE), rule(2, "any", "archived", 365)],
        12: [tagged(1, ("keep",), "more", 9999), rule(2, "any", "pushed", 30)],
        13: [rule(1, ["*prod*"], "pushed", 1)],
        14: [rule(1, "any", "pushed", 1)],
        17: [rule(1, "any", "more", 2)],
    }[number]


VECTORS: dict[int, tuple[list[Spec], str]] = {
    1: (ONE, "A:1"),
    2: (ONE, "A:1 B:1"),
    3: (THREE, "C:1"),
    4: (FOUR, "A:1 B:1"),
    5: (FIVE, "A:1 B:1 C:1"),
    6: (SIX, "A:1 B:2 D:3"),
    7: ([image("C", "dev1", 40), image("A", "prod1", 15), image("B", "prod2", 13)], "A:1"),
    8: ([image("C", "x", 9), image("A", "", 3), image("B", "", 2)], "A:1"),
    9: (NINE, "B:1 C:1 F:1"),
    10: (TEN, "A:1"),
    11: (ELEVEN, "A:1 C:2"),
    12: ([image("A", "keep-1 junk", 400), image("B", "junk", 400)], "B:2"),
    13: (
        [
            image(name, tag, 9)
            for name, tag in zip("ABCD", ("repo-production", "prod-team", "pro", "prod"), strict=True)
        ],
        "A:1 B:1 D:1",
    ),
    14: ([image("B", "", 1 + _SECOND), image("A", "", 1)], "B:1"),
    17: (SEVENTEEN, "alpine:1 centos:1 child:1"),
}


def marked(played: Played, marks: dict[str, int]) -> str:
    """The names of what is marked, each with its rule, in alphabetical order."""
    return " ".join(sorted(f"{named(played, [digest])}:{priority}" for digest, priority in marks.items()))


@pytest.mark.parametrize("form", ["patterns", "prefixes"])
@pytest.mark.parametrize("number", VECTORS)
def test_both_evaluators_mark_what_the_vector_says(number: int, form: str) -> None:
    specs, expected = VECTORS[number]
    played = play(specs, text_of(*rules(number, form)))
    simulation = simulated(played, policy_of(*rules(number, form)), 0)
    assert marked(played, {digest: priority for digest, (priority, _) in simulation.marks.items()}) == expected
    played.world.clock.advance(DAY + 1)
    seen = {each.digest: each.rule or 0 for each in played.world.lifecycles.actions}
    assert marked(played, seen) == expected


def test_9_and_11_archive_and_expire_as_their_actions_say() -> None:
    played = play(ELEVEN, text_of(*rules(11, "patterns")))
    simulation = simulated(played, policy_of(*rules(11, "patterns")), 0)
    assert [(named(played, [each.digest]), each.action) for each in simulation.events] == [
        ("C", Action.EXPIRE),
        ("A", Action.TRANSITION),
    ]
    played.world.clock.advance(DAY + 1)
    assert played.repository.images[played.names["A"]].status == "ARCHIVED"
    assert played.names["C"] not in played.repository.images


def test_15_the_children_of_an_index_that_stays_fail_and_the_repository_is_unchanged() -> None:
    specs = [image("c1", "", 10), image("c2", "", 10), image("I", "v1", 10, children=("c1", "c2"))]
    untagged = rule(1, "untagged", "pushed", 1)
    played = play(specs, text_of(untagged))
    simulation = simulated(played, policy_of(untagged), 3)
    assert not simulation.events
    assert [(named(played, [each.digest]), each.times) for each in simulation.failures] == [("c1", 4), ("c2", 4)]
    assert {each.holders for each in simulation.failures} == {(played.names["I"],)}
    played.world.clock.advance(4 * DAY + 1)
    assert len(played.repository.images) == 3
    assert [each.failure is not None for each in played.world.lifecycles.actions] == [True] * 8


def test_16_the_children_of_an_index_that_goes_follow_in_the_next_run() -> None:
    specs = [image("c1", "", 10.01), image("c2", "", 10.01), image("I", "", 10, children=("c1", "c2"))]
    untagged = rule(1, "untagged", "pushed", 1)
    played = play(specs, text_of(untagged))
    simulation = simulated(played, policy_of(untagged), 1)
    happened = [(named(played, [each.digest]), (each.at - played.due) / DAY) for each in simulation.events]
    assert happened == [("I", 0), ("c1", 1), ("c2", 1)]
    assert [each.times for each in simulation.failures] == [1, 1]
    played.world.clock.advance(DAY + 1)
    assert [each.by for each in played.world.deletions] == ["lifecycle"]
    played.world.clock.advance(DAY)
    assert not played.repository.images


def test_17_what_is_left_of_the_list_fails_after_the_two_older_ones_went() -> None:
    played = play(SEVENTEEN, text_of(*rules(17, "patterns")))
    simulation = simulated(played, policy_of(*rules(17, "patterns")), 0)
    assert named(played, [each.digest for each in simulation.events]) == "alpine centos"
    assert [each.holders for each in simulation.failures] == [(played.names["list"],)]


def test_settled_the_children_go_in_the_same_run() -> None:
    specs = [image("c", "", 10.01), image("I", "", 10, children=("c",))]
    untagged = rule(1, "untagged", "pushed", 1)
    played = play(specs, text_of(untagged))
    simulation = simulated(played, policy_of(untagged), 0, "passes=settled")
    assert named(played, [each.digest for each in simulation.events]) == "I c"
    assert not simulation.failures


def test_what_refers_to_an_image_follows_it_within_a_day_into_the_archive_too() -> None:
    specs = [image("old", "v1", 40), image("sig", "", 40, subject="old"), image("sbom", "", 39, subject="sig")]
    archive = rule(1, ["v*"], "pushed", 30, action=ARCHIVE)
    played = play(specs, text_of(archive))
    simulation = simulated(played, policy_of(archive), 0)
    assert [(named(played, [each.digest]), each.priority) for each in simulation.events] == [
        ("old", 1),
        ("sig", None),
        ("sbom", None),
    ]
    played.world.clock.advance(DAY + 1)
    assert played.repository.images[played.names["sig"]].status == "ACTIVE"
    played.world.clock.advance(DAY)
    assert {each.status for each in played.repository.images.values()} == {"ARCHIVED"}


def test_a_tie_at_the_edge_of_a_count_is_named() -> None:
    specs = [image("A", "v1", 3), image("B", "v2", 2), image("C", "v3", 2)]
    count = rule(1, "any", "more", 1)
    played = play(specs, text_of(count))
    simulation = simulated(played, policy_of(count), 0)
    assert named(played, sorted(simulation.ties)) == "B"
