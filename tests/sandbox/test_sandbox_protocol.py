"""The service model, walked: every constraint on every input, every member of every output."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.parsers import create_parser

from aws_ecr_gc.sandbox import Sandbox, model
from aws_ecr_gc.sandbox.manifests import digest_of
from aws_ecr_gc.sandbox.operations import OPERATIONS

from .wire import ACCOUNT, Wire, repository, scenario

DIGEST = "sha256:" + "0" * 64
EXAMPLES = {
    "RepositoryName": "app",
    "ImageDigest": DIGEST,
    "ImageTagMutabilityExclusionFilterValue": "dev-*",
    "Arn": f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/app",
    "RegistryId": ACCOUNT,
    "UploadId": "00000000-0000-0000-0000-000000000000",
    "LifecyclePolicyText": "x" * 100,
}
WRONG_TYPES: dict[str, Any] = {
    "structure": "text",
    "list": {},
    "string": 7,
    "integer": "7",
    "long": "7",
    "boolean": "true",
    "blob": "no Base64",
}


def example(name: str) -> Any:
    """A value that meets every constraint of a shape, with all its members."""
    shape = model.shape(name)
    match shape["type"]:
        case "structure":
            return {member: example(each["shape"]) for member, each in shape["members"].items()}
        case "list":
            return [example(shape["member"]["shape"])]
        case "string":
            return EXAMPLES.get(name) or shape.get("enum", ["text"])[0]
        case "integer" | "long":
            return shape.get("min", 1)
        case "blob":
            return ""
        case _:
            return True


def violations(name: str) -> Iterator[tuple[str, Any]]:
    """Values of a shape that each break one constraint, with what they break."""
    shape = model.shape(name)
    yield "type", WRONG_TYPES[shape["type"]]
    match shape["type"]:
        case "structure":
            whole = example(name)
            for member in shape.get("required", []):
                yield f"{member} missing", {key: value for key, value in whole.items() if key != member}
                yield f"{member} null", {**whole, member: None}
            for member, each in shape["members"].items():
                for label, value in violations(each["shape"]):
                    yield f"{member}.{label}", {**whole, member: value}
        case "list":
            item = example(shape["member"]["shape"])
            yield from _out_of_bounds(shape, lambda length: [item] * length)
            for label, value in violations(shape["member"]["shape"]):
                yield f"member.{label}", [value]
        case "string":
            yield from _out_of_bounds(shape, lambda length: "a" * length)
            if "pattern" in shape:
                value = "!" * max(shape.get("min", 1), 3)
                assert not re.fullmatch(shape["pattern"], value)
                yield "pattern", value
            if "enum" in shape:
                yield "enum", "NONE_OF_THEM"
        case "integer" | "long":
            yield from _out_of_bounds(shape, lambda number: number)
        case "blob":
            yield from _out_of_bounds(shape, lambda length: base64.b64encode(bytes(length)).decode())


def _out_of_bounds(shape: dict[str, Any], make: Any) -> Iterator[tuple[str, Any]]:
    if shape.get("min"):
        yield "min", make(shape["min"] - 1)
    if "max" in shape:
        yield "max", make(shape["max"] + 1)


def _cases() -> list[Any]:
    return [
        pytest.param(operation, request, id=f"{operation}-{label}")
        for operation in OPERATIONS
        for label, request in violations(model.input_shape_name(operation))
        if label != "type"
    ]


@pytest.mark.parametrize(("operation", "request_body"), _cases())
def test_a_request_that_breaks_a_constraint_of_the_model_is_refused(
    raw: Wire, operation: str, request_body: dict[str, Any]
) -> None:
    status, answer = raw.call(operation, request_body)

    assert (status, answer["__type"]) == (400, "InvalidParameterException")
    assert re.fullmatch(r"Invalid parameter at '[^']+' failed to satisfy constraint: '.+'", answer["message"])


def test_the_walk_over_the_model_found_the_constraints_that_are_known() -> None:
    found = {(case.values[0], str(case.id)) for case in _cases()}

    for expected in (
        "BatchDeleteImage-imageIds.max",
        "DescribeImages-filter.imageStatus.enum",
        "ListImageReferrers-maxResults.max",
        "ListImageReferrers-filter.artifactTypes.max",
        "CreateRepository-repositoryName.pattern",
        "TagResource-tags.member.Key missing",
        "PutImage-imageManifest.max",
    ):
        assert (expected.partition("-")[0], expected) in found


@pytest.mark.parametrize(
    ("operation", "request_body", "path", "constraint"),
    [
        (
            "BatchDeleteImage",
            {"repositoryName": "app", "imageIds": [{"imageTag": "a"}] * 101},
            "imageIds",
            "Member must have length less than or equal to 100",
        ),
        (
            "PutLifecyclePolicy",
            {"repositoryName": "app", "lifecyclePolicyText": "{}"},
            "lifecyclePolicyText",
            "Member must have length greater than or equal to 100",
        ),
        (
            "PutImage",
            {"repositoryName": "app", "imageManifest": "{}", "imageTag": "a b"},
            "imageTag",
            "must satisfy regular expression '[a-zA-Z0-9-_.]+'",
        ),
    ],
)
def test_refusals_are_worded_as_ecr_words_them(
    raw: Wire, operation: str, request_body: dict[str, Any], path: str, constraint: str
) -> None:
    _, answer = raw.call(operation, request_body)

    assert answer["message"] == f"Invalid parameter at '{path}' failed to satisfy constraint: '{constraint}'"


POLICY = (
    '{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", '
    '"countNumber": 5}, "action": {"type": "expire"}}]}'
)
BY_NAME: dict[str, Any] = {"repositoryName": "app"}
BY_ARN = {"resourceArn": EXAMPLES["Arn"]}
FRESH: dict[str, Any] = {
    "repositoryName": "fresh",
    "tags": [{"Key": "team", "Value": "web"}],
    "imageTagMutability": "MUTABLE_WITH_EXCLUSION",
    "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "v*"}],
}
ROLE = "arn:aws:iam::123456789012:role/gc"
RULES = [
    {
        "destinations": [{"region": "eu-west-1", "registryId": "123456789012"}],
        "repositoryFilters": [{"filter": "app", "filterType": "PREFIX_MATCH"}],
        "deleteReplication": {"enabled": True},
    }
]
MANIFEST = '{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": []}'


def _drive(sandbox: Sandbox, raw: Wire) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each operation, called so that its answer has as many members as it can have."""
    sandbox.reset(
        scenario(
            repositories=[
                repository(
                    {"name": "one-amd64", "layers": [{"name": "base", "size": 10}], "pulled_at": "3d"},
                    {"name": "one", "tags": ["v1", "v2"], "children": ["one-amd64"]},
                    {"name": "signature", "subject": "one", "artifact_type": "application/x.signature"},
                    {"name": "cold", "tags": ["cold"], "archived_at": "9d", "activated_at": "2d"},
                    {"name": "colder", "tags": ["colder"], "status": "ARCHIVED"},
                )
            ],
            replication=[{"destinations": [{"region": "eu-west-1"}], "prefixes": ["app"], "deletes": True}],
        )
    )
    app = sandbox.registry().repository("app")
    index = app.resolve("v1")
    layer = app.images[app.children_of(index)[0]].contents.layers[0].digest
    everything = {"filter": {"imageStatus": "ANY"}, "maxResults": 2}
    status, begun = raw.call("InitiateLayerUpload", BY_NAME)
    yield "InitiateLayerUpload", begun
    upload = BY_NAME | {"uploadId": begun["uploadId"]}
    part = {"partFirstByte": 0, "partLastByte": 0, "layerPartBlob": base64.b64encode(b"x").decode()}
    for operation, request in (
        ("CreateRepository", FRESH),
        ("DescribeRepositories", {"maxResults": 1}),
        ("DeleteRepository", {"repositoryName": "fresh"}),
        ("PutImage", BY_NAME | {"imageManifest": MANIFEST, "imageTag": "v3"}),
        ("BatchGetImage", BY_NAME | {"imageIds": [{"imageTag": "v1"}, {"imageTag": "none"}]}),
        ("ListImages", BY_NAME | everything),
        ("DescribeImages", BY_NAME | {"filter": {"imageStatus": "ANY"}}),
        ("DescribeImages", BY_NAME | everything),
        ("ListImageReferrers", BY_NAME | {"subjectId": {"imageDigest": index}}),
        ("UpdateImageStorageClass", BY_NAME | {"imageId": {"imageTag": "colder"}, "targetStorageClass": "STANDARD"}),
        ("PutLifecyclePolicy", BY_NAME | {"lifecyclePolicyText": POLICY}),
        ("GetLifecyclePolicy", BY_NAME),
        ("StartLifecyclePolicyPreview", BY_NAME),
        ("GetLifecyclePolicyPreview", BY_NAME),
        ("DeleteLifecyclePolicy", BY_NAME),
        ("CreatePullThroughCacheRule", {"ecrRepositoryPrefix": "hub", "upstreamRegistryUrl": "public.ecr.aws"}),
        ("DescribePullThroughCacheRules", {"maxResults": 1}),
        ("CreateRepositoryCreationTemplate", {"prefix": "hub", "appliedFor": ["PULL_THROUGH_CACHE"]}),
        ("DescribeRepositoryCreationTemplates", {"prefixes": ["hub"]}),
        ("DescribeRegistry", {}),
        ("PutReplicationConfiguration", {"replicationConfiguration": {"rules": RULES}}),
        ("RegisterPullTimeUpdateExclusion", {"principalArn": ROLE}),
        ("RegisterPullTimeUpdateExclusion", {"principalArn": f"{ROLE}-2"}),
        ("ListPullTimeUpdateExclusions", {"maxResults": 1}),
        ("DeregisterPullTimeUpdateExclusion", {"principalArn": ROLE}),
        ("TagResource", BY_ARN | {"tags": [{"Key": "keep", "Value": "yes"}]}),
        ("ListTagsForResource", BY_ARN),
        ("UntagResource", BY_ARN | {"tagKeys": ["keep"]}),
        ("GetAuthorizationToken", {}),
        ("BatchCheckLayerAvailability", BY_NAME | {"layerDigests": [layer, DIGEST, "no digest"]}),
        ("GetDownloadUrlForLayer", BY_NAME | {"layerDigest": layer}),
        ("UploadLayerPart", upload | part),
        ("CompleteLayerUpload", upload | {"layerDigests": [digest_of(b"x")]}),
        ("BatchDeleteImage", BY_NAME | {"imageIds": [{"imageDigest": index}, {"imageTag": "none"}]}),
    ):
        status, answer = raw.call(operation, request)
        assert status == 200, answer
        yield operation, answer


def _unknown_members(shape: dict[str, Any], value: Any, path: str) -> Iterator[str]:
    if shape["type"] == "structure":
        yield from (f"{path}.{member}" for member in value if member not in shape["members"])
        yield from (f"{path}.{member} missing" for member in shape.get("required", []) if member not in value)
        for member in value.keys() & shape["members"].keys():
            yield from _unknown_members(
                model.shape(shape["members"][member]["shape"]), value[member], f"{path}.{member}"
            )
    elif shape["type"] == "list":
        for item in value:
            yield from _unknown_members(model.shape(shape["member"]["shape"]), item, f"{path}[]")
    elif "enum" in shape and value not in shape["enum"]:
        yield f"{path}={value}"


def test_every_operation_answers_with_members_that_the_model_knows(sandbox: Sandbox, raw: Wire) -> None:
    driven = list(_drive(sandbox, raw))

    assert {operation for operation, _ in driven} == set(OPERATIONS)
    for operation, answer in driven:
        assert list(_unknown_members(model.shape(model.output_shape_name(operation)), answer, operation)) == []


def test_botocore_reads_all_that_is_answered(sandbox: Sandbox, raw: Wire) -> None:
    service = botocore.session.get_session().get_service_model("ecr")
    parser = create_parser("json")
    for operation, answer in _drive(sandbox, raw):
        response = {"status_code": 200, "headers": {}, "body": json.dumps(answer).encode()}
        parsed = parser.parse(response, service.operation_model(operation).output_shape)

        assert parsed.keys() - {"ResponseMetadata"} == answer.keys()


def test_an_answer_says_its_type_and_the_request_that_it_belongs_to(raw: Wire) -> None:
    _, _, headers = raw.post("DescribeRepositories", b"{}")

    assert headers["Content-Type"] == "application/x-amz-json-1.1"
    assert re.fullmatch("[0-9a-f-]{36}", headers["x-amzn-RequestId"])


def test_what_is_no_json_object_is_a_serialization_exception(raw: Wire) -> None:
    for body in (b"{", b"[]", b""):
        status, answer, _ = raw.post("DescribeRepositories", body)

        assert status == 400
        assert b"SerializationException" in answer


def test_an_operation_that_is_not_there_is_unknown(raw: Wire) -> None:
    status, answer = raw.call("StartImageScan", {})

    assert (status, answer["__type"]) == (400, "UnknownOperationException")


def test_a_request_without_credentials_is_refused(raw: Wire) -> None:
    status, answer = raw.call("DescribeRepositories", {}, authorized=False)

    assert (status, answer["__type"]) == (403, "MissingAuthenticationTokenException")


def test_a_failure_of_the_sandbox_itself_is_answered_and_logged(
    sandbox: Sandbox, raw: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_request: dict[str, Any]) -> None:
        raise RuntimeError("the action of a test is wrong")

    sandbox.before("DescribeRepositories", fail)
    status, answer = raw.call("DescribeRepositories", {})

    assert (status, answer["__type"]) == (500, "InternalFailure")
    assert "the action of a test is wrong" in caplog.text
