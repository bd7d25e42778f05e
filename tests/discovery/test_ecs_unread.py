"""ECS is read whole or not at all; what went since it was listed is no loss."""

from typing import Any

import pytest

from tests.aws.calls import Call
from tests.aws.wire import Refusal
from tests.discovery.ecs_world import ARN, World
from tests.discovery.worlds import digest

WEB = f"{ARN}service-revision/prod/web/1"
KEPT = ("web:1", "prod/web", True)


@pytest.fixture
def busy(world: World) -> World:
    """A cluster with a service and a task, and one with nothing."""
    world.cluster("prod")
    world.cluster("test")
    definition = world.family("web", "web:1")
    world.service("web", definition)
    world.task(definition)
    return world


def of_cluster(name: str) -> Any:
    return lambda call: call.parameters.get("cluster", call.parameters.get("clusterArn")) == f"{ARN}cluster/{name}"


@pytest.mark.parametrize("operation", ["ListServices", "ListTasks", "ListDaemons"])
def test_one_cluster_that_may_not_be_read_leaves_the_source_unread(busy: World, operation: str) -> None:
    busy.cloud.deny("ecs", operation, when=of_cluster("test"))
    assert f"the permission ecs:{operation} is missing" in busy.refusal()


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("ecs", "ListClusters"),
        ("ecs", "DescribeServices"),
        ("ecs", "DescribeTasks"),
        ("ecs", "ListTaskDefinitions"),
        ("ecs", "DescribeTaskDefinition"),
        ("events", "ListEventBuses"),
        ("events", "ListRuleNamesByTarget"),
        ("scheduler", "ListSchedules"),
        ("stepfunctions", "ListStateMachines"),
    ],
)
def test_a_call_that_is_refused_leaves_the_source_unread(busy: World, service: str, operation: str) -> None:
    busy.cloud.deny(service, operation)
    prefix = "states" if service == "stepfunctions" else service
    assert f"the permission {prefix}:{operation} is missing" in busy.refusal()


@pytest.mark.parametrize("fault", ["throttle", "fail", "cut", "garbage"])
def test_a_call_without_an_answer_leaves_the_source_unread(busy: World, fault: str) -> None:
    getattr(busy.cloud, fault)("ecs", "DescribeServices")
    assert "DescribeServices: " in busy.refusal()


@pytest.mark.parametrize("operation", ["ListClusters", "ListServices", "ListTasks", "ListTaskDefinitions"])
def test_a_second_page_that_is_cut_off_leaves_the_source_unread(busy: World, operation: str) -> None:
    busy.family("web", "web:2")
    busy.service("api", "web:2")
    busy.task("web:2")
    busy.cloud.paginate("ecs", operation, size_limit=1)
    busy.cloud.cut("ecs", operation, when=lambda call: "nextToken" in call.parameters)
    assert operation in busy.refusal()


@pytest.mark.parametrize(("operation", "answer"), [("DescribeServices", "services"), ("DescribeTasks", "tasks")])
def test_what_is_missing_went_after_it_was_listed(busy: World, operation: str, answer: str) -> None:
    gone = {answer: [], "failures": [{"arn": "it", "reason": "MISSING"}]}
    busy.cloud.answer("ecs", operation, lambda _: gone)
    assert len(busy.found()) == 1


@pytest.mark.parametrize(("operation", "answer"), [("DescribeServices", "services"), ("DescribeTasks", "tasks")])
def test_what_fails_for_any_other_reason_is_an_error(busy: World, operation: str, answer: str) -> None:
    failed = {answer: [], "failures": [{"arn": "it", "reason": "INTERNAL", "detail": "try later"}]}
    busy.cloud.answer("ecs", operation, lambda _: failed)
    assert busy.refusal() == f"{operation}: it: INTERNAL: try later"


@pytest.mark.parametrize(("operation", "answer"), [("DescribeServices", "services"), ("DescribeTasks", "tasks")])
def test_what_is_left_out_of_an_answer_without_a_reason_is_an_error(busy: World, operation: str, answer: str) -> None:
    busy.cloud.answer("ecs", operation, lambda _: {answer: []})
    assert "of 1 asked for, 0 were described" in busy.refusal()


@pytest.mark.parametrize("operation", ["DescribeServiceDeployments", "DescribeServiceRevisions"])
def test_revisions_and_deployments_that_are_missing_are_no_loss_and_others_are(busy: World, operation: str) -> None:
    busy.amend_services(currentServiceRevisions=[{"arn": WEB}], currentServiceDeployment=f"{ARN}service-deployment/1")
    assert KEPT in busy.found()
    answer = {"DescribeServiceDeployments": "serviceDeployments", "DescribeServiceRevisions": "serviceRevisions"}
    failed = {answer[operation]: [], "failures": [{"arn": WEB, "reason": "ACCESS_DENIED"}]}
    busy.cloud.answer("ecs", operation, lambda _: failed)
    assert busy.refusal() == f"{operation}: {WEB}: ACCESS_DENIED"


@pytest.mark.parametrize("operation", ["ListServices", "ListTasks", "ListDaemons", "DescribeServices", "DescribeTasks"])
def test_a_cluster_that_went_after_it_was_listed_takes_nothing_else_with_it(busy: World, operation: str) -> None:
    definition = busy.family("job", "job:1")
    busy.cluster("gone")
    busy.service("job", definition, cluster="gone")
    busy.task(definition, cluster="gone")
    busy.cloud.fail(
        "ecs", operation, when=of_cluster("gone"), status=400, code="ClusterNotFoundException", message="Not found."
    )
    found = busy.found()
    assert KEPT in found
    assert len([use for use in found if use[1].startswith("prod/task/")]) == 1


def test_a_service_that_went_does_not_hide_the_revisions_asked_for_beside_it(world: World) -> None:
    world.cluster()
    definition = world.family("web", "web:live")
    for number in range(5):
        world.service(f"s{number}", definition)
    revisions = [f"{ARN}service-revision/prod/s{number}/1" for number in range(5)]

    def amend(_: Call, output: dict[str, Any]) -> dict[str, Any]:
        for service in output["services"]:
            service["currentServiceRevisions"] = [{"arn": f"{ARN}service-revision/prod/{service['serviceName']}/1"}]
        return output

    world.cloud.amend("ecs", "DescribeServices", amend)
    world.revisions(*({"serviceRevisionArn": arn, "image": "web:live", "digest": digest(1)} for arn in revisions))
    world.cloud.fail(
        "ecs",
        "DescribeServiceRevisions",
        when=lambda call: revisions[3] in call.parameters["serviceRevisionArns"],
        status=400,
        code="ServiceNotFoundException",
    )
    pinned = {workload for image, workload, _ in world.found() if "@" in image}
    assert pinned == {"prod/s0", "prod/s1", "prod/s2", "prod/s4"}


def test_a_daemon_that_went_is_no_loss(busy: World) -> None:
    busy.cloud.answer("ecs", "ListDaemons", lambda _: {"daemonSummariesList": [{"daemonArn": f"{ARN}daemon/prod/a"}]})
    busy.cloud.fail("ecs", "DescribeDaemon", status=400, code="DaemonNotFoundException")
    assert KEPT in busy.found()


def test_daemons_that_may_not_be_read_are_not_taken_for_none(busy: World) -> None:
    busy.cloud.fail("ecs", "ListDaemons", status=400, code="ClientException")
    assert "ListDaemons: ClientException" in busy.refusal()


def test_a_definition_that_fails_to_be_described_is_not_taken_for_gone(busy: World) -> None:
    busy.cloud.fail("ecs", "DescribeTaskDefinition", status=400, code="ClientException", message="Too many of them.")
    assert "DescribeTaskDefinition: ClientException: Too many of them." in busy.refusal()


def test_what_is_told_to_run_and_went_after_it_was_listed_is_no_loss(busy: World) -> None:
    cluster, definition = f"{ARN}cluster/prod", f"{ARN}task-definition/web:1"
    busy.rule("nightly", definition, cluster=cluster)
    busy.schedule("nightly", cluster, EcsParameters={"TaskDefinitionArn": definition})
    busy.state_machine("etl", {"TaskDefinition": definition})
    before = busy.found()
    busy.cloud.fail("events", "ListTargetsByRule", status=400, code="ResourceNotFoundException")
    busy.cloud.fail("scheduler", "GetSchedule", status=404, code="ResourceNotFoundException")
    busy.cloud.fail("stepfunctions", "DescribeStateMachine", status=400, code="StateMachineDoesNotExist")
    gone = {"rule default/nightly", "schedule default/nightly", "state machine etl"}
    assert busy.found() == {use for use in before if use[1] not in gone}
    assert gone <= {use[1] for use in before}


def test_a_bus_that_went_is_no_loss(busy: World) -> None:
    busy.cloud.fail("events", "ListRuleNamesByTarget", status=400, code="ResourceNotFoundException")
    assert KEPT in busy.found()


def test_what_ecs_says_of_clusters_is_not_believed_of_other_services(busy: World) -> None:
    def refuse(_: Call) -> dict[str, Any]:
        raise Refusal("ClusterNotFoundException", "Cluster not found.")

    busy.cloud.answer("stepfunctions", "ListStateMachines", refuse)
    assert "ListStateMachines: ClusterNotFoundException" in busy.refusal()


def test_a_definition_that_cannot_be_decrypted_is_an_error(busy: World) -> None:
    busy.state_machine("etl", {})
    busy.cloud.fail("stepfunctions", "DescribeStateMachine", status=400, code="KmsAccessDeniedException")
    assert "KmsAccessDeniedException" in busy.refusal()
