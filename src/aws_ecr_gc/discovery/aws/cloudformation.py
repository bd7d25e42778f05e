"""CloudFormation: the references in the templates of all stacks that are deployed, such as the image assets of CDK.

Nested stacks and the instances of stack sets are stacks of their own. A template runs nothing: what is deployed is read
by its own source, so these uses are not current. They keep what the next update or replacement of a resource pulls.
For the same reason what a template does not tell by itself (Fn::GetAtt, Fn::ImportValue, dynamic references) is no use.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from aws_ecr_gc.discovery.aws.descriptions import unless_gone
from aws_ecr_gc.discovery.aws.templates import parsed, texts
from aws_ecr_gc.discovery.reader import Reader, references_of, strings
from aws_ecr_gc.errors import AwsFailure, Unintelligible, one_line
from aws_ecr_gc.reference import PARTITIONS, Reference
from aws_ecr_gc.usage import Use

_Row = Mapping[str, Any]

_LIVE = [
    *(f"CREATE_{end}" for end in ("IN_PROGRESS", "FAILED", "COMPLETE")),
    *(f"ROLLBACK_{end}" for end in ("IN_PROGRESS", "FAILED", "COMPLETE")),
    *(f"DELETE_{end}" for end in ("IN_PROGRESS", "FAILED")),
    *(f"UPDATE_{end}" for end in ("IN_PROGRESS", "COMPLETE_CLEANUP_IN_PROGRESS", "COMPLETE", "FAILED")),
    *(f"UPDATE_ROLLBACK_{end}" for end in ("IN_PROGRESS", "FAILED", "COMPLETE_CLEANUP_IN_PROGRESS", "COMPLETE")),
    *(f"IMPORT_{end}" for end in ("IN_PROGRESS", "COMPLETE")),
    *(f"IMPORT_ROLLBACK_{end}" for end in ("IN_PROGRESS", "FAILED", "COMPLETE")),
]
# Of the first there is nothing yet but a change set; of the second nothing any more.
_NOT_DEPLOYED = ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE")


def read(reader: Reader) -> Iterator[Use]:
    """The images that stacks name."""
    listed = reader.rows("cloudformation", "ListStacks", "StackSummaries", StackStatusFilter=_LIVE)
    described = reader.rows("cloudformation", "DescribeStacks", "Stacks")
    # DescribeStacks promises the running ones only, but knows statuses that are younger than this program.
    stacks = {stack["StackId"]: stack for stack in [*listed, *described]}
    told = {stack["StackId"] for stack in described}
    live = [stack for stack in stacks.values() if stack["StackStatus"] not in _NOT_DEPLOYED]
    for stack, references in zip(live, reader.each(partial(_references, reader, told), live), strict=True):
        workload = f"stack {stack['StackName']}"
        yield from (Use(reference, workload, reader.origin, current=False) for reference in references or ())


def _references(reader: Reader, told: set[str], stack: _Row) -> tuple[Reference, ...] | None:
    """What one stack names, or None if it was deleted meanwhile."""
    read = partial(_read, reader, told, stack)
    if stack["StackStatus"].endswith("IN_PROGRESS"):
        return unless_gone(read, _does_not_exist)
    # An update and its rollback have one time, but not one status.
    key = (stack["StackId"], stack["StackStatus"], stack.get("LastUpdatedTime") or stack["CreationTime"])
    return unless_gone(partial(reader.remembered, key, read), _does_not_exist)


def _read(reader: Reader, told: set[str], stack: _Row) -> tuple[Reference, ...]:
    call = reader.service("cloudformation").call
    if stack["StackId"] not in told:
        stack = call("DescribeStacks", "Stacks", StackName=stack["StackId"])["Stacks"][0]
    body = _template(reader, stack["StackId"])
    try:
        template = parsed(body)
    except ValueError as error:
        reason = one_line(error)
        raise Unintelligible(f"stack {stack['StackName']}: a template that can't be understood: {reason}") from error
    every = [*texts(template, _names(reader, stack)), *strings(stack)]
    return tuple(dict.fromkeys(reference for text in every for reference in references_of(text)))


def _template(reader: Reader, stack: str) -> object:
    """The template as it was deployed, macros applied; as it was written where that is not to be had."""
    call = partial(reader.service("cloudformation").call, "GetTemplate", "TemplateBody", StackName=stack)
    try:
        return call(TemplateStage="Processed")["TemplateBody"]
    except AwsFailure as error:
        if error.code != "ValidationError" or _does_not_exist(error):
            raise
        return call(TemplateStage="Original")["TemplateBody"]


def _does_not_exist(error: AwsFailure) -> bool:
    return error.code == "ValidationError" and "does not exist" in str(error)


def _names(reader: Reader, stack: _Row) -> dict[str, str]:
    """The values of parameters, those of the Systems Manager's resolved, and of pseudo parameters."""
    place = reader.place
    parameters = {each["ParameterKey"]: each for each in stack.get("Parameters", [])}
    return {
        **{name: str(each.get("ResolvedValue") or each.get("ParameterValue", "")) for name, each in parameters.items()},
        "AWS::AccountId": place.account,
        "AWS::Region": place.region,
        "AWS::Partition": place.partition,
        "AWS::URLSuffix": PARTITIONS.get(place.partition, PARTITIONS["aws"])[1],
        "AWS::StackName": stack["StackName"],
        "AWS::StackId": stack["StackId"],
    }
