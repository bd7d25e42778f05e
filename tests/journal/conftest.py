"""The cloud of tests/aws, and a bucket there."""

from collections.abc import Iterator

import pytest

from aws_ecr_gc.aws.client import Client
from aws_ecr_gc.aws.session import Keys, Session
from tests.aws.conftest import Aws, aws, cloud, credentials, running_cloud
from tests.aws.server import ACCESS_KEY, Cloud

__all__ = ["aws", "cloud", "credentials", "running_cloud"]


@pytest.fixture
def s3(cloud: Cloud, aws: Aws) -> Iterator[Client]:
    """The program's client for S3, in a cloud with the bucket `journals`."""
    aws("s3").create_bucket(Bucket="journals")
    keys = Keys(ACCESS_KEY, "secret", "token")
    client = Session(None, "us-east-1").client("s3", endpoint_url=cloud.url, credentials=keys)
    yield client
    client.close()
