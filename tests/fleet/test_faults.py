"""Many at once, killed in the middle, without a journal, under in-use protection: nothing beside the plan goes."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aws_ecr_gc.sandbox import Faults, Sandbox
from tests.aws.conftest import aws, cloud, credentials, running_cloud
from tests.conftest import Finished, Shell
from tests.fleet.test_reach import FIRST, SECOND, Fleet
from tests.in_use.conftest import World, world
from tests.wire.builder import Builder
from tests.wire.policies import BUILDS, going, policy, policy_file
from tests.wire.test_interruption import Started
from tests.wire.test_run import fill

__all__ = ["aws", "cloud", "credentials", "running_cloud", "world"]

NAMES = [f"ci/{number}" for number in range(6)]
AT_ONCE = ("--yes", "--concurrency", "4", "--max-rps", "1000")


class Many:
    """Repositories of 120 builds, two calls each; what the policy plans for them, and what went."""

    def __init__(self, sandbox: Sandbox, shell: Shell, folder: Path) -> None:
        self._repositories = {name: fill(sandbox, name, 120) for name in NAMES}
        self._before = {name: set(repo.repository.images) for name, repo in self._repositories.items()}
        self.file = policy_file(folder / "p.json", policy(BUILDS))
        self.planned = going(json.loads(shell("plan", "-f", self.file, "--output", "json").out))

    @property
    def gone(self) -> dict[str, set[str]]:
        return {name: self._before[name] - set(repo.repository.images) for name, repo in self._repositories.items()}

    def nothing_beside_the_plan(self) -> bool:
        return all(gone <= self.planned[name] for name, gone in self.gone.items())


@pytest.fixture
def many(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> Many:
    return Many(sandbox, shell, tmp_path)


def asked_on_record(journal: Path) -> set[tuple[str, str]]:
    """Repository and digest of all that the journal says was called for; a torn last line says nothing."""
    whole = journal.read_bytes().rpartition(b"\n")[0]
    lines = [json.loads(line) for line in whole.splitlines()]
    return {(line["repository"], digest) for line in lines if "ids" in line for digest, _ in line["ids"]}


@pytest.mark.parametrize("call", [1, 4, 9])
def test_a_run_that_is_killed_is_finished_by_its_journal_and_the_next_run(
    sandbox: Sandbox, shell: Shell, tmp_path: Path, many: Many, call: int
) -> None:
    sandbox.after("BatchDeleteImage", lambda _: started.send(signal.SIGKILL), call=call)
    started = Started(shell, "run", "-f", many.file, *AT_ONCE)
    assert started.finished().exit == -signal.SIGKILL
    time.sleep(0.5)  # what was sent before the kill takes effect
    assert many.nothing_beside_the_plan()
    (journal,) = tmp_path.rglob("journal-*.jsonl")
    assert {(name, digest) for name, gone in many.gone.items() for digest in gone} <= asked_on_record(journal)
    begun = {name for name, _ in asked_on_record(journal)}
    resumed = shell("apply", "--resume", str(journal), "--yes", AWS_ENDPOINT_URL_STS=sandbox.url)
    assert resumed.exit == 0, resumed.err
    assert {name: many.gone[name] for name in begun} == {name: many.planned[name] for name in begun}
    assert shell("run", "-f", many.file, *AT_ONCE).exit == 0
    assert many.gone == many.planned


@pytest.mark.parametrize("room", [100_000, 300_000])
def test_a_journal_that_can_not_be_written_any_more_ends_the_work_on_all_repositories(
    sandbox: Sandbox, shell: Shell, tmp_path: Path, many: Many, room: int
) -> None:
    """A limit on the size of files stands for the disk; the journal of all has some 500,000 bytes."""
    words = ["-m", "aws_ecr_gc", "run", "-f", many.file, *AT_ONCE]
    limit = (
        f"signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))"
    )
    limited = f"import resource, signal, os, sys; {limit}; os.execv(sys.executable, [sys.executable, *{words}])"
    environment = shell.with_changes({"PYTHONDONTWRITEBYTECODE": "1"})  # it would be cut short too
    done = subprocess.run([sys.executable, "-c", limited], env=environment, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == (1 if sandbox.deletions else 2), done.stderr
    assert "can't be written: File too large" in done.stderr
    (journal,) = tmp_path.rglob("journal-*.jsonl")
    assert many.nothing_beside_the_plan()
    assert {(name, digest) for name, gone in many.gone.items() for digest in gone} <= asked_on_record(journal)
    assert many.gone != many.planned
    assert shell("run", "-f", many.file, *AT_ONCE).exit == 0
    assert many.gone == many.planned


def test_what_runs_is_kept_in_every_repository_with_two_readings_for_all(world: World) -> None:
    others = {}
    for name in NAMES:
        others[name] = Builder(world.sandbox, name)
        for number in range(1, 5):
            others[name].image(f"{name} {number}", f"build-{number}")
    host = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
    for at, name in enumerate(NAMES):
        world.service(f"service-{at}", f"{host}/{name}:build-{at % 3 + 1}")
    done = world.run("run", "-f", world.policy("{sources: [ecs]}"), *AT_ONCE)
    assert done.exit == 0, done.err
    for at, name in enumerate(NAMES):
        assert others[name].names() == {f"{name} {at % 3 + 1}", f"{name} 4"}
    assert world.names() == {"image 4"}
    assert len(world.cloud.named("ecs", "ListClusters")) == 2


def test_what_may_not_be_read_again_ends_the_work_on_all_repositories(world: World) -> None:
    others = [Builder(world.sandbox, name) for name in NAMES]
    for repo in others:
        for number in range(1, 5):
            repo.image(f"{repo.repository.name} {number}", f"build-{number}")
    world.cloud.deny("ecs", "ListClusters", nth=2)
    done = world.run("run", "-f", world.policy("{sources: [ecs]}"), *AT_ONCE)
    assert done.exit == 3
    assert not world.sandbox.deletions
    assert len(world.cloud.named("ecs", "ListClusters")) == 2  # the others of the four at work do not ask again


class Protected:
    """A fleet under in-use protection: sessions are given by the stand-in, services are looked for in moto."""

    def __init__(self, fleet: Fleet, credentials: dict[str, str], world: World) -> None:
        self.fleet = fleet
        self._credentials = credentials
        self.file = world.policy("{sources: [ecs]}")

    def run(self, *words: str) -> Finished:
        return self.fleet(
            "run", "-f", self.file, "--yes", *words, AWS_ENDPOINT_URL=self._credentials["AWS_ENDPOINT_URL"]
        )


@pytest.fixture
def protected(sandbox: Sandbox, shell: Shell, tmp_path: Path, credentials: dict[str, str], world: World) -> Protected:
    return Protected(Fleet(sandbox, shell, tmp_path), credentials, world)


def test_what_runs_in_one_region_keeps_what_it_uses_of_another(world: World) -> None:
    far = Builder(world.sandbox, "app", region="eu-west-1")
    for number in range(1, 5):
        far.image(f"far {number}", f"build-{number}")
    world.service("near", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:build-2")
    where = ("--region", "us-east-1", "--region", "eu-west-1")
    done = world.run("run", "-f", world.policy("{sources: [ecs]}"), *where, *AT_ONCE)
    assert done.exit == 0, done.err
    assert world.names() == {"image 4"}
    assert far.names() == {"far 2", "far 4"}
    asked = world.cloud.named("ecs", "ListClusters")
    assert len(asked) == 4  # two regions, before the plan and before the first deletion
    for journal in world.folder.rglob("journal-*.jsonl"):
        looked_for = json.loads(journal.read_text().splitlines()[0])["in_use"]
        assert looked_for["regions"] == ["us-east-1", "eu-west-1"]  # who resumes it looks there too


@pytest.mark.parametrize("regions", [("--region", "us-east-1"), ("--region", "all")])
def test_an_account_of_a_fleet_whose_workloads_can_not_be_read_stops_every_deletion(
    protected: Protected, regions: tuple[str, ...]
) -> None:
    protected.fleet.sandbox.faults = Faults(deny_on={FIRST: ["AssumeRole"]})
    done = protected.run("--account", FIRST, "--account", SECOND, "--role", "gc", *regions)
    assert done.exit == 3
    assert f"role@{FIRST}" in done.err
    assert not protected.fleet.sandbox.deletions
