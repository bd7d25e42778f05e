"""Lambda functions made of images."""

import json
from typing import Any

import pytest

from tests.aws.calls import Call
from tests.aws.conftest import Aws
from tests.aws.server import Cloud
from tests.discovery.worlds import Reading, digest, listing, naming, needed, uri, vanish

_ROLE = "arn:aws:iam::123456789012:role/function"
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def _push(aws: Aws, repository: str, tag: str) -> str:
    """An image, and its digest."""
    ecr = aws("ecr")
    manifest = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": {"digest": digest(int(tag[1:])), "size": 1}}
    pushed = ecr.put_image(repositoryName=repository, imageManifest=json.dumps(manifest), imageTag=tag)
    return str(pushed["image"]["imageId"]["imageDigest"])


def _function(aws: Aws, name: str, image: str) -> None:
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    iam = aws("iam")
    if not iam.list_roles()["Roles"]:
        iam.create_role(RoleName="function", AssumeRolePolicyDocument=trust)
    aws("lambda").create_function(FunctionName=name, Role=_ROLE, PackageType="Image", Code={"ImageUri": uri(image)})


def _registered(cloud: Cloud, *functions: tuple[str, str, dict[str, str]]) -> None:
    """Functions that are told by name, version, and the members of their code."""
    rows: list[dict[str, Any]] = [
        {"FunctionName": name, "FunctionArn": f"arn:{name}:{version}", "Version": version, "PackageType": "Image"}
        for name, version, _ in functions
    ]
    listing(cloud, "lambda", "ListFunctions", "Functions", rows)
    codes = {(name, version): code for name, version, code in functions}

    def get(call: Call) -> dict[str, Any]:
        return {"Code": codes[call.parameters["FunctionName"], call.parameters["Qualifier"]]}

    cloud.answer("lambda", "GetFunction", get)


def test_every_version_of_a_function_holds_its_tag_and_the_digest_it_was_resolved_to(
    cloud: Cloud, aws: Aws, read: Reading
) -> None:
    aws("ecr").create_repository(repositoryName="etl")
    resolved = _push(aws, "etl", "v1")
    _function(aws, "etl", "etl:v1")
    aws("lambda").publish_version(FunctionName="etl")
    aws("lambda").create_alias(FunctionName="etl", Name="live", FunctionVersion="1")
    assert read("lambda") == {
        (f"etl:v1@{resolved}", "function etl:$LATEST", True),
        (f"etl:v1@{resolved}", "function etl:1", True),
    }
    assert needed(cloud, "lambda")


@pytest.mark.parametrize(
    ("named", "resolved", "expected"),
    [
        ("app:v1", f"app@{digest(1)}", f"app:v1@{digest(1)}"),
        ("app", f"app@{digest(1)}", f"app:latest@{digest(1)}"),
        (f"app@{digest(1)}", f"app@{digest(1)}", f"app@{digest(1)}"),
        (f"app:v1@{digest(1)}", f"app@{digest(1)}", f"app:v1@{digest(1)}"),
        ("app:v1", None, "app:v1"),
    ],
)
def test_the_tag_and_the_resolved_digest_are_one_use(
    cloud: Cloud, read: Reading, named: str, resolved: str | None, expected: str
) -> None:
    code = {"ImageUri": uri(named), **({} if resolved is None else {"ResolvedImageUri": uri(resolved)})}
    _registered(cloud, ("app", "7", code))
    assert read("lambda") == {(expected, "function app:7", True)}


def test_all_pages_of_functions_are_read_and_those_of_a_zip_file_left_out(cloud: Cloud, read: Reading) -> None:
    rows = [
        {"FunctionName": f"f{number}", "FunctionArn": f"arn:f{number}", "Version": "$LATEST", "PackageType": kind}
        for number, kind in enumerate(["Image", "Zip"] * 60)
    ]
    cloud.answer("lambda", "ListFunctions", lambda _: {"Functions": rows})
    cloud.answer("lambda", "GetFunction", lambda call: {"Code": {"ImageUri": uri(call.parameters["FunctionName"])}})
    assert len(read("lambda")) == 60
    assert len(cloud.named("lambda", "ListFunctions")) == 3
    assert len(cloud.named("lambda", "GetFunction")) == 60


def test_a_published_version_is_read_once_and_the_latest_every_time(cloud: Cloud, read: Reading) -> None:
    _registered(
        cloud,
        ("app", "$LATEST", {"ImageUri": uri("app:new")}),
        ("app", "$LATEST.PUBLISHED", {"ImageUri": uri("app:instances")}),
        ("app", "1", {"ImageUri": uri("app:old")}),
    )
    first = read("lambda")
    assert read("lambda") == first
    asked = [call.parameters["Qualifier"] for call in cloud.named("lambda", "GetFunction")]
    assert sorted(asked) == ["$LATEST", "$LATEST", "$LATEST.PUBLISHED", "$LATEST.PUBLISHED", "1"]


def test_a_function_that_is_deleted_meanwhile_uses_nothing(cloud: Cloud, read: Reading) -> None:
    code = {"ImageUri": uri("app:v1")}
    _registered(cloud, ("there", "1", code), ("gone", "1", code), ("gone", "$LATEST", code))
    vanish(cloud, "lambda", "GetFunction", naming("FunctionName", "gone"))
    assert read("lambda") == {("app:v1", "function there:1", True)}


@pytest.mark.parametrize("operation", ["ListFunctions", "GetFunction"])
def test_a_missing_permission_is_named(cloud: Cloud, read: Reading, operation: str) -> None:
    _registered(cloud, ("app", "1", {"ImageUri": uri("app:v1")}))
    cloud.deny("lambda", operation)
    assert f"lambda:{operation}" in read.refused("lambda")


def test_a_function_whose_image_is_not_told_is_not_taken_for_one_without(cloud: Cloud, read: Reading) -> None:
    _registered(cloud, ("app", "1", {"ResolvedImageUri": ""}))
    assert "which one is not said" in read.refused("lambda")
