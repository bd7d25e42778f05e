"""What is told to run at some time or on some event: rules, schedules, state machines."""

import json
from typing import Any

import pytest

from tests.aws.calls import ACCOUNT, Call
from tests.aws.server import Answering
from tests.discovery.ecs_world import ARN, ROLE, World
from tests.discovery.worlds import REGISTRY, digest

RUN_TASK = "arn:aws:scheduler:::aws-sdk:ecs:runTask"
MACHINE = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:etl"


# Rules


@pytest.mark.parametrize("state", ["ENABLED", "DISABLED"])
def test_a_rule_uses_the_definition_that_it_runs(world: World, state: str) -> None:
    cluster = world.cluster()
    world.rule("nightly", world.family("job", "job:1"), cluster=cluster, state=state)
    assert world.found() == {("job:1", "rule default/nightly", True)}


def test_rules_of_all_buses_and_clusters_are_found_each_once(world: World) -> None:
    clusters = [world.cluster("prod"), world.cluster("test")]
    definition = world.family("job", "job:1")
    for bus in ("orders", "stock"):
        world.aws("events").create_event_bus(Name=bus)
        for number, cluster in enumerate(clusters):
            world.rule(f"r{number}", definition, cluster=cluster, bus=bus)
    for operation in ("ListEventBuses", "ListRuleNamesByTarget", "ListTargetsByRule"):
        world.cloud.paginate("events", operation, size_limit=1)
    workloads = {f"rule {bus}/r{number}" for bus in ("orders", "stock") for number in (0, 1)}
    assert world.found() == {("job:1", workload, True) for workload in workloads}
    assert len(world.cloud.named("events", "ListRuleNamesByTarget")) == 6


def test_a_rule_of_two_clusters_is_read_once(world: World) -> None:
    clusters = [world.cluster("prod"), world.cluster("test")]
    world.rule("nightly", world.family("job", "job:1"), cluster=clusters[0])
    runs = {"TaskDefinitionArn": world.family("job", "job:2")}
    target = {"Id": "2", "Arn": clusters[1], "RoleArn": ROLE, "EcsParameters": runs}
    world.aws("events").put_targets(Rule="nightly", Targets=[target])
    assert world.found() == {("job:1", "rule default/nightly", True), ("job:2", "rule default/nightly", True)}
    assert len(world.cloud.named("events", "ListTargetsByRule")) == 1


def test_a_target_of_another_kind_is_no_use(world: World) -> None:
    cluster = world.cluster()
    world.rule("nightly", world.family("job", "job:1"), cluster=cluster)
    queue = {"Id": "2", "Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"}
    world.aws("events").put_targets(Rule="nightly", Targets=[queue])
    assert world.found() == {("job:1", "rule default/nightly", True)}


# Schedules


@pytest.mark.parametrize("state", ["ENABLED", "DISABLED"])
def test_a_schedule_uses_the_definition_that_it_runs(world: World, state: str) -> None:
    definition = world.family("job", "job:1")
    runs = {"TaskDefinitionArn": definition}
    world.schedule("nightly", world.cluster(), state=state, EcsParameters=runs)
    assert world.found() == {("job:1", "schedule default/nightly", True)}


def test_schedules_of_all_groups_are_read_to_the_last_page(world: World) -> None:
    cluster, definition = world.cluster(), world.family("job", "job:1")
    world.aws("scheduler").create_schedule_group(Name="batch")
    for group in ("default", "batch"):
        for name in ("a", "b"):
            world.schedule(name, cluster, group=group, EcsParameters={"TaskDefinitionArn": definition})
    world.cloud.paginate("scheduler", "ListSchedules", size_limit=1)
    workloads = {f"schedule {group}/{name}" for group in ("default", "batch") for name in ("a", "b")}
    assert world.found() == {("job:1", workload, True) for workload in workloads}


@pytest.mark.parametrize("name", [f"{ARN}task-definition/job", f"{ARN}task-definition/job:10", "job", "job:10"])
def test_a_name_without_revision_is_the_newest_active_one(world: World, name: str) -> None:
    cluster = world.cluster()
    for number in range(1, 12):
        definition = world.family("job", f"job:{number}")
    world.ecs.deregister_task_definition(taskDefinition=definition)
    world.schedule("nightly", cluster, EcsParameters={"TaskDefinitionArn": name})
    assert world.found() == {("job:10", "schedule default/nightly", True)}


@pytest.mark.parametrize(
    "name",
    [
        f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition/job:1",
        "arn:aws:ecs:us-east-1:210987654321:task-definition/job:1",
        f"{ARN}task-definition/never-registered",
        f"{ARN}task-definition/job:99",
    ],
)
def test_a_definition_elsewhere_or_nowhere_is_no_use(world: World, name: str) -> None:
    cluster = world.cluster()
    world.family("job", "job:1")
    world.schedule("nightly", cluster, EcsParameters={"TaskDefinitionArn": name})
    assert world.found() == set()


@pytest.mark.parametrize("key", ["TaskDefinition", "taskDefinition"])
def test_a_schedule_of_any_call_of_ecs_uses_the_definition_in_its_input(world: World, key: str) -> None:
    world.family("job", "job:1")
    world.schedule("nightly", RUN_TASK, Input=json.dumps({"Cluster": "prod", key: "job:1"}))
    assert world.found() == {("job:1", "schedule default/nightly", True)}


def test_what_the_scheduler_fills_in_does_not_hide_the_rest(world: World) -> None:
    world.family("job", "job:1")
    words = '{"TaskDefinition": "job", "Count": <aws.scheduler.attempt-number>, "Tag": "<aws.scheduler.execution-id>"}'
    world.schedule("nightly", RUN_TASK, Input=words)
    assert world.found() == {("job:1", "schedule default/nightly", True)}


def test_input_that_cannot_be_read_is_an_error(world: World) -> None:
    world.schedule("nightly", RUN_TASK, Input='{"TaskDefinition": "job"')
    assert "schedule default/nightly: no JSON" in world.refusal()


def test_a_schedule_of_a_call_of_sagemaker_uses_the_image_in_its_input(world: World) -> None:
    image = {"AppSpecification": {"ImageUri": f"{REGISTRY}/train:1"}}
    world.schedule("nightly", "arn:aws:scheduler:::aws-sdk:sagemaker:createProcessingJob", Input=json.dumps(image))
    assert world.found() == {("train:1", "schedule default/nightly", True)}


def test_schedules_that_can_start_nothing_of_an_image_are_not_looked_at(world: World) -> None:
    world.schedule("a", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f")
    world.schedule("b", "arn:aws:scheduler:::aws-sdk:ec2:stopInstances", Input=json.dumps({"InstanceIds": ["i-1"]}))
    assert world.calls()["GetSchedule"] == 0


# State machines


def test_a_state_machine_uses_the_definition_that_it_runs(world: World) -> None:
    world.state_machine("etl", {"Cluster": "prod", "TaskDefinition": world.family("job", "job:1")})
    assert world.found() == {("job:1", "state machine etl", True)}


def test_definitions_and_images_are_found_however_deep_they_stand(world: World) -> None:
    world.family("job", "job:1")
    deep = [{"Branches": [{"States": {"a": {"Parameters": {"TaskDefinition": "job"}}}}]}]
    image = {"AlgorithmSpecification": {"TrainingImage": f"{REGISTRY}/train@{digest(1)}"}}
    world.state_machine("etl", {"Deep": deep, "Training": image, "Command": f"docker run {REGISTRY}/tool:2 --fast"})
    assert world.found() == {
        ("job:1", "state machine etl", True),
        (f"train@{digest(1)}", "state machine etl", True),
        ("tool:2", "state machine etl", True),
    }


@pytest.mark.parametrize(
    "parameters",
    [
        {"TaskDefinition.$": "$.definition"},
        {"TaskDefinition.$": "States.Format('job:{}', $.revision)"},
        {"TaskDefinition": "{% $definition %}"},
        {"Image.$": f"States.Format('{REGISTRY}/job:{{}}', $.tag)"},
    ],
)
def test_an_expression_names_nothing_but_the_newest_revisions_are_held_anyway(
    world: World, parameters: dict[str, Any]
) -> None:
    world.family("job", "job:1")
    world.state_machine("etl", parameters)
    assert world.found(revisions=1) == {("job:1", "task definition job:1", False)}


def version(number: int, created: int = 1_700_000_000) -> dict[str, Any]:
    return {"stateMachineVersionArn": f"{MACHINE}:{number}", "creationDate": created}


def versions(*found: dict[str, Any]) -> Answering:
    return lambda _: {"stateMachineVersions": list(found)}


def definition_of(call: Call) -> dict[str, Any]:
    """Each version of the machine runs the definition of its number, the machine itself job:9."""
    arn = call.parameters["stateMachineArn"]
    number = "9" if arn == MACHINE else arn.rpartition(":")[2]
    return {
        "stateMachineArn": arn,
        "name": "etl",
        "definition": json.dumps({"States": {"a": {"Parameters": {"TaskDefinition": f"job:{number}"}}}}),
        "roleArn": ROLE,
        "type": "STANDARD",
        "creationDate": 0,
    }


def test_every_version_of_a_state_machine_is_read_but_only_once(world: World) -> None:
    for number in range(1, 10):
        world.family("job", f"job:{number}")
    world.state_machine("etl", {})
    world.cloud.answer("stepfunctions", "DescribeStateMachine", definition_of)
    world.cloud.answer("stepfunctions", "ListStateMachineVersions", versions(version(1), version(2)))
    world.cloud.paginate("stepfunctions", "ListStateMachineVersions", size_limit=1)
    discovery = world.discovery()
    found = [discovery.read(0), discovery.read(1)]
    uses = {(use.workload, use.reference.tag, use.current) for of_it in found[0].uses.values() for use in of_it}
    assert uses == {
        ("state machine etl", "9", True),
        ("state machine etl:1", "1", False),
        ("state machine etl:2", "2", False),
    }
    assert found[0].uses == found[1].uses
    described = [
        call.parameters["stateMachineArn"] for call in world.cloud.named("stepfunctions", "DescribeStateMachine")
    ]
    assert sorted(described) == [MACHINE, MACHINE, f"{MACHINE}:1", f"{MACHINE}:2"]


def test_a_version_of_a_state_machine_made_anew_is_read_anew(world: World) -> None:
    world.family("job", "job:1")
    world.state_machine("etl", {})
    discovery = world.discovery()
    for created in (1, 2):
        world.cloud.answer("stepfunctions", "ListStateMachineVersions", versions(version(1, created)))
        world.cloud.answer("stepfunctions", "DescribeStateMachine", definition_of)
        assert discovery.read(0).unread == ()
    described = [each.parameters for each in world.cloud.named("stepfunctions", "DescribeStateMachine")]
    assert described.count({"stateMachineArn": f"{MACHINE}:1"}) == 2


def test_state_machines_are_read_to_the_last_page(world: World) -> None:
    world.family("job", "job:1")
    for name in ("a", "b", "c"):
        world.state_machine(name, {"TaskDefinition": "job"})
    world.cloud.paginate("stepfunctions", "ListStateMachines", size_limit=1, hollow=True)
    assert {workload for _, workload, _ in world.found()} == {f"state machine {name}" for name in "abc"}
