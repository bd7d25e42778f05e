"""Amazon Inspector's word on images in use."""

from typing import Any

import pytest

from aws_ecr_gc.discovery.sources import SOURCES
from tests.aws.calls import ACCOUNT
from tests.aws.server import Cloud
from tests.discovery.worlds import Reading, digest, listing, needed

_NONE: dict[str, Any] = {"status": "DISABLED", "errorCode": "ALREADY_ENABLED", "errorMessage": "none"}


def _enable(cloud: Cloud, status: str) -> None:
    account = {
        "accountId": ACCOUNT,
        "state": _NONE,
        "resourceState": {"ec2": _NONE, "ecr": {**_NONE, "status": status}},
    }
    cloud.answer("inspector2", "BatchGetAccountStatus", lambda _: {"accounts": [account], "failedAccounts": []})


def _cover(cloud: Cloud, *resources: str) -> None:
    rows = [
        {
            "resourceType": "AWS_ECR_CONTAINER_IMAGE",
            "resourceId": resource,
            "accountId": ACCOUNT,
            "scanType": "PACKAGE",
            "resourceMetadata": {"ecrImage": {"inUseCount": 2, "tags": ["v1"]}},
        }
        for resource in resources
    ]
    listing(cloud, "inspector2", "ListCoverage", "coveredResources", rows)


def _arn(name: str, number: int, account: str = ACCOUNT, region: str = "us-east-1") -> str:
    return f"arn:aws:ecr:{region}:{account}:repository/{name}/{digest(number)}"


def test_images_in_use_are_held_by_digest_on_all_pages(cloud: Cloud, read: Reading) -> None:
    _enable(cloud, "ENABLED")
    _cover(cloud, _arn("app", 1), _arn("team/app", 2), _arn("app", 3, "210987654321", "eu-west-1"))
    assert read("inspector") == {
        (f"app@{digest(1)}", "tasks and pods of app", True),
        (f"team/app@{digest(2)}", "tasks and pods of team/app", True),
        (f"210987654321.dkr.ecr.eu-west-1.amazonaws.com/app@{digest(3)}", "tasks and pods of app", True),
    }
    assert needed(cloud, "inspector")
    asked = cloud.named("inspector2", "ListCoverage")[0].parameters
    assert asked["filterCriteria"]["ecrImageInUseCount"] == [{"lowerInclusive": 1}]
    assert asked["filterCriteria"]["resourceType"] == [{"comparison": "EQUALS", "value": "AWS_ECR_CONTAINER_IMAGE"}]


@pytest.mark.parametrize("status", ["DISABLED", "ENABLING", "SUSPENDED", "DISABLING"])
def test_where_inspector_is_not_enabled_for_registries_it_says_nothing(
    cloud: Cloud, read: Reading, status: str
) -> None:
    _enable(cloud, status)
    assert read("inspector") == set()
    assert cloud.named("inspector2", "ListCoverage") == []


@pytest.mark.parametrize(
    ("code", "told"), [("INTERNAL_ERROR", True), ("ACCESS_DENIED", True), ("RESOURCE_NOT_FOUND", False)]
)
def test_not_being_told_whether_it_is_enabled_is_a_failure_unless_the_account_is_unknown_to_it(
    cloud: Cloud, read: Reading, code: str, told: bool
) -> None:
    failed = {"accountId": ACCOUNT, "errorCode": code, "errorMessage": "so it is"}
    cloud.answer("inspector2", "BatchGetAccountStatus", lambda _: {"accounts": [], "failedAccounts": [failed]})
    if told:
        assert f"{code}: so it is" in read.refused("inspector")
    else:
        assert read("inspector") == set()


def test_what_is_no_image_is_not_passed_over(cloud: Cloud, read: Reading) -> None:
    _enable(cloud, "ENABLED")
    _cover(cloud, "arn:aws:ecr:us-east-1:123456789012:repository/app")
    assert "is not the ARN of an image" in read.refused("inspector")


@pytest.mark.parametrize("action", SOURCES["inspector"].actions)
def test_a_missing_permission_is_named(cloud: Cloud, read: Reading, action: str) -> None:
    _enable(cloud, "ENABLED")
    _cover(cloud, _arn("app", 1))
    cloud.deny("inspector2", action.partition(":")[2])
    assert action in read.refused("inspector")
