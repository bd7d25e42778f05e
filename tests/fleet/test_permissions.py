"""What `iam-policy` prints for a fleet, against the calls that the stand-in and moto saw."""

import json
from pathlib import Path
from typing import Any

import pytest

from aws_ecr_gc.aws.permissions import PERMISSIONS
from aws_ecr_gc.sandbox import Sandbox
from tests.aws.conftest import Aws, aws, cloud, credentials, running_cloud
from tests.conftest import Shell
from tests.fleet.test_organization import Organization
from tests.fleet.test_reach import FIRST, SECOND, Fleet
from tests.wire.policies import BUILDS, policy

__all__ = ["aws", "cloud", "credentials", "running_cloud"]

ROLE = "arn:aws:iam::{}:role/gc"


@pytest.fixture
def fleet(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> Fleet:
    return Fleet(sandbox, shell, tmp_path)


def written(fleet: Fleet, **targets: object) -> str:
    path = fleet.folder / "targets.json"
    path.write_text(json.dumps({"version": 1, "targets": {"role": "gc", **targets}, "policies": [policy(BUILDS)]}))
    return str(path)


def printed(fleet: Fleet, *words: str) -> dict[str, dict[str, Any]]:
    finished = fleet("iam-policy", *words)
    assert finished.exit == 0, finished.err
    return {each["Sid"]: each for each in json.loads(finished.out)["Statement"]}


def test_the_role_may_what_its_run_calls_and_no_more_in_every_region(fleet: Fleet) -> None:
    file = written(fleet, accounts=[FIRST, SECOND], regions="all")
    assert fleet("run", "-f", file, "--yes").exit == 0
    called = {call.operation for call in fleet.sandbox.calls if call.service == "ecr"}
    statements = printed(fleet, "-f", file)
    assert statements.pop("AwsEcrGcRegions")["Action"] == ["account:ListRegions"]
    granted = {action for each in statements.values() for action in each["Action"]}
    assert granted == {PERMISSIONS[operation].action for operation in called}
    assert statements["AwsEcrGc"]["Resource"] == "arn:aws:ecr:*:*:repository/*"


def test_the_caller_may_enter_the_accounts_that_are_named(fleet: Fleet) -> None:
    file = written(fleet, accounts=[FIRST, SECOND], session_tags={"team": "web"})
    (entering,) = printed(fleet, "--for-fleet", "-f", file).values()
    assert entering["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert entering["Resource"] == [ROLE.format(FIRST), ROLE.format(SECOND)]


@pytest.mark.parametrize(
    ("chosen", "more"),
    [
        ((), set()),
        (("units",), set()),
        (("account_tags",), {"organizations:ListTagsForResource"}),
        (("units", "account_tags"), {"organizations:ListTagsForResource"}),
    ],
)
def test_the_caller_may_find_the_accounts_of_the_organization(
    fleet: Fleet, aws: Aws, credentials: dict[str, str], chosen: tuple[str, ...], more: set[str]
) -> None:
    organization = Organization(aws, credentials, fleet)
    unit = organization.unit("prod")
    organization.account("web", unit, stage="prod")
    stated = {"units": [unit], "account_tags": {"stage": "prod"}}
    file = written(fleet, organization=True, **{name: stated[name] for name in chosen})
    where = {"AWS_ENDPOINT_URL_ORGANIZATIONS": credentials["AWS_ENDPOINT_URL"]}
    assert fleet("plan", "-f", file, **where).exit == 0
    statements = printed(fleet, "--for-fleet", "-f", file)
    assert statements["AwsEcrGcFleet"]["Resource"] == ROLE.format("*")
    below = {"organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent"}
    expected = (below if "units" in chosen else {"organizations:ListAccounts"}) | more
    assert set(statements["AwsEcrGcFleetAccounts"]["Action"]) == expected


def test_who_looks_for_workloads_in_all_regions_may_list_them(fleet: Fleet) -> None:
    file = Path(written(fleet, accounts=[FIRST], regions="all"))
    file.write_text(json.dumps({**json.loads(file.read_text()), "in_use": {"sources": ["ecs"]}}))
    for words in (("--for-fleet",), ("--for-workloads",), ()):
        assert printed(fleet, *words, "-f", str(file))["AwsEcrGcRegions"]["Action"] == ["account:ListRegions"]


def test_a_file_that_names_no_other_accounts_is_one_line(fleet: Fleet) -> None:
    finished = fleet("iam-policy", "--for-fleet", "-f", fleet.policy)
    assert (finished.exit, finished.out) == (2, "")
    assert "names no other accounts" in finished.err
    assert "give -f FILE" in fleet("iam-policy", "--for-fleet", "--repo", "a").err
