"""Clusters as sources among others."""

from aws_ecr_gc.aws.session import Session
from aws_ecr_gc.discovery.reading import Discovery
from aws_ecr_gc.discovery.settings import Kubernetes, Settings
from aws_ecr_gc.usage import Origin
from tests.discovery.kubernetes.conftest import Kubeconfig
from tests.discovery.kubernetes.manifests import deployment, image
from tests.discovery.kubernetes.standin import Standin


def no_session() -> Session:
    raise AssertionError("nobody asked for AWS")


def test_a_context_that_can_not_be_read_is_unread_and_the_others_are_whole(
    standin: Standin, kubeconfig: Kubeconfig
) -> None:
    standin.add(deployment("web", image("web:1")))
    with Standin() as refusing:
        refusing.deny("pods")
        path = kubeconfig(prod=standin.url, staging=refusing.url)
        clusters = Kubernetes(("prod", "staging", "missing"), path)
        found = Discovery(Settings(kubernetes=clusters), no_session, stdin=bytes).read(0.0)
    assert [str(use) for uses in found.uses.values() for use in uses] == ["kubernetes:prod/shop/deployment/web"]
    assert found.read == (Origin("kubernetes", name="prod"),)
    missing, staging = found.unread
    assert (str(missing.origin), str(staging.origin)) == ("kubernetes@missing", "kubernetes@staging")
    assert "context missing" in missing.reason
    assert "the permission to list pods in all namespaces is missing" in staging.reason
