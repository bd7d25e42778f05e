"""The same plans and the same deletions, however many repositories are worked on at once and whatever goes wrong."""

import json
import os
import random
import signal
from pathlib import Path

import pytest

from aws_ecr_gc.sandbox import Behaviour, Faults, Sandbox, Scenario
from tests.conftest import Shell
from tests.wire.builder import Builder
from tests.wire.policies import BUILDS, going, policy, policy_file
from tests.wire.test_run import RULES, fill, fill_at_random

FAST = ("--max-rps", "1000")
NAMES = [f"team{number % 3}/service-{number:02}" for number in range(8)]


def filled(sandbox: Sandbox, seed: int) -> dict[str, Builder]:
    draw = random.Random(seed)
    behaviour = Behaviour(pair_deletes=draw.choice(["tag", "image"]), sweep_referrers=False)
    sandbox.reset(Scenario(behaviour=behaviour, faults=Faults(latency=0.005)))
    repositories = {name: Builder(sandbox, name) for name in NAMES}
    for repo in repositories.values():
        fill_at_random(repo, draw)
    return repositories


@pytest.mark.parametrize("workers", ["3", "16"])
@pytest.mark.parametrize("seed", range(2))
def test_plans_and_deletions_are_the_same_whatever_the_concurrency(
    sandbox: Sandbox, shell: Shell, tmp_path: Path, seed: int, workers: str
) -> None:
    repositories = filled(sandbox, seed)
    file = policy_file(tmp_path / "p.json", policy(*random.Random(seed).sample(RULES, 3)))
    alone = shell("plan", "-f", file, "--concurrency", "1", *FAST)
    several = shell("plan", "-f", file, "--concurrency", workers, *FAST)
    assert several.out == alone.out
    as_json = shell("plan", "-f", file, "--concurrency", workers, "--output", "json", *FAST)
    planned = going(json.loads(as_json.out))
    before = {name: set(repo.repository.images) for name, repo in repositories.items()}
    finished = shell("run", "-f", file, "--yes", "--concurrency", workers, "--output", "json", *FAST)
    assert finished.exit == 0
    assert list(going(json.loads(finished.out)).items()) == list(planned.items())
    for name, repo in repositories.items():
        assert before[name] - set(repo.repository.images) == planned[name]
    assert 1 < sandbox.most_at_once <= int(workers)


@pytest.mark.parametrize("call", [1, 3, 7])
def test_ctrl_c_in_the_middle_deletes_nothing_beside_the_plan_and_the_next_run_finishes(
    sandbox: Sandbox, shell: Shell, tmp_path: Path, call: int
) -> None:
    repositories = {f"ci/{number:02}": fill(sandbox, f"ci/{number:02}", 6) for number in range(16)}
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    planned = going(json.loads(shell("plan", "-f", file, "--output", "json").out))
    before = {name: set(repo.repository.images) for name, repo in repositories.items()}
    sandbox.before("BatchDeleteImage", lambda _: os.kill(os.getpid(), signal.SIGINT), call=call)
    finished = shell("run", "-f", file, "--yes", "--output", "json", "--concurrency", "4", *FAST)
    assert finished.exit == 130
    document = json.loads(finished.out)
    told = {part["repository"]["name"]: part["counts"]["deleted"] for part in document["repositories"]}
    for name, repo in repositories.items():
        gone = before[name] - set(repo.repository.images)
        assert gone <= planned[name]
        assert told.get(name, 0) == len(gone)
    assert "interrupted" in json.dumps(document)
    again = shell("run", "-f", file, "--yes", "--concurrency", "4")
    assert again.exit == 0
    for name, repo in repositories.items():
        assert before[name] - set(repo.repository.images) == planned[name]


def test_an_interrupted_journal_is_resumed_over_all_its_repositories(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    for name in NAMES:
        fill(sandbox, name, 120)
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    sandbox.before("BatchDeleteImage", lambda _: os.kill(os.getpid(), signal.SIGINT), call=5)
    assert shell("run", "-f", file, "--yes", "--concurrency", "4").exit == 130
    (journal,) = tmp_path.rglob("journal-*.jsonl")
    begun = {line["repository"] for line in map(json.loads, journal.read_text().splitlines()) if "steps" in line}
    assert len(begun) > 1
    resumed = shell("apply", "--resume", str(journal), "--yes", AWS_ENDPOINT_URL_STS=sandbox.url)
    assert resumed.exit == 0
    for name in begun:
        assert len(sandbox.registry().repository(name).images) == 2


def test_at_the_default_pace_a_limit_of_twenty_is_never_met(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    for number in range(50):
        fill(sandbox, f"ci/{number:03}", 3)
    sandbox.faults = Faults(throttle=20)
    finished = shell("plan", "-f", policy_file(tmp_path / "p.json", policy(BUILDS)))
    assert finished.exit == 0
    assert [call.error for call in sandbox.calls if call.error] == []


def test_refusals_slow_all_workers_down_and_every_repository_gets_its_plan(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    for number in range(80):
        fill(sandbox, f"ci/{number:03}", 3)
    sandbox.faults = Faults(throttle=20, latency=0.02)
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    words = ("--max-rps", "60", "--output", "json", "--region", "us-east-1", "--region", "eu-west-1")
    finished = shell("plan", "-f", file, *words, AWS_MAX_ATTEMPTS="8", AWS_ENDPOINT_URL_STS=sandbox.url)
    assert finished.exit == 0
    summary = json.loads(finished.out)["summary"]
    refused = sum(call.error == "ThrottlingException" for call in sandbox.calls)
    assert summary["repositories"] == 80
    assert summary["throttled"] == summary["retries"] == refused
    assert refused <= 0.25 * len(sandbox.calls)
