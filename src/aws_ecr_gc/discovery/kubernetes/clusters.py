"""The ways to a cluster: a context of the kubeconfig, the pod that the program runs in, or an address and a token."""

from collections.abc import Callable, Iterator
from pathlib import Path

from aws_ecr_gc.discovery.kubernetes import client
from aws_ecr_gc.discovery.kubernetes.lists import PAGE
from aws_ecr_gc.discovery.kubernetes.workloads import read
from aws_ecr_gc.usage import Origin, Use


def read_context(context: str | None, kubeconfig: str | None, origin: Origin, *, page: int = PAGE) -> Iterator[Use]:
    """What the cluster of a context holds; of the current one for None.

    Without `kubeconfig`, KUBECONFIG and ~/.kube/config are read. Raises Misuse for a kubeconfig that can't be
    understood, and what `workloads.read` raises.
    """
    name, server = client.of_context(context, kubeconfig)
    yield from read(server, name, origin, page=page)


def read_in_cluster(
    origin: Origin, *, account: Path = client.SERVICE_ACCOUNT, name: str = "in-cluster", page: int = PAGE
) -> Iterator[Use]:
    """What the cluster holds that the program itself runs in. `account` is where its service account's files are.

    Raises Misuse outside of a cluster, and what `workloads.read` raises.
    """
    yield from read(client.in_cluster(account), name, origin, page=page)


def read_cluster(
    name: str, endpoint: str, authority: str, token: Callable[[], str], origin: Origin, *, page: int = PAGE
) -> Iterator[Use]:
    """What the cluster at an endpoint holds.

    `authority` is its CA's certificate in base64; `token` is asked for before every request. Raises what
    `workloads.read` raises.
    """
    yield from read(client.of_endpoint(endpoint, authority, token), name, origin, page=page)
