"""Plan all pairs, read what is in use once, apply all pairs: by hand, as the stages of `deploy/` do it."""

from pathlib import Path

import pytest

from tests.conftest import Finished
from tests.fleet.test_reach import FIRST, PLACES, SECOND, Fleet, fleet
from tests.wire.policies import BUILDS, operations, policy, policy_file

__all__ = ["fleet"]

IN_USE = {
    "sources": ["ecs"],
    "accounts": [FIRST, SECOND],
    "regions": ["us-east-1", "eu-west-1"],
    "role": "gc",
}
Place = tuple[str, str]


class Pairs:
    """The steps of each pair, and services that run images of other accounts and regions."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._policy = policy_file(fleet.folder / "in-use.json", policy(BUILDS), in_use=IN_USE)
        self.uses = fleet.folder / "uses.json"

    def runs(self, at: Place, image_of: Place, tag: str) -> None:
        ecs = self._fleet.sandbox.workloads(*at).ecs
        image = f"{image_of[0]}.dkr.ecr.{image_of[1]}.amazonaws.com/app:{tag}"
        ecs.create_cluster(tag).create_service("web", ecs.register(tag, image).name, 1)

    def plan(self, place: Place, *words: str) -> Finished:
        account, region = place
        where = ("--account", account, "--role", "gc", "--region", region)
        return self._run("plan", *where, "--defer-in-use", "--out", str(self._file(place)), *words)

    def read(self) -> Finished:
        return self._run("in-use", "--out", str(self.uses))

    def apply(self, place: Place) -> Finished:
        words = ("--role", "gc", "--region", place[1], "--in-use", str(self.uses), "--yes")
        return self._run("apply", str(self._file(place)), *words, policy=False)

    def _file(self, place: Place) -> Path:
        return self._fleet.folder / f"{'-'.join(place)}.plan"

    def _run(self, command: str, *words: str, policy: bool = True) -> Finished:
        by = ("-f", self._policy) if policy else ()
        return self._fleet(command, *by, *words, AWS_ENDPOINT_URL=self._fleet.sandbox.url)


@pytest.fixture
def pairs(fleet: Fleet) -> Pairs:
    return Pairs(fleet)


def looked_for(fleet: Fleet, since: int = 0) -> int:
    return operations(fleet.sandbox, since).count("ListClusters")


def test_what_runs_anywhere_stays_everywhere_and_is_looked_for_once(fleet: Fleet, pairs: Pairs) -> None:
    pairs.runs(at=PLACES[0], image_of=PLACES[3], tag="build-0")
    for place in PLACES:
        assert pairs.plan(place).exit == 0
    assert not looked_for(fleet)
    pairs.runs(at=PLACES[1], image_of=PLACES[2], tag="build-1")  # after the plans, and before it is looked for
    assert pairs.read().exit == 0
    own = 1  # the account of the credentials is looked into as well
    assert looked_for(fleet) == len(IN_USE["regions"]) * (len(IN_USE["accounts"]) + own)
    since = len(fleet.sandbox.calls)
    for place in PLACES:
        finished = pairs.apply(place)
        assert finished.exit == 0, finished.err
    assert not looked_for(fleet, since)
    left = fleet.left()
    assert {key for key, count in left.items() if count == 3} == {(*PLACES[2], "app"), (*PLACES[3], "app")}
    assert sorted(left.values()) == [2] * 6 + [3] * 2


def test_a_reading_from_before_the_plan_does_not_do(fleet: Fleet, pairs: Pairs) -> None:
    assert pairs.read().exit == 0
    assert pairs.plan(PLACES[0]).exit == 0
    finished = pairs.apply(PLACES[0])
    assert finished.exit == 4
    assert len(finished.err.splitlines()) == 1
    assert set(fleet.left().values()) == {4}


def test_a_plan_that_left_it_out_is_not_applied_without_looking(fleet: Fleet, pairs: Pairs) -> None:
    """With no reading given, `apply` looks by itself."""
    pairs.runs(at=PLACES[0], image_of=PLACES[3], tag="build-0")
    assert pairs.plan(PLACES[3]).exit == 0
    words = ("--role", "gc", "--region", PLACES[3][1], "--yes")
    plan = str(fleet.folder / f"{'-'.join(PLACES[3])}.plan")
    assert fleet("apply", plan, *words, AWS_ENDPOINT_URL=fleet.sandbox.url).exit == 0
    assert looked_for(fleet)
    assert fleet.left()[(*PLACES[3], "app")] == 3


@pytest.mark.parametrize("words", [(), ("--out", "plan.json", "--in-use", "uses.json")])
def test_leaving_it_out_is_for_a_plan_file_alone(fleet: Fleet, words: tuple[str, ...]) -> None:
    finished = fleet("plan", "-f", fleet.policy, "--defer-in-use", *words)
    assert (finished.exit, finished.out) == (2, "")
    assert "--defer-in-use: that goes with --out and without --in-use" in finished.err
