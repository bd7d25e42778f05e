"""Services: whatever they could start a task from, at any desired count."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from aws_ecr_gc.discovery.aws.ecs.deployments import Members, held
from aws_ecr_gc.discovery.aws.ecs.describing import Kind, describe, short, unless_gone
from aws_ecr_gc.discovery.aws.ecs.task_definitions import Naming
from aws_ecr_gc.discovery.reader import Reader
from aws_ecr_gc.usage import Use

_SERVICES = Kind("DescribeServices", "services", "services", 10)
_DEPLOYMENTS = Kind("DescribeServiceDeployments", "serviceDeploymentArns", "serviceDeployments")
_REVISIONS = Kind("DescribeServiceRevisions", "serviceRevisionArns", "serviceRevisions")
_MEMBERS = Members("sourceServiceRevisions", "targetServiceRevision", "serviceRevisionArn")


def services(reader: Reader, clusters: Sequence[str]) -> Iterator[Use | Naming]:
    """The task definitions of all services, their deployments and task sets; the images of their revisions."""
    listed = reader.each(partial(_listed, reader), clusters)
    found = describe(reader, _SERVICES, zip(clusters, listed, strict=True))
    for service in found:
        for part in (service, *(service.get("deployments") or ()), *(service.get("taskSets") or ())):
            # A service of an external controller has none of its own.
            if part.get("taskDefinition"):
                yield Naming(part["taskDefinition"], _workload(service), own=True)
    yield from _revisions(reader, found)


def _listed(reader: Reader, cluster: str) -> list[Any]:
    return unless_gone(partial(reader.rows, "ecs", "ListServices", "serviceArns", cluster=cluster, maxResults=100))


def _revisions(reader: Reader, found: Iterable[dict[str, Any]]) -> Iterator[Use | Naming]:
    """ECS starts tasks of a revision from the digests that it found when it was deployed, wherever the tag is now."""
    current = [each["arn"] for service in found for each in service.get("currentServiceRevisions") or ()]
    latest = dict.fromkeys(service.get("currentServiceDeployment") for service in found)
    deployments = describe(reader, _DEPLOYMENTS, [(None, filter(None, latest))])
    revisions = held(current, deployments, _MEMBERS)
    for revision in describe(reader, _REVISIONS, [(None, revisions)]):
        is_current = revisions[revision["serviceRevisionArn"]]
        workload = _workload(revision)
        for each in revision.get("containerImages") or ():
            yield from reader.use(each.get("image"), workload, digest=each.get("imageDigest"), current=is_current)
        if revision.get("taskDefinition"):
            yield Naming(revision["taskDefinition"], workload, is_current, own=True)


def _workload(row: dict[str, Any]) -> str:
    """`prod/web`, of a service or a revision of one."""
    return f"{short(row['clusterArn'])}/{short(row['serviceArn'])}"
