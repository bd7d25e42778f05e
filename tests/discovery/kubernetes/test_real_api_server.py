"""A real API server: the same objects, its own pages, its own RBAC; and whether the stand-in answers as it does.

`make test-kubernetes` builds the server once and runs these.
"""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

from aws_ecr_gc.discovery.kubernetes import client, read_context, read_in_cluster
from aws_ecr_gc.discovery.kubernetes.client import Answer, Server
from aws_ecr_gc.discovery.kubernetes.workloads import RESOURCES
from aws_ecr_gc.discovery.kubernetes.workloads import read as read_server
from aws_ecr_gc.errors import AccessDenied
from tests.discovery.kubernetes.conftest import ORIGIN, Kubeconfig, seen
from tests.discovery.kubernetes.manifests import SHOP, Manifest, shop
from tests.discovery.kubernetes.standin import Standin

KUBECONFIG = os.environ.get("AWS_ECR_GC_TEST_KUBECONFIG")
ETCD = os.environ.get("AWS_ECR_GC_TEST_ETCD")

pytestmark = pytest.mark.skipif(not (KUBECONFIG and ETCD), reason="needs a real API server: make test-kubernetes")

ROLE = Path(__file__).parents[3] / "docs" / "examples" / "kubernetes-role.yaml"
_MERGE = "application/merge-patch+json"


class Admin:
    """Creates things, with all rights."""

    def __init__(self, path: str) -> None:
        document = json.loads(Path(path).read_text())
        self.cluster: dict[str, str] = document["clusters"][0]["cluster"]
        token = document["users"][0]["user"]["token"]
        self._pool = urllib3.PoolManager(ca_certs=self.cluster["certificate-authority"])
        self._headers = {"Authorization": f"Bearer {token}"}

    def call(self, method: str, path: str, body: object = None, kind: str = "application/json") -> Any:
        """What is answered; a refusal is an AssertionError."""
        headers = {**self._headers, "Content-Type": kind}
        answer = self._pool.request(method, self.cluster["server"] + path, body=json.dumps(body), headers=headers)
        assert answer.status < 300, answer.data.decode()
        return answer.json()

    def create(self, manifest: Manifest) -> None:
        """Create an object, and set its status as controllers and the kubelet do."""
        where = _path(manifest)
        self.call("POST", where, manifest)
        if manifest.get("status"):
            path = f"{where}/{manifest['metadata']['name']}/status"
            self.call("PATCH", path, {"status": manifest["status"]}, _MERGE)

    def token(self, account: str) -> str:
        """A token of a service account of the namespace aws-ecr-gc."""
        path = f"/api/v1/namespaces/aws-ecr-gc/serviceaccounts/{account}/token"
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        return str(self.call("POST", path, request)["status"]["token"])

    def await_rights(self, account: str, attributes: dict[str, Any]) -> None:
        """Return when the server's cache has the account's rights."""
        user = f"system:serviceaccount:aws-ecr-gc:{account}"
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {"user": user}}
        review["spec"] |= attributes  # type: ignore[operator]  # a dict
        while not self.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)["status"]["allowed"]:
            time.sleep(0.05)


def _path(manifest: Manifest) -> str:
    version, kind = manifest["apiVersion"], manifest["kind"].lower()
    base = f"/apis/{version}" if "/" in version else f"/api/{version}"
    namespace = manifest["metadata"].get("namespace")
    return f"{base}/namespaces/{namespace}/{kind}s" if namespace else f"{base}/{kind}s"


@pytest.fixture(scope="module")
def admin() -> Admin:
    """The server, with the shop in it, and the role of the documentation."""
    assert KUBECONFIG
    admin = Admin(KUBECONFIG)
    # What everybody may do is taken away, so that the role has to be enough.
    admin.call("DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/system:discovery")
    for manifest in yaml.safe_load_all(ROLE.read_text()):
        admin.create(manifest)
    admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    for manifest in shop("v1beta1"):
        admin.create(manifest)
    admin.await_rights("aws-ecr-gc", {"resourceAttributes": {"verb": "list", "resource": "pods"}})
    return admin


@pytest.fixture
def context(admin: Admin, kubeconfig: Kubeconfig) -> Callable[[str], str]:
    """Gives the kubeconfig of a service account, in which it is the user of the context `prod`."""

    def write(account: str) -> str:
        return kubeconfig({"token": admin.token(account)}, prod=admin.cluster)

    return write


@pytest.mark.parametrize("page", [1, 2, 500])
def test_the_role_of_the_documentation_is_enough_to_read_everything(context: Callable[[str], str], page: int) -> None:
    assert seen(read_context("prod", context("aws-ecr-gc"), ORIGIN, page=page)) == SHOP


def test_in_a_pod_the_service_account_reads_the_cluster_around(
    admin: Admin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text(admin.token("aws-ecr-gc"))
    (tmp_path / "ca.crt").write_bytes(Path(admin.cluster["certificate-authority"]).read_bytes())
    host, _, port = admin.cluster["server"].removeprefix("https://").rpartition(":")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
    assert seen(read_in_cluster(ORIGIN, account=tmp_path, name="prod")) == SHOP


def _without(rules: list[Any], removed: str) -> list[Any]:
    kept = []
    for rule in rules:
        name = "resources" if "resources" in rule else "nonResourceURLs"
        left = [each for each in rule[name] if each != removed]
        kept += [{**rule, name: left}] if left else []
    return kept


@pytest.mark.parametrize(
    ("removed", "named"),
    [
        *((resource.plural, f"list {resource} in all namespaces") for resource in RESOURCES),
        *((path, f"get {path}") for path in ("/apis", "/apis/apps/v1", "/apis/batch/v1", "/apis/batch/v1beta1")),
    ],
)
def test_each_permission_of_the_role_is_needed_and_named_where_it_is_missing(
    admin: Admin, context: Callable[[str], str], removed: str, named: str
) -> None:
    account = "without" + removed.replace("/", "-")
    for manifest in yaml.safe_load_all(ROLE.read_text()):
        if manifest["kind"] == "Namespace":
            continue
        manifest["metadata"]["name"] = account
        if manifest["kind"] == "ClusterRole":
            manifest["rules"] = _without(manifest["rules"], removed)
        elif manifest["kind"] == "ClusterRoleBinding":
            manifest["roleRef"]["name"] = manifest["subjects"][0]["name"] = account
        admin.create(manifest)
    other = "jobs" if removed != "jobs" else "cronjobs"
    admin.await_rights(account, {"resourceAttributes": {"verb": "list", "resource": other, "group": "batch"}})
    with pytest.raises(AccessDenied, match=f"the permission to {re.escape(named)} is missing"):
        list(read_context("prod", context(account), ORIGIN))


class Interfering:
    """A server between whose pages something happens."""

    def __init__(self, server: Server, between: Callable[[], None]) -> None:
        self.host = server.host
        self.asked: list[dict[str, str]] = []
        self._server = server
        self._between = between

    def get(self, path: str, query: dict[str, str] | None = None) -> Answer:
        """The server's answer."""
        if path.endswith("/deployments"):
            if len(self.asked) == 1:
                self._between()
            self.asked.append(query or {})
        return self._server.get(path, query)


def _compact(admin: Admin) -> None:
    """Let etcd forget what was before this moment, as it does every five minutes."""
    name = f"written-{time.time_ns()}"
    admin.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}})
    pool = urllib3.PoolManager()
    found = pool.request("POST", f"{ETCD}/v3/kv/range", json={"key": "AA=="}).json()
    body = {"revision": found["header"]["revision"], "physical": True}
    assert pool.request("POST", f"{ETCD}/v3/kv/compaction", json=body).status == 200


def test_a_list_that_expires_between_two_pages_is_read_whole(admin: Admin, context: Callable[[str], str]) -> None:
    name, server = client.of_context("prod", context("aws-ecr-gc"))
    interfering = Interfering(server, lambda: _compact(admin))
    assert seen(read_server(interfering, name, ORIGIN, page=1)) == SHOP
    assert ["continue" in query for query in interfering.asked] == [False, True, False, True]


def _shape(document: object) -> object:
    """The names in a document, and not how much of it there is."""
    if isinstance(document, dict):
        return {name: _shape(each) for name, each in document.items()}
    return [_shape(document[0])] if isinstance(document, list) and document else type(document).__name__


def _pair(admin: Admin, kubeconfig: Kubeconfig, standin: Standin, token: str) -> Iterator[Server]:
    standin.add(*shop())
    for cluster in (admin.cluster, {"server": standin.url}):
        yield client.of_context("prod", kubeconfig({"token": token}, prod=cluster))[1]


def test_lists_of_the_stand_in_have_the_members_that_real_ones_have(
    admin: Admin, kubeconfig: Kubeconfig, standin: Standin
) -> None:
    real, ours = _pair(admin, kubeconfig, standin, admin.token("aws-ecr-gc"))
    for path in ("/apis/apps/v1/deployments", "/api/v1/pods", "/apis/batch/v1/jobs"):
        for query in ({"limit": "1"}, {"limit": "500"}):
            lists = [json.loads(server.get(path, query).body) for server in (real, ours)]
            for each in lists:
                assert not {"kind", "apiVersion"} & each["items"][0].keys()
                each["items"] = []
            assert _shape(lists[0]) == _shape(lists[1])
            assert (lists[0]["kind"], lists[0]["apiVersion"]) == (lists[1]["kind"], lists[1]["apiVersion"])
    groups = [json.loads(server.get("/apis").body) for server in (real, ours)]
    assert _shape(groups[0]) == _shape(groups[1])
    resources = [json.loads(server.get("/apis/apps/v1").body) for server in (real, ours)]
    for each in resources:
        each["resources"] = [
            {name: row[name] for name in ("name", "singularName", "namespaced", "kind")} for row in each["resources"]
        ]
    assert _shape(resources[0]) == _shape(resources[1])


def test_refusals_of_the_stand_in_are_those_of_the_real_server(
    admin: Admin, kubeconfig: Kubeconfig, standin: Standin
) -> None:
    standin.deny("deployments", "pods")
    admin.create(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody", "namespace": "aws-ecr-gc"}}
    )
    real, ours = _pair(admin, kubeconfig, standin, admin.token("nobody"))
    for path in ("/apis/apps/v1/deployments", "/api/v1/pods"):
        answers = [server.get(path) for server in (real, ours)]
        assert [answer.status for answer in answers] == [403, 403]
        said = [json.loads(re.sub(rb'User \\"[^"]*"', b'User \\"it\\"', answer.body)) for answer in answers]
        assert said[0] == said[1]
    strangers = list(_pair(admin, kubeconfig, standin, "nobody's"))
    standin.tokens = frozenset({"another"})
    answers = [server.get("/api/v1/pods") for server in strangers]
    assert [answer.status for answer in answers] == [401, 401]
    assert json.loads(answers[0].body) == json.loads(answers[1].body)


def test_what_is_not_served_and_what_expired_is_said_as_the_real_server_says_it(
    admin: Admin, kubeconfig: Kubeconfig, standin: Standin
) -> None:
    assert KUBECONFIG
    token = json.loads(Path(KUBECONFIG).read_text())["users"][0]["user"]["token"]
    real, ours = _pair(admin, kubeconfig, standin, token)
    answers = [server.get("/apis/none/v1/deployments") for server in (real, ours)]
    assert answers[0] == answers[1]
    path = "/apis/apps/v1/deployments"
    first = json.loads(real.get(path, {"limit": "1"}).body)
    _compact(admin)
    standin.expire("deployments", nth=2)
    answers = [server.get(path, {"continue": first["metadata"]["continue"]}) for server in (real, ours)]
    assert [answer.status for answer in answers] == [410, 410]
    said = [json.loads(answer.body) for answer in answers]
    assert said[0].pop("metadata").keys() == said[1].pop("metadata").keys()
    assert said[0] == said[1]
