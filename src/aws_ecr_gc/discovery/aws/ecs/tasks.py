"""Tasks: running, about to run, and stopped within the last hour or so."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from aws_ecr_gc.discovery.aws.ecs.describing import Kind, describe, short, unless_gone
from aws_ecr_gc.discovery.aws.ecs.task_definitions import Naming
from aws_ecr_gc.discovery.reader import Reader
from aws_ecr_gc.usage import Use

_TASKS = Kind("DescribeTasks", "tasks", "tasks", 100)


def tasks(reader: Reader, clusters: Sequence[str]) -> Iterator[Use | Naming]:
    """The images of all tasks of the clusters, with the digests that ECS recorded."""
    listed = reader.each(partial(_listed, reader), clusters)
    for task in describe(reader, _TASKS, zip(clusters, listed, strict=True)):
        yield from _of_task(reader, task)


def _listed(reader: Reader, cluster: str) -> list[str]:
    """The tasks of a cluster. What stops in between is in the second listing: never in neither."""
    found: dict[str, None] = {}
    for status in ("RUNNING", "STOPPED"):
        read = partial(
            reader.rows, "ecs", "ListTasks", "taskArns", cluster=cluster, desiredStatus=status, maxResults=100
        )
        found.update(dict.fromkeys(unless_gone(read)))
    return list(found)


def _of_task(reader: Reader, task: dict[str, Any]) -> Iterator[Use | Naming]:
    workload = f"{short(task['clusterArn'])}/task/{short(task['taskArn'])}"
    current = task.get("lastStatus") != "STOPPED"
    containers = task.get("containers") or []
    for container in containers:
        yield from reader.use(container.get("image"), workload, digest=container.get("imageDigest"), current=current)
    if not containers or not all(container.get("image") for container in containers):
        yield Naming(task["taskDefinitionArn"], workload, current, own=True)
