"""SageMaker: what is deployed or kept to be deployed, and the jobs that are not over.

Endpoints and inference components tell the digests that they pull; the others what the user named. Each description is
read as a whole, so that a member that is new holds its image as well. A rejected model package, and an older version of
a pipeline, are only gone back to. Batch transforms and notebook applications run models and images that are listed
here. Not looked for are AutoML, hubs, and what the parameters of a pipeline's execution name.
"""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from aws_ecr_gc.discovery.aws.descriptions import not_found, unless_gone, uses_in
from aws_ecr_gc.discovery.reader import Reader
from aws_ecr_gc.errors import AwsFailure
from aws_ecr_gc.usage import Use

_Row = Mapping[str, Any]


class _Topic(NamedTuple):
    """How one kind of thing is listed and described.

    `row` is the member of a row that names it, `named` the parameter that takes the name. With `statuses` only what has
    one of them is listed, in the order in which a thing goes through them: so none slips past. What is `fixed` never
    changes.
    """

    noun: str
    listing: str
    rows: str
    row: str
    describing: str
    named: str
    statuses: tuple[str, ...] = ()
    fixed: bool = False


def _jobs(noun: str, kind: str, statuses: tuple[str, ...] = ("InProgress", "Stopping")) -> _Topic:
    return _Topic(noun, f"List{kind}s", f"{kind}Summaries", f"{kind}Name", f"Describe{kind}", f"{kind}Name", statuses)


def _monitoring(noun: str, kind: str) -> _Topic:
    rows, row = "JobDefinitionSummaries", "MonitoringJobDefinitionName"
    return _Topic(noun, f"List{kind}s", rows, row, f"Describe{kind}", "JobDefinitionName", fixed=True)


_TOPICS = (
    _Topic("model", "ListModels", "Models", "ModelName", "DescribeModel", "ModelName", fixed=True),
    _Topic("endpoint", "ListEndpoints", "Endpoints", "EndpointName", "DescribeEndpoint", "EndpointName"),
    _Topic(
        "inference component",
        "ListInferenceComponents",
        "InferenceComponents",
        "InferenceComponentName",
        "DescribeInferenceComponent",
        "InferenceComponentName",
    ),
    _Topic(
        "algorithm", "ListAlgorithms", "AlgorithmSummaryList", "AlgorithmName", "DescribeAlgorithm", "AlgorithmName"
    ),
    _Topic(
        "monitoring schedule",
        "ListMonitoringSchedules",
        "MonitoringScheduleSummaries",
        "MonitoringScheduleName",
        "DescribeMonitoringSchedule",
        "MonitoringScheduleName",
    ),
    _monitoring("data quality definition", "DataQualityJobDefinition"),
    _monitoring("model quality definition", "ModelQualityJobDefinition"),
    _monitoring("model bias definition", "ModelBiasJobDefinition"),
    _monitoring("model explainability definition", "ModelExplainabilityJobDefinition"),
    _jobs("tuning job", "HyperParameterTuningJob"),
    _jobs("training job", "TrainingJob"),
    _jobs("processing job", "ProcessingJob"),
    _jobs("optimization job", "OptimizationJob", ("STARTING", "INPROGRESS", "STOPPING")),
)
# These have versions, which are listed for each of them.
_IMAGES = ("ListImages", "Images")
_GROUPS = ("ListModelPackageGroups", "ModelPackageGroupSummaryList")
_PIPELINES = ("ListPipelines", "PipelineSummaries")
_PACKAGES = ("ListModelPackages", "ModelPackageSummaryList")


class _Thing(NamedTuple):
    """What is to be described, by what call, and whether the answer will always be the same."""

    workload: str
    operation: str
    answer: str
    parameters: Mapping[str, object]
    current: bool = True
    fixed: tuple[object, ...] = ()


def read(reader: Reader) -> Iterator[Use]:
    """The images of everything in SageMaker."""
    listings = (_IMAGES, _GROUPS, _PIPELINES, _PACKAGES)
    images, groups, pipelines, packages = reader.each(partial(_rows, reader), listings)
    things = [thing for listed in reader.each(partial(_things, reader), _TOPICS) for thing in listed]
    things += [thing for listed in reader.each(partial(_image_versions, reader), images) for thing in listed]
    things += [thing for listed in reader.each(partial(_pipeline_versions, reader), pipelines) for thing in listed]
    grouped = [row for rows in reader.each(partial(_packages, reader), groups) for row in rows]
    things += [_package(row) for row in {row["ModelPackageArn"]: row for row in [*packages, *grouped]}.values()]
    for thing, described in zip(things, reader.each(partial(_described, reader), things), strict=True):
        if described is not None:
            current = thing.current and described.get("ModelApprovalStatus") != "Rejected"
            yield from uses_in(reader, described, thing.workload, current=current)


def _rows(reader: Reader, listing: tuple[str, str], **parameters: object) -> list[_Row]:
    return reader.rows("sagemaker", listing[0], listing[1], MaxResults=100, **parameters)


def _things(reader: Reader, topic: _Topic) -> list[_Thing]:
    """All things of a topic, each once."""
    listing = (topic.listing, topic.rows)
    if topic.statuses:
        rows = [row for status in topic.statuses for row in _rows(reader, listing, StatusEquals=status)]
    else:
        rows = _rows(reader, listing)
    return [_thing(topic, row) for row in {row[topic.row]: row for row in rows}.values()]


def _thing(topic: _Topic, row: _Row) -> _Thing:
    name = row[topic.row]
    fixed = (topic.describing, name, row["CreationTime"]) if topic.fixed else ()
    return _Thing(f"{topic.noun} {name}", topic.describing, topic.named, {topic.named: name}, fixed=fixed)


def _image_versions(reader: Reader, image: _Row) -> list[_Thing]:
    name = image["ImageName"]
    rows = unless_gone(partial(_rows, reader, ("ListImageVersions", "ImageVersions"), ImageName=name), _is_gone)
    things = []
    for row in rows or ():
        version = row["Version"]
        named = {"ImageName": name, "Version": version}
        things.append(_Thing(f"image {name}:{version}", "DescribeImageVersion", "ImageVersionArn", named))
    return things


def _pipeline_versions(reader: Reader, pipeline: _Row) -> list[_Thing]:
    """What a pipeline is now, and was: an execution goes on with the definition that it began with."""
    name = pipeline["PipelineName"]
    listing = ("ListPipelineVersions", "PipelineVersionSummaries")
    rows = unless_gone(partial(_rows, reader, listing, PipelineName=name), _is_gone)
    operation, answer = "DescribePipeline", "PipelineDefinition"
    things = [_Thing(f"pipeline {name}", operation, answer, {"PipelineName": name})]
    for row in rows or ():
        version = row["PipelineVersionId"]
        named = {"PipelineName": name, "PipelineVersionId": version}
        fixed = (operation, name, version, row.get("CreationTime"))
        things.append(_Thing(f"pipeline {name}:{version}", operation, answer, named, current=False, fixed=fixed))
    return things


def _packages(reader: Reader, group: _Row) -> list[_Row]:
    named = {"ModelPackageGroupName": group["ModelPackageGroupName"]}
    return unless_gone(partial(_rows, reader, _PACKAGES, **named), _is_gone) or []


def _package(row: _Row) -> _Thing:
    arn = row["ModelPackageArn"]
    named = {"ModelPackageName": arn}
    return _Thing(f"model package {arn.partition('/')[2]}", "DescribeModelPackage", "ModelPackageArn", named)


def _described(reader: Reader, thing: _Thing) -> _Row | None:
    """What SageMaker says of a thing, or None for one that was deleted meanwhile."""
    call = partial(_description, reader, thing)
    return unless_gone(partial(reader.remembered, thing.fixed, call) if thing.fixed else call, _is_gone)


def _description(reader: Reader, thing: _Thing) -> _Row:
    described = reader.service("sagemaker").call(thing.operation, thing.answer, **thing.parameters)
    if "PipelineDefinition" in described:
        described["PipelineDefinition"] = json.loads(described["PipelineDefinition"])
    return described


def _is_gone(error: AwsFailure) -> bool:
    """Whether what was listed is gone. Most of SageMaker's descriptions have no code of their own for it."""
    words = ("could not find", "not found", "does not exist")
    return not_found(error) or (
        error.code == "ValidationException" and any(each in str(error).lower() for each in words)
    )
