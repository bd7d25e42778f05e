"""EKS: clusters found and reached with AWS credentials, and nothing else."""

import base64
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace

from aws_ecr_gc.aws.session import Session
from aws_ecr_gc.discovery.aws.eks import Token
from aws_ecr_gc.usage import InUse, Origin
from tests.aws.calls import ACCOUNT, Call
from tests.aws.server import Cloud
from tests.aws.wire import Refusal
from tests.discovery.conftest import Discover
from tests.discovery.kubernetes import certificates
from tests.discovery.kubernetes.manifests import deployment, image
from tests.discovery.kubernetes.standin import Standin

ORIGIN = Origin("eks", ACCOUNT, "us-east-1")
Cluster = dict[str, Any]
AWS = Path(__file__).parents[3] / ".venv-awscli/bin/aws"


class Region:
    """The clusters of a region, each with an API server of its own."""

    def __init__(self, cloud: Cloud, discovery: Discover, place: Path) -> None:
        self.clusters: dict[str, Cluster | None] = {}
        self.servers: dict[str, Standin] = {}
        self._discovery = discovery
        self._place = place
        cloud.answer("eks", "ListClusters", lambda _: {"clusters": list(self.clusters)})
        cloud.answer("eks", "DescribeCluster", self._describe)

    def _describe(self, call: Call) -> dict[str, Any]:
        name = call.parameters["name"]
        cluster = self.clusters[name]
        if cluster is None:
            raise Refusal("ResourceNotFoundException", f"No cluster found for name: {name}.", 404)
        return {"cluster": {"name": name, **cluster}}

    def start(self, name: str, **members: Any) -> Standin:
        """Create a cluster that runs."""
        given = certificates.made(self._place / name)
        server = self.servers[name] = Standin((given.certificate, given.key))
        server.__enter__()
        authority = {"data": base64.b64encode(given.authority.read_bytes()).decode()}
        running = {"status": "ACTIVE", "endpoint": server.url, "certificateAuthority": authority}
        self.clusters[name] = {**running, **members}
        return server

    def read(self) -> InUse:
        """What is in use in it."""
        return self._discovery("eks").read(0.0)

    def workloads(self) -> list[str]:
        """The workloads of a reading that is whole."""
        found = self.read()
        assert found.unread == ()
        assert found.read == (ORIGIN,)
        return sorted(str(use) for uses in found.uses.values() for use in uses)

    def reason(self) -> str:
        """Why one cluster can't be read, or why the source can't; of the others all is known."""
        (unread,) = self.read().unread
        assert unread.origin in {ORIGIN, replace(ORIGIN, name=unread.origin.name)}
        assert unread.origin.name is None or unread.reason.startswith(f"cluster {unread.origin.name}: ")
        return unread.reason


@pytest.fixture
def region(cloud: Cloud, discovery: Discover, tmp_path: Path) -> Iterator[Region]:
    """A region without clusters."""
    region = Region(cloud, discovery, tmp_path)
    yield region
    for server in region.servers.values():
        server.__exit__()


def claims(token: str) -> tuple[str, dict[str, str]]:
    """The host and the query of the URL that a token is."""
    version, _, encoded = token.removeprefix("Bearer ").partition(".")
    assert version == "k8s-aws-v1"
    assert "=" not in encoded
    url = urlsplit(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    return url.netloc, {name: values[0] for name, values in parse_qs(url.query).items()}


def test_every_cluster_is_read(region: Region) -> None:
    for name in ("prod", "staging"):
        region.start(name).add(deployment(name, image("web:1")))
    assert region.workloads() == ["eks:prod/shop/deployment/prod", "eks:staging/shop/deployment/staging"]


def test_a_region_without_clusters_holds_nothing(region: Region) -> None:
    assert region.workloads() == []


def test_the_token_is_a_signed_question_to_sts_that_names_the_cluster(region: Region) -> None:
    region.start("prod")
    region.workloads()
    (sent,) = {request.authorization for request in region.servers["prod"].requests}
    assert sent
    host, query = claims(sent)
    assert host.startswith("127.0.0.1:")  # AWS_ENDPOINT_URL says so; else it is that of the region
    assert query["Action"] == "GetCallerIdentity"
    assert query["X-Amz-Expires"] == "60"
    assert query["X-Amz-SignedHeaders"] == "host;x-k8s-aws-id"
    assert "/us-east-1/sts/" in query["X-Amz-Credential"]


def test_clusters_that_are_read_at_the_same_time_are_signed_each_for_itself(region: Region) -> None:
    names = [f"cluster-{number}" for number in range(8)]
    for name in names:
        region.start(name).add(deployment("web", image("web:1")))
    assert region.workloads() == [f"eks:{name}/shop/deployment/web" for name in names]
    sent = {name: {request.authorization for request in region.servers[name].requests} for name in names}
    signatures = {claims(token or "")[1]["X-Amz-Signature"] for tokens in sent.values() for token in tokens}
    assert len(signatures) == len(names)


def test_a_token_is_never_padded_and_is_signed_for_its_region(region: Region, discovery: Discover) -> None:
    region.start("prod")
    regions = ("us-east-1", "ap-south-1", "ap-southeast-1")  # of lengths that leave each remainder by three
    assert discovery("eks", regions=regions).read(0.0).unread == ()
    sent = {request.authorization or "" for request in region.servers["prod"].requests}
    scopes = {claims(token)[1]["X-Amz-Credential"].split("/")[2] for token in sent}
    assert scopes == set(regions)


@pytest.mark.parametrize("status", ["CREATING", "PENDING", "DELETING", "FAILED"])
def test_where_there_is_no_endpoint_yet_or_any_more_nothing_runs(region: Region, status: str) -> None:
    region.clusters["new"] = {"status": status}
    assert region.workloads() == []


@pytest.mark.parametrize("status", ["ACTIVE", "UPDATING"])
def test_a_running_cluster_without_an_endpoint_is_an_error(region: Region, status: str) -> None:
    region.clusters["odd"] = {"status": status}
    assert f"cluster odd is {status} without endpoint" in region.reason()


def test_a_cluster_that_is_being_deleted_is_read_as_long_as_it_has_an_endpoint(region: Region) -> None:
    region.start("old", status="DELETING").add(deployment("web", image("web:1")))
    assert region.workloads() == ["eks:old/shop/deployment/web"]


def test_a_cluster_that_vanishes_while_it_is_read_holds_nothing(region: Region) -> None:
    region.start("prod").add(deployment("web", image("web:1")))
    region.clusters["gone"] = None
    assert region.workloads() == ["eks:prod/shop/deployment/web"]


def _deny(server: Standin) -> None:
    server.deny("replicasets")


def _refuse(server: Standin) -> None:
    server.tokens = frozenset()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_deny, "cluster prod: access denied: the permission to list replicasets.apps in all namespaces is missing"),
        (_refuse, "does not take the credentials"),
    ],
)
def test_a_cluster_that_refuses_is_unread_by_its_name(
    region: Region, spoil: Callable[[Standin], None], reason: str
) -> None:
    region.start("staging").add(deployment("web", image("web:1")))
    spoil(region.start("prod"))
    said = region.reason()
    assert said.startswith("cluster prod: ")
    assert reason in said


def test_a_cluster_that_can_not_be_reached_is_unread_by_its_name(region: Region) -> None:
    region.start("staging").add(deployment("web", image("web:1")))
    with Standin() as gone:
        url = gone.url.replace("http:", "https:")
    region.start("prod", endpoint=url)
    assert region.reason().startswith(f"cluster prod: {url} can't be reached: ")


def test_a_cluster_with_a_certificate_of_somebody_else_is_not_read(region: Region, tmp_path: Path) -> None:
    other = certificates.made(tmp_path / "other").authority.read_bytes()
    region.start("prod", certificateAuthority={"data": base64.b64encode(other).decode()})
    assert "CERTIFICATE_VERIFY_FAILED" in region.reason()
    assert region.servers["prod"].requests == []


@pytest.mark.parametrize("operation", ["ListClusters", "DescribeCluster"])
def test_a_permission_of_aws_that_is_missing_is_named(region: Region, cloud: Cloud, operation: str) -> None:
    region.start("prod")
    cloud.deny("eks", operation)
    assert f"the permission eks:{operation} is missing" in region.reason()


class Clock:
    """A clock that stands still."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_token_is_made_anew_before_it_expires() -> None:
    clock = Clock()
    tokens = iter(("first", "second", "third"))
    token = Token(lambda: next(tokens), clock)
    used = {}
    for clock.now in (0.0, 599.0, 600.0, 1000.0, 1300.0):
        used[clock.now] = token()
    assert list(used.values()) == ["first", "first", "second", "second", "third"]


@pytest.mark.parametrize("partition", [("eu-central-1", "amazonaws.com"), ("cn-north-1", "amazonaws.com.cn")])
def test_the_question_goes_to_the_sts_of_the_region(
    discovery: Discover, monkeypatch: pytest.MonkeyPatch, partition: tuple[str, str]
) -> None:
    discovery()
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    region, suffix = partition
    client = Session(None, "us-east-1").client("sts", region=region)
    url = urlsplit(client.presign("GetCallerIdentity", headers={"x-k8s-aws-id": "prod"}, seconds=60))
    assert (url.scheme, url.netloc, url.path) == ("https", f"sts.{region}.{suffix}", "/")


@pytest.mark.skipif(not AWS.exists(), reason="no AWS CLI: run `make .venv-awscli/ready`")
def test_the_token_has_what_that_of_the_aws_cli_has(discovery: Discover, monkeypatch: pytest.MonkeyPatch) -> None:
    discovery()
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    words = [str(AWS), "eks", "get-token", "--cluster-name", "prod", "--region", "eu-central-1"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    host, theirs = claims(json.loads(done.stdout)["status"]["token"])
    sts = Session(None, "us-east-1").client("sts", region="eu-central-1")
    url = urlsplit(sts.presign("GetCallerIdentity", headers={"x-k8s-aws-id": "prod"}, seconds=60))
    ours = {name: values[0] for name, values in parse_qs(url.query).items()}
    varying = {"X-Amz-Date", "X-Amz-Signature"}
    assert url.netloc == host
    assert ours.keys() == theirs.keys()
    assert {name: ours[name] for name in ours.keys() - varying} == {
        name: theirs[name] for name in theirs.keys() - varying
    }
