"""What the workloads of the stand-in hold, told from its state and not through its API; and what that needs."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from aws_ecr_gc.sandbox import Image, Repository
from aws_ecr_gc.sandbox.workloads import Workloads
from aws_ecr_gc.sandbox.workloads.ecs import Cluster
from aws_ecr_gc.sandbox.workloads.task_definitions import TaskDefinitions


class Hold(NamedTuple):
    """A workload will pull this: the digest that was recorded for it, or what the image's name says."""

    workload: str
    image: str
    digest: str | None = None


class Place(NamedTuple):
    """A repository by name, and a tag or a digest there."""

    repository: str
    tag: str
    digest: str


def place_of(hold: Hold) -> Place:
    """What is pulled. Of a tag, the digest is empty: where it points is another question."""
    name, _, stated = hold.image.partition("/")[2].partition("@")
    repository, _, tag = name.partition(":")
    return Place(repository, tag or "latest", hold.digest or stated)


def holds(workloads: Workloads, revisions: int) -> Iterator[Hold]:
    """Every hold; `revisions` is how many ACTIVE revisions of each family of task definitions count as one.

    What was recorded for a tag is held, and what the tag points at now as well.
    """
    for hold in _every(workloads, revisions):
        yield hold
        if hold.digest is not None and "@" not in hold.image:
            yield hold._replace(digest=None)


def _every(workloads: Workloads, revisions: int) -> Iterator[Hold]:
    for cluster in workloads.ecs.clusters.values():
        yield from _of_cluster(cluster)
    for definition in _newest(workloads.ecs.definitions, revisions):
        for image in workloads.ecs.definitions.by_name[definition].images:
            yield Hold(f"task definition {definition}", image)
    for function in workloads.functions.by_name.values():
        for version in function.versions.values():
            if version.image is not None:
                yield Hold(f"function {function.name}:{version.number}", version.image, version.digest)


def _of_cluster(cluster: Cluster) -> Iterator[Hold]:
    for task in cluster.tasks.values():
        for each in task.images:
            yield Hold(f"task {task.id}", each.image, each.digest)
    for service in cluster.services.values():
        for task_set in service.task_sets:
            for image in task_set.definition.images:
                yield Hold(f"task set of {service.name}", image)
        for deployment in service.deployments[-1:]:
            for revision in (deployment.target, deployment.source):
                if revision is not None:
                    for each in revision.images:
                        yield Hold(f"revision of {service.name}", each.image, each.digest)


def _newest(definitions: TaskDefinitions, count: int) -> Iterator[str]:
    families: dict[str, list[str]] = {}
    for name, definition in definitions.by_name.items():
        if name not in definitions.inactive:
            families.setdefault(definition.family, []).append(name)
    for names in families.values():
        yield from names[len(names) - min(count, len(names)) :]


class Graph:
    """Who lists whom and who refers to whom among images, all that there were."""

    def __init__(self, images: Iterable[Image]) -> None:
        self.images: dict[str, Image] = {image.digest: image for image in images}

    def needed_to_start(self, digest: str) -> set[str]:
        """The image with its children, theirs, and the referrers of all of them."""
        return self._closure({digest}, self._below)

    def protected_with(self, digest: str) -> set[str]:
        """All of that, and every index that lists it, its subject, and what those need to start."""
        return self._closure(self._closure({digest}, self._above), self._below)

    def _closure(self, found: set[str], following: Mapping[str, set[str]]) -> set[str]:
        waiting = list(found)
        while waiting:
            for each in following.get(waiting.pop(), set()) - found:
                found.add(each)
                waiting.append(each)
        return found

    @property
    def _below(self) -> dict[str, set[str]]:
        below: dict[str, set[str]] = {}
        for image in self.images.values():
            below.setdefault(image.digest, set()).update(child for child in image.children if child in self.images)
            if image.subject in self.images:
                below.setdefault(str(image.subject), set()).add(image.digest)
        return below

    @property
    def _above(self) -> dict[str, set[str]]:
        above: dict[str, set[str]] = {}
        for digest, lower in self._below.items():
            for each in lower:
                above.setdefault(each, set()).add(digest)
        return above


def snapshot(repository: Repository) -> tuple[Graph, dict[str, str]]:
    """What a repository holds now, and its tags."""
    return Graph(repository.images.values()), dict(repository.tags)
