"""Bedrock AgentCore: agent runtimes and harnesses."""

from datetime import UTC, datetime
from typing import Any

import pytest

from aws_ecr_gc.discovery.sources import SOURCES
from tests.aws.calls import Call
from tests.aws.conftest import Aws
from tests.aws.server import Cloud
from tests.discovery.worlds import Reading, digest, listing, naming, needed, uri, vanish

_SERVICE = "bedrock-agentcore-control"
_THEN = datetime(2026, 1, 1, tzinfo=UTC)
_ROLE = "arn:aws:iam::123456789012:role/agent"
_ARN = "arn:aws:bedrock-agentcore:us-east-1:123456789012"
_ENVIRONMENT = {
    "agentRuntimeArn": f"{_ARN}:runtime/x",
    "agentRuntimeName": "x",
    "agentRuntimeId": "x-0123456789",
    "lifecycleConfiguration": {},
    "networkConfiguration": {"networkMode": "PUBLIC"},
}
_IMAGES = ["agent:v1", f"agent@{digest(1)}", f"agent:v1@{digest(1)}"]


def _artifact(image: str) -> dict[str, Any]:
    return {"containerConfiguration": {"containerUri": uri(image)}}


def _runtime(aws: Aws, name: str, image: str) -> str:
    """A runtime with one version; its id."""
    more: dict[str, Any] = {"roleArn": _ROLE, "networkConfiguration": {"networkMode": "PUBLIC"}}
    control = aws(_SERVICE)
    made = control.create_agent_runtime(agentRuntimeName=name, agentRuntimeArtifact=_artifact(image), **more)
    return str(made["agentRuntimeId"])


def _harnesses(cloud: Cloud, harnesses: dict[str, list[str]], live: str = "1") -> None:
    """Harnesses by name, each with a version for each image."""

    def row(name: str, version: int) -> dict[str, Any]:
        ids = {"harnessId": f"{name}-0123456789", "harnessName": name, "harnessVersion": str(version)}
        return {
            **ids,
            "arn": f"{_ARN}:harness/{name}-0123456789",
            "status": "READY",
            "createdAt": _THEN,
            "updatedAt": _THEN,
        }

    def versions(call: Call) -> list[dict[str, Any]]:
        name = call.parameters["harnessId"].partition("-")[0]
        return [row(name, number) for number in range(1, len(harnesses[name]) + 1)]

    def endpoints(call: Call) -> list[dict[str, Any]]:
        name = call.parameters["harnessId"].partition("-")[0]
        told = {key: text for key, text in row(name, 1).items() if key != "harnessVersion"}
        return [{**told, "endpointName": "DEFAULT", "liveVersion": live}]

    def get(call: Call) -> dict[str, Any]:
        name, number = call.parameters["harnessId"].partition("-")[0], int(call.parameters["harnessVersion"])
        told = {"model": {"bedrockModelConfig": {"modelId": "m"}}, "systemPrompt": [], "tools": [], "skills": []}
        told |= {"allowedTools": [], "truncation": {"strategy": "none"}, "executionRoleArn": _ROLE}
        told |= {"environment": {"agentCoreRuntimeEnvironment": _ENVIRONMENT}}
        artifact = {"environmentArtifact": _artifact(harnesses[name][number - 1])}
        return {"harness": {**row(name, number), **told, **artifact}}

    listing(cloud, _SERVICE, "ListHarnesses", "harnesses", [row(name, 1) for name in harnesses])
    listing(cloud, _SERVICE, "ListHarnessVersions", "harnessVersions", versions)
    listing(cloud, _SERVICE, "ListHarnessEndpoints", "endpoints", endpoints)
    cloud.answer(_SERVICE, "GetHarness", get)


@pytest.mark.parametrize("image", _IMAGES)
def test_an_agent_runtime_holds_its_image(aws: Aws, read: Reading, image: str) -> None:
    _runtime(aws, "chat", image)
    assert read("agentcore") == {(image, "agent runtime chat:1", True)}


def _versions(cloud: Cloud, *images: str, live: dict[str, str]) -> None:
    """One runtime with a version for each image, and endpoints by name."""
    told = {"agentRuntimeArn": f"{_ARN}:runtime/chat-0123456789", "status": "READY", "lastUpdatedAt": _THEN}
    runtime = {"agentRuntimeId": "chat-0123456789", "agentRuntimeName": "chat", "description": "", **told}
    rows = [{**runtime, "agentRuntimeVersion": str(number + 1)} for number in range(len(images))]
    ends = {**told, "agentRuntimeEndpointArn": f"{_ARN}:runtime-endpoint/x", "createdAt": _THEN}
    endpoints = [{**ends, "name": name, "id": name, "liveVersion": version} for name, version in live.items()]

    def get(call: Call) -> dict[str, Any]:
        version = int(call.parameters["agentRuntimeVersion"])
        more = {"createdAt": _THEN, "roleArn": _ROLE, "lifecycleConfiguration": {}}
        return {**rows[version - 1], **more, "agentRuntimeArtifact": _artifact(images[version - 1])}

    listing(cloud, _SERVICE, "ListAgentRuntimes", "agentRuntimes", rows[-1:])
    listing(cloud, _SERVICE, "ListAgentRuntimeVersions", "agentRuntimes", rows)
    listing(cloud, _SERVICE, "ListAgentRuntimeEndpoints", "runtimeEndpoints", endpoints)
    cloud.answer(_SERVICE, "GetAgentRuntime", get)


def test_the_versions_that_endpoints_point_at_and_the_latest_are_current_and_the_others_are_gone_back_to(
    cloud: Cloud, read: Reading
) -> None:
    _versions(cloud, "agent:1", "agent:2", "agent:3", "agent:4", live={"DEFAULT": "3", "old": "1"})
    assert read("agentcore") == {
        ("agent:1", "agent runtime chat:1", True),
        ("agent:2", "agent runtime chat:2", False),
        ("agent:3", "agent runtime chat:3", True),
        ("agent:4", "agent runtime chat:4", True),
    }


def test_all_pages_of_runtimes_are_read(cloud: Cloud, aws: Aws, read: Reading) -> None:
    for number in range(4):
        _runtime(aws, f"chat{number}", f"agent:{number}")
    cloud.paginate(_SERVICE, "ListAgentRuntimes", "agentRuntimes", size_limit=1)
    assert len(read("agentcore")) == 4
    assert len(cloud.named(_SERVICE, "ListAgentRuntimes")) == 4


def test_every_version_of_every_harness_holds_its_image(cloud: Cloud, aws: Aws, read: Reading) -> None:
    _runtime(aws, "chat", "agent:1")
    _harnesses(cloud, {"coding": ["tools:1", "tools:2", "tools:3"], "writing": ["tools:4"]}, live="2")
    assert read("agentcore") == {
        ("agent:1", "agent runtime chat:1", True),
        ("tools:1", "harness coding:1", True),
        ("tools:2", "harness coding:2", True),
        ("tools:3", "harness coding:3", False),
        ("tools:4", "harness writing:1", True),
    }
    assert needed(cloud, "agentcore")


@pytest.mark.parametrize("operation", ["ListAgentRuntimeVersions", "GetAgentRuntime"])
def test_a_runtime_that_is_deleted_meanwhile_uses_nothing(
    cloud: Cloud, aws: Aws, read: Reading, operation: str
) -> None:
    _runtime(aws, "there", "agent:1")
    gone = _runtime(aws, "gone", "agent:2")
    vanish(cloud, _SERVICE, operation, naming("agentRuntimeId", gone))
    assert read("agentcore") == {("agent:1", "agent runtime there:1", True)}


@pytest.mark.parametrize("action", SOURCES["agentcore"].actions)
def test_a_missing_permission_is_named(cloud: Cloud, aws: Aws, read: Reading, action: str) -> None:
    _runtime(aws, "chat", "agent:1")
    _harnesses(cloud, {"coding": ["tools:1"]})
    cloud.deny(_SERVICE, action.partition(":")[2])
    assert action in read.refused("agentcore")
