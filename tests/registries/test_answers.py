"""Answers that are decoded in place of botocore's parser give what that gives; what it alone can read is left to it."""

import pytest

from aws_ecr_gc.aws.pacing import Pace, Rate
from aws_ecr_gc.aws.session import Session
from aws_ecr_gc.errors import Error
from aws_ecr_gc.ports import ImageId
from aws_ecr_gc.reference import Registry, Repository
from aws_ecr_gc.registries.ecr import EcrRepository, open_registry
from tests.registries.canned import Canned

ID = '{"imageDigest":"sha256:0","imageTag":"a"}'
FAILURE = f'{{"imageId":{ID},"failureCode":"ImageTagDoesNotMatchDigest","failureReason":"it moved"}}'


def both(canned: Canned) -> list[EcrRepository]:
    """The repository as it is opened, and with botocore's parser alone."""
    registry = open_registry(
        region="us-east-1", registry_id=None, profile=None, endpoint_url=canned.url, connections=10
    )
    client = Session(None, "us-east-1").ecr(canned.url)
    plain = Repository(Registry(None, "us-east-1", "aws"), "testrepo")
    return [registry.repository("testrepo"), EcrRepository(client, plain, {}, lambda: client, Pace(Rate(1, 1)))]


def outcome(ask: object) -> object:
    assert callable(ask)
    try:
        return ask()
    except Error as error:
        return type(error), error.code


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    "body",
    [
        f'{{"imageIds":[{ID},{{"imageDigest":"sha256:1"}}],"failures":[{FAILURE}]}}',
        f'{{"imageIds":[{ID}],"failures":null,"anew":{{"imageDigest":3}}}}',
        f'{{"imageIds":[{{"imageDigest":"sha256:0","imageTag":null,"more":1}}],"failures":[{FAILURE}]}}',
        '{"imageIds":[],"failures":[{"imageId":{},"failureCode":"Unknown"}]}',
        '{"imageIds":[]}',
        '{"failures":[]}',
        "{}",
    ],
)
def test_what_was_deleted_reads_the_same(canned: Canned, body: str) -> None:
    canned.body = body.encode()
    ours, plain = (outcome(lambda each=each: each.delete([ImageId("sha256:0", "a")])) for each in both(canned))
    assert ours == plain


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    "body",
    [
        f'{{"images":[{{"imageId":{ID},"imageManifest":"{{\\"a\\":\\"ä\\"}}","registryId":"1"}}],"failures":[]}}',
        f'{{"images":[{{"imageId":{ID},"imageManifest":"\\ud800"}}]}}',
        '{"images":[],"failures":[{"imageId":{"imageDigest":"sha256:0"},"failureCode":"ImageNotFound"}]}',
        '{"images":[],"failures":[{"imageId":{"imageDigest":"sha256:0"},"failureCode":"Other"}]}',
        f'{{"images":[{{"imageId":{ID}}}],"failures":null}}',
        '{"images":null}',
    ],
)
def test_manifests_read_the_same(canned: Canned, body: str) -> None:
    canned.body = body.encode()
    ours, plain = (outcome(lambda each=each: each.manifests(["sha256:0"])) for each in both(canned))
    assert ours == plain
