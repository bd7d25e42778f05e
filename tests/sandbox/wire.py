"""Clients for the tests of the stand-in: botocore without retries, and plain HTTP."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import msgspec
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from aws_ecr_gc.sandbox import Sandbox, Scenario

ACCOUNT = "123456789012"
TARGET = "AmazonEC2ContainerRegistry_V20150921."
NOW = "2024-06-01T00:00:00Z"

_SESSION = boto3.session.Session()


@contextmanager
def client(sandbox: Sandbox, access_key: str = ACCOUNT, region: str = "us-east-1") -> Iterator[Any]:
    """A boto3 client of ECR that tries once and does not check the request itself."""
    ecr = _SESSION.client(
        "ecr",
        endpoint_url=sandbox.url,
        region_name=region,
        aws_access_key_id=access_key,
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
    )
    try:
        yield ecr
    finally:
        ecr.close()


def key_of(sandbox: Sandbox, role: str) -> str:
    """An access key of a session of the role."""
    sts = _SESSION.client(
        "sts",
        endpoint_url=sandbox.url,
        region_name="us-east-1",
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
    )
    try:
        key: str = sts.assume_role(RoleArn=role, RoleSessionName="ci")["Credentials"]["AccessKeyId"]
        return key
    finally:
        sts.close()


class Wire:
    """Plain HTTP to the stand-in."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"))

    def post(self, operation: str, body: bytes, *, authorized: bool = True) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers of the answer."""
        headers = {"X-Amz-Target": TARGET + operation, "Content-Type": "application/x-amz-json-1.1"}
        if authorized:
            scope = f"{ACCOUNT}/20240601/us-east-1/ecr/aws4_request"
            headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        self._connection.request("POST", "/", body, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read(), dict(answer.headers)

    def call(self, operation: str, request: Any, *, authorized: bool = True) -> tuple[int, dict[str, Any]]:
        """Status and JSON of the answer."""
        status, body, _ = self.post(operation, json.dumps(request).encode(), authorized=authorized)
        return status, json.loads(body)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def scenario(**members: Any) -> Scenario:
    """A scenario from what a file would say, at a fixed time."""
    return msgspec.convert({"now": NOW, **members}, Scenario)


def repository(*images: dict[str, Any], name: str = "app", **members: Any) -> dict[str, Any]:
    """A repository as a scenario file says it."""
    return {"name": name, "images": list(images), **members}


@contextmanager
def refused(code: str, message: str = "") -> Iterator[None]:
    """Expect that a client's call is refused with this code, and a message that holds this text."""
    with pytest.raises(ClientError) as caught:
        yield
    assert caught.value.response["Error"]["Code"] == code
    assert message in caught.value.response["Error"]["Message"]


def failure_codes(answer: dict[str, Any]) -> list[str]:
    """The codes of a batch operation's failures, in order."""
    return [failure["failureCode"] for failure in answer["failures"]]


def tags_of(listing: dict[str, Any]) -> list[str]:
    """The tags in an answer of ListImages, sorted."""
    return sorted(row["imageTag"] for row in listing["imageIds"] if "imageTag" in row)
