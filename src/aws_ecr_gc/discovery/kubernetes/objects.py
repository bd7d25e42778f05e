"""The objects of the Kubernetes API that hold images, with the members that are read and no others.

What is required here is required there; a page without it is broken.
https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/
"""

from collections.abc import Iterator

import msgspec
from msgspec import Raw, Struct


class _Part(Struct, frozen=True, rename="camel"):
    pass


class Owner(_Part, frozen=True):
    """An entry of ownerReferences."""

    kind: str
    name: str
    controller: bool | None = None


class Metadata(_Part, frozen=True):
    """What every object has."""

    name: str
    namespace: str = ""
    owner_references: list[Owner] | None = None

    @property
    def owner(self) -> Owner | None:
        """What made and manages the object."""
        return next((owner for owner in self.owner_references or () if owner.controller), None)


class Variable(_Part, frozen=True):
    """An environment variable."""

    value: str = ""


class Container(_Part, frozen=True):
    """A container of any of the three kinds."""

    name: str
    image: str = ""
    command: list[str] | None = None
    args: list[str] | None = None
    env: list[Variable] | None = None

    @property
    def texts(self) -> Iterator[str]:
        """Where an operator is told which images to start."""
        yield from self.command or ()
        yield from self.args or ()
        yield from (variable.value for variable in self.env or ())


class ImageVolume(_Part, frozen=True):
    """An image that is mounted."""

    reference: str = ""


class Volume(_Part, frozen=True):
    """A volume; only of an image is anything read."""

    image: ImageVolume | None = None


class PodSpec(_Part, frozen=True):
    """What a pod runs."""

    containers: list[Container] | None
    init_containers: list[Container] | None = None
    ephemeral_containers: list[Container] | None = None
    volumes: list[Volume] | None = None

    @property
    def all_containers(self) -> Iterator[Container]:
        """Those of all three kinds."""
        for containers in (self.containers, self.init_containers, self.ephemeral_containers):
            yield from containers or ()

    @property
    def mounted(self) -> Iterator[str]:
        """The images that are mounted."""
        return (volume.image.reference for volume in self.volumes or () if volume.image is not None)


class ContainerStatus(Struct, frozen=True):
    """What the kubelet says of a container. `imageID` is what its runtime says."""

    name: str
    image: str = ""
    imageID: str = ""  # noqa: N815 - its name


class PodStatus(_Part, frozen=True):
    """What the kubelet says of a pod."""

    phase: str = ""
    container_statuses: list[ContainerStatus] | None = None
    init_container_statuses: list[ContainerStatus] | None = None
    ephemeral_container_statuses: list[ContainerStatus] | None = None

    @property
    def all_containers(self) -> Iterator[ContainerStatus]:
        """Those of all three kinds."""
        for statuses in (self.container_statuses, self.init_container_statuses, self.ephemeral_container_statuses):
            yield from statuses or ()


class Template(_Part, frozen=True):
    """A template of pods."""

    spec: PodSpec


class _Templated(_Part, frozen=True):
    template: Template | None

    @property
    def pod(self) -> PodSpec | None:
        return None if self.template is None else self.template.spec


class _Scaled(_Templated, frozen=True):
    replicas: int | None = None


class _Condition(_Part, frozen=True):
    type: str
    status: str


class _JobStatus(_Part, frozen=True):
    conditions: list[_Condition] | None = None


class _Scheduled(_Part, frozen=True):
    job_template: "_JobTemplate"


class _JobTemplate(_Part, frozen=True):
    spec: _Templated


class Object(_Part, frozen=True):
    """Any of the objects below. `pod` is what it would run, or runs."""

    metadata: Metadata

    @property
    def pod(self) -> PodSpec | None:
        """What it would run, or runs."""
        raise NotImplementedError

    @property
    def current(self) -> bool:
        """Whether it is not finished, nor only kept to go back to."""
        return True


class PodTemplate(Object, frozen=True):
    """A template that stands alone."""

    template: Template | None = None

    @property
    def pod(self) -> PodSpec | None:
        return None if self.template is None else self.template.spec


class Controller(Object, frozen=True):
    """A deployment, stateful set, daemon set or replication controller."""

    spec: _Templated

    @property
    def pod(self) -> PodSpec | None:
        return self.spec.pod


class ReplicaSet(Object, frozen=True):
    """A replica set."""

    spec: _Scaled

    @property
    def pod(self) -> PodSpec | None:
        return self.spec.pod

    @property
    def current(self) -> bool:
        owner = self.metadata.owner
        return self.spec.replicas != 0 or owner is None or owner.kind != "Deployment"


class Job(Object, frozen=True):
    """A job."""

    spec: _Templated
    status: _JobStatus = _JobStatus()

    @property
    def pod(self) -> PodSpec | None:
        return self.spec.pod

    @property
    def current(self) -> bool:
        conditions = self.status.conditions or ()
        return not any(each.type in {"Complete", "Failed"} and each.status == "True" for each in conditions)


class CronJob(Object, frozen=True):
    """A cron job."""

    spec: _Scheduled

    @property
    def pod(self) -> PodSpec | None:
        return self.spec.job_template.spec.pod


class Pod(Object, frozen=True):
    """A pod."""

    spec: PodSpec
    status: PodStatus = PodStatus()

    @property
    def pod(self) -> PodSpec | None:
        return self.spec

    @property
    def current(self) -> bool:
        return self.status.phase not in {"Succeeded", "Failed"}


class _Patch(_Part, frozen=True):
    spec: _Templated


class Revision(_Part, frozen=True):
    """A revision of a daemon set, a stateful set, or of what else keeps its history so."""

    metadata: Metadata
    revision: int
    data: Raw = Raw(b"null")

    @property
    def pod(self) -> PodSpec | None:
        """What it would run; None for data of another shape than those of daemon sets and stateful sets."""
        try:
            return msgspec.json.decode(self.data, type=_Patch).spec.pod
        except msgspec.ValidationError:
            return None
