"""The state machine over many accounts and regions, some that fail, some whose worker is killed half way."""

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from aws_ecr_gc.report import merged
from aws_ecr_gc.sandbox import Faults, Sandbox
from tests.machines.machines import BUCKET, Machines, machines
from tests.wire.builder import Builder
from tests.wire.policies import BUILDS, policy

REGIONS = ("us-east-1", "eu-west-1")
PAIRS = int(os.environ.get("AWS_ECR_GC_PAIRS", "60"))
"""How many accounts and regions; 2,000 with `make test-fleet`."""
WORKERS = 3
SECONDS = 600 + PAIRS * 3
"""Of patience, on a machine that has other things to do."""

ACCOUNTS = [f"{number:012}" for number in range(100000000000, 100000000000 + PAIRS // len(REGIONS))]
CLOSED, LOCKED, STUCK, DOOMED, *OTHERS = ACCOUNTS
"""Can't be entered; can't be read in one region; can't be deleted from in one region; kills whoever works on it."""
KILLED_PLANNING, KILLED_DELETING, IN_USE = OTHERS[::10], OTHERS[1::10], OTHERS[2::10]


def repository(account: str, region: str) -> str:
    return f"app-{account}-{region}"


def fill(sandbox: Sandbox) -> dict[tuple[str, str], Builder]:
    """Four builds in each place, of which two are kept; what runs in one region is of the other."""
    made = {}
    for account in ACCOUNTS:
        for region in REGIONS:
            repo = Builder(sandbox, repository(account, region), account=account, region=region)
            for number in range(4):
                repo.image(f"build-{number}", f"build-{number}")
            made[account, region] = repo
    for account in IN_USE:
        ecs = sandbox.workloads(account, REGIONS[1]).ecs
        image = f"{account}.dkr.ecr.{REGIONS[0]}.amazonaws.com/{repository(account, REGIONS[0])}:build-0"
        ecs.create_cluster("main").create_service("web", ecs.register("web", image).name, 1)
    return made


def expected(account: str, region: str) -> tuple[int, int]:
    """The exit code of a pair, and how many images are left."""
    first = region == REGIONS[0]
    if account == CLOSED or (account in {LOCKED, DOOMED} and first):
        return 3, 4
    if account == STUCK and first:
        return 5, 4
    return 0, 3 if account in IN_USE and first else 2


@pytest.fixture
def arranged(sandbox: Sandbox, tmp_path: Path) -> Any:
    with machines(sandbox, tmp_path, WORKERS) as made:
        yield made


@pytest.mark.timeout(SECONDS * 2)
def test_every_pair_is_done_exactly_once_though_workers_are_killed(sandbox: Sandbox, arranged: Machines) -> None:
    repositories = fill(sandbox)
    sandbox.faults = Faults(
        deny_on={
            CLOSED: ["AssumeRole"],
            repository(LOCKED, REGIONS[0]): ["DescribeImages"],
            repository(STUCK, REGIONS[0]): ["BatchDeleteImage"],
        }
    )
    arranged.strikes.update({("DescribeImages", repository(DOOMED, REGIONS[0])): 1000})
    arranged.strikes.update({("DescribeImages", repository(each, REGIONS[0])): 1 for each in KILLED_PLANNING})
    arranged.strikes.update({("BatchDeleteImage", repository(each, REGIONS[1])): 1 for each in KILLED_DELETING})
    arranged.listen(PAIRS * 4)
    stated = {
        "version": 1,
        "targets": {"accounts": ACCOUNTS, "regions": list(REGIONS), "role": "gc"},
        "in_use": {"sources": ["ecs"]},
        "policies": [policy(BUILDS)],
    }
    arranged.s3.put_object(Bucket=BUCKET, Key="policy.json", Body=json.dumps(stated).encode())

    ended = arranged.run("night", "apply", f"s3://{BUCKET}/policy.json", SECONDS, f"role@{CLOSED}")
    assert ended["status"] == "FAILED", ended
    assert ended["error"] == "ExitCode", (ended, arranged.log())

    report = arranged.content("runs/night/report.json")
    jsonschema.validate(report, merged.schema())
    told = [(place["account"], place["region"]) for place in report["places"]]
    assert told == [(account, region) for account in ACCOUNTS for region in sorted(REGIONS)]
    assert {place["results"] for place in report["places"]} == {1}
    for place in report["places"]:
        account, region = place["account"], place["region"]
        left = repositories[account, region].repository.images
        assert (place["exit"], len(left)) == expected(account, region), place
        if not place["exit"]:
            assert place["summary"]["done"] == 4 - len(left), place
    assert report["exit"] == 5
    assert len(sandbox.deletions) == report["summary"]["done"]
    assert [name for (_, name), left in arranged.strikes.items() if left] == [repository(DOOMED, REGIONS[0])]
    assert arranged.killed > len(KILLED_PLANNING) + len(KILLED_DELETING)
    counted = arranged.counted(ended["executionArn"])
    assert [(each["total"], each["succeeded"], each["failed"]) for each in counted] == [
        (PAIRS, PAIRS - 1, 1),
        (PAIRS, PAIRS, 0),
    ]
    for stage in ("plan", "apply"):
        (manifest,) = arranged.keys(f"runs/night/map-{stage}")
        assert arranged.content(manifest)["DestinationBucket"] == BUCKET


def test_planning_alone_deletes_nothing_and_ends_well(sandbox: Sandbox, arranged: Machines) -> None:
    made = Builder(sandbox, "app", account=OTHERS[0])
    for number in range(4):
        made.image(f"build-{number}", f"build-{number}")
    stated = {
        "version": 1,
        "targets": {"accounts": [OTHERS[0]], "regions": list(REGIONS), "role": "gc"},
        "policies": [policy(BUILDS)],
    }
    arranged.s3.put_object(Bucket=BUCKET, Key="policy.json", Body=json.dumps(stated).encode())
    ended = arranged.run("look", "plan", f"s3://{BUCKET}/policy.json", SECONDS)
    assert ended["status"] == "SUCCEEDED", (ended, arranged.log())
    said = json.loads(ended["output"])
    assert (said["exit"], said["pairs"], said["done"]) == (0, len(REGIONS), 0)
    report = arranged.content("runs/look/report.json")
    assert [(place["region"], place["summary"]["planned"]) for place in report["places"]] == [
        ("eu-west-1", 0),
        ("us-east-1", 2),
    ]
    assert len(made.repository.images) == 4
