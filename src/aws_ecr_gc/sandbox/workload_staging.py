"""Builds what runs from a scenario, once its images are there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aws_ecr_gc.sandbox.errors import ScenarioError
from aws_ecr_gc.sandbox.workload_entries import ClusterEntry, FunctionEntry, ServiceEntry, WorkloadsEntry
from aws_ecr_gc.sandbox.workloads import Workloads
from aws_ecr_gc.sandbox.workloads.ecs import Cluster

Named = Callable[[str, str], str]
"""The whole reference that an image of a scenario means; the other text is the place in the document."""


def add_workloads(workloads: Workloads, entry: WorkloadsEntry, named: Named, path: str) -> None:
    """Add what an entry describes. Raises ScenarioError, with the place in the document."""
    for number, definition in enumerate(entry.task_definitions):
        images = [named(image, f"{path}.task_definitions[{number}].images") for image in definition.images]
        made = workloads.ecs.register(definition.family, *images)
        if definition.inactive:
            workloads.ecs.definitions.deregister(made.name)
    for number, cluster in enumerate(entry.clusters):
        _add_cluster(workloads, cluster, named, f"{path}.clusters[{number}]")
    for number, function in enumerate(entry.functions):
        _add_function(workloads, function, named, f"{path}.functions[{number}]")


def _add_cluster(workloads: Workloads, entry: ClusterEntry, named: Named, path: str) -> None:
    with _placed(f"{path}.name"):
        cluster = workloads.ecs.create_cluster(entry.name)
    for number, service in enumerate(entry.services):
        place = f"{path}.services[{number}]"
        with _placed(place):
            _add_service(cluster, service, named, place)
    for number, task in enumerate(entry.tasks):
        with _placed(f"{path}.tasks[{number}].task_definition"):
            started = cluster.run_task(task.task_definition)
        if task.stopped:
            started.stop()


def _add_service(cluster: Cluster, entry: ServiceEntry, named: Named, path: str) -> None:
    recorded = None
    if entry.recorded is not None:
        image = named(entry.recorded, f"{path}.recorded")
        recorded = cluster.site.resolve(cluster.site.uri(image))
        if recorded is None:
            raise ScenarioError(f"there is no image {entry.recorded} - at `{path}.recorded`")
    service = cluster.create_service(entry.name, entry.task_definition, entry.desired_count, recorded=recorded)
    for definition in entry.task_sets:
        service.add_task_set(definition)


def _add_function(workloads: Workloads, entry: FunctionEntry, named: Named, path: str) -> None:
    images = [named(image, f"{path}.versions") for image in entry.versions]
    with _placed(f"{path}.name"):
        function = workloads.functions.create(entry.name, None)
    for image in images:
        function.update(image)
        function.publish()
    function.update(named(entry.image, f"{path}.image"))


@contextmanager
def _placed(path: str) -> Iterator[None]:
    """The place of a name that is there twice, or not at all."""
    try:
        yield
    except KeyError as error:
        reason = str(error.args[0])
        reason = f"there are two: {reason}" if reason.endswith(" exists") else f"there is no task definition {reason}"
        raise ScenarioError(f"{reason} - at `{path}`") from error
