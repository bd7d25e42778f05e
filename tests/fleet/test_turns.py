"""Accounts and regions are worked on side by side, and told one after the other."""

import io
import json
from contextlib import closing
from functools import partial
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.turns import PlaceConsole, Turns
from aws_ecr_gc.sandbox import Sandbox
from tests.conftest import Shell
from tests.fleet.test_reach import EVERYWHERE, FIRST, PLACES, SECOND, Fleet
from tests.wire.policies import BUILDS, policy, policy_file
from tests.wire.test_run import Terminal


@pytest.fixture
def fleet(sandbox: Sandbox, shell: Shell) -> Fleet:
    return Fleet(sandbox, shell, shell.home)


@given(st.lists(st.lists(st.text("ab\u2028é", max_size=3), max_size=4), min_size=1, max_size=5), st.randoms())
def test_lines_come_place_after_place_however_they_are_told(places: list[list[str]], draw: object) -> None:
    out = io.StringIO()
    with closing(Turns(console := Console(out, io.StringIO(), lambda: False))) as turns:
        going = []
        for number, lines in enumerate(places):
            place = PlaceConsole(console, turns, str(number))
            place.begin([f"place {number}"])
            going.append((place, iter(lines)))
        while going:
            place, lines = each = draw.choice(going)  # type: ignore[attr-defined]
            line = next(lines, None)
            if line is None:
                place.end()
                going.remove(each)
            else:
                place.print([line])
    expected = [line for number, lines in enumerate(places) for line in (f"place {number}", *lines)]
    assert out.getvalue() == "".join(f"{line}\n" for line in expected)


def test_what_is_told_in_its_turn_is_not_kept() -> None:
    out = io.StringIO()
    with closing(Turns(console := Console(out, io.StringIO(), lambda: False))) as turns:
        first, second = (PlaceConsole(console, turns, name) for name in ("first", "second"))
        first.begin(["first"])
        second.begin(["second"])
        second.print(["later"])
        first.print(["at once"])
        assert out.getvalue() == "first\nat once\n"
        first.end()
        assert out.getvalue() == "first\nat once\nsecond\nlater\n"
        second.print(["at once too"])
        assert out.getvalue().endswith("later\nat once too\n")


def test_a_remark_on_one_place_names_it() -> None:
    err = io.StringIO()
    with closing(Turns(console := Console(io.StringIO(), err, lambda: False))) as turns:
        place = PlaceConsole(console, turns, f"{FIRST}, eu-west-1")
        place.say("warning: repository app: odd")
        place.announce("repository app: 3 manifests will be read")
    assert err.getvalue() == (
        f"aws-ecr-gc: warning: {FIRST}, eu-west-1: repository app: odd\n"
        f"aws-ecr-gc: {FIRST}, eu-west-1: repository app: 3 manifests will be read\n"
    )


def _meet(barrier: Barrier, _request: dict[str, object]) -> None:
    barrier.wait(60)


def test_places_take_turns_in_being_read(fleet: Fleet) -> None:
    for calls in (range(1, 5), range(5, 9)):  # so that the first four are on record before a fifth one is
        together = Barrier(4)
        for call in calls:
            fleet.sandbox.before("DescribeImages", partial(_meet, together), call=call)
    finished = fleet("plan", "-f", fleet.policy, *EVERYWHERE, "--concurrency", "4")
    assert finished.exit == 0
    read = [(call.account, call.region) for call in fleet.sandbox.calls if call.operation == "DescribeImages"]
    assert sorted(read[:4]) == sorted(PLACES)
    assert sorted(read[4:]) == sorted(PLACES)


def test_with_one_repository_at_a_time_places_are_read_one_after_the_other(fleet: Fleet) -> None:
    fleet("plan", "-f", fleet.policy, *EVERYWHERE, "--concurrency", "1")
    read = [(call.account, call.region) for call in fleet.sandbox.calls if call.operation == "DescribeImages"]
    assert read == [place for place in PLACES for _ in ("app", "lib")]


def test_a_place_with_many_repositories_is_told_in_its_place_among_those_that_end_sooner(fleet: Fleet) -> None:
    for number in range(12):
        fleet.fill(FIRST, "us-east-1", f"many-{number:02}")
    file = policy_file(fleet.folder / "p.json", policy(BUILDS))
    words = ("-f", file, *EVERYWHERE, "--concurrency", "8")
    told = fleet("plan", *words).out
    assert [line for line in told.splitlines() if line.startswith("Account ")] == [
        f"Account {account}, {region}" for account, region in PLACES
    ]
    first = told.partition(f"Account {FIRST}, eu-west-1")[0]
    assert first.count("Total images in") == 14
    document = json.loads(fleet("run", *words, "--yes", "--output", "json").out)
    assert [(place["account"], place["region"]) for place in document["places"]] == PLACES
    assert [len(place["repositories"]) for place in document["places"]] == [14, 2, 2, 2]


@pytest.mark.parametrize(("typed", "left"), [("y\n", 2), ("n\n", 4)])
def test_before_the_question_every_plan_stands_under_its_place_and_after_it_what_was_done(
    fleet: Fleet, shell: Shell, typed: str, left: int
) -> None:
    endpoints = {"AWS_ENDPOINT_URL_STS": fleet.sandbox.url, "AWS_ENDPOINT_URL_ACCOUNT": fleet.sandbox.url}
    shell.environment.update(endpoints)
    terminal = Terminal(shell, "run", "-f", fleet.policy, *EVERYWHERE)
    assert "Delete 16 images in 8 repositories" in terminal.asked()
    terminal.type(typed)
    finished = terminal.finished()
    assert finished.exit == 0
    assert set(fleet.left().values()) == {left}
    headings = [f"Account {account}, {region}" for account, region in PLACES]
    lines = finished.out.splitlines()
    assert [line for line in lines if line.startswith("Account ")] == headings * (2 if left == 2 else 1)
    for place in finished.out.split("Account ")[1:5]:
        assert place.count("Total images in") == 2
    if left == 2:
        for place in finished.out.split("Account ")[5:]:
            assert place.count("Deleted (2)") == 2


def test_what_no_policy_is_for_stands_under_its_place(fleet: Fleet) -> None:
    fleet.fill(SECOND, "us-east-1", "spare")
    file = policy_file(fleet.folder / "p.json", policy(BUILDS, repositories={"include": ["app", "lib"]}))
    told = fleet("plan", "-f", file, *EVERYWHERE).out
    of_it = told.partition(f"Account {SECOND}, us-east-1")[2].partition("Account ")[0]
    assert "spare" in of_it
    assert told.count("spare") == 1
