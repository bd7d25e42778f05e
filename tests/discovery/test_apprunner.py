"""App Runner services."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.aws.calls import Call
from tests.aws.server import Cloud
from tests.discovery.worlds import Reading, digest, listing, naming, needed, uri, vanish

_THEN = datetime(2026, 1, 1, tzinfo=UTC)


def _service(name: str, image: str | None, status: str = "RUNNING", kind: str = "ECR") -> dict[str, Any]:
    source: dict[str, Any] = {
        "CodeRepository": {"RepositoryUrl": "x", "SourceCodeVersion": {"Type": "BRANCH", "Value": "x"}}
    }
    if image is not None:
        source = {"ImageRepository": {"ImageIdentifier": image, "ImageRepositoryType": kind}}
    return {
        "ServiceName": name,
        "ServiceId": "8fe1e10304f84fd2b0df550fe98a71fa",
        "ServiceArn": f"arn:aws:apprunner:us-east-1:123456789012:service/{name}/8fe1e10304f84fd2b0df550fe98a71fa",
        "CreatedAt": _THEN,
        "UpdatedAt": _THEN,
        "Status": status,
        "SourceConfiguration": source,
        "InstanceConfiguration": {},
        "NetworkConfiguration": {},
        "AutoScalingConfigurationSummary": {},
    }


def _run(cloud: Cloud, *services: dict[str, Any]) -> None:
    summary = ("ServiceName", "ServiceId", "ServiceArn", "CreatedAt", "UpdatedAt", "Status")
    rows = [{name: service[name] for name in summary} for service in services]
    listing(cloud, "apprunner", "ListServices", "ServiceSummaryList", rows)
    known = {service["ServiceArn"]: service for service in services}

    def describe(call: Call) -> dict[str, Any]:
        return {"Service": known[call.parameters["ServiceArn"]]}

    cloud.answer("apprunner", "DescribeService", describe)


@pytest.mark.parametrize("status", ["RUNNING", "PAUSED", "OPERATION_IN_PROGRESS", "CREATE_FAILED", "DELETE_FAILED"])
@pytest.mark.parametrize("image", ["site:v1", f"web@{digest(1)}", f"web:v1@{digest(1)}"])
def test_a_service_that_is_not_deleted_holds_its_image(cloud: Cloud, read: Reading, status: str, image: str) -> None:
    _run(cloud, _service("site", uri(image), status))
    assert read("apprunner") == {(image, "service site", True)}
    assert needed(cloud, "apprunner")


def test_services_on_all_pages_are_read_and_those_without_a_private_image_use_nothing(
    cloud: Cloud, read: Reading
) -> None:
    _run(
        cloud,
        _service("first", uri("app:1")),
        _service("second", uri("app:2")),
        _service("deleted", uri("app:3"), "DELETED"),
        _service("public", "public.ecr.aws/nginx/nginx:1", kind="ECR_PUBLIC"),
        _service("source", None),
    )
    assert read("apprunner") == {("app:1", "service first", True), ("app:2", "service second", True)}
    assert len(cloud.named("apprunner", "DescribeService")) == 4


def test_a_service_that_is_deleted_meanwhile_uses_nothing(cloud: Cloud, read: Reading) -> None:
    there, gone = _service("there", uri("app:1")), _service("gone", uri("app:2"))
    _run(cloud, there, gone)
    vanish(cloud, "apprunner", "DescribeService", naming("ServiceArn", gone["ServiceArn"]))
    assert read("apprunner") == {("app:1", "service there", True)}


@pytest.mark.parametrize("operation", ["ListServices", "DescribeService"])
def test_a_missing_permission_is_named(cloud: Cloud, read: Reading, operation: str) -> None:
    _run(cloud, _service("site", uri("site:v1")))
    cloud.deny("apprunner", operation)
    assert f"apprunner:{operation}" in read.refused("apprunner")


def test_an_image_that_cannot_be_understood_is_not_taken_for_none(cloud: Cloud, read: Reading) -> None:
    _run(cloud, _service("site", uri("Not An Image")))
    assert "service site" in read.refused("apprunner")
