"""The cloud, and clients to create things in it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from botocore.config import Config

from tests.aws.calls import ACCOUNT, SESSION
from tests.aws.server import ACCESS_KEY, Cloud

Aws = Callable[..., Any]


@pytest.fixture(scope="session")
def running_cloud() -> Iterator[Cloud]:
    """The server, once for all tests of a process; moto starts with the first call that needs it."""
    with Cloud() as cloud:
        yield cloud


@pytest.fixture
def cloud(running_cloud: Cloud) -> Iterator[Cloud]:
    """The cloud, empty. A test fails when it let the cloud give an impossible answer."""
    running_cloud.reset()
    yield running_cloud
    running_cloud.check()


@pytest.fixture
def credentials(cloud: Cloud) -> dict[str, str]:
    """The environment of a command that is to find the cloud; ECR's own endpoint is left to the stand-in."""
    return {
        "AWS_ENDPOINT_URL": cloud.url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
    }


@pytest.fixture
def aws(cloud: Cloud) -> Iterator[Aws]:
    """Gives a client of a service in a region and an account; it tries once."""
    assumed: dict[str, dict[str, str]] = {}
    with ExitStack() as held:

        def client(service: str, region: str = "us-east-1", account: str = ACCOUNT, **config: Any) -> Any:
            keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": "secret"}
            if account != ACCOUNT:
                keys = assumed.get(account) or assumed.setdefault(account, _assume(client("sts"), account))
            made = SESSION.create_client(
                service,
                region_name=region,
                endpoint_url=cloud.url,
                config=Config(**{"retries": {"total_max_attempts": 1}, "max_pool_connections": 50, **config}),
                **keys,
            )
            held.callback(made.close)
            return made

        yield client


def _assume(sts: Any, account: str) -> dict[str, str]:
    role = f"arn:aws:iam::{account}:role/gc"
    given = sts.assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
