"""What a request is about, as permissions speak of it."""

import re
from collections.abc import Iterator
from typing import Any

from aws_ecr_gc.sandbox.faults import Faults
from aws_ecr_gc.sandbox.partitions import partition_of
from aws_ecr_gc.sandbox.world import Caller

_IN_CLUSTER = re.compile(r":ecs:[^:]*:[0-9]*:(?:cluster|service-revision|service-deployment)/(?P<name>[^/]+)")
_IN_ACCOUNT = re.compile(r":iam::(?P<name>[0-9]{12}):role/")


def is_denied(faults: Faults, operation: str, request: dict[str, Any], account: str) -> bool:
    """Whether the caller, of this account, may not carry out an operation, at all or on what the request is about."""
    if operation in faults.deny:
        return True
    return any(operation in faults.deny_on.get(name, ()) for name in (account, *names_in(request)))


def names_in(request: dict[str, Any]) -> Iterator[str]:
    """The repository, clusters and function that a request names, without what stands around a name in an ARN.

    Of a role to be assumed, it is the account.
    """
    for member in ("repositoryName", "cluster", "clusterArn", "FunctionName"):
        if member in request:
            yield re.split("[:/]", str(request[member]))[-1]
    arns = [*request.get("serviceRevisionArns", ()), *request.get("serviceDeploymentArns", ())]
    for pattern, text in (*((_IN_CLUSTER, arn) for arn in arns), (_IN_ACCOUNT, request.get("RoleArn", ""))):
        if found := pattern.search(str(text)):
            yield found["name"]


def resource_of(caller: Caller, request: dict[str, Any], kind: str = "") -> str:
    """The ARN that an error speaks of; `*` where a request is about nothing in particular."""
    partition = partition_of(caller.region).name
    here = f"{caller.region}:{caller.account}"
    if kind == "user":
        return f"arn:{partition}:iam::{caller.account}:user/sandbox"
    if "repositoryName" in request:
        owner = request.get("registryId") or caller.account
        return f"arn:{partition}:ecr:{caller.region}:{owner}:repository/{request['repositoryName']}"
    name = next(names_in(request), "")
    if "cluster" in request or "clusterArn" in request:
        return f"arn:{partition}:ecs:{here}:cluster/{name}"
    if "FunctionName" in request:
        return f"arn:{partition}:lambda:{here}:function:{name}"
    return str(request.get("resourceArn") or request.get("RoleArn") or "*")
