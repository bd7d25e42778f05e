"""How ECS's API describes what the stand-in knows of ECS."""

from aws_ecr_gc.sandbox.workloads.ecs import ContainerImage, Deployment, Revision, Service, Task, TaskSet
from aws_ecr_gc.sandbox.workloads.task_definitions import TaskDefinition
from aws_ecr_gc.sandbox.world import Members


def service(found: Service) -> Members:
    """A service as DescribeServices tells it."""
    running = len(list(found.tasks()))
    described: Members = {
        "serviceArn": found.arn,
        "serviceName": found.name,
        "clusterArn": found.cluster.arn,
        "status": "ACTIVE",
        "desiredCount": found.desired,
        "runningCount": running,
        "pendingCount": 0,
        "schedulingStrategy": "REPLICA",
        "deployments": [],
        "taskSets": [_task_set(each) for each in found.task_sets],
    }
    if not found.revisions:
        return {**described, "deploymentController": {"type": "EXTERNAL"}}
    current, latest = found.revisions[-1], found.deployments[-1]
    counts = {"requestedTaskCount": found.desired, "runningTaskCount": running, "pendingTaskCount": 0}
    return {
        **described,
        "deploymentController": {"type": "ECS"},
        "taskDefinition": current.definition.arn,
        "deployments": [
            {
                "id": f"ecs-svc/{int(latest.arn.rpartition('/')[2], 16)}",
                "status": "PRIMARY",
                "taskDefinition": current.definition.arn,
                "desiredCount": found.desired,
                "runningCount": running,
                "pendingCount": 0,
            }
        ],
        "currentServiceDeployment": latest.arn,
        "currentServiceRevisions": [{"arn": current.arn, **counts}],
    }


def task(found: Task) -> Members:
    """A task as DescribeTasks tells it."""
    status = "RUNNING" if found.stopped_at is None else "STOPPED"
    group = f"family:{found.definition.family}" if found.service is None else f"service:{found.service.name}"
    return {
        "taskArn": found.arn,
        "clusterArn": found.cluster.arn,
        "taskDefinitionArn": found.definition.arn,
        "group": group,
        "desiredStatus": status,
        "lastStatus": status,
        "containers": [
            {"name": name, "taskArn": found.arn, "lastStatus": status, **image} for name, image in _images(found.images)
        ],
        **({} if found.stopped_at is None else {"stoppedAt": found.stopped_at}),
    }


def revision(of: Service, found: Revision) -> Members:
    """A revision as DescribeServiceRevisions tells it."""
    return {
        "serviceRevisionArn": found.arn,
        "serviceArn": of.arn,
        "clusterArn": of.cluster.arn,
        "taskDefinition": found.definition.arn,
        "containerImages": [{"containerName": name, **image} for name, image in _images(found.images)],
    }


def deployment(of: Service, found: Deployment) -> Members:
    """A deployment as DescribeServiceDeployments tells it."""
    return {
        "serviceDeploymentArn": found.arn,
        "serviceArn": of.arn,
        "clusterArn": of.cluster.arn,
        "status": found.status,
        "targetServiceRevision": {"arn": found.target.arn},
        "sourceServiceRevisions": [] if found.source is None else [{"arn": found.source.arn}],
    }


def task_definition(found: TaskDefinition, *, active: bool) -> Members:
    """A revision of a family as DescribeTaskDefinition tells it."""
    return {
        "taskDefinitionArn": found.arn,
        "family": found.family,
        "revision": found.revision,
        "status": "ACTIVE" if active else "INACTIVE",
        "registeredAt": found.registered_at,
        "containerDefinitions": [{"name": f"c{place}", "image": image} for place, image in enumerate(found.images)],
    }


def _task_set(found: TaskSet) -> Members:
    running = sum(each.stopped_at is None for each in found.tasks)
    return {
        "id": found.id,
        "taskSetArn": found.arn,
        "serviceArn": found.service.arn,
        "clusterArn": found.service.cluster.arn,
        "status": "ACTIVE",
        "taskDefinition": found.definition.arn,
        "computedDesiredCount": len(found.tasks),
        "runningCount": running,
        "pendingCount": 0,
    }


def _images(images: tuple[ContainerImage, ...]) -> list[tuple[str, Members]]:
    return [
        (f"c{place}", {"image": each.image, **({} if each.digest is None else {"imageDigest": each.digest})})
        for place, each in enumerate(images)
    ]
