"""What of ECS's API reads: clusters, services and what they were deployed from, tasks, task definitions."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from aws_ecr_gc.sandbox.errors import ServiceError
from aws_ecr_gc.sandbox.operations import ecs_documents as documents
from aws_ecr_gc.sandbox.workloads.ecs import Cluster, Ecs, Task
from aws_ecr_gc.sandbox.workloads.task_definitions import TaskDefinition
from aws_ecr_gc.sandbox.world import Caller, Members

_Item = TypeVar("_Item")
_MOST = 100
_DEFAULT_SERVICES = 10
_MOST_SERVICES = 10
_MOST_REVISIONS = 20


def list_clusters(caller: Caller, request: Members) -> Members:
    """The ARNs of all clusters."""
    return _page(
        caller, "clusterArns", request, lambda: [each.arn for _, each in sorted(_ecs(caller).clusters.items())]
    )


def list_services(caller: Caller, request: Members) -> Members:
    """The ARNs of a cluster's services, ten a page unless more are asked for."""
    cluster = _cluster(caller, request)
    services = cluster.services
    return _page(
        caller, "serviceArns", request, lambda: [each.arn for _, each in sorted(services.items())], _DEFAULT_SERVICES
    )


def describe_services(caller: Caller, request: Members) -> Members:
    """Up to ten services, each by name or ARN."""
    cluster = _cluster(caller, request)
    known = {key: each for each in cluster.services.values() for key in (each.name, each.arn)}
    prefix = cluster.site.arn("ecs", f"service/{cluster.name}/")
    return _described("services", _demand(request, "services", _MOST_SERVICES), known, documents.service, prefix)


def list_tasks(caller: Caller, request: Members) -> Members:
    """The ARNs of a cluster's tasks: of those that are to run, unless the stopped ones are asked for."""
    cluster = _cluster(caller, request)
    stopped = request.get("desiredStatus") == "STOPPED"
    family, service = request.get("familyPrefix") or request.get("family"), request.get("serviceName")

    def fits(task: Task) -> bool:
        if family is not None and task.definition.family != family:
            return False
        if service is not None and (task.service is None or task.service.name != service.rpartition("/")[2]):
            return False
        return (task.stopped_at is not None) is stopped

    return _page(caller, "taskArns", request, lambda: [each.arn for each in cluster.tasks.values() if fits(each)])


def describe_tasks(caller: Caller, request: Members) -> Members:
    """Up to a hundred tasks, each by id or ARN."""
    cluster = _cluster(caller, request)
    known = {key: each for each in cluster.tasks.values() for key in (each.id, each.arn)}
    prefix = cluster.site.arn("ecs", f"task/{cluster.name}/")
    return _described("tasks", _demand(request, "tasks", _MOST), known, documents.task, prefix)


def describe_service_revisions(caller: Caller, request: Members) -> Members:
    """Up to twenty service revisions, of any service."""
    asked = _demand(request, "serviceRevisionArns", _MOST_REVISIONS)
    known = {
        revision.arn: (service, revision)
        for cluster in _ecs(caller).clusters.values()
        for service in cluster.services.values()
        for revision in service.revisions
    }
    return _described("serviceRevisions", asked, known, lambda found: documents.revision(*found))


def describe_service_deployments(caller: Caller, request: Members) -> Members:
    """Up to twenty service deployments, of any service."""
    asked = _demand(request, "serviceDeploymentArns", _MOST_REVISIONS)
    known = {
        deployment.arn: (service, deployment)
        for cluster in _ecs(caller).clusters.values()
        for service in cluster.services.values()
        for deployment in service.deployments
    }
    return _described("serviceDeployments", asked, known, lambda found: documents.deployment(*found))


def list_task_definitions(caller: Caller, request: Members) -> Members:
    """The ARNs of the ACTIVE revisions, or of the INACTIVE ones, by family and revision."""
    definitions = _ecs(caller).definitions
    prefix = request.get("familyPrefix")
    inactive = request.get("status") == "INACTIVE"

    def fits(definition: TaskDefinition) -> bool:
        right_family = prefix is None or definition.family == prefix
        return right_family and (definition.name in definitions.inactive) is inactive

    def rows() -> list[str]:
        fitting = [each for each in definitions.by_name.values() if fits(each)]
        ordered = sorted(fitting, key=lambda each: (each.family, each.revision), reverse=request.get("sort") == "DESC")
        return [each.arn for each in ordered]

    return _page(caller, "taskDefinitionArns", request, rows)


def describe_task_definition(caller: Caller, request: Members) -> Members:
    """A revision by its name or ARN, INACTIVE ones too; a family means its newest ACTIVE one."""
    definitions = _ecs(caller).definitions
    try:
        found = definitions.find(request["taskDefinition"])
    except KeyError as error:
        raise ServiceError("ClientException", "Unable to describe task definition.") from error
    return {"taskDefinition": documents.task_definition(found, active=found.name not in definitions.inactive)}


def list_daemons(_caller: Caller, _request: Members) -> Members:
    """None: the stand-in has no daemons."""
    return {"daemonSummariesList": []}


def _ecs(caller: Caller) -> Ecs:
    return caller.workloads.ecs


def _cluster(caller: Caller, request: Members) -> Cluster:
    found = _ecs(caller).clusters.get(request.get("cluster") or "default")
    if found is None:
        by_arn = {each.arn: each for each in _ecs(caller).clusters.values()}
        found = by_arn.get(request.get("cluster") or "")
    if found is None:
        raise ServiceError("ClusterNotFoundException", "Cluster not found.")
    return found


def _page(
    caller: Caller, answer: str, request: Members, rows: Callable[[], Sequence[str]], default: int = _MOST
) -> Members:
    size = request.get("maxResults")
    if size is not None and not 1 <= size <= _MOST:
        raise ServiceError("InvalidParameterException", f"maxResults must be between 1 and {_MOST}.")
    page, following = caller.world.listings.page((answer, caller.account, caller.region), request, rows, default)
    return {answer: page, **following}


def _demand(request: Members, names: str, most: int) -> list[str]:
    asked: list[str] = request[names]
    if not 1 <= len(asked) <= most:
        raise ServiceError("InvalidParameterException", f"{names} must have 1 to {most} elements.")
    return asked


def _described(
    answer: str,
    asked: Iterable[str],
    known: dict[str, _Item],
    describe: Callable[[_Item], Members],
    prefix: str = "",
) -> Members:
    names = list(dict.fromkeys(asked))
    missing = [name if name.startswith("arn:") else f"{prefix}{name}" for name in names if name not in known]
    return {
        answer: [describe(known[name]) for name in names if name in known],
        "failures": [{"arn": name, "reason": "MISSING"} for name in missing],
    }
