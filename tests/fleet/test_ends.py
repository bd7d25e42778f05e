"""What ends the work before its time: guards, workloads, Ctrl-C, a lost journal. Whom it concerns, and what is told."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from aws_ecr_gc.app import crew
from aws_ecr_gc.plan import Plan
from aws_ecr_gc.report import fleets
from aws_ecr_gc.sandbox import Faults, Sandbox
from tests.aws.conftest import aws, cloud, credentials, running_cloud
from tests.conftest import Finished, Shell
from tests.fleet.test_faults import Protected
from tests.fleet.test_reach import EVERYWHERE, FIRST, PLACES, Fleet
from tests.in_use.conftest import World, world
from tests.wire.builder import Builder
from tests.wire.policies import BUILDS, policy, policy_file
from tests.wire.test_run import fill

__all__ = ["aws", "cloud", "credentials", "running_cloud", "world"]

FAST = ("--max-rps", "1000")
NAMES = [f"r{number}" for number in range(6)]


@pytest.fixture
def fleet(sandbox: Sandbox, shell: Shell) -> Fleet:
    return Fleet(sandbox, shell, shell.home)


@pytest.fixture
def protected(fleet: Fleet, credentials: dict[str, str], world: World) -> Protected:
    return Protected(fleet, credentials, world)


def hold(sandbox: Sandbox, repo: Builder, listings: int) -> None:
    """After the repository was listed, an index that lists all its images comes: ECR refuses to delete them."""
    pushed = threading.Event()

    def push(request: dict[str, Any]) -> None:
        if request["repositoryName"] == repo.repository.name and not pushed.is_set():
            pushed.set()
            repo.index("late", "late", children=sorted(repo.names()))

    for call in range(1, listings + 1):
        sandbox.after("DescribeImages", push, call=call)


@pytest.mark.parametrize("guards", [{"canary": 1}, {"max_failures": 3}])
@pytest.mark.parametrize("workers", ["1", "6"])
def test_a_guard_that_ends_the_work_on_one_repository_ends_it_on_all(
    sandbox: Sandbox, shell: Shell, tmp_path: Path, guards: dict[str, int], workers: str
) -> None:
    """All fail in the first. Of the others, under a bound on failures, a call may have been under way."""
    repositories = {name: fill(sandbox, name, 102 if name == "r0" else 902) for name in NAMES}
    sandbox.faults = Faults(latency=0.03)
    hold(sandbox, repositories["r0"], len(NAMES))
    file = policy_file(tmp_path / "p.json", policy(BUILDS, guards={"keep_at_least": 0, "keep_tagged": 0, **guards}))
    done = shell("run", "-f", file, "--yes", "--output", "json", "--concurrency", workers, *FAST)
    assert done.exit == 5
    gone = {name: 902 - len(repo.repository.images) for name, repo in repositories.items() if name != "r0"}
    if workers == "1" or "canary" in guards:
        assert set(gone.values()) == {0}
    else:
        assert max(gone.values()) < 900
    (guard,) = guards
    assert f"ended with repository r0: the guard {guard}: " in done.err
    parts = {part["repository"]["name"]: part for part in json.loads(done.out)["repositories"]}
    for name, number in gone.items():
        assert parts[name]["counts"]["deleted"] == number
        assert parts[name]["counts"]["not_attempted"] == 900 - number
        assert f"the guard {guard}" in parts[name]["stopped_by"]
        assert not parts[name].get("interrupted")


def test_a_canary_that_went_well_lets_all_go(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    repositories = [fill(sandbox, name) for name in NAMES]
    guards = {"keep_at_least": 0, "keep_tagged": 0, "canary": 1}
    file = policy_file(tmp_path / "p.json", policy(BUILDS, guards=guards))
    assert shell("run", "-f", file, "--yes", "--concurrency", "6", *FAST).exit == 0
    assert [len(repo.names()) for repo in repositories] == [2] * len(NAMES)


@pytest.mark.timeout(120)
def test_a_canary_and_the_trial_of_a_registry_do_not_wait_for_each_other(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    """The first repository is big, so the others have their plans before it has."""
    for name in NAMES:
        repo = Builder(sandbox, name)
        for number in range(1200 if name == "r0" else 3):
            repo.image(f"{name} {number}", f"build-{number}", f"also-{number}")
    sandbox.faults = Faults(latency=0.05)
    guards = {"keep_at_least": 0, "keep_tagged": 0, "canary": 1, "max_delete": 2000}
    rule = {"name": "builds", "match": {"prefix": "build-"}, "keep": {"newest": 1199}}
    small = {"name": "builds", "match": {"prefix": "build-"}, "keep": {"newest": 2}}
    file = policy_file(
        tmp_path / "p.json",
        policy(rule, repositories={"include": "r0"}, guards=guards, action="untag"),
        policy(small, guards=guards, action="untag"),
    )
    done = shell("run", "-f", file, "--yes", "--concurrency", "6", *FAST)
    assert done.exit == 0, done.err
    assert len([each for each in sandbox.deletions if each.tag is not None]) == len(NAMES)


@pytest.mark.timeout(120)
def test_a_worker_that_breaks_lets_those_that_wait_for_it_go(
    sandbox: Sandbox, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NAMES:
        fill(sandbox, name)

    def break_down(plan: Plan, _guards: object) -> list[object]:
        if plan.repository.name == "r0":
            raise RuntimeError("a defect")
        return []

    monkeypatch.setattr(crew, "refusals", break_down)
    done = shell("run", "-f", policy_file(tmp_path / "p.json", policy(BUILDS)), "--yes", "--concurrency", "4", *FAST)
    assert done.exit == 1
    assert "a defect" in done.err
    assert not sandbox.deletions


def test_a_guard_that_ends_the_work_in_one_place_ends_it_in_no_other(fleet: Fleet) -> None:
    hold(fleet.sandbox, fleet.fill(FIRST, "us-east-1", "again"), 9)
    guards = {"keep_at_least": 0, "keep_tagged": 0, "canary": 1}
    file = policy_file(fleet.folder / "p.json", policy(BUILDS, guards=guards))
    done = fleet("run", "-f", file, "--yes", *EVERYWHERE, "--output", "json")
    held = (FIRST, "us-east-1")
    for (account, region, _), left in fleet.left().items():
        assert left == (4 if (account, region) == held else 2)
    exits = {(each["account"], each["region"]): each["exit"] for each in json.loads(done.out)["places"]}
    assert exits == {place: 5 if place == held else 0 for place in PLACES}


def test_ctrl_c_while_places_are_being_looked_into_is_130_and_names_what_has_no_plan(fleet: Fleet) -> None:
    fleet.sandbox.before("DescribeImages", lambda _: os.kill(os.getpid(), signal.SIGINT), call=3)
    done = fleet("plan", "-f", fleet.policy, *EVERYWHERE, "--concurrency", "1", "--output", "json")
    assert done.exit == 130


@pytest.mark.parametrize("call", [1, 2, 4])
def test_ctrl_c_amid_the_deletions_of_a_fleet_says_of_every_place_how_far_it_came(fleet: Fleet, call: int) -> None:
    fleet.sandbox.before("BatchDeleteImage", lambda _: os.kill(os.getpid(), signal.SIGINT), call=call)
    done = fleet("run", "-f", fleet.policy, "--yes", *EVERYWHERE, "--concurrency", "1", "--output", "json")
    assert done.exit == 130
    document = json.loads(done.out)
    jsonschema.validate(document, fleets.schema())
    assert document["exit"] == 130
    left = fleet.left()
    reached = {(place["account"], place["region"]): place for place in document["places"]}
    absent = [(each["account"], each["region"]) for each in document["absent"]]
    assert [*reached, *absent] == PLACES
    for account, region in PLACES:
        whole = all(left[account, region, name] == 2 for name in ("app", "lib"))
        place = reached.get((account, region))
        if place is None:
            assert not whole
            continue
        named = [part["repository"]["name"] for part in place["repositories"]]
        assert [*named, *place["without_plan"]] == ["app", "lib"]
        assert (place["exit"] == 0) == (place["failure"] is None) == whole


def with_files(shell: Shell, most: int, *words: str, **environment: str | None) -> Finished:
    """A command in a process of its own that may have so many files open."""
    limit = f"resource.setrlimit(resource.RLIMIT_NOFILE, ({most}, {most}))"
    again = f"os.execv(sys.executable, [sys.executable, '-m', 'aws_ecr_gc', *{words}])"
    command = [sys.executable, "-c", f"import os, resource, sys; {limit}; {again}"]
    done = subprocess.run(
        command, env=shell.with_changes(environment), capture_output=True, text=True, check=False, timeout=300
    )
    return Finished(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("batch", [1, 30, 10_000])
def test_what_is_in_use_is_read_for_each_batch_of_repositories_and_holds_in_all(
    world: World, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(crew, "BATCH", batch)
    others = {name: Builder(world.sandbox, name) for name in NAMES}
    for name, repo in others.items():
        for number in range(1, 5):
            repo.image(f"{name} {number}", f"build-{number}")
    host = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
    for at, name in enumerate(NAMES):
        world.service(f"service-{at}", f"{host}/{name}:build-{at % 3 + 1}")
    done = world.run("run", "-f", world.policy("{sources: [ecs]}"), "--yes", "--concurrency", "4", *FAST)
    assert done.exit == 0, done.err
    for at, name in enumerate(NAMES):
        assert others[name].names() == {f"{name} {at % 3 + 1}", f"{name} 4"}


def test_where_workloads_of_a_later_batch_can_not_be_read_its_places_are_named(
    protected: Protected, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "BATCH", 1)
    world.cloud.deny("ecs", "ListClusters", nth=3)
    done = protected.run("--region", "us-east-1", "--region", "eu-west-1", "--concurrency", "1", "--output", "json")
    assert done.exit == 3
    document = json.loads(done.out)
    told = [(each["account"], each["region"]) for each in [*document["places"], *document["absent"]]]
    assert [region for _, region in told] == ["us-east-1", "eu-west-1"]
    assert document["exit"] == 3


def test_places_that_wait_for_what_is_in_use_hold_no_connections(fleet: Fleet, shell: Shell, tmp_path: Path) -> None:
    """Many more places than files that may be open; some places are looked into ahead of those at work."""
    listing = tmp_path / "uses.txt"
    listing.write_text("# none\n")
    accounts = [f"{number:012}" for number in range(1, 91)]
    for account in accounts:
        fleet.fill(account, "us-east-1", "app")
    file = policy_file(tmp_path / "p.json", policy(BUILDS), in_use={"lists": [{"file": str(listing)}]})
    where = [word for account in accounts for word in ("--account", account)]
    words = ("run", "-f", file, "--yes", *where, "--role", "gc", "--region", "us-east-1", "--concurrency", "4")
    done = with_files(shell, 64, *words, AWS_ENDPOINT_URL_STS=fleet.sandbox.url)
    assert done.exit == 0, done.err
    assert "Deleted in 90 repositories of 90 places: 180 of 180 images" in done.out


def test_a_journal_that_can_not_be_begun_after_deletions_elsewhere_is_no_misuse(fleet: Fleet, tmp_path: Path) -> None:
    """Its directory is taken away when the second place is read."""
    journals = tmp_path / "journals"
    journals.mkdir()

    def take_away(_: object) -> None:
        journals.rename(tmp_path / "elsewhere")
        journals.write_text("no directory")

    fleet.sandbox.before("DescribeImages", take_away, call=5)
    done = fleet("run", "-f", fleet.policy, "--yes", *EVERYWHERE, "--concurrency", "1", "--journal", f"{journals}/")
    assert done.exit == 1, done.err
    assert "nothing was deleted without it" in done.err
    assert {
        left for (account, region, _), left in fleet.left().items() if (account, region) != (FIRST, "us-east-1")
    } == {4}
    assert "Not looked into, or not to the end" in done.out


def test_remarks_on_one_place_name_it(fleet: Fleet) -> None:
    done = fleet("run", "-f", fleet.policy, "--yes", *EVERYWHERE)
    assert done.exit == 0
    about = [line for line in done.err.splitlines() if "repository " in line]
    assert about
    for line in about:
        assert any(line.startswith(f"aws-ecr-gc: {account}, {region}: ") for account, region in PLACES), line
