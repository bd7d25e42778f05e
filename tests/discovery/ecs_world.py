"""An account with clusters and all that runs in them, in few words; and what is found there."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from aws_ecr_gc.discovery.reading import Discovery
from aws_ecr_gc.usage import InUse
from tests.aws.calls import ACCOUNT, Call
from tests.aws.server import Cloud
from tests.discovery.worlds import REGISTRY, Found, uses

ARN = f"arn:aws:ecs:us-east-1:{ACCOUNT}:"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/runs"


class World:
    """What a test creates, by moto where moto can."""

    def __init__(self, cloud: Cloud, aws: Callable[..., Any], discovery: Callable[..., Discovery]) -> None:
        self.cloud = cloud
        self.aws = aws
        self.ecs = aws("ecs")
        self._discovery = discovery
        self._subnet: str | None = None
        cloud.answer("stepfunctions", "ListStateMachineVersions", lambda _: {"stateMachineVersions": []})

    # What is read

    def read(self, *, revisions: int = 0) -> InUse:
        return self.discovery(revisions=revisions).read(0)

    def discovery(self, *, revisions: int = 0) -> Discovery:
        return self._discovery("ecs", revisions=revisions)

    def found(self, *, revisions: int = 0) -> set[Found]:
        """What is found when all of it can be read."""
        in_use = self.read(revisions=revisions)
        assert in_use.unread == ()
        return uses(in_use)

    def refusal(self) -> str:
        """Why ECS could not be read; then nothing is known of it."""
        in_use = self.read()
        assert (uses(in_use), in_use.read) == (set(), ())
        [unread] = in_use.unread
        assert str(unread.origin) == f"ecs@{ACCOUNT}/us-east-1"
        return unread.reason

    def calls(self) -> Counter[str]:
        """How often each operation was called, STS aside, by one reading from now on."""
        before = len(self.cloud.calls)
        self.found()
        return Counter(call.operation for call in self.cloud.calls[before:] if call.service != "sts")

    # What is there

    def cluster(self, name: str = "prod") -> str:
        return str(self.ecs.create_cluster(clusterName=name)["cluster"]["clusterArn"])

    def family(self, name: str, *images: str) -> str:
        """Register a revision with a container for each image; its ARN."""
        containers = [
            {"name": f"c{number}", "image": f"{REGISTRY}/{image}", "memory": 64} for number, image in enumerate(images)
        ]
        made = self.ecs.register_task_definition(family=name, containerDefinitions=containers)
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def service(self, name: str, definition: str, *, cluster: str = "prod", **more: Any) -> str:
        made = self.ecs.create_service(
            cluster=cluster, serviceName=name, taskDefinition=definition, **{"desiredCount": 0, **more}
        )
        return str(made["service"]["serviceArn"])

    def task(self, definition: str, *, cluster: str = "prod", count: int = 1) -> str:
        """Run tasks; the ARN of the last."""
        self._subnet = self._subnet or self.aws("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
        started = self.ecs.run_task(
            cluster=cluster,
            taskDefinition=definition,
            count=count,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": [self._subnet]}},
        )
        return str(started["tasks"][-1]["taskArn"])

    def rule(self, name: str, definition: str, *, cluster: str, bus: str = "default", state: str = "ENABLED") -> None:
        events = self.aws("events")
        pattern = json.dumps({"source": ["test"]})
        events.put_rule(Name=name, EventBusName=bus, EventPattern=pattern, State=state)
        runs = {"TaskDefinitionArn": definition}
        target = {"Id": "1", "Arn": cluster, "RoleArn": ROLE, "EcsParameters": runs}
        events.put_targets(Rule=name, EventBusName=bus, Targets=[target])

    def schedule(self, name: str, arn: str, *, state: str = "ENABLED", group: str = "default", **target: Any) -> None:
        self.aws("scheduler").create_schedule(
            Name=name,
            GroupName=group,
            State=state,
            ScheduleExpression="rate(1 day)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": arn, "RoleArn": ROLE, **target},
        )

    def state_machine(self, name: str, parameters: dict[str, Any], *, publish: bool = False) -> str:
        """A machine of one step with these parameters; the ARN of the machine."""
        step = {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync", "Parameters": parameters, "End": True}
        made = self.aws("stepfunctions").create_state_machine(
            name=name,
            definition=json.dumps({"StartAt": "run", "States": {"run": step}}),
            roleArn=ROLE,
            publish=publish,
        )
        return str(made["stateMachineArn"])

    # What moto lacks

    def revisions(self, *revisions: dict[str, Any]) -> None:
        """Let these be the service revisions; each needs serviceRevisionArn, and takes image, digest and more."""
        known = {each["serviceRevisionArn"]: _service_revision(**each) for each in revisions}
        self.cloud.answer(
            "ecs", "DescribeServiceRevisions", _describing(known, "serviceRevisionArns", "serviceRevisions")
        )

    def deployments(self, *deployments: dict[str, Any]) -> None:
        known = {each["serviceDeploymentArn"]: each for each in deployments}
        self.cloud.answer(
            "ecs", "DescribeServiceDeployments", _describing(known, "serviceDeploymentArns", "serviceDeployments")
        )

    def amend_services(self, **members: Any) -> None:
        """Give every service that is described these members."""

        def amend(_: Call, output: dict[str, Any]) -> dict[str, Any]:
            return {**output, "services": [{**service, **members} for service in output["services"]]}

        self.cloud.amend("ecs", "DescribeServices", amend)

    def amend_tasks(self, **members: Any) -> None:
        """Give every task that is described these members."""

        def amend(_: Call, output: dict[str, Any]) -> dict[str, Any]:
            return {**output, "tasks": [{**task, **members} for task in output["tasks"]]}

        self.cloud.amend("ecs", "DescribeTasks", amend)

    def daemon(
        self, name: str = "agent", *, current: str, deployment: dict[str, Any], revisions: dict[str, str]
    ) -> None:
        """A daemon of the cluster prod; `revisions` are digests of the image NAME:1 by the revision's id."""
        cluster, arn = f"{ARN}cluster/prod", f"{ARN}daemon/prod/{name}"
        known = {
            f"{ARN}daemon-revision/prod/{name}/{number}": _daemon_revision(arn, cluster, name, number, found)
            for number, found in revisions.items()
        }
        describing = {f"{ARN}daemon-deployment/prod/{name}/1": deployment}
        detail = {
            "daemonArn": arn,
            "clusterArn": cluster,
            "currentRevisions": [{"arn": f"{ARN}daemon-revision/prod/{name}/{current}"}],
            "deploymentArn": f"{ARN}daemon-deployment/prod/{name}/1",
        }
        self.cloud.answer("ecs", "ListDaemons", lambda _: {"daemonSummariesList": [{"daemonArn": arn}]})
        self.cloud.answer("ecs", "DescribeDaemon", lambda _: {"daemon": detail})
        self.cloud.answer(
            "ecs", "DescribeDaemonDeployments", _describing(describing, "daemonDeploymentArns", "daemonDeployments")
        )
        self.cloud.answer("ecs", "DescribeDaemonRevisions", _describing(known, "daemonRevisionArns", "daemonRevisions"))
        containers = [{"name": "a", "image": f"{REGISTRY}/{name}:1"}, {"name": "b", "image": f"{REGISTRY}/sidecar:1"}]
        self.cloud.answer(
            "ecs",
            "DescribeDaemonTaskDefinition",
            lambda call: {
                "daemonTaskDefinition": {
                    "daemonTaskDefinitionArn": call.parameters["daemonTaskDefinition"],
                    "containerDefinitions": containers,
                }
            },
        )


def _daemon_revision(arn: str, cluster: str, name: str, number: str, found: str) -> dict[str, Any]:
    return {
        "daemonRevisionArn": f"{ARN}daemon-revision/prod/{name}/{number}",
        "daemonArn": arn,
        "clusterArn": cluster,
        "daemonTaskDefinitionArn": f"{ARN}daemon-task-definition/{name}:1",
        "containerImages": [{"containerName": "a", "image": f"{REGISTRY}/{name}:1", "imageDigest": found}],
    }


def _service_revision(image: str | None = None, digest: str | None = None, **members: Any) -> dict[str, Any]:
    service = members["serviceRevisionArn"].removeprefix(f"{ARN}service-revision/").rpartition("/")[0]
    found = {"containerName": "c0", "image": f"{REGISTRY}/{image}", **({"imageDigest": digest} if digest else {})}
    return {
        "serviceArn": f"{ARN}service/{service}",
        "clusterArn": f"{ARN}cluster/{service.partition('/')[0]}",
        "containerImages": [found] if image else [],
        **members,
    }


def _describing(known: dict[str, Any], names: str, answer: str) -> Callable[[Call], dict[str, Any]]:
    """ECS's way to describe several things: what is known, and a failure for each other."""

    def describe(call: Call) -> dict[str, Any]:
        asked = call.parameters[names]
        assert len(asked) <= 20
        missing = [{"arn": arn, "reason": "MISSING"} for arn in asked if arn not in known]
        return {answer: [known[arn] for arn in asked if arn in known], "failures": missing}

    return describe
