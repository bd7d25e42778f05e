"""CloudFormation: the stacks that are deployed."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.aws.calls import Call
from tests.aws.conftest import Aws
from tests.aws.server import Cloud
from tests.discovery.worlds import Reading, listing, naming, needed, uri, vanish

_THEN, _LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
_HOST = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}"
_ASSET = {"Fn::Sub": f"{_HOST}/cdk-hnb659fds-container-assets-${{AWS::AccountId}}-${{AWS::Region}}:abc"}
_CDK = "cdk-hnb659fds-container-assets-123456789012-us-east-1:abc"


def _template(**images: object) -> dict[str, Any]:
    resources = {name: {"Type": "AWS::S3::Bucket", "Metadata": {"Image": image}} for name, image in images.items()}
    return {"Parameters": {"Tag": {"Type": "String", "Default": "none"}}, "Resources": resources}


def _stack(name: str, status: str = "CREATE_COMPLETE", **more: Any) -> dict[str, Any]:
    arn = f"arn:aws:cloudformation:us-east-1:123456789012:stack/{name}/1"
    return {"StackId": arn, "StackName": name, "StackStatus": status, "CreationTime": _THEN, **more}


def _run(cloud: Cloud, stacks: Sequence[dict[str, Any]], templates: dict[str, str]) -> None:
    """Stacks, and their templates by name."""
    summary = ("StackId", "StackName", "StackStatus", "CreationTime", "LastUpdatedTime")

    def listed(call: Call) -> list[dict[str, Any]]:
        wanted = [each for each in stacks if each["StackStatus"] in call.parameters["StackStatusFilter"]]
        return [{name: each[name] for name in summary if name in each} for each in wanted]

    def described(call: Call) -> list[dict[str, Any]]:
        return [each for each in stacks if call.parameters.get("StackName", each["StackId"]) == each["StackId"]]

    def body(call: Call) -> dict[str, Any]:
        return {"TemplateBody": templates[call.parameters["StackName"].split("/")[1]]}

    listing(cloud, "cloudformation", "ListStacks", "StackSummaries", listed)
    listing(cloud, "cloudformation", "DescribeStacks", "Stacks", described)
    cloud.answer("cloudformation", "GetTemplate", body)


def test_deployed_stacks_hold_what_their_templates_name(cloud: Cloud, aws: Aws, read: Reading) -> None:
    cloudformation = aws("cloudformation")
    template = _template(A=_ASSET, B={"Fn::Sub": f"{_HOST}/${{AWS::StackName}}:${{Tag}}"})
    parameters = [{"ParameterKey": "Tag", "ParameterValue": "v7"}]
    cloudformation.create_stack(StackName="prod", TemplateBody=json.dumps(template), Parameters=parameters)
    cloudformation.create_stack(StackName="gone", TemplateBody=json.dumps(_template(A=uri("gone:1"))))
    cloudformation.delete_stack(StackName="gone")
    assert read("cloudformation") == {(_CDK, "stack prod", False), ("prod:v7", "stack prod", False)}
    assert needed(cloud, "cloudformation")


def test_a_template_in_yaml_is_read(aws: Aws, read: Reading) -> None:
    body = f"""
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Metadata:
      Image: !Sub "{_HOST}/app:v1"
"""
    aws("cloudformation").create_stack(StackName="yaml", TemplateBody=body)
    assert read("cloudformation") == {("app:v1", "stack yaml", False)}


def test_stacks_on_all_pages_are_read_in_every_status_in_which_there_is_something(cloud: Cloud, read: Reading) -> None:
    live = ["CREATE_COMPLETE", "UPDATE_ROLLBACK_FAILED", "ROLLBACK_COMPLETE", "DELETE_FAILED", "IMPORT_COMPLETE"]
    live += ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "DELETE_IN_PROGRESS"]
    stacks = [_stack(f"s{number}", status) for number, status in enumerate([*live, "REVIEW_IN_PROGRESS"])]
    _run(cloud, stacks, {f"s{number}": json.dumps(_template(A=uri(f"app:{number}"))) for number in range(len(live))})
    assert read("cloudformation") == {(f"app:{number}", f"stack s{number}", False) for number in range(len(live))}


def test_values_of_parameters_and_outputs_are_read_where_the_template_does_not_tell_them(
    cloud: Cloud, read: Reading
) -> None:
    parameters = [
        {"ParameterKey": "Tag", "ParameterValue": "/path/of/tag", "ResolvedValue": "v3"},
        {"ParameterKey": "Image", "ParameterValue": uri("given:1")},
    ]
    outputs = [{"OutputKey": "Image", "OutputValue": uri("made:1")}]
    template = {"Resources": {"A": {"Fn::Sub": f"{_HOST}/app:${{Tag}}"}, "B": {"Fn::GetAtt": ["C", "Image"]}}}
    _run(cloud, [_stack("s", Parameters=parameters, Outputs=outputs)], {"s": json.dumps(template)})
    expected = ["app:v3", "given:1", "made:1"]
    assert read("cloudformation") == {(image, "stack s", False) for image in expected}


def test_a_stack_is_read_again_only_when_it_was_changed(cloud: Cloud, read: Reading) -> None:
    stacks = [_stack("same"), _stack("updated", LastUpdatedTime=_THEN), _stack("busy", "UPDATE_IN_PROGRESS")]
    templates = {name: json.dumps(_template(A=uri(f"{name}:1"))) for name in ("same", "updated", "busy")}
    _run(cloud, stacks, templates)
    read("cloudformation")
    before = len(cloud.named("cloudformation", "GetTemplate"))
    stacks[1]["LastUpdatedTime"] = _LATER
    templates["updated"] = json.dumps(_template(A=uri("updated:2")))
    assert ("updated:2", "stack updated", False) in read("cloudformation")
    again = [call.parameters["StackName"] for call in cloud.named("cloudformation", "GetTemplate")[before:]]
    assert sorted(again) == sorted([stacks[1]["StackId"], stacks[2]["StackId"]])


def test_an_update_that_is_rolled_back_is_read_again(cloud: Cloud, read: Reading) -> None:
    stack = _stack("s", "UPDATE_COMPLETE", LastUpdatedTime=_THEN)
    templates = {"s": json.dumps(_template(A=uri("app:2")))}
    _run(cloud, [stack], templates)
    read("cloudformation")
    stack["StackStatus"] = "UPDATE_ROLLBACK_COMPLETE"
    templates["s"] = json.dumps(_template(A=uri("app:1")))
    assert read("cloudformation") == {("app:1", "stack s", False)}


def test_a_stack_that_was_not_described_with_the_others_is_described_by_itself(cloud: Cloud, read: Reading) -> None:
    parameters = [{"ParameterKey": "Tag", "ParameterValue": "v9"}]
    stack = _stack("s", Parameters=parameters)
    _run(cloud, [stack], {"s": json.dumps(_template(A={"Fn::Sub": f"{_HOST}/app:${{Tag}}"}))})
    listing(
        cloud,
        "cloudformation",
        "DescribeStacks",
        "Stacks",
        lambda call: [stack] if call.parameters.get("StackName") == stack["StackId"] else [],
    )
    assert read("cloudformation") == {("app:v9", "stack s", False)}


@pytest.mark.parametrize("operation", ["GetTemplate", "DescribeStacks"])
def test_a_stack_that_is_deleted_meanwhile_uses_nothing(cloud: Cloud, read: Reading, operation: str) -> None:
    there, gone = _stack("there"), _stack("gone")
    _run(cloud, [there, gone], {name: json.dumps(_template(A=uri(f"{name}:1"))) for name in ("there", "gone")})
    if operation == "DescribeStacks":
        listing(
            cloud, "cloudformation", operation, "Stacks", lambda call: [] if "StackName" in call.parameters else [there]
        )
    message = f"Stack with id {gone['StackId']} does not exist"
    vanish(cloud, "cloudformation", operation, naming("StackName", gone["StackId"]), "ValidationError", message)
    assert read("cloudformation") == {("there:1", "stack there", False)}


def test_the_template_as_it_was_written_is_read_where_the_processed_one_is_refused(cloud: Cloud, read: Reading) -> None:
    _run(cloud, [_stack("s")], {"s": json.dumps(_template(A=uri("app:1")))})
    processed = naming("TemplateStage", "Processed")
    cloud.fail("cloudformation", "GetTemplate", processed, status=400, code="ValidationError", message="No such stage")
    assert read("cloudformation") == {("app:1", "stack s", False)}


def test_a_template_that_is_refused_altogether_is_a_failure(cloud: Cloud, read: Reading) -> None:
    _run(cloud, [_stack("s")], {"s": "{}"})
    cloud.fail("cloudformation", "GetTemplate", status=400, code="ValidationError", message="No such stage")
    assert "No such stage" in read.refused("cloudformation")


@pytest.mark.parametrize("body", ["a: [", "only a text"])
def test_a_template_that_cannot_be_understood_is_a_failure_that_names_its_stack(
    cloud: Cloud, read: Reading, body: str
) -> None:
    _run(cloud, [_stack("odd")], {"odd": body})
    reason = read.refused("cloudformation")
    assert "stack odd" in reason
    assert "\n" not in reason


@pytest.mark.parametrize("operation", ["ListStacks", "DescribeStacks", "GetTemplate"])
def test_a_missing_permission_is_named(cloud: Cloud, read: Reading, operation: str) -> None:
    _run(cloud, [_stack("s")], {"s": "{}"})
    cloud.deny("cloudformation", operation)
    assert f"cloudformation:{operation}" in read.refused("cloudformation")
