"""Repositories, resource tags, accounts and regions."""

import base64
from typing import Any

import pytest

from aws_ecr_gc.sandbox import Sandbox

from .wire import ACCOUNT, client, refused, repository, scenario

OTHER = "210987654321"
ARN = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/app"


def test_a_repository_is_described_as_it_was_created(ecr: Any) -> None:
    created = ecr.create_repository(
        repositoryName="team/web",
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "dev-*"}],
        imageScanningConfiguration={"scanOnPush": True},
        encryptionConfiguration={"encryptionType": "KMS", "kmsKey": "alias/ecr"},
        tags=[{"Key": "team", "Value": "web"}],
    )["repository"]

    (described,) = ecr.describe_repositories(repositoryNames=["team/web"])["repositories"]
    assert described == created
    assert described["repositoryUri"] == f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/team/web"
    assert described["repositoryArn"] == f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/team/web"
    assert described["imageScanningConfiguration"] == {"scanOnPush": True}
    assert described["encryptionConfiguration"] == {"encryptionType": "KMS", "kmsKey": "alias/ecr"}
    assert ecr.list_tags_for_resource(resourceArn=described["repositoryArn"])["tags"] == [
        {"Key": "team", "Value": "web"}
    ]


def test_a_repository_is_created_once(ecr: Any) -> None:
    with refused("RepositoryAlreadyExistsException", "The repository with name 'app' already exists"):
        ecr.create_repository(repositoryName="app")


def test_exclusion_filters_go_with_a_mutability_that_has_exclusions(ecr: Any) -> None:
    filters = [{"filterType": "WILDCARD", "filter": "dev-*"}]
    with refused("InvalidParameterException", "imageTagMutabilityExclusionFilters"):
        ecr.create_repository(repositoryName="web", imageTagMutabilityExclusionFilters=filters)
    with refused("InvalidParameterException", "imageTagMutabilityExclusionFilters"):
        ecr.create_repository(repositoryName="web", imageTagMutability="MUTABLE_WITH_EXCLUSION")


def test_repositories_are_listed_page_by_page_or_by_name(sandbox: Sandbox, ecr: Any) -> None:
    names = [f"r{number:03d}" for number in range(230)]
    sandbox.reset(scenario(repositories=[repository(name=name) for name in names]))
    pages = list(ecr.get_paginator("describe_repositories").paginate())

    assert [len(page["repositories"]) for page in pages] == [100, 100, 30]
    assert [row["repositoryName"] for page in pages for row in page["repositories"]] == names
    with refused("RepositoryNotFoundException", f"in the registry with id '{ACCOUNT}'"):
        ecr.describe_repositories(repositoryNames=["r000", "none"])
    for paging in ({"maxResults": 5}, {"nextToken": "x"}):
        with refused("InvalidParameterException", "repositoryNames"):
            ecr.describe_repositories(repositoryNames=["r000"], **paging)


def test_a_repository_that_holds_images_is_deleted_by_force_only(sandbox: Sandbox, ecr: Any) -> None:
    sandbox.reset(scenario(repositories=[repository({"name": "a", "status": "ARCHIVED"})]))

    with refused("RepositoryNotEmptyException"):
        ecr.delete_repository(repositoryName="app")
    ecr.delete_repository(repositoryName="app", force=True)
    assert [deletion.by for deletion in sandbox.deletions] == ["DeleteRepository"]
    with refused("RepositoryNotFoundException"):
        ecr.list_images(repositoryName="app")


def test_resource_tags_are_added_replaced_and_taken_off(ecr: Any) -> None:
    ecr.tag_resource(resourceArn=ARN, tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    ecr.tag_resource(resourceArn=ARN, tags=[{"Key": "b", "Value": "3"}])
    ecr.untag_resource(resourceArn=ARN, tagKeys=["a", "none"])

    assert ecr.list_tags_for_resource(resourceArn=ARN)["tags"] == [{"Key": "b", "Value": "3"}]


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        ("app", "InvalidParameterException"),
        (ARN.replace("us-east-1", "eu-west-1"), "InvalidParameterException"),
        (ARN.replace("arn:aws:", "arn:aws-cn:"), "InvalidParameterException"),
        (ARN + "x", "RepositoryNotFoundException"),
    ],
)
def test_resource_tags_need_the_arn_of_a_repository(ecr: Any, arn: str, code: str) -> None:
    with refused(code):
        ecr.list_tags_for_resource(resourceArn=arn)


def test_resource_tags_have_limits(ecr: Any) -> None:
    for key, value in (("k" * 129, ""), ("k", "v" * 257), ("aws:k", "v"), ("", "v")):
        with refused("InvalidTagParameterException"):
            ecr.tag_resource(resourceArn=ARN, tags=[{"Key": key, "Value": value}])
    with refused("TooManyTagsException"):
        ecr.tag_resource(resourceArn=ARN, tags=[{"Key": f"k{n}", "Value": ""} for n in range(51)])


def test_accounts_and_regions_do_not_see_each_other(sandbox: Sandbox) -> None:
    sandbox.reset(
        scenario(
            accounts={"AKIDOTHER": OTHER},
            repositories=[
                repository(name="mine"),
                repository(name="theirs", account=OTHER),
                repository(name="abroad", region="cn-north-1"),
            ],
        )
    )

    def names(access_key: str, region: str = "us-east-1", **request: str) -> list[str]:
        with client(sandbox, access_key, region) as ecr:
            return [row["repositoryName"] for row in ecr.describe_repositories(**request)["repositories"]]

    assert names("AKIDUNKNOWN") == names(ACCOUNT) == ["mine"]
    assert names("AKIDOTHER") == names(OTHER) == ["theirs"]
    assert names(ACCOUNT, registryId=OTHER) == ["theirs"]
    assert names(ACCOUNT, "cn-north-1") == ["abroad"]
    assert names("999999999999") == []


def test_a_token_is_of_no_use_to_another_account(sandbox: Sandbox) -> None:
    sandbox.reset(scenario(repositories=[repository(name=name) for name in ("aa", "bb")]))
    with client(sandbox) as ecr, client(sandbox, OTHER) as other:
        token = ecr.describe_repositories(maxResults=1)["nextToken"]
        with refused("InvalidParameterException", "nextToken"):
            other.describe_repositories(nextToken=token)


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [
        ("eu-central-1", "aws", "amazonaws.com"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
        ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
        ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
    ],
)
def test_uri_and_arn_are_those_of_the_partition(sandbox: Sandbox, region: str, partition: str, suffix: str) -> None:
    with client(sandbox, region=region) as ecr:
        created = ecr.create_repository(repositoryName="app")["repository"]

    assert created["repositoryUri"] == f"{ACCOUNT}.dkr.ecr.{region}.{suffix}/app"
    assert created["repositoryArn"] == f"arn:{partition}:ecr:{region}:{ACCOUNT}:repository/app"


def test_the_registry_tells_its_replication_rules(sandbox: Sandbox, ecr: Any) -> None:
    assert ecr.describe_registry()["replicationConfiguration"] == {"rules": []}
    rule = {"destinations": [{"region": "eu-west-1", "account": OTHER}], "prefixes": ["team/"], "deletes": True}
    sandbox.reset(scenario(replication=[rule]))

    answer = ecr.describe_registry()
    assert answer["registryId"] == ACCOUNT
    assert answer["replicationConfiguration"]["rules"] == [
        {
            "destinations": [{"region": "eu-west-1", "registryId": OTHER}],
            "repositoryFilters": [{"filter": "team/", "filterType": "PREFIX_MATCH"}],
            "deleteReplication": {"enabled": True},
        }
    ]


def replicated_to(region: str, **members: Any) -> dict[str, Any]:
    return {"destinations": [{"region": region, "registryId": ACCOUNT}], **members}


def test_replication_rules_are_put_in_the_place_of_all(ecr: Any) -> None:
    deleting = {"enabled": True}
    first = [replicated_to("eu-west-1", deleteReplication=deleting), replicated_to("eu-west-2")]
    assert ecr.put_replication_configuration(replicationConfiguration={"rules": first})["replicationConfiguration"] == {
        "rules": first
    }
    assert ecr.describe_registry()["replicationConfiguration"]["rules"] == first
    ecr.put_replication_configuration(replicationConfiguration={"rules": []})
    assert ecr.describe_registry()["replicationConfiguration"] == {"rules": []}


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ({}, "destinations"),
        (replicated_to("EU"), "region"),
        (replicated_to("eu-west-1", repositoryFilters=[]), "repositoryFilters"),
        (replicated_to("eu-west-1", repositoryFilters=[{"filter": "app", "filterType": "GLOB"}]), "PREFIX_MATCH"),
        (replicated_to("eu-west-1", deleteReplication={}), "deleteReplication.enabled"),
        (replicated_to("eu-west-1", deleteReplication={"enabled": "yes"}), "deleteReplication.enabled"),
    ],
)
def test_replication_rules_that_the_model_forbids_are_refused(ecr: Any, rule: dict[str, Any], named: str) -> None:
    with refused("InvalidParameterException", named):
        ecr.put_replication_configuration(replicationConfiguration={"rules": [rule]})
    assert ecr.describe_registry()["replicationConfiguration"] == {"rules": []}


def test_at_most_25_replication_rules_are_taken(ecr: Any) -> None:
    rules = [replicated_to("eu-west-1")] * 26
    with refused("InvalidParameterException", "replicationConfiguration.rules"):
        ecr.put_replication_configuration(replicationConfiguration={"rules": rules})


def test_a_docker_password_lasts_twelve_hours(sandbox: Sandbox, ecr: Any) -> None:
    (mine,) = ecr.get_authorization_token()["authorizationData"]

    assert base64.b64decode(mine["authorizationToken"]).startswith(b"AWS:")
    assert mine["proxyEndpoint"] == f"https://{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
    assert abs(mine["expiresAt"].timestamp() - sandbox.clock.now() - 12 * 3600) < 10
    assert len(ecr.get_authorization_token(registryIds=[ACCOUNT, OTHER])["authorizationData"]) == 2
