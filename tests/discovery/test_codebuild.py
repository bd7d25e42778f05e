"""CodeBuild projects."""

from typing import Any

import pytest

from tests.aws.calls import Call
from tests.aws.conftest import Aws
from tests.aws.server import Cloud
from tests.discovery.worlds import Reading, digest, listing, needed, uri


def _create(aws: Aws, name: str, image: str, **environment: Any) -> None:
    aws("codebuild").create_project(
        name=name,
        source={"type": "S3", "location": "bucket/path"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": image,
            "computeType": "BUILD_GENERAL1_SMALL",
            **environment,
        },
        serviceRole="arn:aws:iam::123456789012:role/service-role/build",
    )


@pytest.mark.parametrize("image", ["builder:1", f"builder@{digest(1)}", f"builder:1@{digest(1)}"])
def test_a_project_holds_the_image_it_builds_in(cloud: Cloud, aws: Aws, read: Reading, image: str) -> None:
    _create(aws, "site", uri(image))
    _create(aws, "managed", "aws/codebuild/standard:7.0")
    assert read("codebuild") == {(image, "project site", True)}
    assert needed(cloud, "codebuild")


def test_what_a_variable_names_is_kept_but_may_be_missing(aws: Aws, read: Reading) -> None:
    variables = [{"name": "REPOSITORY", "value": uri("site")}, {"name": "BASE", "value": uri("base:3")}]
    _create(aws, "site", "aws/codebuild/standard:7.0", environmentVariables=variables)
    assert read("codebuild") == {("site", "project site", False), ("base:3", "project site", False)}


def test_all_projects_are_read_a_hundred_at_a_time(cloud: Cloud, read: Reading) -> None:
    names = [f"p{number}" for number in range(230)]
    cloud.answer("codebuild", "ListProjects", lambda _: {"projects": names})

    def get(call: Call) -> dict[str, Any]:
        kind = {"type": "LINUX_CONTAINER", "computeType": "BUILD_GENERAL1_SMALL"}
        return {
            "projects": [
                {"name": name, "environment": {**kind, "image": uri(f"builder:{name}")}}
                for name in call.parameters["names"]
            ]
        }

    cloud.answer("codebuild", "BatchGetProjects", get)
    assert read("codebuild") == {(f"builder:{name}", f"project {name}", True) for name in names}
    assert len(cloud.named("codebuild", "ListProjects")) == 3
    assert len(cloud.named("codebuild", "BatchGetProjects")) == 3


def _answer(cloud: Cloud, there: list[str], gone: list[str]) -> None:
    """What moto leaves out: it says nothing of projects that are not there."""
    environment = {"type": "LINUX_CONTAINER", "image": uri("builder:1"), "computeType": "BUILD_GENERAL1_SMALL"}
    projects = [{"name": name, "environment": environment} for name in there]
    cloud.answer("codebuild", "BatchGetProjects", lambda _: {"projects": projects, "projectsNotFound": gone})


def test_a_project_that_is_deleted_meanwhile_uses_nothing(cloud: Cloud, read: Reading) -> None:
    listing(cloud, "codebuild", "ListProjects", "projects", ["there", "gone"])
    _answer(cloud, ["there"], ["gone"])
    assert read("codebuild") == {("builder:1", "project there", True)}


def test_a_project_of_which_nothing_is_said_fails_the_source(cloud: Cloud, read: Reading) -> None:
    listing(cloud, "codebuild", "ListProjects", "projects", ["there", "silent"])
    _answer(cloud, ["there"], [])
    assert "of 2 asked for, 1 were described" in read.refused("codebuild")


@pytest.mark.parametrize("operation", ["ListProjects", "BatchGetProjects"])
def test_a_missing_permission_is_named(cloud: Cloud, aws: Aws, read: Reading, operation: str) -> None:
    _create(aws, "site", uri("builder:1"))
    cloud.deny("codebuild", operation)
    assert f"codebuild:{operation}" in read.refused("codebuild")
