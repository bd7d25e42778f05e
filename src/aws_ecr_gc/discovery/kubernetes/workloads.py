"""Which workloads of a cluster hold which images."""

from collections.abc import Iterable, Iterator
from typing import Any

from aws_ecr_gc.discovery.kubernetes.lists import PAGE, Getter, Lists, Resource
from aws_ecr_gc.discovery.kubernetes.objects import (
    Container,
    ContainerStatus,
    Controller,
    CronJob,
    Job,
    Metadata,
    Object,
    Owner,
    Pod,
    PodSpec,
    PodTemplate,
    ReplicaSet,
    Revision,
)
from aws_ecr_gc.discovery.reader import use_of
from aws_ecr_gc.errors import Unintelligible
from aws_ecr_gc.image_name import LATEST
from aws_ecr_gc.reference import Reference, mentions_unread, references_in
from aws_ecr_gc.usage import Origin, Use

# What makes objects before what is made: whatever is made between two lists is in the later one.
_MAKERS: tuple[Resource[Object], ...] = (
    Resource(PodTemplate, "podtemplates"),
    Resource(Controller, "replicationcontrollers"),
    Resource(Controller, "deployments", "apps"),
    Resource(Controller, "statefulsets", "apps"),
    Resource(Controller, "daemonsets", "apps"),
    Resource(CronJob, "cronjobs", "batch", ("v1", "v1beta1")),
)
_REVISIONS = Resource(Revision, "controllerrevisions", "apps")
_MADE: tuple[Resource[Object], ...] = (
    Resource(ReplicaSet, "replicasets", "apps"),
    Resource(Job, "jobs", "batch"),
    Resource(Pod, "pods"),
)
RESOURCES: tuple[Resource[Any], ...] = (*_MAKERS, _REVISIONS, *_MADE)

_NAMED_FOR = frozenset(
    {"CronJob", "DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"}
)
"""Owners whose name says more than that of what they own."""


def read(server: Getter, name: str, origin: Origin, *, page: int = PAGE) -> Iterator[Use]:
    """What a cluster holds, in all namespaces; `name` is what its workloads' names begin with.

    A workload is named for what manages it: a pod for its deployment. Raises AccessDenied, SourceFailure and
    Unintelligible.
    """
    return _Cluster(Lists(server, page), name, origin).uses()


class _Cluster:
    def __init__(self, lists: Lists, name: str, origin: Origin) -> None:
        self._lists = lists
        self._name = name
        self._origin = origin
        self._owners: dict[tuple[str, str, str], Owner] = {}
        self._seen: set[tuple[object, ...]] = set()

    def uses(self) -> Iterator[Use]:
        for resource in _MAKERS:
            yield from self._of_objects(resource)
        yield from self._of_revisions()
        for resource in _MADE:
            yield from self._of_objects(resource)

    def _of_objects(self, resource: Resource[Object]) -> Iterator[Use]:
        for page in self._lists.pages(resource):
            for each in page:
                metadata, owner = each.metadata, each.metadata.owner
                if owner is not None and resource.kind != "pod":
                    self._owners[metadata.namespace, resource.kind, metadata.name] = owner
                old = resource.kind == "replicaset" and not each.current
                workload = self._path(resource.kind, metadata) if old else self._workload(resource.kind, metadata)
                statuses = each.status.all_containers if isinstance(each, Pod) else ()
                yield from self._of_pod(each.pod, statuses, workload, current=each.current)

    def _of_revisions(self) -> Iterator[Use]:
        revisions = [each for page in self._lists.pages(_REVISIONS) for each in page]
        newest: dict[tuple[str, Owner | None], int] = {}
        for each in revisions:
            key = each.metadata.namespace, each.metadata.owner
            newest[key] = max(newest.get(key, each.revision), each.revision)
        for each in revisions:
            current = each.revision == newest[each.metadata.namespace, each.metadata.owner]
            name = self._workload if current else self._path
            workload = name(_REVISIONS.kind, each.metadata)
            pod = each.pod
            if pod is not None:
                yield from self._of_pod(pod, (), workload, current=current)
            else:
                yield from self._of_text(bytes(each.data).decode(), workload, current=current)

    def _workload(self, kind: str, metadata: Metadata) -> str:
        """The path of what manages the object at last, as far as that is known."""
        name, owner = metadata.name, metadata.owner
        for _ in range(2):  # a pod's replica set's deployment
            if owner is None or owner.kind not in _NAMED_FOR:
                break
            kind, name = owner.kind.lower(), owner.name
            owner = self._owners.get((metadata.namespace, kind, name))
        return f"{self._name}/{metadata.namespace}/{kind}/{name}"

    def _path(self, kind: str, metadata: Metadata) -> str:
        return f"{self._name}/{metadata.namespace}/{kind}/{metadata.name}"

    def _of_pod(
        self, pod: PodSpec | None, statuses: Iterable[ContainerStatus], workload: str, *, current: bool
    ) -> Iterator[Use]:
        said = {status.name: status for status in statuses}
        if pod is not None:
            for container in pod.all_containers:
                yield from self._of_container(container, said.pop(container.name, None), workload, current=current)
            for image in pod.mounted:
                yield from use_of(image, workload, self._origin, current=current)
        for status in said.values():
            yield from self._of_container(Container(status.name), status, workload, current=current)

    def _of_container(
        self, container: Container, status: ContainerStatus | None, workload: str, *, current: bool
    ) -> Iterator[Use]:
        """What it asks for and the digest that its runtime recorded. Those of one workload are alike: each once."""
        texts = tuple(container.texts)
        key = (workload, current, container.image, texts, status and (status.image, status.imageID))
        if key in self._seen:
            return
        self._seen.add(key)
        for text in texts:
            yield from (Use(each, workload, self._origin, current=False) for each in references_in(text))
        asked = self._reference(container.image, workload)
        recorded = self._reference(status.imageID, workload) if status else None
        joined = recorded is not None and asked is not None and recorded.repository == asked.repository
        digest = recorded.digest if recorded is not None and joined else None
        yield from use_of(container.image, workload, self._origin, digest=digest, current=current)
        if status is not None:
            yield from self._besides(asked, recorded, status, workload)

    def _besides(
        self, asked: Reference | None, recorded: Reference | None, status: ContainerStatus, workload: str
    ) -> Iterator[Use]:
        """What the runtime names that the pod does not ask for: another tag or repository of the same content.

        It is nothing that the pod would be started from again, so that it may be missing.
        """
        _, elsewhere, digest = status.imageID.rpartition("@")
        if asked is None or recorded is None or recorded.repository != asked.repository:
            if recorded is not None:
                yield Use(recorded, workload, self._origin, current=False)
            if asked is not None and elsewhere:
                yield Use(Reference(asked.repository, None, digest), workload, self._origin, current=False)
        shown = self._reference(status.image, workload)
        if shown is not None and (asked is None or _spelt_out(shown) != _spelt_out(asked)):
            yield Use(shown, workload, self._origin, current=False)

    def _reference(self, image: str, workload: str) -> Reference | None:
        return next((use.reference for use in use_of(image, workload, self._origin)), None)

    def _of_text(self, text: str, workload: str, *, current: bool) -> Iterator[Use]:
        """The references in what a controller wrote that is none of Kubernetes' own."""
        if mentions_unread(text):
            raise Unintelligible(f"{workload}: it names an ECR registry in a way that can't be understood")
        for reference in references_in(text):
            yield Use(reference, workload, self._origin, current)


def _spelt_out(reference: Reference) -> Reference:
    if reference.tag is None and reference.digest is None:
        return Reference(reference.repository, LATEST)
    return reference
