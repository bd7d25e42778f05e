"""Commands against two servers: the registry stand-in for ECR, the cloud of tests/aws for what runs."""

import io
import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.live import Live
from aws_ecr_gc.app.workloads import Workloads
from aws_ecr_gc.config import Connection, Directories
from aws_ecr_gc.discovery.settings import Settings
from aws_ecr_gc.inventory import Inventory, unread_indexes
from aws_ecr_gc.registries.ecr import open_repository
from aws_ecr_gc.sandbox import Sandbox
from tests.aws.conftest import Aws, aws, cloud, credentials, running_cloud
from tests.aws.server import Cloud
from tests.conftest import Finished, Shell
from tests.wire.builder import Builder

__all__ = ["aws", "cloud", "credentials", "running_cloud"]

HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"

POLICY = """
version: 1
protect: {grace: 0h}
guards: {keep_at_least: 0}
policies: [{rules: [{name: builds, match: {prefix: build-}, keep: {newest: 1}}]}]
"""


class World:
    """A repository `app` with build-1 to build-4, the newest last; services of ECS; and the program between them."""

    def __init__(self, sandbox: Sandbox, cloud: Cloud, aws: Aws, shell: Shell, credentials: dict[str, str]) -> None:
        self.sandbox = sandbox
        self.cloud = cloud
        self.aws = aws
        self.folder = shell.home
        self._shell = shell
        self._credentials = credentials
        self.repository = Builder(sandbox, "app")
        for number in range(1, 5):
            self.repository.image(f"image {number}", f"build-{number}")

    def run(self, *words: str, **environment: str | None) -> Finished:
        """Run a command line."""
        return self._shell(*words, **{**self._credentials, **environment})

    def collect(self, *words: str) -> Finished:
        """Keep the newest build of `app`."""
        return self.run("--repo", "app", "--keep", "build=1", *words)

    def policy(self, in_use: str) -> str:
        """A policy file that keeps the newest build of every repository, with this `in_use`."""
        path = self.folder / "policy.yaml"
        path.write_text(f"{POLICY}in_use: {in_use}\n")
        return str(path)

    def service(self, name: str, image: str, cluster: str = "prod", count: int = 0) -> None:
        """Start a service with a task definition of its own; the image is a tag of `app`, or a whole reference."""
        ecs = self.aws("ecs")
        ecs.create_cluster(clusterName=cluster)
        container = {"name": "main", "image": image if "/" in image else f"{HOST}/app:{image}", "memory": 8}
        family = ecs.register_task_definition(family=name, containerDefinitions=[container])
        arn = family["taskDefinition"]["taskDefinitionArn"]
        ecs.create_service(cluster=cluster, serviceName=name, taskDefinition=arn, desiredCount=count)

    @contextmanager
    def environment(self) -> Iterator[None]:
        """The environment of a command, for what is called without one."""
        saved = dict(os.environ)
        os.environ.update(self._shell.with_changes(dict(self._credentials)))
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(saved)

    @contextmanager
    def prepared(self, *, fresh: float) -> Iterator[tuple[Inventory, Workloads]]:
        """The repository as a run has read it, and its workloads; a reading is good for `fresh` seconds."""
        console = Console(io.StringIO(), io.StringIO(), lambda: False)
        live = Live(Directories(self.folder / "cache", self.folder / "state"), time.time(), console)
        workloads = Workloads(Settings(("ecs",)), Connection(), (), console, now=time.time(), fresh=fresh)
        with self.environment():
            opened = open_repository("app", region=None, registry_id=None, profile=None, endpoint_url=None)
            with closing(opened) as port:
                yield live.inventory(port, unread_indexes), workloads

    def names(self) -> set[str]:
        """The names of the images of `app` that are there."""
        return self.repository.names()


@pytest.fixture
def world(sandbox: Sandbox, cloud: Cloud, aws: Aws, shell: Shell, credentials: dict[str, str]) -> World:
    return World(sandbox, cloud, aws, shell, credentials)
