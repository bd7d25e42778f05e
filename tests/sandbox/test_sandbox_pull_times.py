"""The roles whose pulls move no pull time: listed, registered, and heeded."""

from typing import Any

import pytest

from aws_ecr_gc.sandbox import Repository, Sandbox

from .wire import ACCOUNT, client, key_of, refused, repository, scenario

ROLE = f"arn:aws:iam::{ACCOUNT}:role/ci/gc"


def excluded(ecr: Any) -> list[str]:
    found: list[str] = ecr.list_pull_time_update_exclusions()["pullTimeUpdateExclusions"]
    return found


def test_a_role_is_excluded_until_it_is_not(sandbox: Sandbox, ecr: Any) -> None:
    assert excluded(ecr) == []
    answer = ecr.register_pull_time_update_exclusion(principalArn=ROLE)
    assert answer["principalArn"] == ROLE
    assert abs(answer["createdAt"].timestamp() - sandbox.clock.now()) < 10
    assert excluded(ecr) == [ROLE]
    with refused("ExclusionAlreadyExistsException", ROLE):
        ecr.register_pull_time_update_exclusion(principalArn=ROLE)
    with client(sandbox, region="eu-west-1") as elsewhere:
        assert excluded(elsewhere) == []
    assert ecr.deregister_pull_time_update_exclusion(principalArn=ROLE)["principalArn"] == ROLE
    assert excluded(ecr) == []
    with refused("ExclusionNotFoundException", ROLE):
        ecr.deregister_pull_time_update_exclusion(principalArn=ROLE)


@pytest.mark.parametrize(
    "principal",
    [
        f"arn:aws:iam::{ACCOUNT}:user/ann",
        f"arn:aws:iam::{ACCOUNT}:root",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/gc/me",
        "gc",
    ],
)
def test_only_roles_can_be_excluded(ecr: Any, principal: str) -> None:
    with refused("InvalidParameterException", "principalArn"):
        ecr.register_pull_time_update_exclusion(principalArn=principal)
    assert excluded(ecr) == []


def test_a_hundred_roles_are_excluded_at_most_and_listed_page_by_page(ecr: Any) -> None:
    roles = [f"arn:aws:iam::{ACCOUNT}:role/gc-{number:03d}" for number in range(100)]
    for role in roles:
        ecr.register_pull_time_update_exclusion(principalArn=role)
    with refused("LimitExceededException"):
        ecr.register_pull_time_update_exclusion(principalArn=ROLE)
    first = ecr.list_pull_time_update_exclusions(maxResults=60)
    rest = ecr.list_pull_time_update_exclusions(maxResults=60, nextToken=first["nextToken"])
    assert first["pullTimeUpdateExclusions"] + rest["pullTimeUpdateExclusions"] == roles
    assert "nextToken" not in rest
    with refused("InvalidParameterException", "maxResults"):
        ecr.list_pull_time_update_exclusions(maxResults=1001)


def test_the_pulls_of_an_excluded_role_move_no_pull_time(sandbox: Sandbox) -> None:
    sandbox.reset(scenario(repositories=[repository({"name": "a", "tags": ["v1"]})]))
    app: Repository = sandbox.registry().repository("app")
    with client(sandbox) as ecr, client(sandbox, key_of(sandbox, ROLE)) as as_role:
        ecr.register_pull_time_update_exclusion(principalArn=ROLE)
        assert as_role.batch_get_image(repositoryName="app", imageIds=[{"imageTag": "v1"}])["images"]
        assert app.images[app.resolve("v1")].pulled_at is None
        ecr.deregister_pull_time_update_exclusion(principalArn=ROLE)
        assert as_role.batch_get_image(repositoryName="app", imageIds=[{"imageTag": "v1"}])["images"]
        assert app.images[app.resolve("v1")].pulled_at is not None


def test_the_pulls_of_another_role_do(sandbox: Sandbox) -> None:
    sandbox.reset(scenario(repositories=[repository({"name": "a", "tags": ["v1"]})]))
    app: Repository = sandbox.registry().repository("app")
    other = f"arn:aws:iam::{ACCOUNT}:role/gc-2"
    with client(sandbox) as ecr, client(sandbox, key_of(sandbox, other)) as as_other:
        ecr.register_pull_time_update_exclusion(principalArn=ROLE)
        as_other.batch_get_image(repositoryName="app", imageIds=[{"imageTag": "v1"}])
    assert app.images[app.resolve("v1")].pulled_at is not None
