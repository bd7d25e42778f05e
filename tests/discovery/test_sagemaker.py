"""SageMaker: models and endpoints, images and packages, jobs and pipelines."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from aws_ecr_gc.discovery.sources import SOURCES
from tests.aws.calls import Call, operation_model
from tests.aws.conftest import Aws
from tests.aws.server import Cloud
from tests.discovery.worlds import Reading, digest, listing, naming, needed, uri, vanish

_THEN = datetime(2026, 1, 1, tzinfo=UTC)
_ROLE = "arn:aws:iam::123456789012:role/sage"
_ARN = "arn:aws:sagemaker:us-east-1:123456789012"


def _filled(shape: Any, **known: Any) -> dict[str, Any]:
    """What is known, and something for all that the model demands besides."""
    return {**{name: _any(shape.members[name]) for name in shape.required_members if name not in known}, **known}


def _any(shape: Any) -> Any:
    least = shape.metadata.get("min", 0)
    if shape.type_name == "structure":
        return _filled(shape)
    if shape.type_name == "list":
        return [_any(shape.member)] * least
    if shape.type_name == "string":
        return shape.enum[0] if shape.enum else "x" * max(least, 1)
    return {"map": {}, "timestamp": _THEN, "boolean": False}.get(shape.type_name, least)


class _Account:
    """A SageMaker in which there is nothing but what a test puts there."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._there: dict[str, list[tuple[dict[str, Any], dict[str, str]]]] = {}
        lists = [action.partition(":")[2] for action in SOURCES["sagemaker"].actions if ":List" in action]
        for operation in lists:
            self._lists(operation)
            self._there[operation] = []

    def _lists(self, operation: str) -> None:
        output = operation_model("sagemaker", operation).output_shape
        (member,) = [name for name, shape in output.members.items() if shape.type_name == "list"]

        def rows(call: Call) -> Iterable[dict[str, Any]]:
            asked = {name: call.parameters.get(name) for name in ("ImageName", "ModelPackageGroupName", "PipelineName")}
            status = call.parameters.get("StatusEquals")
            for row, parent in self._there[operation]:
                if status in {None, row.get("_status")} and all(parent.get(name) == asked[name] for name in asked):
                    told = {name: value for name, value in row.items() if name != "_status"}
                    yield _filled(output.members[member].member, **told)

        listing(self._cloud, "sagemaker", operation, member, lambda call: list(rows(call)))

    def put(self, kind: str, row: dict[str, Any], parent: dict[str, str] | None = None) -> None:
        """Let something be listed, below its parent if it has one."""
        self._there[f"List{kind}s"].append((row, parent or {}))

    def describe(self, kind: str, descriptions: dict[str, dict[str, Any]], parameter: str) -> None:
        """What is said of each thing by its name."""
        shape = operation_model("sagemaker", f"Describe{kind}").output_shape

        def describe(call: Call) -> dict[str, Any]:
            return _filled(shape, **descriptions[call.parameters[parameter]])

        self._cloud.answer("sagemaker", f"Describe{kind}", describe)

    def add(self, kind: str, name: str, status: str | None = None, **description: Any) -> None:
        """One thing of a kind of which all there is to say is in its description."""
        self.put(kind, {f"{kind}Name": name, **({} if status is None else {"_status": status})})
        self.describe(kind, {name: {f"{kind}Name": name, **description}}, f"{kind}Name")

    def add_definition(self, kind: str, **description: Any) -> None:
        """A job definition of model monitoring."""
        self.put(kind, {"MonitoringJobDefinitionName": "watch"})
        self.describe(kind, {"watch": {"JobDefinitionName": "watch", **description}}, "JobDefinitionName")

    def add_image_versions(self, name: str, *versions: dict[str, Any]) -> None:
        self.put("Image", {"ImageName": name})
        for number, _ in enumerate(versions, 1):
            self.put("ImageVersion", {"Version": number}, {"ImageName": name})
        shape = operation_model("sagemaker", "DescribeImageVersion").output_shape

        def describe(call: Call) -> dict[str, Any]:
            arn = f"{_ARN}:image-version/{name}/{call.parameters['Version']}"
            return _filled(shape, ImageVersionArn=arn, **versions[call.parameters["Version"] - 1])

        self._cloud.answer("sagemaker", "DescribeImageVersion", describe)

    def add_packages(self, group: str | None, packages: dict[str, dict[str, Any]]) -> None:
        if group is not None:
            self.put("ModelPackageGroup", {"ModelPackageGroupName": group})
        descriptions = {f"{_ARN}:model-package/{name}": package for name, package in packages.items()}
        for arn in descriptions:
            parent = {} if group is None else {"ModelPackageGroupName": group}
            self.put("ModelPackage", {"ModelPackageArn": arn, **parent}, parent)
        told = {arn: {"ModelPackageArn": arn, **package} for arn, package in descriptions.items()}
        self.describe("ModelPackage", told, "ModelPackageName")

    def add_pipeline(self, name: str, now: str, **versions: str) -> None:
        self.put("Pipeline", {"PipelineName": name})
        for version in versions:
            self.put("PipelineVersion", {"PipelineVersionId": int(version[1:])}, {"PipelineName": name})

        def describe(call: Call) -> dict[str, Any]:
            version = call.parameters.get("PipelineVersionId")
            return {"PipelineName": name, "PipelineDefinition": now if version is None else versions[f"v{version}"]}

        self._cloud.answer("sagemaker", "DescribePipeline", describe)


@pytest.fixture
def account(cloud: Cloud) -> _Account:
    return _Account(cloud)


def test_models_hold_the_images_of_all_their_containers(cloud: Cloud, aws: Aws, read: Reading) -> None:
    sagemaker = aws("sagemaker")
    sagemaker.create_model(ModelName="one", PrimaryContainer={"Image": uri("serve:1")}, ExecutionRoleArn=_ROLE)
    containers = [{"Image": uri(f"serve@{digest(2)}")}, {"Image": uri(f"serve:3@{digest(3)}")}]
    sagemaker.create_model(ModelName="chain", Containers=containers, ExecutionRoleArn=_ROLE)
    listing(cloud, "sagemaker", "ListOptimizationJobs", "OptimizationJobSummaries", [])
    assert read("sagemaker") == {
        ("serve:1", "model one", True),
        (f"serve@{digest(2)}", "model chain", True),
        (f"serve:3@{digest(3)}", "model chain", True),
    }


def _variants(tag: str, number: int) -> list[dict[str, Any]]:
    deployed = {"SpecifiedImage": uri(f"serve:{tag}"), "ResolvedImage": uri(f"serve@{digest(number)}")}
    return [{"VariantName": "v", "DeployedImages": [deployed]}]


def test_endpoints_hold_what_is_deployed_in_their_shadow_and_about_to_be(account: _Account, read: Reading) -> None:
    account.add(
        "Endpoint",
        "live",
        ProductionVariants=_variants("now", 1),
        ShadowProductionVariants=_variants("shadow", 2),
        PendingDeploymentSummary={
            "EndpointConfigName": "next",
            "ProductionVariants": _variants("next", 3),
            "ShadowProductionVariants": _variants("nextshadow", 4),
        },
    )
    expected = {"now": 1, "shadow": 2, "next": 3, "nextshadow": 4}
    assert read("sagemaker") == {
        (f"serve:{tag}@{digest(number)}", "endpoint live", True) for tag, number in expected.items()
    }


_SERVE = {"Image": uri("serve:1"), "ImageDigest": digest(1)}
_SERVED = f"serve:1@{digest(1)}"
_TRAIN = {"TrainingImage": uri("train:1"), "TrainingInputMode": "File"}


def test_inference_components_hold_what_is_deployed(account: _Account, read: Reading) -> None:
    deployed = {"SpecifiedImage": uri("serve:1"), "ResolvedImage": uri(f"serve@{digest(1)}")}
    account.add("InferenceComponent", "part", Specification={"Container": {"DeployedImage": deployed}})
    assert read("sagemaker") == {(_SERVED, "inference component part", True)}


def test_every_version_of_an_image_holds_its_base_and_its_container(account: _Account, read: Reading) -> None:
    first = {"BaseImage": uri("studio:1"), "ContainerImage": uri(f"studio@{digest(1)}")}
    account.add_image_versions("studio", first, {"BaseImage": uri("studio:2")})
    assert read("sagemaker") == {
        ("studio:1", "image studio:1", True),
        (f"studio@{digest(1)}", "image studio:1", True),
        ("studio:2", "image studio:2", True),
    }


def test_model_packages_are_held_in_groups_and_without_and_rejected_ones_only_to_go_back(
    account: _Account, read: Reading
) -> None:
    types: dict[str, list[str]] = {"SupportedContentTypes": [], "SupportedResponseMIMETypes": []}
    specification = {"Containers": [_SERVE], **types}
    more = [{"Name": "more", "Containers": [{"Image": uri("more:1")}]}]
    rejected = {"InferenceSpecification": {"Containers": [{"Image": uri("bad:1")}], **types}}
    account.add_packages(
        "group",
        {
            "group/1": {"InferenceSpecification": specification, "AdditionalInferenceSpecifications": more},
            "group/2": {**rejected, "ModelApprovalStatus": "Rejected"},
            "alone": {"InferenceSpecification": {"Containers": [{"Image": uri("alone:1")}], **types}},
        },
    )
    assert read("sagemaker") == {
        (_SERVED, "model package group/1", True),
        ("more:1", "model package group/1", True),
        ("bad:1", "model package group/2", False),
        ("alone:1", "model package alone", True),
    }


def test_a_package_without_a_group_is_held(account: _Account, read: Reading) -> None:
    account.add_packages(None, {"alone": {"InferenceSpecification": {"Containers": [_SERVE]}}})
    assert read("sagemaker") == {(_SERVED, "model package alone", True)}


def test_an_algorithm_holds_what_it_trains_and_infers_with(account: _Account, read: Reading) -> None:
    training: dict[str, Any] = {"TrainingImage": uri("train:1"), "TrainingImageDigest": digest(7)}
    training |= {"SupportedTrainingInstanceTypes": []}
    training |= {"TrainingChannels": [{"Name": "c", "SupportedContentTypes": [], "SupportedInputModes": []}]}
    inference = {"Containers": [_SERVE]}
    account.add("Algorithm", "own", TrainingSpecification=training, InferenceSpecification=inference)
    assert read("sagemaker") == {
        (f"train:1@{digest(7)}", "algorithm own", True),
        (_SERVED, "algorithm own", True),
    }


def test_a_monitoring_schedule_holds_the_image_in_its_definition(account: _Account, read: Reading) -> None:
    shape = operation_model("sagemaker", "DescribeMonitoringSchedule").output_shape
    config = shape.members["MonitoringScheduleConfig"]
    job = _filled(config.members["MonitoringJobDefinition"], MonitoringAppSpecification={"ImageUri": uri("watch:1")})
    account.add("MonitoringSchedule", "watch", MonitoringScheduleConfig={"MonitoringJobDefinition": job})
    assert read("sagemaker") == {("watch:1", "monitoring schedule watch", True)}


@pytest.mark.parametrize("kind", ["DataQuality", "ModelQuality", "ModelBias", "ModelExplainability"])
def test_definitions_that_monitoring_schedules_name_hold_their_image(
    account: _Account, read: Reading, kind: str
) -> None:
    shape = operation_model("sagemaker", f"Describe{kind}JobDefinition").output_shape
    member = f"{kind}AppSpecification"
    account.add_definition(
        f"{kind}JobDefinition", **{member: _filled(shape.members[member], ImageUri=uri(f"watch@{digest(1)}"))}
    )
    ((image, workload, current),) = read("sagemaker")
    assert (image, current) == (f"watch@{digest(1)}", True)
    assert workload.endswith("definition watch")


@pytest.mark.parametrize("status", ["InProgress", "Stopping"])
def test_jobs_that_are_not_over_hold_their_images(account: _Account, read: Reading, status: str) -> None:
    rules = [{"RuleConfigurationName": "r", "RuleEvaluatorImage": uri("rule:1")}]
    profiled = [{"RuleConfigurationName": "r", "RuleEvaluatorImage": uri("profile:1")}]
    account.add(
        "TrainingJob",
        "train",
        status,
        AlgorithmSpecification=_TRAIN,
        DebugRuleConfigurations=rules,
        ProfilerRuleConfigurations=profiled,
    )
    account.add("ProcessingJob", "work", status, AppSpecification={"ImageUri": uri("work:1")})
    tuned = operation_model("sagemaker", "DescribeHyperParameterTuningJob").output_shape.members[
        "TrainingJobDefinition"
    ]
    first = _filled(tuned, AlgorithmSpecification={**_TRAIN, "TrainingImage": uri("tune:1")})
    second = _filled(tuned, AlgorithmSpecification={**_TRAIN, "TrainingImage": uri("tune:2")})
    account.add("HyperParameterTuningJob", "tune", status, TrainingJobDefinition=first, TrainingJobDefinitions=[second])
    assert read("sagemaker") == {
        ("train:1", "training job train", True),
        ("rule:1", "training job train", True),
        ("profile:1", "training job train", True),
        ("work:1", "processing job work", True),
        ("tune:1", "tuning job tune", True),
        ("tune:2", "tuning job tune", True),
    }


def test_jobs_that_are_over_hold_nothing(cloud: Cloud, account: _Account, read: Reading) -> None:
    account.add("TrainingJob", "train", "Completed", AlgorithmSpecification=_TRAIN)
    account.add("ProcessingJob", "work", "Failed", AppSpecification={"ImageUri": uri("work:1")})
    assert read("sagemaker") == set()
    assert cloud.named("sagemaker", "DescribeTrainingJob") == []


def test_an_optimization_job_that_is_not_over_holds_its_image(account: _Account, read: Reading) -> None:
    configs = [{"ModelQuantizationConfig": {"Image": uri("small:1")}}]
    account.add("OptimizationJob", "small", "STARTING", OptimizationConfigs=configs)
    assert read("sagemaker") == {("small:1", "optimization job small", True)}


def _pipeline(image: str) -> str:
    step: dict[str, Any] = {"Name": "train", "Arguments": {"AlgorithmSpecification": {"TrainingImage": uri(image)}}}
    parameter = {"Name": "Image", "DefaultValue": uri(f"default:{image[-1]}")}
    other: dict[str, Any] = {
        "Name": "work",
        "Arguments": {"AppSpecification": {"ImageUri": {"Get": "Parameters.Image"}}},
    }
    text = json.dumps({"Version": "2020-12-01", "Parameters": [parameter], "Steps": [step, other]})
    return text.replace("/", "\\/")


def test_pipelines_hold_what_their_steps_name_and_older_versions_only_to_go_back(
    account: _Account, read: Reading
) -> None:
    account.add_pipeline("flow", _pipeline("train:2"), v1=_pipeline("train:1"), v2=_pipeline("train:2"))
    assert read("sagemaker") == {
        ("train:2", "pipeline flow", True),
        ("default:2", "pipeline flow", False),
        *(
            (f"{name}:{version}", f"pipeline flow:{version}", False)
            for version in (1, 2)
            for name in ("train", "default")
        ),
    }


def test_things_on_all_pages_are_read_once_and_what_never_changes_not_again(
    cloud: Cloud, account: _Account, read: Reading
) -> None:
    names = [f"m{number}" for number in range(5)]
    for name in names:
        account.put("Model", {"ModelName": name, "CreationTime": _THEN})
    told = {name: {"ModelName": name, "PrimaryContainer": {"Image": uri(f"serve:{name}")}} for name in names}
    account.describe("Model", told, "ModelName")
    assert read("sagemaker") == {(f"serve:{name}", f"model {name}", True) for name in names}
    assert len(cloud.named("sagemaker", "ListModels")) == 5
    read("sagemaker")
    assert len(cloud.named("sagemaker", "DescribeModel")) == 5


def test_what_a_variable_says_is_kept_where_it_is_a_reference_and_else_ignored(
    account: _Account, read: Reading
) -> None:
    variables = {"BASE_IMAGE": "$ACCOUNT.dkr.ecr.us-east-1.amazonaws.com/app", "OTHER_IMAGE": uri("other:1")}
    account.add("Model", "m", PrimaryContainer={"Image": uri("serve:1"), "Environment": variables})
    assert read("sagemaker") == {("serve:1", "model m", True), ("other:1", "model m", False)}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ResourceNotFound", "Requested resource not found."),
        ("ValidationException", 'Could not find model "arn:aws:sagemaker:us-east-1:123456789012:model/gone".'),
    ],
)
def test_what_is_deleted_meanwhile_uses_nothing(
    cloud: Cloud, account: _Account, read: Reading, code: str, message: str
) -> None:
    account.put("Model", {"ModelName": "there"})
    account.put("Model", {"ModelName": "gone"})
    told = {"there": {"ModelName": "there", "PrimaryContainer": {"Image": uri("serve:1")}}}
    account.describe("Model", told, "ModelName")
    account.add_image_versions("studio", {"BaseImage": uri("studio:1")})
    account.add_packages("group", {"group/1": {}})
    vanish(cloud, "sagemaker", "DescribeModel", naming("ModelName", "gone"), code, message)
    vanish(cloud, "sagemaker", "ListImageVersions", code=code, message=message)
    vanish(cloud, "sagemaker", "ListModelPackages", naming("ModelPackageGroupName", "group"), code, message)
    assert read("sagemaker") == {("serve:1", "model there", True)}


def test_another_refusal_is_a_failure(cloud: Cloud, account: _Account, read: Reading) -> None:
    account.put("Model", {"ModelName": "m"})
    cloud.fail("sagemaker", "DescribeModel", status=400, code="ValidationException", message="1 validation error")
    assert "1 validation error" in read.refused("sagemaker")


def _one_of_each(account: _Account) -> None:
    for kind in ("Model", "Endpoint", "InferenceComponent", "Algorithm", "MonitoringSchedule"):
        account.add(kind, "it")
    for kind in ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability"):
        account.add_definition(f"{kind}JobDefinition")
    for kind in ("TrainingJob", "ProcessingJob", "HyperParameterTuningJob"):
        account.add(kind, "it", "InProgress")
    account.add("OptimizationJob", "it", "INPROGRESS")
    account.add_image_versions("it", {})
    account.add_packages("group", {"group/1": {}})
    account.add_pipeline("it", "{}", v1="{}")


def test_exactly_the_permissions_in_the_table_are_needed(cloud: Cloud, account: _Account, read: Reading) -> None:
    _one_of_each(account)
    assert read("sagemaker") == set()
    assert needed(cloud, "sagemaker")


@pytest.mark.parametrize("action", SOURCES["sagemaker"].actions)
def test_a_missing_permission_is_named(cloud: Cloud, account: _Account, read: Reading, action: str) -> None:
    _one_of_each(account)
    cloud.deny("sagemaker", action.partition(":")[2])
    assert action in read.refused("sagemaker")
