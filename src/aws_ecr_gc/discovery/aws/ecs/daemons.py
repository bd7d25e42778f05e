"""Daemons: a task on every container instance. Regions that have none answer that they know no such operation."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from aws_ecr_gc.discovery.aws.ecs.deployments import Members, held
from aws_ecr_gc.discovery.aws.ecs.describing import GONE, Kind, describe, short, unless_gone
from aws_ecr_gc.discovery.reader import Reader
from aws_ecr_gc.usage import Use

_ABSENT = GONE | {"InvalidAction", "UnknownOperationException", "UnsupportedFeatureException"}
_DEPLOYMENTS = Kind("DescribeDaemonDeployments", "daemonDeploymentArns", "daemonDeployments")
_REVISIONS = Kind("DescribeDaemonRevisions", "daemonRevisionArns", "daemonRevisions")
_MEMBERS = Members("sourceDaemonRevisions", "targetDaemonRevision", "rollbackTargetDaemonRevisionArn")


def daemons(reader: Reader, clusters: Sequence[str]) -> Iterator[Use]:
    """The images of all daemons of the clusters, and of those that their deployments replace or go back to."""
    arns = [row["daemonArn"] for rows in reader.each(partial(_listed, reader), clusters) for row in rows]
    found = [daemon for rows in reader.each(partial(_daemon, reader), arns) for daemon in rows]
    current = [each["arn"] for daemon in found for each in daemon.get("currentRevisions") or ()]
    latest = dict.fromkeys(daemon.get("deploymentArn") for daemon in found)
    deployments = describe(reader, _DEPLOYMENTS, [(None, filter(None, latest))])
    revisions = held(current, deployments, _MEMBERS)
    described = describe(reader, _REVISIONS, [(None, revisions)])
    definitions = list(dict.fromkeys(revision["daemonTaskDefinitionArn"] for revision in described))
    images = dict(zip(definitions, reader.each(partial(_images, reader), definitions), strict=True))
    for revision in described:
        workload = f"{short(revision['clusterArn'])}/daemon/{short(revision['daemonArn'])}"
        is_current = revisions[revision["daemonRevisionArn"]]
        for each in revision.get("containerImages") or ():
            yield from reader.use(each.get("image"), workload, digest=each.get("imageDigest"), current=is_current)
        for image in images[revision["daemonTaskDefinitionArn"]]:
            yield from reader.use(image, workload, current=is_current)


def _listed(reader: Reader, cluster: str) -> list[Any]:
    read = partial(reader.rows, "ecs", "ListDaemons", "daemonSummariesList", clusterArn=cluster, maxResults=100)
    return unless_gone(read, _ABSENT)


def _daemon(reader: Reader, arn: str) -> list[Any]:
    call = reader.service("ecs").call
    return unless_gone(lambda: [call("DescribeDaemon", "daemon", daemonArn=arn)["daemon"]])


def _images(reader: Reader, definition: str) -> tuple[object, ...]:
    """The images of a daemon's task definition, which never change."""

    def read() -> tuple[object, ...]:
        answered = reader.service("ecs").call(
            "DescribeDaemonTaskDefinition", "daemonTaskDefinition", daemonTaskDefinition=definition
        )["daemonTaskDefinition"]
        return tuple(container.get("image") for container in answered["containerDefinitions"])

    return reader.remembered(definition, read)
