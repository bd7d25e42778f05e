"""Answers for what moto 5.2.5 does not implement: those of an account that has no such thing.

A test that needs more registers an answer of its own, which comes first.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tests.aws.calls import Call
from tests.aws.paging import members_of
from tests.aws.wire import Refusal

EMPTY = (
    ("ecs", "ListServiceDeployments"),
    ("ecs", "ListDaemons"),
    ("ecs", "ListDaemonDeployments"),
    ("ecs", "ListDaemonTaskDefinitions"),
    ("apprunner", "ListServices"),
    ("bedrock-agentcore-control", "ListHarnesses"),
    ("codebuild", "ListFleets"),
    ("gamelift", "ListContainerGroupDefinitions"),
    ("imagebuilder", "ListContainerRecipes"),
    ("imagebuilder", "ListImagePipelines"),
    ("imagebuilder", "ListImages"),
    ("imagebuilder", "ListImageBuildVersions"),
    ("inspector2", "GetClustersForImage"),
    ("inspector2", "ListCoverage"),
    ("sagemaker", "ListAlgorithms"),
    ("sagemaker", "ListAppImageConfigs"),
    ("sagemaker", "ListImages"),
    ("sagemaker", "ListImageVersions"),
    ("sagemaker", "ListInferenceComponents"),
    ("sagemaker", "ListMonitoringSchedules"),
    ("sagemaker", "ListOptimizationJobs"),
    ("sagemaker", "ListPipelineVersions"),
    ("sagemaker", "ListSpaces"),
    ("sagemaker", "ListUserProfiles"),
)


def _nothing(call: Call) -> dict[str, Any]:
    return {members_of(call.model).items: []}


def _missing(asked: str, found: str) -> Callable[[Call], dict[str, Any]]:
    """ECS's answer to names that it does not know."""

    def answer(call: Call) -> dict[str, Any]:
        return {found: [], "failures": [{"arn": arn, "reason": "MISSING"} for arn in call.parameters.get(asked, [])]}

    return answer


def _no_service(call: Call) -> dict[str, Any]:
    raise Refusal("ResourceNotFoundException", f"Service not found: {call.parameters.get('ServiceArn')}")


ANSWERS: Mapping[tuple[str, str], Callable[[Call], dict[str, Any]]] = {
    **dict.fromkeys(EMPTY, _nothing),
    ("ecs", "DescribeServiceRevisions"): _missing("serviceRevisionArns", "serviceRevisions"),
    ("ecs", "DescribeServiceDeployments"): _missing("serviceDeploymentArns", "serviceDeployments"),
    ("ecs", "DescribeDaemonRevisions"): _missing("daemonRevisionArns", "daemonRevisions"),
    ("ecs", "DescribeDaemonDeployments"): _missing("daemonDeploymentArns", "daemonDeployments"),
    ("apprunner", "DescribeService"): _no_service,
}
"""By service and operation."""
