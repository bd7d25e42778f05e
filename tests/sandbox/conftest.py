"""One sandbox for all tests of the stand-in, reset for each."""

from collections.abc import Iterator
from typing import Any

import pytest

from aws_ecr_gc.sandbox import Repository, Sandbox

from . import wire


@pytest.fixture(scope="session")
def _running_sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def _ecr_client(_running_sandbox: Sandbox) -> Iterator[Any]:
    with wire.client(_running_sandbox) as ecr:
        yield ecr


@pytest.fixture
def sandbox(_running_sandbox: Sandbox) -> Sandbox:
    """A sandbox with one empty repository, `app`."""
    _running_sandbox.reset(wire.scenario(repositories=[wire.repository()]))
    return _running_sandbox


@pytest.fixture
def ecr(sandbox: Sandbox, _ecr_client: Any) -> Any:
    """A boto3 client of it, without retries."""
    assert sandbox.url == _ecr_client.meta.endpoint_url
    return _ecr_client


@pytest.fixture
def app(sandbox: Sandbox) -> Repository:
    """The repository `app`, from behind the API."""
    return sandbox.registry().repository("app")


@pytest.fixture
def raw(sandbox: Sandbox) -> Iterator[wire.Wire]:
    """Plain HTTP to the sandbox."""
    connection = wire.Wire(sandbox)
    yield connection
    connection.close()
