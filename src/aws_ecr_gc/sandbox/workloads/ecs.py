"""ECS: clusters with services and tasks, and task definitions.

With version consistency, which is ECS's default: when a service is deployed, the digest that each tag points at is
found out once, and recorded in the service revision and in the tasks; later tasks start from it, wherever the tag is
by then. A service with a desired count of 0 has no digests until it is scaled up. Standalone tasks find theirs when
they start.
"""

from collections.abc import Iterator

import msgspec

from aws_ecr_gc.sandbox.workloads.site import Site
from aws_ecr_gc.sandbox.workloads.task_definitions import TaskDefinition, TaskDefinitions

STOPPED_SECONDS = 3600.0
"""How long a stopped task can still be seen."""


class ContainerImage(msgspec.Struct, frozen=True):
    """The image of a container as its task definition names it, and the digest that ECS recorded, if it did."""

    image: str
    digest: str | None = None


class Task:
    """A task: running, or stopped at a time."""

    def __init__(self, cluster: "Cluster", definition: TaskDefinition, images: tuple[ContainerImage, ...]) -> None:
        self.cluster = cluster
        self.definition = definition
        self.images = images
        self.id = f"{cluster.next_number():032x}"
        self.service: Service | None = None
        self.stopped_at: float | None = None

    @property
    def arn(self) -> str:
        return self.cluster.site.arn("ecs", f"task/{self.cluster.name}/{self.id}")

    def stop(self) -> None:
        """Stop it; it can be seen for another hour."""
        with self.cluster.site.lock:
            self.stopped_at = self.stopped_at or self.cluster.site.clock.now()


class Revision(msgspec.Struct, frozen=True):
    """A service revision: what the service starts its tasks from."""

    arn: str
    definition: TaskDefinition
    images: tuple[ContainerImage, ...]


class Deployment(msgspec.Struct, frozen=True):
    """The deployment of a revision, in place of another or as the first."""

    arn: str
    target: Revision
    source: Revision | None
    status: str


class TaskSet:
    """A task set of a service with an external deployment controller; it starts its tasks itself."""

    def __init__(self, service: "Service", definition: TaskDefinition, count: int) -> None:
        self.service = service
        self.definition = definition
        self.id = f"ecs-svc/{service.cluster.next_number()}"
        self.tasks = [
            service.start(definition, service.cluster.images(definition, resolved=True)) for _ in range(count)
        ]

    @property
    def arn(self) -> str:
        cluster = self.service.cluster
        return cluster.site.arn("ecs", f"task-set/{cluster.name}/{self.service.name}/{self.id}")


class Service:
    """A service. `revisions` are all since it was created, the current one last; none where it has task sets."""

    def __init__(self, cluster: "Cluster", name: str) -> None:
        self.cluster = cluster
        self.name = name
        self.desired = 0
        self.revisions: list[Revision] = []
        self.deployments: list[Deployment] = []
        self.task_sets: list[TaskSet] = []

    @property
    def arn(self) -> str:
        return self.cluster.site.arn("ecs", f"service/{self.cluster.name}/{self.name}")

    def deploy(
        self,
        definition: str | None = None,
        *,
        desired: int | None = None,
        status: str = "SUCCESSFUL",
        recorded: str | None = None,
    ) -> None:
        """Deploy a task definition (`web`, `web:3`), or the same one anew: that resolves its tags again."""
        with self.cluster.site.lock:
            found = self.cluster.definitions.find(definition) if definition else self.revisions[-1].definition
            self.desired = self.desired if desired is None else desired
            source = self.revisions[-1] if self.revisions else None
            revision = self._add_revision(found, recorded)
            number = self.cluster.next_number()
            arn = self.cluster.site.arn("ecs", f"service-deployment/{self.cluster.name}/{self.name}/{number:021x}")
            self.deployments.append(Deployment(arn, revision, source, status))
            for task in self.tasks():
                task.stop()
            self._fill()

    def scale(self, desired: int) -> None:
        """Start or stop tasks of the current revision. The first one finds the digests, if nobody has yet."""
        with self.cluster.site.lock:
            current = self.revisions[-1]
            if desired and not self.desired and not any(each.digest for each in current.images):
                resolved = msgspec.structs.replace(
                    current, images=self.cluster.images(current.definition, resolved=True)
                )
                self.revisions[-1] = resolved
                self.deployments[-1] = msgspec.structs.replace(self.deployments[-1], target=resolved)
            self.desired = desired
            for task in list(self.tasks())[desired:]:
                task.stop()
            self._fill()

    def add_task_set(self, definition: str, count: int = 0) -> TaskSet:
        """Add a task set with this many tasks; none: an idle one."""
        with self.cluster.site.lock:
            added = TaskSet(self, self.cluster.definitions.find(definition), count)
            self.task_sets.append(added)
            return added

    def tasks(self) -> Iterator[Task]:
        """Those that run."""
        yield from (each for each in self.cluster.tasks.values() if each.service is self and each.stopped_at is None)

    def start(self, definition: TaskDefinition, images: tuple[ContainerImage, ...]) -> Task:
        """Start one task more."""
        task = self.cluster.add_task(definition, images)
        task.service = self
        return task

    def _add_revision(self, definition: TaskDefinition, recorded: str | None) -> Revision:
        name = f"service-revision/{self.cluster.name}/{self.name}/{self.cluster.next_number():019d}"
        images = self.cluster.images(definition, resolved=self.desired > 0)
        if recorded is not None:
            images = tuple(ContainerImage(each.image, recorded) for each in images)
        revision = Revision(self.cluster.site.arn("ecs", name), definition, images)
        self.revisions.append(revision)
        return revision

    def _fill(self) -> None:
        current = self.revisions[-1]
        for _ in range(self.desired - len(list(self.tasks()))):
            self.start(current.definition, current.images)


class Cluster:
    """A cluster, its services by name, and all tasks that it remembers, by id."""

    def __init__(self, site: Site, name: str, definitions: TaskDefinitions) -> None:
        self.site = site
        self.name = name
        self.definitions = definitions
        self.services: dict[str, Service] = {}
        self._tasks: dict[str, Task] = {}
        self._number = 0

    @property
    def arn(self) -> str:
        return self.site.arn("ecs", f"cluster/{self.name}")

    @property
    def tasks(self) -> dict[str, Task]:
        """Those that run, and those that stopped less than an hour ago."""
        since = self.site.clock.now() - STOPPED_SECONDS
        return {key: each for key, each in self._tasks.items() if each.stopped_at is None or each.stopped_at > since}

    def create_service(
        self, name: str, definition: str | None = None, desired: int = 1, *, recorded: str | None = None
    ) -> Service:
        """Create a service and deploy a task definition; without one, it is for task sets.

        `recorded` is the digest that its tags pointed at then, if it is not the one that they point at now. Raises
        KeyError when there is a service of that name, or no such task definition.
        """
        with self.site.lock:
            if name in self.services:
                raise KeyError(f"service {name} exists")
            service = Service(self, name)
            if definition is not None:
                service.deploy(definition, desired=desired, recorded=recorded)
            self.services[name] = service
            return service

    def remove_service(self, name: str) -> None:
        """Delete a service; its tasks stop. Raises KeyError when there is none."""
        with self.site.lock:
            for task in self.services[name].tasks():
                task.stop()
            del self.services[name]

    def run_task(self, definition: str) -> Task:
        """Start a standalone task. Raises KeyError when there is no such task definition."""
        with self.site.lock:
            found = self.definitions.find(definition)
            return self.add_task(found, self.images(found, resolved=True))

    def images(self, definition: TaskDefinition, *, resolved: bool) -> tuple[ContainerImage, ...]:
        """The images of a definition's containers, with the digests that they mean now if they are to be resolved."""
        return tuple(
            ContainerImage(image, self.site.resolve(image) if resolved else None) for image in definition.images
        )

    def add_task(self, definition: TaskDefinition, images: tuple[ContainerImage, ...]) -> Task:
        """Remember a task that runs."""
        task = Task(self, definition, images)
        self._tasks[task.id] = task
        return task

    def next_number(self) -> int:
        """Something that tells two things of the cluster apart."""
        self._number += 1
        return self._number


class Ecs:
    """Clusters by name, and the task definitions that they share."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.clusters: dict[str, Cluster] = {}
        self.definitions = TaskDefinitions(site)

    def create_cluster(self, name: str) -> Cluster:
        """Create a cluster. Raises KeyError when there is one of that name."""
        with self.site.lock:
            if name in self.clusters:
                raise KeyError(f"cluster {name} exists")
            self.clusters[name] = Cluster(self.site, name, self.definitions)
            return self.clusters[name]

    def remove_cluster(self, name: str) -> None:
        """Delete a cluster with all that is in it. Raises KeyError when there is none."""
        with self.site.lock:
            del self.clusters[name]

    def register(self, family: str, *images: str) -> TaskDefinition:
        """Register a revision of a task definition, with a container for each image."""
        return self.definitions.register(family, *images)
