"""Objects of the Kubernetes API, as they are created and as the kubelet and the controllers leave them."""

from typing import Any

Manifest = dict[str, Any]

REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
DIGESTS = {name: f"sha256:{number:064x}" for number, name in enumerate(("app", "sidecar", "other"), 1)}


def image(reference: str) -> str:
    """An image of the registry."""
    return f"{REGISTRY}/{reference}"


def pod_spec(*images: str, **more: Any) -> Manifest:
    """A pod with a container for each image: `c0`, `c1`."""
    return {"containers": [{"name": f"c{number}", "image": each} for number, each in enumerate(images)], **more}


def template(*images: str, **more: Any) -> Manifest:
    """A template of such pods."""
    return {"metadata": {"labels": {"app": "it"}}, "spec": pod_spec(*images, **more)}


def made(kind: str, name: str, owner: tuple[str, str] | None = None, **members: Any) -> Manifest:
    """Any object in the namespace `shop`; `owner` is the kind and name of its controller."""
    metadata: Manifest = {"name": name, "namespace": "shop"}
    if owner is not None:
        metadata["ownerReferences"] = [
            {"apiVersion": _VERSIONS[owner[0]], "kind": owner[0], "name": owner[1], "uid": owner[1], "controller": True}
        ]
    return {"apiVersion": _VERSIONS[kind], "kind": kind, "metadata": metadata, **members}


def deployment(name: str, *images: str, replicas: int = 1) -> Manifest:
    """A deployment."""
    return made("Deployment", name, spec={"replicas": replicas, **_selected(template(*images))})


def replica_set(name: str, *images: str, owner: tuple[str, str] | None = None, replicas: int = 1) -> Manifest:
    """A replica set."""
    return made("ReplicaSet", name, owner, spec={"replicas": replicas, **_selected(template(*images))})


def stateful_set(name: str, *images: str) -> Manifest:
    """A stateful set."""
    return made("StatefulSet", name, spec={"serviceName": name, **_selected(template(*images))})


def daemon_set(name: str, *images: str, **more: Any) -> Manifest:
    """A daemon set."""
    return made("DaemonSet", name, spec=_selected(template(*images, **more)))


def replication_controller(name: str, *images: str) -> Manifest:
    """A replication controller."""
    return made("ReplicationController", name, spec={"selector": {"app": "it"}, "template": template(*images)})


def pod_template(name: str, *images: str) -> Manifest:
    """A template that stands alone."""
    return made("PodTemplate", name, template=template(*images))


def revision(name: str, number: int, data: Any, owner: tuple[str, str]) -> Manifest:
    """A revision of a daemon set or stateful set."""
    return made("ControllerRevision", name, owner, revision=number, data=data)


def patch(*images: str) -> Manifest:
    """What the controllers of daemon and stateful sets write into a revision."""
    return {"spec": {"template": {"$patch": "replace", **template(*images)}}}


def job(name: str, *images: str, owner: tuple[str, str] | None = None, finished: str | None = None) -> Manifest:
    """A job; `finished` is Complete or Failed."""
    spec = {"template": template(*images, restartPolicy="Never")}
    status = {"conditions": [{"type": finished, "status": "True"}]} if finished else {}
    return made("Job", name, owner, spec=spec, status=status)


def cron_job(name: str, *images: str, version: str = "v1", suspend: bool = False) -> Manifest:
    """A cron job."""
    inner = {"spec": {"template": template(*images, restartPolicy="Never")}}
    manifest = made("CronJob", name, spec={"schedule": "0 3 * * *", "suspend": suspend, "jobTemplate": inner})
    return {**manifest, "apiVersion": f"batch/{version}"}


def pod(
    name: str,
    *images: str,
    owner: tuple[str, str] | None = None,
    phase: str = "Running",
    said: list[tuple[str, str]] | None = None,
    **more: Any,
) -> Manifest:
    """A pod; `said` are the image and imageID of its containers' statuses."""
    statuses = [status(f"c{number}", *each) for number, each in enumerate(said or ())]
    return made(
        "Pod", name, owner, spec=pod_spec(*images, **more), status={"phase": phase, "containerStatuses": statuses}
    )


def status(container: str, shown: str, identifier: str) -> Manifest:
    """The status of a container."""
    ready = {"ready": True, "restartCount": 0, "state": {}}
    return {"name": container, "image": shown, "imageID": identifier, **ready}


def _selected(pods: Manifest) -> Manifest:
    return {"selector": {"matchLabels": {"app": "it"}}, "template": pods}


_VERSIONS = {
    "Pod": "v1",
    "PodTemplate": "v1",
    "ReplicationController": "v1",
    "Node": "v1",
    "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "ControllerRevision": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "Rollout": "argoproj.io/v1alpha1",
}


def shop(cron_job_version: str = "v1") -> list[Manifest]:
    """A namespace with one of everything that a real API server of any version takes."""
    web, nightly, database = ("Deployment", "web"), ("CronJob", "nightly"), ("StatefulSet", "database")
    digest = DIGESTS["app"]
    return [
        deployment("web", image("web:2")),
        replica_set("web-2", image("web:2"), owner=web),
        replica_set("web-1", image("web:1"), owner=web, replicas=0),
        pod(
            "web-2-a",
            image("web:2"),
            owner=("ReplicaSet", "web-2"),
            said=[(image("web:2"), f"docker-pullable://{image('web')}@{digest}")],
        ),
        deployment("asleep", image("asleep:1"), replicas=0),
        stateful_set("database", image("database:2")),
        revision("database-b", 2, patch(image("database:2")), database),
        revision("database-a", 1, patch(image("database:1")), database),
        daemon_set("agent", image("agent:1"), initContainers=[{"name": "set-up", "image": image("set-up:1")}]),
        replication_controller("ancient", image("ancient:1")),
        pod_template("spare", image("spare:1")),
        cron_job("nightly", image("nightly:2"), suspend=True, version=cron_job_version),
        job("nightly-1", image("nightly:1"), owner=nightly, finished="Complete"),
        job("import", image("import:1")),
        pod("alone", image("alone:1"), said=[(image("alone:1"), DIGESTS["other"])]),
        pod("over", image("over"), phase="Succeeded", said=[("docker.io/library/x:1", f"{image('over')}@{digest}")]),
        pod("elsewhere", "nginx:1", said=[("nginx:1", f"docker.io/library/nginx@{digest}")]),
    ]


SHOP = {
    ("deployment/web", image("web:2"), True),
    ("deployment/web", f"{image('web:2')}@{DIGESTS['app']}", True),
    ("replicaset/web-1", image("web:1"), False),
    ("deployment/asleep", image("asleep:1"), True),
    ("statefulset/database", image("database:2"), True),
    ("controllerrevision/database-a", image("database:1"), False),
    ("daemonset/agent", image("agent:1"), True),
    ("daemonset/agent", image("set-up:1"), True),
    ("replicationcontroller/ancient", image("ancient:1"), True),
    ("podtemplate/spare", image("spare:1"), True),
    ("cronjob/nightly", image("nightly:2"), True),
    ("cronjob/nightly", image("nightly:1"), False),
    ("job/import", image("import:1"), True),
    ("pod/alone", image("alone:1"), True),
    ("pod/over", f"{image('over:latest')}@{DIGESTS['app']}", False),
}
"""What is in use there: workload in the namespace, image, and whether it is more than something to go back to."""
