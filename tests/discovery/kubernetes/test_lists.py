"""Lists: pages to the end, and everything that is not the end."""

import json

import pytest

from aws_ecr_gc.discovery.kubernetes import client, read_context
from aws_ecr_gc.discovery.kubernetes.workloads import RESOURCES
from aws_ecr_gc.discovery.kubernetes.workloads import read as read_server
from aws_ecr_gc.errors import AccessDenied, SourceFailure, Unintelligible
from tests.discovery.kubernetes.conftest import ORIGIN, Kubeconfig, seen
from tests.discovery.kubernetes.manifests import SHOP, deployment, image, pod, shop
from tests.discovery.kubernetes.standin import SILENCE, Reply, Standin

PLURALS = [resource.plural for resource in RESOURCES]


@pytest.mark.parametrize("page", [1, 2, 3, 500])
def test_the_size_of_a_page_is_of_no_account(standin: Standin, kubeconfig: Kubeconfig, page: int) -> None:
    standin.add(*shop())
    assert seen(read_context("prod", kubeconfig(), ORIGIN, page=page)) == SHOP


def test_every_list_is_asked_for_once_in_pages_of_500_what_makes_before_what_is_made(
    standin: Standin, kubeconfig: Kubeconfig
) -> None:
    standin.add(*(pod(f"pod-{number}", image("web:1")) for number in range(1001)))
    assert len(list(read_context("prod", kubeconfig(), ORIGIN))) == 1001
    assert [request.plural for request in standin.requests if request.query] == [
        "podtemplates",
        "replicationcontrollers",
        "deployments",
        "statefulsets",
        "daemonsets",
        "cronjobs",
        "controllerrevisions",
        "replicasets",
        "jobs",
        *["pods"] * 3,
    ]
    assert {request.query["limit"] for request in standin.requests if request.query} == {"500"}


@pytest.mark.parametrize("plural", PLURALS)
def test_a_list_that_is_refused_names_the_permission(standin: Standin, kubeconfig: Kubeconfig, plural: str) -> None:
    standin.add(*shop())
    standin.deny(plural)
    (named,) = (str(resource) for resource in RESOURCES if resource.plural == plural)
    with pytest.raises(AccessDenied, match=f"the permission to list {named} in all namespaces is missing: {plural}"):
        list(read_context("prod", kubeconfig(), ORIGIN))


@pytest.mark.parametrize("path", ["apis", "v1"])
def test_not_being_told_what_is_served_is_access_denied(standin: Standin, kubeconfig: Kubeconfig, path: str) -> None:
    standin.spoil(path, Reply(403, b'{"kind": "Status", "message": "forbidden: User \\"gc\\" cannot get path"}'))
    with pytest.raises(AccessDenied, match=r"the permission to get /apis.* is missing: forbidden: User"):
        list(read_context("prod", kubeconfig(), ORIGIN))


def test_credentials_that_are_not_taken_are_an_error(standin: Standin, kubeconfig: Kubeconfig) -> None:
    standin.tokens = frozenset({"another"})
    with pytest.raises(SourceFailure, match=r"does not take the credentials \(401\)"):
        list(read_context("prod", kubeconfig(), ORIGIN))


def test_a_list_whose_token_expires_is_begun_again(standin: Standin, kubeconfig: Kubeconfig) -> None:
    standin.add(*(deployment(f"web-{number}", image(f"web:{number}")) for number in range(6)))
    standin.expire("deployments", nth=3)
    uses = list(read_context("prod", kubeconfig(), ORIGIN, page=2))
    assert {str(use.reference) for use in uses} == {image(f"web:{number}") for number in range(6)}
    continued = ["continue" in request.query for request in standin.named("deployments")]
    assert continued == [False, True, True, False, True, True]


def test_a_list_whose_token_expires_again_and_again_is_an_error(standin: Standin, kubeconfig: Kubeconfig) -> None:
    standin.add(*(deployment(f"web-{number}", image("web:1")) for number in range(4)))
    for number in range(1, 5):
        standin.expire("deployments", nth=number * 2)
    with pytest.raises(SourceFailure, match=r"the list of deployments.apps has expired 4 times"):
        list(read_context("prod", kubeconfig(), ORIGIN, page=2))


def test_a_token_that_comes_again_is_an_error(standin: Standin, kubeconfig: Kubeconfig) -> None:
    page = {"metadata": {"continue": "MQ=="}, "items": []}
    for number in (1, 2):
        standin.spoil("deployments", Reply(200, json.dumps(page).encode()), nth=number)
    with pytest.raises(Unintelligible, match="the same page again and again"):
        list(read_context("prod", kubeconfig(), ORIGIN))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Sign in</html>",
        b"[]",
        b"{}",
        b'{"metadata": {}}',
        b'{"items": []}',
        b'{"metadata": {}, "items": [{}]}',
        b'{"metadata": {}, "items": [{"metadata": {"name": "web"}}]}',
        b'{"metadata": {}, "items": [{"metadata": {"name": "web"}, "spec": {"template": {"spec": {}}}}]}',
        b'{"metadata": {}, "items": [',
        b'{"metadata": {"continue": "\xff"}, "items": []}',
    ],
)
def test_a_broken_page_is_an_error(standin: Standin, kubeconfig: Kubeconfig, body: bytes) -> None:
    standin.spoil("deployments", Reply(200, body))
    with pytest.raises(Unintelligible, match=r"list deployments.apps: an answer of http"):
        list(read_context("prod", kubeconfig(), ORIGIN))


def test_an_empty_list_may_be_null(standin: Standin, kubeconfig: Kubeconfig) -> None:
    standin.spoil("deployments", Reply(200, b'{"metadata": {}, "items": null}'))
    assert list(read_context("prod", kubeconfig(), ORIGIN)) == []


@pytest.mark.parametrize(
    "reply",
    [
        Reply(404, b'{"kind": "Status", "message": "the server could not find the requested resource"}'),
        Reply(302, b"", "text/html"),
        Reply(400, b"\xff\xfe", "text/html"),
        Reply(204, b""),
    ],
    ids=lambda reply: str(reply.status),
)
def test_any_other_answer_is_an_error(standin: Standin, kubeconfig: Kubeconfig, reply: Reply) -> None:
    standin.spoil("deployments", reply)
    with pytest.raises(SourceFailure, match=f"list deployments.apps: http.* answers {reply.status}: "):
        list(read_context("prod", kubeconfig(), ORIGIN))


def test_the_token_follows_no_redirection(standin: Standin, kubeconfig: Kubeconfig) -> None:
    with Standin() as elsewhere:
        standin.spoil("pods", Reply(307, b"", location=f"{elsewhere.url}/api/v1/pods"))
        with pytest.raises(SourceFailure, match="answers 307"):
            list(read_context("prod", kubeconfig(), ORIGIN))
        assert elsewhere.requests == []


@pytest.mark.parametrize("plural", ["apis", "v1", "pods"])
def test_a_404_is_never_taken_for_nothing(standin: Standin, kubeconfig: Kubeconfig, plural: str) -> None:
    standin.add(*shop())
    standin.spoil(plural, Reply(404, b"404 page not found\n", "text/plain"))
    with pytest.raises(SourceFailure, match="answers 404: 404 page not found"):
        list(read_context("prod", kubeconfig(), ORIGIN))


@pytest.mark.parametrize("served", [{"v1": ("PodTemplate", "ReplicationController", "Pod")}, {}])
def test_a_group_that_is_not_served_holds_nothing_but_the_core_must_be_there(
    kubeconfig: Kubeconfig, served: dict[str, tuple[str, ...]]
) -> None:
    with Standin(served=served) as bare:
        bare.add(*shop())
        path = kubeconfig(prod=bare.url)
        if not served:
            with pytest.raises(SourceFailure, match="404"):
                list(read_context("prod", path, ORIGIN))
        else:
            held = {workload for workload, _, _ in seen(read_context("prod", path, ORIGIN))}
            assert held >= {"replicationcontroller/ancient", "podtemplate/spare", "pod/alone"}
            assert "deployment/web" not in held


def test_cron_jobs_are_read_where_they_are_only_beta(kubeconfig: Kubeconfig) -> None:
    served = {
        "v1": ("PodTemplate", "ReplicationController", "Pod"),
        "apps/v1": ("Deployment", "StatefulSet", "DaemonSet", "ControllerRevision", "ReplicaSet"),
        "batch/v1": ("Job",),
        "batch/v1beta1": ("CronJob",),
    }
    with Standin(served=served) as old:
        old.add(*shop("v1beta1"))
        assert seen(read_context("prod", kubeconfig(prod=old.url), ORIGIN)) == SHOP
        assert [request.path for request in old.named("cronjobs")] == ["/apis/batch/v1beta1/cronjobs"]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_that_is_busy_is_asked_again(standin: Standin, kubeconfig: Kubeconfig, status: int) -> None:
    standin.add(*shop())
    standin.spoil("deployments", Reply(status, b"busy", "text/plain"))
    assert seen(read_context("prod", kubeconfig(), ORIGIN)) == SHOP
    assert len(standin.named("deployments")) == 2


def test_an_answer_that_breaks_off_is_asked_for_again(standin: Standin, kubeconfig: Kubeconfig) -> None:
    standin.add(*shop())
    standin.spoil("pods", Reply(200, b'{"metadata": {}, "items": []}' + b" " * 5000, cut=30))
    assert seen(read_context("prod", kubeconfig(), ORIGIN)) == SHOP


def test_answers_that_break_off_again_and_again_are_an_error(standin: Standin, kubeconfig: Kubeconfig) -> None:
    for number in range(1, 5):
        standin.spoil("pods", Reply(200, b'{"metadata": {}, "items": []}' + b" " * 5000, cut=30), nth=number)
    with pytest.raises(SourceFailure, match=r"can't be reached: .*bytes read"):
        list(read_context("prod", kubeconfig(), ORIGIN))


def test_a_server_that_says_nothing_is_given_up(standin: Standin, kubeconfig: Kubeconfig) -> None:
    standin.spoil("pods", SILENCE)
    name, server = client.of_context("prod", kubeconfig())
    server.silence = 0.2
    with pytest.raises(SourceFailure, match=r"can't be reached: .*timed out"):
        list(read_server(server, name, ORIGIN))
