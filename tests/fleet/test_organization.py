"""Regions that are enabled, and accounts of an organization: moto's server for Organizations, the stand-in for ECR."""

import json
from pathlib import Path

import pytest

from aws_ecr_gc.sandbox import Faults, Sandbox
from tests.aws.conftest import Aws, aws, cloud, credentials, running_cloud
from tests.aws.server import Cloud
from tests.conftest import Finished, Shell
from tests.fleet.test_reach import FIRST, SECOND, Fleet, places

__all__ = ["aws", "cloud", "credentials", "running_cloud"]


@pytest.fixture
def fleet(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> Fleet:
    return Fleet(sandbox, shell, tmp_path)


class Organization:
    """An organization of moto's; accounts of it are filled in the stand-in."""

    def __init__(self, aws: Aws, credentials: dict[str, str], fleet: Fleet) -> None:
        self.client = aws("organizations")
        self._fleet = fleet
        self._credentials = credentials
        self.client.create_organization(FeatureSet="ALL")
        self.root = self.client.list_roots()["Roots"][0]["Id"]

    def account(self, name: str, unit: str | None = None, **tags: str) -> str:
        made = self.client.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]
        account = str(made["AccountId"])
        if unit is not None:
            self.client.move_account(AccountId=account, SourceParentId=self.root, DestinationParentId=unit)
        if tags:
            listed = [{"Key": key, "Value": value} for key, value in tags.items()]
            self.client.tag_resource(ResourceId=account, Tags=listed)
        self._fleet.fill(account, "us-east-1", "app")
        return account

    def unit(self, name: str, parent: str | None = None) -> str:
        made = self.client.create_organizational_unit(ParentId=parent or self.root, Name=name)
        return str(made["OrganizationalUnit"]["Id"])

    def planned(self, *words: str, file: str | None = None) -> Finished:
        where = self._credentials["AWS_ENDPOINT_URL"]
        return self._fleet(
            "plan", "-f", file or self._fleet.policy, "--organization", "--role", "gc", "--output", "json", *words,
            AWS_ENDPOINT_URL_ORGANIZATIONS=where,
        )  # fmt: skip


@pytest.fixture
def organization(aws: Aws, credentials: dict[str, str], fleet: Fleet) -> Organization:
    return Organization(aws, credentials, fleet)


def accounts(finished: Finished) -> set[object]:
    return {account for account, _ in places(json.loads(finished.out))}


def test_every_active_account_is_planned_and_closed_ones_are_named(organization: Organization) -> None:
    web, data, gone = (organization.account(name) for name in ("web", "data", "gone"))
    organization.client.close_account(AccountId=gone)
    finished = organization.planned()
    assert finished.exit == 0
    assert {web, data} <= accounts(finished)
    assert gone not in accounts(finished)
    assert f"not entered, for they are not active: {gone} (SUSPENDED)" in finished.err


def test_units_and_what_is_below_them_choose_accounts(organization: Organization) -> None:
    prod = organization.unit("prod")
    below = organization.unit("web", prod)
    inside, deep = organization.account("inside", prod), organization.account("deep", below)
    organization.account("outside")
    assert accounts(organization.planned("--unit", prod)) == {inside, deep}
    assert accounts(organization.planned("--unit", below)) == {deep}


def test_tags_of_accounts_choose_among_them(organization: Organization) -> None:
    prod, east = organization.account("prod", stage="prod", team="a"), organization.account("east", stage="prod-east")
    organization.account("dev", stage="dev")
    assert accounts(organization.planned("--account-tag", "stage=prod*")) == {prod, east}
    assert accounts(organization.planned("--account-tag", "stage=prod*", "--account-tag", "team=a")) == {prod}


def test_where_no_account_fits_that_is_one_line(organization: Organization) -> None:
    finished = organization.planned("--account-tag", "stage=none")
    assert (finished.exit, finished.out) == (2, "")
    assert "no active account that fits" in finished.err


def test_an_organization_that_can_not_be_read_is_an_error(organization: Organization, cloud: Cloud) -> None:
    cloud.deny("organizations", "ListAccounts")
    finished = organization.planned()
    assert (finished.exit, finished.out) == (3, "")
    assert "organizations:ListAccounts" in finished.err


def test_all_regions_are_those_that_are_enabled_for_each_account(fleet: Fleet) -> None:
    fleet.sandbox.enable(SECOND, "eu-west-1", "af-south-1")
    finished = fleet(
        "plan", "-f", fleet.policy, "--account", FIRST, "--account", SECOND, "--role", "gc", "--region", "all",
        "--output", "json",
    )  # fmt: skip
    assert finished.exit == 0
    assert places(json.loads(finished.out)) == [
        (FIRST, "eu-west-1"), (FIRST, "us-east-1"), (SECOND, "af-south-1"), (SECOND, "eu-west-1"),
    ]  # fmt: skip


def test_an_account_whose_regions_can_not_be_listed_is_listed_as_absent(fleet: Fleet) -> None:
    fleet.sandbox.faults = Faults(deny_on={FIRST: ["AssumeRole"]})
    finished = fleet(
        "plan", "-f", fleet.policy, "--account", FIRST, "--account", SECOND, "--role", "gc", "--region", "all",
        "--output", "json",
    )  # fmt: skip
    assert finished.exit == 3
    document = json.loads(finished.out)
    assert [(each["account"], each["region"]) for each in document["absent"]] == [(FIRST, None)]
    assert {account for account, _ in places(document)} == {SECOND}
