"""What is read of a cluster: which workload holds which image, and how."""

from collections.abc import Iterator

import pytest

from aws_ecr_gc.discovery.kubernetes import read_context
from aws_ecr_gc.errors import Unintelligible
from aws_ecr_gc.usage import Use
from tests.discovery.kubernetes.conftest import ORIGIN, Kubeconfig, seen
from tests.discovery.kubernetes.manifests import (
    DIGESTS,
    SHOP,
    Manifest,
    daemon_set,
    deployment,
    image,
    job,
    made,
    patch,
    pod,
    replica_set,
    revision,
    shop,
    status,
    template,
)
from tests.discovery.kubernetes.standin import Standin

APP, OTHER = DIGESTS["app"], DIGESTS["other"]


@pytest.fixture
def read(standin: Standin, kubeconfig: Kubeconfig) -> "Reader":
    return Reader(standin, kubeconfig())


class Reader:
    """Puts objects into the cluster and reads it."""

    def __init__(self, standin: Standin, path: str) -> None:
        self._standin = standin
        self._path = path

    def uses(self, *manifests: Manifest) -> Iterator[Use]:
        """The uses, as they are read."""
        self._standin.add(*manifests)
        return read_context("prod", self._path, ORIGIN)

    def __call__(self, *manifests: Manifest) -> set[tuple[str, str, bool]]:
        return seen(self.uses(*manifests))


def test_every_kind_of_workload_is_read(read: Reader) -> None:
    assert read(*shop()) == SHOP


def test_an_empty_cluster_holds_nothing(read: Reader) -> None:
    assert read() == set()


def test_a_use_names_where_it_was_read(read: Reader) -> None:
    (use,) = read.uses(deployment("web", image("web:1")))
    assert str(use) == "kubernetes:prod/shop/deployment/web"
    assert use.origin == ORIGIN


@pytest.mark.parametrize(
    "said",
    [
        f"docker-pullable://{image('web')}@{APP}",
        f"{image('web')}@{APP}",
        f"123456789012.dkr-ecr.us-east-1.on.aws/web@{APP}",
    ],
)
def test_the_digest_that_the_runtime_recorded_is_joined_with_the_tag(read: Reader, said: str) -> None:
    one = pod("one", image("web:1"), said=[(image("web:1"), said)])
    assert read(one) == {("pod/one", f"{image('web:1')}@{APP}", True)}


@pytest.mark.parametrize("said", ["", APP, f"docker://{APP}", APP.removeprefix("sha256:")])
def test_the_digest_of_a_configuration_names_no_image(read: Reader, said: str) -> None:
    one = pod("one", image("web:1"), said=[(image("web:1"), said)])
    assert read(one) == {("pod/one", image("web:1"), True)}


def test_a_digest_that_was_asked_for_and_another_that_runs_are_both_held(read: Reader) -> None:
    asked = f"{image('web')}@{APP}"
    one = pod("one", asked, said=[(asked, f"{image('web')}@{OTHER}")])
    assert read(one) == {("pod/one", asked, True), ("pod/one", f"{image('web')}@{OTHER}", True)}


def test_what_the_runtime_names_besides_is_held_but_may_be_missing(read: Reader) -> None:
    one = pod("one", image("web:1"), said=[(image("web:stable"), f"{image('mirror')}@{APP}")])
    assert read(one) == {
        ("pod/one", image("web:1"), True),
        ("pod/one", f"{image('web')}@{APP}", False),
        ("pod/one", image("web:stable"), False),
        ("pod/one", f"{image('mirror')}@{APP}", False),
    }


def test_content_known_by_a_name_elsewhere_is_held_in_the_registry(read: Reader) -> None:
    one = pod("one", image("web:1"), said=[("web:1", f"docker.io/library/web@{APP}")])
    assert read(one) == {("pod/one", image("web:1"), True), ("pod/one", f"{image('web')}@{APP}", False)}


def test_an_image_rewritten_to_a_mirror_in_the_registry_is_held(read: Reader) -> None:
    one = pod("one", "nginx:1", said=[(image("mirror/nginx:1"), f"{image('mirror/nginx')}@{APP}")])
    assert read(one) == {
        ("pod/one", f"{image('mirror/nginx')}@{APP}", False),
        ("pod/one", image("mirror/nginx:1"), False),
    }


def test_an_image_without_a_tag_is_latest_and_said_once(read: Reader) -> None:
    one = pod("one", image("web"), said=[(image("web:latest"), f"{image('web')}@{APP}")])
    assert read(one) == {("pod/one", f"{image('web:latest')}@{APP}", True)}


def test_containers_of_every_kind_and_images_that_are_mounted_are_read(read: Reader) -> None:
    one = pod(
        "one",
        image("app:1"),
        said=[(image("app:1"), f"{image('app')}@{APP}")],
        initContainers=[{"name": "first", "image": image("first:1")}],
        ephemeralContainers=[{"name": "debug", "image": image("debug:1")}],
        volumes=[{"name": "none", "emptyDir": {}}, {"name": "model", "image": {"reference": image("model:1")}}],
    )
    one["status"]["initContainerStatuses"] = [status("first", image("first:1"), f"{image('first')}@{OTHER}")]
    one["status"]["ephemeralContainerStatuses"] = [status("debug", image("debug:1"), f"{image('debug')}@{OTHER}")]
    assert read(one) == {
        ("pod/one", f"{image('app:1')}@{APP}", True),
        ("pod/one", f"{image('first:1')}@{OTHER}", True),
        ("pod/one", f"{image('debug:1')}@{OTHER}", True),
        ("pod/one", image("model:1"), True),
    }


def test_a_status_of_a_container_that_the_specification_does_not_name_is_read(read: Reader) -> None:
    one = pod("one", "nginx:1", said=[])
    one["status"]["containerStatuses"] = [status("gone", image("gone:1"), f"{image('gone')}@{APP}")]
    assert read(one) == {("pod/one", f"{image('gone')}@{APP}", False), ("pod/one", image("gone:1"), False)}


def test_what_an_operator_is_told_to_start_is_held_but_may_be_missing(read: Reader) -> None:
    operator = deployment("operator", "operator:1")
    operator["spec"]["template"]["spec"]["containers"][0].update(
        command=["run", f"--sidecar={image('sidecar:1')}"],
        args=[f"--debug-image={image('debug:1')}"],
        env=[{"name": "IMAGE", "value": image("worker:1")}, {"name": "KEY", "valueFrom": {"secretKeyRef": {}}}],
    )
    assert read(operator) == {
        ("deployment/operator", image("sidecar:1"), False),
        ("deployment/operator", image("debug:1"), False),
        ("deployment/operator", image("worker:1"), False),
    }


def test_an_image_of_a_registry_that_can_not_be_understood_is_an_error_naming_the_workload(read: Reader) -> None:
    broken = deployment("web", f"{image('web')}:")
    with pytest.raises(Unintelligible, match="prod/shop/deployment/web"):
        read(broken)


@pytest.mark.parametrize("text", ["", "${IMAGE}", "NGINX", "a b"])
def test_what_is_no_image_of_a_private_registry_is_nobodys_concern(read: Reader, text: str) -> None:
    assert read(deployment("web", text)) == set()


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_finished_pod_is_only_something_to_go_back_to(read: Reader, phase: str) -> None:
    assert read(pod("one", image("web:1"), phase=phase)) == {("pod/one", image("web:1"), False)}


@pytest.mark.parametrize("how", ["Complete", "Failed"])
def test_a_finished_job_is_only_something_to_go_back_to(read: Reader, how: str) -> None:
    assert read(job("one", image("web:1"), finished=how)) == {("job/one", image("web:1"), False)}


def test_a_replica_set_without_replicas_that_no_deployment_owns_is_current(read: Reader) -> None:
    alone = replica_set("alone", image("web:1"), replicas=0)
    rolled = replica_set("rolled", image("web:2"), owner=("Rollout", "web"), replicas=0)
    assert read(alone, rolled) == {
        ("replicaset/alone", image("web:1"), True),
        ("replicaset/rolled", image("web:2"), True),
    }


def test_a_pod_is_named_for_what_manages_it_as_far_as_that_is_known(read: Reader) -> None:
    found = read(
        pod("known", image("a:1"), owner=("ReplicaSet", "web-1")),
        replica_set("web-1", image("a:1"), owner=("Deployment", "web")),
        pod("left", image("b:1"), owner=("ReplicaSet", "gone-1")),
        pod("static", image("c:1"), owner=("Node", "node-1")),
        pod("batch", image("d:1"), owner=("Job", "nightly-1")),
        job("nightly-1", image("d:1"), owner=("CronJob", "nightly")),
    )
    assert found == {
        ("deployment/web", image("a:1"), True),
        ("replicaset/gone-1", image("b:1"), True),
        ("pod/static", image("c:1"), True),
        ("cronjob/nightly", image("d:1"), True),
    }


def test_owners_in_a_circle_end(read: Reader) -> None:
    found = read(
        replica_set("a", image("a:1"), owner=("ReplicaSet", "b")),
        replica_set("b", image("b:1"), owner=("ReplicaSet", "a")),
        pod("one", image("c:1"), owner=("ReplicaSet", "a")),
    )
    assert {reference for _, reference, _ in found} == {image("a:1"), image("b:1"), image("c:1")}


def test_only_the_newest_revision_of_each_owner_is_current(read: Reader) -> None:
    agent, other = ("DaemonSet", "agent"), ("DaemonSet", "other")
    found = read(
        daemon_set("agent", image("agent:2")),
        revision("agent-a", 2, patch(image("agent:1")), agent),
        revision("agent-b", 10, patch(image("agent:2")), agent),
        revision("other-a", 1, patch(image("other:1")), other),
    )
    assert found == {
        ("daemonset/agent", image("agent:2"), True),
        ("controllerrevision/agent-a", image("agent:1"), False),
        ("daemonset/other", image("other:1"), True),
    }


def test_a_revision_of_an_unknown_controller_is_searched_for_references(read: Reader) -> None:
    data = {"spec": {"deep": [{"image": image("clone:1")}], "name": "nothing"}}
    owner = ("StatefulSet", "clone")
    assert read(revision("clone-a", 1, data, owner)) == {("statefulset/clone", image("clone:1"), True)}


def test_a_revision_that_names_a_registry_in_an_unknown_way_is_an_error(read: Reader) -> None:
    data = {"spec": {"image": f"{image('clone')}:$TAG"}}
    with pytest.raises(Unintelligible, match="clone"):
        read(revision("clone-a", 1, data, ("StatefulSet", "clone")))


def test_alike_pods_of_one_workload_are_said_once(standin: Standin, kubeconfig: Kubeconfig) -> None:
    pods = [pod(f"agent-{number}", image("agent:1"), owner=("DaemonSet", "agent")) for number in range(50)]
    standin.add(*pods)
    assert len(list(read_context("prod", kubeconfig(), ORIGIN))) == 1


def test_members_that_are_null_are_none(read: Reader) -> None:
    bare = made("Deployment", "bare", spec={"template": template(image("web:1"), volumes=None, initContainers=None)})
    bare["metadata"]["ownerReferences"] = None
    assert read(bare) == {("deployment/bare", image("web:1"), True)}


def test_a_job_is_not_finished_by_a_condition_that_does_not_hold(read: Reader) -> None:
    one = job("one", image("web:1"))
    one["status"]["conditions"] = [{"type": "Complete", "status": "False"}, {"type": "Suspended", "status": "True"}]
    assert read(one) == {("job/one", image("web:1"), True)}


def test_an_owner_that_does_not_control_gives_no_name(read: Reader) -> None:
    one = pod("one", image("web:1"), owner=("Deployment", "web"))
    one["metadata"]["ownerReferences"][0]["controller"] = False
    assert read(one) == {("pod/one", image("web:1"), True)}
