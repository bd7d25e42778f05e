"""EKS: what each cluster holds, read through its Kubernetes API as `discovery.kubernetes` does, without kubectl.

The way in is a token made of the AWS credentials, as `aws eks get-token` makes it: a signed STS URL that says who asks.
An access entry or the aws-auth ConfigMap gives that role its rights in the cluster, see
docs/examples/kubernetes-role.yaml.

A connected cluster (EKS Anywhere and others) can't be reached through AWS and is not listed: its context belongs among
those of Kubernetes.
"""

import base64
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from aws_ecr_gc.discovery.aws.descriptions import unless_gone
from aws_ecr_gc.discovery.kubernetes import read_cluster
from aws_ecr_gc.discovery.reader import Reader
from aws_ecr_gc.errors import Error, Misuse, Unintelligible
from aws_ecr_gc.usage import Unread, Use

_WITHOUT_ENDPOINT = frozenset({"CREATING", "PENDING", "DELETING", "FAILED"})
"""States in which a cluster may have no endpoint, not yet or no more: then nothing can be started in it."""
_TOKEN_SECONDS = 600
"""How long a token is used. It is good for 15 minutes."""


def read(reader: Reader) -> Iterator[Use | Unread]:
    """The images that the clusters of the region hold. A cluster that can't be read whole is unread for itself."""
    for uses in reader.each(partial(_uses_of, reader), reader.rows("eks", "ListClusters", "clusters")):
        yield from uses


def _uses_of(reader: Reader, name: str) -> Sequence[Use | Unread]:
    try:
        return _read(reader, name)
    except Misuse:
        raise  # the library is missing: it is no matter of one cluster
    except Error as error:
        return [Unread(replace(reader.origin, name=name), f"cluster {name}: {error}")]


def _read(reader: Reader, name: str) -> list[Use]:
    cluster = unless_gone(partial(_described, reader, name))
    if cluster is None:
        return []
    endpoint = cluster.get("endpoint")
    authority = (cluster.get("certificateAuthority") or {}).get("data")
    if not endpoint and cluster["status"] in _WITHOUT_ENDPOINT:
        return []
    if not (endpoint and authority):
        raise Unintelligible(f"DescribeCluster: cluster {name} is {cluster['status']} without endpoint or certificate")
    token = Token(partial(_signed, reader, name))
    return list(read_cluster(name, endpoint, authority, token, reader.origin))


def _described(reader: Reader, name: str) -> Mapping[str, Any]:
    cluster: Mapping[str, Any] = reader.service("eks").call("DescribeCluster", "cluster", name=name)["cluster"]
    return cluster


def _signed(reader: Reader, name: str) -> str:
    url = reader.service("sts").presign("GetCallerIdentity", headers={"x-k8s-aws-id": name}, seconds=60)
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


class Token:
    """A bearer token that is made anew before it expires, however long the reading takes."""

    def __init__(self, make: Callable[[], str], clock: Callable[[], float] = time.monotonic) -> None:
        self._make = make
        self._clock = clock
        self._made_at = clock()
        self._token = ""

    def __call__(self) -> str:
        if not self._token or self._clock() - self._made_at >= _TOKEN_SECONDS:
            self._made_at = self._clock()
            self._token = self._make()
        return self._token
