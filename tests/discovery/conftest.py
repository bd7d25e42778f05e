"""The cloud of tests/aws, and what is in use there."""

import functools
from collections.abc import Callable
from pathlib import Path

import pytest

from aws_ecr_gc.aws.session import Session
from aws_ecr_gc.discovery.reading import READINGS, Discovery
from aws_ecr_gc.discovery.settings import Settings
from tests.aws.conftest import Aws, aws, cloud, credentials, running_cloud
from tests.aws.server import Cloud
from tests.discovery.ecs_world import World
from tests.discovery.worlds import Reading

__all__ = ["aws", "cloud", "credentials", "running_cloud"]

Discover = Callable[..., Discovery]


@pytest.fixture
def discovery(credentials: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Discover:
    """Gives a Discovery of these sources and settings, with the credentials of the cloud."""
    environment = {
        **credentials,
        "AWS_CONFIG_FILE": str(tmp_path / "aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "aws-credentials"),
    }
    for name, text in environment.items():
        monkeypatch.setenv(name, text)

    def make(
        *sources: str, progress: Callable[[str], None] = lambda _: None, at_once: int = READINGS, **settings: object
    ) -> Discovery:
        stated = Settings(sources, **settings)  # type: ignore[arg-type]  # what a test writes
        return Discovery(stated, _session, stdin=bytes, progress=progress, at_once=at_once)

    return make


@functools.cache
def _session() -> Session:
    """One for all tests, whose environments are the same: to read botocore's models takes longer than most tests."""
    return Session(None, None)


@pytest.fixture
def world(cloud: Cloud, aws: Aws, discovery: Discover) -> World:
    """An account with nothing in it."""
    return World(cloud, aws, discovery)


@pytest.fixture
def read(discovery: Discover) -> Reading:
    """Reads any source of the cloud, and remembers for as long as the test lasts."""
    return Reading(discovery)
