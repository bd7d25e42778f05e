"""What ECS runs and could start again: tasks, services, daemons, task definitions."""

from typing import Any

import pytest

from tests.aws.calls import Call
from tests.discovery.ecs_world import ARN, World
from tests.discovery.worlds import REGISTRY, digest

REVISION = f"{ARN}service-revision/prod/web/"
DEPLOYMENT = f"{ARN}service-deployment/prod/web/1"


def task_name(arn: str) -> str:
    return f"prod/task/{arn.rpartition('/')[2]}"


# Tasks


def test_a_running_task_holds_its_tag_and_the_digest_that_ecs_recorded(world: World) -> None:
    world.cluster()
    task = world.task(world.family("web", "web:1"))
    world.amend_tasks(containers=[{"image": f"{REGISTRY}/web:1", "imageDigest": digest(1)}])
    assert world.found() == {(f"web:1@{digest(1)}", task_name(task), True)}


def test_a_task_holds_the_images_of_all_its_containers(world: World) -> None:
    world.cluster()
    task = world.task(world.family("web", "web:1"))
    images = ("web:1", "sidecar", "public.ecr.aws/x/agent:2")
    world.amend_tasks(containers=[{"image": image if "/" in image else f"{REGISTRY}/{image}"} for image in images])
    assert world.found() == {("web:1", task_name(task), True), ("sidecar", task_name(task), True)}


def test_a_stopped_task_holds_its_image_but_is_not_current(world: World) -> None:
    world.cluster()
    task = world.task(world.family("web", "web:1"))
    world.ecs.stop_task(cluster="prod", task=task)
    assert world.found() == {("web:1", task_name(task), False)}


@pytest.mark.parametrize("status", ["PROVISIONING", "PENDING", "STOPPING"])
def test_a_task_is_current_until_it_has_stopped(world: World, status: str) -> None:
    world.cluster()
    task = world.task(world.family("web", "web:1"))
    world.amend_tasks(lastStatus=status)
    assert world.found() == {("web:1", task_name(task), True)}


def test_an_image_with_tag_and_digest_holds_both_and_what_was_recorded_besides(world: World) -> None:
    world.cluster()
    task = world.task(world.family("web", f"web:1@{digest(1)}"))
    recorded = {"image": f"{REGISTRY}/web:1@{digest(1)}", "imageDigest": digest(2)}
    world.amend_tasks(containers=[recorded])
    assert world.found() == {
        (f"web:1@{digest(1)}", task_name(task), True),
        (f"web@{digest(2)}", task_name(task), True),
    }


def test_a_task_of_unnamed_images_holds_those_of_its_task_definition(world: World) -> None:
    world.cluster()
    task = world.task(world.family("web", "web:1"))
    world.amend_tasks(containers=[])
    assert world.found() == {("web:1", task_name(task), True)}


def test_a_task_that_stops_between_the_two_listings_is_seen(world: World) -> None:
    world.cluster()
    task = world.task(world.family("web", "web:1"))

    def amend(_: Call, output: dict[str, Any]) -> dict[str, Any]:
        if len(world.cloud.named("ecs", "ListTasks")) == 1:
            world.ecs.stop_task(cluster="prod", task=task)
        return output

    world.cloud.amend("ecs", "ListTasks", amend)
    assert world.found() == {("web:1", task_name(task), False)}


# Services


def test_a_service_of_no_tasks_uses_every_image_of_its_task_definition(world: World) -> None:
    world.cluster()
    world.service("web", world.family("web", "web:1", "sidecar:2"), desiredCount=0)
    assert world.found() == {("web:1", "prod/web", True), ("sidecar:2", "prod/web", True)}


def test_a_deployment_uses_what_it_replaces(world: World) -> None:
    world.cluster()
    old, new = world.family("web", "web:1"), world.family("web", "web:2")
    world.service("web", new)
    deployments = [{"status": "PRIMARY", "taskDefinition": new}, {"status": "ACTIVE", "taskDefinition": old}]
    world.amend_services(deployments=deployments)
    assert world.found() == {("web:1", "prod/web", True), ("web:2", "prod/web", True)}


@pytest.mark.parametrize("controller", ["EXTERNAL", "CODE_DEPLOY"])
def test_an_idle_task_set_uses_its_images(world: World, controller: str) -> None:
    world.cluster()
    blue, green = world.family("web", "web:blue"), world.family("web", "web:green")
    world.service("web", blue, deploymentController={"type": controller})
    idle = {"status": "ACTIVE", "taskDefinition": green, "computedDesiredCount": 0, "runningCount": 0}
    world.amend_services(taskSets=[{"status": "PRIMARY", "taskDefinition": blue}, idle])
    assert {("web:blue", "prod/web", True), ("web:green", "prod/web", True)} <= world.found()


def test_a_service_that_has_task_sets_alone_uses_theirs(world: World) -> None:
    world.cluster()
    definition = world.family("web", "web:1")
    world.ecs.create_service(
        cluster="prod", serviceName="web", desiredCount=0, deploymentController={"type": "EXTERNAL"}
    )
    world.ecs.create_task_set(cluster="prod", service="web", taskDefinition=definition)
    assert world.found() == {("web:1", "prod/web", True)}


def test_two_services_of_one_definition_are_both_named(world: World) -> None:
    for cluster in ("prod", "test"):
        world.cluster(cluster)
    definition = world.family("web", "web:1")
    for cluster in ("prod", "test"):
        world.service("web", definition, cluster=cluster)
    assert world.found() == {("web:1", "prod/web", True), ("web:1", "test/web", True)}


def test_a_service_holds_the_digests_of_its_current_revision(world: World) -> None:
    world.cluster()
    world.service("web", world.family("web", "web:live"))
    world.amend_services(currentServiceRevisions=[{"arn": f"{REVISION}1"}])
    world.revisions({"serviceRevisionArn": f"{REVISION}1", "image": "web:live", "digest": digest(1)})
    assert world.found() == {("web:live", "prod/web", True), (f"web:live@{digest(1)}", "prod/web", True)}


def test_a_revision_holds_its_task_definition_where_no_image_is_known(world: World) -> None:
    world.cluster()
    old, new = world.family("web", "web:1"), world.family("web", "web:2")
    world.service("web", new)
    world.amend_services(currentServiceRevisions=[{"arn": f"{REVISION}1"}])
    world.revisions({"serviceRevisionArn": f"{REVISION}1", "taskDefinition": old})
    assert world.found() == {("web:1", "prod/web", True), ("web:2", "prod/web", True)}


@pytest.mark.parametrize(
    ("status", "current"),
    [
        ("PENDING", True),
        ("IN_PROGRESS", True),
        ("ROLLBACK_IN_PROGRESS", True),
        ("SUCCESSFUL", False),
    ],
)
def test_what_a_deployment_replaces_is_current_until_it_is_over(world: World, status: str, current: bool) -> None:
    world.cluster()
    world.service("web", world.family("web", "web:live"))
    world.amend_services(currentServiceRevisions=[{"arn": f"{REVISION}2"}], currentServiceDeployment=DEPLOYMENT)
    world.deployments(
        {
            "serviceDeploymentArn": DEPLOYMENT,
            "status": status,
            "sourceServiceRevisions": [{"arn": f"{REVISION}1"}],
            "targetServiceRevision": {"arn": f"{REVISION}2"},
        }
    )
    world.revisions(
        {"serviceRevisionArn": f"{REVISION}1", "image": "web:live", "digest": digest(1)},
        {"serviceRevisionArn": f"{REVISION}2", "image": "web:live", "digest": digest(2)},
    )
    assert world.found() == {
        ("web:live", "prod/web", True),
        (f"web:live@{digest(1)}", "prod/web", current),
        (f"web:live@{digest(2)}", "prod/web", True),
    }


def test_a_service_stays_current_where_an_older_revision_names_its_definition_too(world: World) -> None:
    world.cluster()
    definition = world.family("web", "web:1")
    world.service("web", definition)
    world.amend_services(currentServiceDeployment=DEPLOYMENT)
    old = {
        "serviceDeploymentArn": DEPLOYMENT,
        "status": "SUCCESSFUL",
        "sourceServiceRevisions": [{"arn": f"{REVISION}1"}],
    }
    world.deployments(old)
    world.revisions({"serviceRevisionArn": f"{REVISION}1", "taskDefinition": definition})
    assert world.found() == {("web:1", "prod/web", True)}


def test_a_revision_that_is_gone_back_to_is_current(world: World) -> None:
    world.cluster()
    world.service("web", world.family("web", "web:live"))
    world.amend_services(currentServiceDeployment=DEPLOYMENT)
    world.deployments(
        {
            "serviceDeploymentArn": DEPLOYMENT,
            "status": "ROLLBACK_SUCCESSFUL",
            "targetServiceRevision": {"arn": f"{REVISION}2"},
            "rollback": {"serviceRevisionArn": f"{REVISION}1"},
        }
    )
    world.revisions(
        {"serviceRevisionArn": f"{REVISION}1", "image": "web:live", "digest": digest(1)},
        {"serviceRevisionArn": f"{REVISION}2", "image": "web:live", "digest": digest(2)},
    )
    found = world.found()
    assert (f"web:live@{digest(1)}", "prod/web", True) in found
    assert (f"web:live@{digest(2)}", "prod/web", False) in found


# Task definitions


def test_an_inactive_definition_is_used_by_a_service_that_names_it(world: World) -> None:
    world.cluster()
    definition = world.family("web", "web:1")
    world.service("web", definition)
    world.ecs.deregister_task_definition(taskDefinition=definition)
    assert world.found(revisions=3) == {("web:1", "prod/web", True)}


def test_a_definition_that_is_not_there_any_more_holds_nothing(world: World) -> None:
    world.cluster()
    world.service("web", world.family("web", "web:1"))
    world.amend_services(taskDefinition=f"{ARN}task-definition/gone:1", deployments=[])
    assert world.found() == set()


def test_the_newest_revisions_of_each_family_are_those_of_the_highest_numbers(world: World) -> None:
    for number in range(1, 12):
        world.family("web", f"web:{number}")
    world.family("db", "db:1")
    assert world.found(revisions=2) == {
        ("web:11", "task definition web:11", False),
        ("web:10", "task definition web:10", False),
        ("db:1", "task definition db:1", False),
    }


def test_inactive_revisions_are_not_counted_among_the_newest(world: World) -> None:
    definitions = [world.family("web", f"web:{number}") for number in range(1, 4)]
    world.ecs.deregister_task_definition(taskDefinition=definitions[1])
    assert {image for image, _, _ in world.found(revisions=2)} == {"web:3", "web:1"}


def test_no_revision_is_held_for_being_new_where_none_is_asked_for(world: World) -> None:
    world.family("web", "web:1")
    assert world.found(revisions=0) == set()


def test_a_new_revision_that_something_current_uses_is_told_by_its_user_alone(world: World) -> None:
    world.cluster()
    world.family("web", "web:1")
    world.service("web", world.family("web", "web:2"))
    assert world.found(revisions=3) == {("web:2", "prod/web", True), ("web:1", "task definition web:1", False)}


def test_images_of_other_registries_are_no_uses(world: World) -> None:
    world.cluster()
    images = ["public.ecr.aws/nginx/nginx:1", "nginx", "ghcr.io/a/b:1", f"{REGISTRY}/web:1"]
    containers = [{"name": f"c{number}", "image": image, "memory": 64} for number, image in enumerate(images)]
    world.ecs.register_task_definition(family="web", containerDefinitions=containers)
    world.service("web", "web")
    assert world.found() == {("web:1", "prod/web", True)}


def test_an_image_that_names_a_registry_and_cannot_be_understood_is_an_error(world: World) -> None:
    world.cluster()
    world.service("web", world.family("web", "Web:1"))
    assert "prod/web: an image that can't be understood" in world.refusal()


# Daemons


def test_a_definition_of_daemons_is_described_once_however_often_is_read(world: World) -> None:
    world.cluster()
    deployment = {"daemonDeploymentArn": f"{ARN}daemon-deployment/prod/agent/1", "status": "SUCCESSFUL"}
    world.daemon(current="1", deployment=deployment, revisions={"1": digest(1)})
    discovery = world.discovery()
    assert discovery.read(0).uses == discovery.read(1).uses
    assert len(world.cloud.named("ecs", "DescribeDaemonTaskDefinition")) == 1


def test_a_daemon_holds_the_digests_of_its_revisions_and_the_images_of_its_definition(world: World) -> None:
    world.cluster()
    arn = f"{ARN}daemon-revision/prod/agent/"
    world.daemon(
        current="2",
        deployment={
            "daemonDeploymentArn": f"{ARN}daemon-deployment/prod/agent/1",
            "status": "SUCCESSFUL",
            "sourceDaemonRevisions": [{"arn": f"{arn}1"}],
            "targetDaemonRevision": {"arn": f"{arn}2"},
            "rollback": {"rollbackTargetDaemonRevisionArn": f"{arn}0"},
        },
        revisions={"0": digest(3), "1": digest(1), "2": digest(2)},
    )
    assert world.found() == {
        (f"agent:1@{digest(3)}", "prod/daemon/agent", True),
        (f"agent:1@{digest(1)}", "prod/daemon/agent", False),
        (f"agent:1@{digest(2)}", "prod/daemon/agent", True),
        ("agent:1", "prod/daemon/agent", False),
        ("agent:1", "prod/daemon/agent", True),
        ("sidecar:1", "prod/daemon/agent", False),
        ("sidecar:1", "prod/daemon/agent", True),
    }


@pytest.mark.parametrize("code", ["UnknownOperationException", "InvalidAction", "UnsupportedFeatureException"])
def test_a_region_that_knows_no_daemons_has_none(world: World, code: str) -> None:
    world.cluster()
    world.service("web", world.family("web", "web:1"))
    world.cloud.fail("ecs", "ListDaemons", status=400, code=code)
    assert world.found() == {("web:1", "prod/web", True)}


# How many calls


def test_an_account_without_clusters_costs_four_calls(world: World) -> None:
    assert world.calls() == {"ListClusters": 1, "ListSchedules": 1, "ListStateMachines": 1, "ListTaskDefinitions": 1}


def test_a_small_world_is_read_in_the_fewest_calls(world: World) -> None:
    for cluster in ("prod", "test"):
        world.cluster(cluster)
    definition = world.family("web", "web:1")
    for number in range(11):
        world.service(f"s{number}", definition)
    world.service("web", definition, cluster="test")
    world.task(definition)
    world.amend_services(currentServiceRevisions=[{"arn": f"{REVISION}1"}], currentServiceDeployment=DEPLOYMENT)
    assert world.calls() == {
        "ListClusters": 1,
        "ListServices": 2,
        "DescribeServices": 3,
        "DescribeServiceDeployments": 1,
        "DescribeServiceRevisions": 1,
        "ListTasks": 4,
        "DescribeTasks": 1,
        "ListDaemons": 2,
        "ListEventBuses": 1,
        "ListRuleNamesByTarget": 2,
        "ListSchedules": 1,
        "ListStateMachines": 1,
        "ListTaskDefinitions": 1,
        "DescribeTaskDefinition": 1,
    }


def test_no_call_names_more_than_its_operation_takes(world: World) -> None:
    """The cloud refuses calls above AWS's limits of 10, 20 and 100."""
    world.cluster()
    definition = world.family("web", "web:1")
    for number in range(21):
        world.service(f"s{number}", definition)
    for _ in range(11):
        world.task(definition, count=10)

    def amend(_: Call, output: dict[str, Any]) -> dict[str, Any]:
        for service in output["services"]:
            name = service["serviceName"]
            service["currentServiceDeployment"] = f"{ARN}service-deployment/prod/{name}/1"
            service["currentServiceRevisions"] = [{"arn": f"{ARN}service-revision/prod/{name}/1"}]
        return output

    world.cloud.amend("ecs", "DescribeServices", amend)
    calls = world.calls()
    assert (calls["DescribeServices"], calls["DescribeTasks"]) == (3, 2)
    assert (calls["DescribeServiceDeployments"], calls["DescribeServiceRevisions"]) == (2, 2)


def test_a_definition_is_described_once_however_many_use_it_and_however_often_is_read(world: World) -> None:
    world.cluster()
    definition = world.family("web", "web:1")
    for name in ("a", "b"):
        world.service(name, definition)
    discovery = world.discovery(revisions=3)
    assert discovery.read(0).uses == discovery.read(1).uses
    assert len(world.cloud.named("ecs", "DescribeTaskDefinition")) == 1


def test_listings_are_read_to_their_last_page(world: World) -> None:
    for number in range(3):
        world.cluster(f"c{number}")
        definition = world.family("web", f"web:{number}")
        world.service("a", definition, cluster=f"c{number}")
        world.service("b", definition, cluster=f"c{number}")
        for _ in range(2):
            world.task(definition, cluster=f"c{number}")
        world.family(f"family{number}", f"new:{number}")
    for operation in ("ListClusters", "ListServices", "ListTasks", "ListTaskDefinitions"):
        world.cloud.paginate("ecs", operation, size_limit=1, hollow=True)
    found = world.found(revisions=1)
    services = {(f"web:{number}", f"c{number}/{name}", True) for number in range(3) for name in "ab"}
    new = {(f"new:{number}", f"task definition family{number}:1", False) for number in range(3)}
    assert services | new <= found
    assert len(found - services - new) == 6
    assert all("/task/" in workload for _, workload, _ in found - services - new)


def test_daemons_are_listed_to_the_last_page(world: World) -> None:
    world.cluster()
    names = [f"{ARN}daemon/prod/d{number}" for number in range(3)]
    rows = {"daemonSummariesList": [{"daemonArn": name} for name in names]}
    world.cloud.answer("ecs", "ListDaemons", lambda _: rows)
    detail = {"currentRevisions": [], "clusterArn": f"{ARN}cluster/prod"}
    world.cloud.answer("ecs", "DescribeDaemon", lambda call: {"daemon": {**call.parameters, **detail}})
    world.cloud.paginate("ecs", "ListDaemons", size_limit=1)
    assert world.calls()["DescribeDaemon"] == 3
