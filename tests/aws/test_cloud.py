"""The cloud itself: what it answers, spoils, hands on and counts, seen through botocore's clients."""

import datetime as dt
import http.client
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.model import OperationModel
from botocore.parsers import ResponseParserError, create_parser
from botocore.serialize import create_serializer

from tests.aws import gaps, paging
from tests.aws.calls import ACCOUNT, Call, operation_model
from tests.aws.conftest import Aws
from tests.aws.server import Cloud
from tests.aws.wire import Refusal

OTHER = "210987654321"
WHEN = dt.datetime(2024, 6, 1, 12, 30, tzinfo=dt.UTC)
DIGEST = "sha256:" + "a" * 64
IMAGE = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/app:1"
REVISION = f"arn:aws:ecs:us-east-1:{ACCOUNT}:service-revision/blue/web/1"


class Known(NamedTuple):
    """A call, and the answer that is registered for it."""

    service: str
    operation: str
    parameters: dict[str, Any]
    output: dict[str, Any]

    def register(self, cloud: Cloud) -> None:
        """Let the cloud give this answer."""
        cloud.answer(self.service, self.operation, lambda _: self.output)


ANSWERS = [
    Known(
        "ecs",
        "DescribeServiceRevisions",
        {"serviceRevisionArns": [REVISION]},
        {
            "serviceRevisions": [
                {
                    "serviceRevisionArn": REVISION,
                    "createdAt": WHEN,
                    "containerImages": [{"containerName": "web", "image": IMAGE, "imageDigest": DIGEST}],
                }
            ],
            "failures": [],
        },
    ),
    Known(
        "apprunner",
        "DescribeService",
        {"ServiceArn": "arn:aws:apprunner:us-east-1:123456789012:service/a/b"},
        {
            "Service": {
                "ServiceName": "paused",
                "ServiceId": "b" * 32,
                "ServiceArn": "arn:aws:apprunner:us-east-1:123456789012:service/a/b",
                "CreatedAt": WHEN,
                "UpdatedAt": WHEN,
                "Status": "PAUSED",
                "SourceConfiguration": {
                    "ImageRepository": {"ImageIdentifier": IMAGE, "ImageRepositoryType": "ECR"},
                    "AutoDeploymentsEnabled": False,
                },
                "InstanceConfiguration": {},
                "AutoScalingConfigurationSummary": {},
                "NetworkConfiguration": {},
            }
        },
    ),
    Known(
        "lambda",
        "GetFunction",
        {"FunctionName": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f", "Qualifier": "7"},
        {
            "Configuration": {"FunctionName": "f", "PackageType": "Image", "Timeout": 3},
            "Code": {"ImageUri": IMAGE, "ResolvedImageUri": f"repo@{DIGEST}"},
        },
    ),
    Known(
        "batch",
        "DescribeJobs",
        {"jobs": ["1", "2"]},
        {
            "jobs": [
                {
                    "jobName": "j",
                    "jobId": "1",
                    "jobQueue": "q",
                    "status": "RUNNING",
                    "startedAt": 1717245000000,
                    "jobDefinition": "d:1",
                    "ecsProperties": {"taskProperties": [{"containers": [{"image": IMAGE, "name": "main"}]}]},
                }
            ]
        },
    ),
    Known(
        "imagebuilder",
        "GetContainerRecipe",
        {"containerRecipeArn": f"arn:aws:imagebuilder:us-east-1:{ACCOUNT}:container-recipe/r/1.0.0"},
        {"requestId": "1", "containerRecipe": {"name": "r", "containerType": "DOCKER", "parentImage": IMAGE}},
    ),
    Known(
        "inspector2",
        "ListCoverage",
        {"filterCriteria": {"resourceType": [{"comparison": "EQUALS", "value": "AWS_ECR_CONTAINER_IMAGE"}]}},
        {
            "coveredResources": [
                {
                    "resourceType": "AWS_ECR_CONTAINER_IMAGE",
                    "resourceId": f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/app/{DIGEST}",
                    "accountId": ACCOUNT,
                    "scanType": "PACKAGE",
                    "resourceMetadata": {"ecrImage": {"tags": ["1"], "inUseCount": 2, "lastInUseAt": WHEN}},
                }
            ]
        },
    ),
    Known(
        "cloudformation",
        "ListStacks",
        {"StackStatusFilter": ["CREATE_COMPLETE", "UPDATE_COMPLETE"]},
        {
            "StackSummaries": [
                {
                    "StackName": "<a & b>",
                    "CreationTime": WHEN,
                    "StackStatus": "CREATE_COMPLETE",
                    "DriftInformation": {"StackDriftStatus": "IN_SYNC"},
                },
                {"StackName": "c", "CreationTime": WHEN, "StackStatus": "UPDATE_COMPLETE"},
            ],
        },
    ),
    Known(
        "sts",
        "GetCallerIdentity",
        {},
        {"UserId": "U", "Account": OTHER, "Arn": f"arn:aws:sts::{OTHER}:assumed-role/gc/session"},
    ),
    Known(
        "codebuild",
        "BatchGetProjects",
        {"names": ["project", "gone"]},
        {
            "projects": [
                {
                    "name": "project",
                    "created": WHEN,
                    "timeoutInMinutes": 600,
                    "concurrentBuildLimit": -1,
                    "badge": {"badgeEnabled": True},
                    "environment": {
                        "type": "LINUX_CONTAINER",
                        "image": IMAGE,
                        "computeType": "BUILD_GENERAL1_SMALL",
                        "environmentVariables": [{"name": "A", "value": "ä" * 300}],
                    },
                }
            ],
            "projectsNotFound": ["gone"],
        },
    ),
]


def call(client: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Call an operation by its name in the model; the members of its answer."""
    answered: dict[str, Any] = client._make_api_call(operation, parameters)
    return {name: value for name, value in answered.items() if name != "ResponseMetadata"}


@pytest.mark.parametrize("known", ANSWERS, ids=[f"{known.service}-{known.operation}" for known in ANSWERS])
def test_a_registered_answer_comes_back_equal_and_its_call_is_on_record(cloud: Cloud, aws: Aws, known: Known) -> None:
    known.register(cloud)

    assert call(aws(known.service, region="eu-west-1"), known.operation, known.parameters) == known.output
    seen = cloud.calls[0]
    assert cloud.calls == [Call(*known[:2], ACCOUNT, "eu-west-1", known.parameters, seen.protocol)]


def test_every_protocol_of_botocores_clients_is_among_the_answers_above(cloud: Cloud, aws: Aws) -> None:
    for known in ANSWERS:
        known.register(cloud)
        call(aws(known.service), known.operation, known.parameters)

    assert {seen.protocol for seen in cloud.calls} == {"json", "rest-json", "query"}


def over_cbor(cloud: Cloud, operation: OperationModel, parameters: dict[str, Any]) -> dict[str, Any]:
    """A call in CBOR, which botocore's own client of CodeBuild speaks only if JSON is not on offer."""
    made = create_serializer("smithy-rpc-v2-cbor").serialize_to_request(parameters, operation)
    signed = (
        "AWS4-HMAC-SHA256 Credential=KEY/20240601/us-east-1/codebuild/aws4_request, SignedHeaders=host, Signature=0"
    )
    connection = http.client.HTTPConnection(cloud.url.removeprefix("http://"))
    connection.request("POST", made["url_path"], made["body"], {**made["headers"], "Authorization": signed})
    answer = connection.getresponse()
    response = {
        "status_code": answer.status,
        "headers": {k.lower(): v for k, v in answer.getheaders()},
        "body": answer.read(),
    }
    connection.close()
    said: dict[str, Any] = create_parser("smithy-rpc-v2-cbor").parse(response, operation.output_shape)
    return {name: value for name, value in said.items() if name != "ResponseMetadata"}


def test_cbor_is_spoken_to_whoever_speaks_it(cloud: Cloud) -> None:
    operation = operation_model("codebuild", "BatchGetProjects")
    known = next(known for known in ANSWERS if known.service == "codebuild")
    known.register(cloud)

    assert over_cbor(cloud, operation, known.parameters) == known.output
    assert (cloud.calls[0].protocol, cloud.calls[0].parameters) == ("smithy-rpc-v2-cbor", known.parameters)


def test_cbor_has_errors_pages_and_an_answer_from_moto_too(cloud: Cloud, aws: Aws) -> None:
    for name in ("one", "two"):
        create_project(aws, name)
    cloud.paginate("codebuild", "ListProjects", size_limit=1)
    cloud.deny("codebuild", "BatchGetProjects", message="no")
    listing = operation_model("codebuild", "ListProjects")

    first = over_cbor(cloud, listing, {})
    second = over_cbor(cloud, listing, {"nextToken": first["nextToken"]})
    denied = over_cbor(cloud, operation_model("codebuild", "BatchGetProjects"), {"names": ["one"]})
    assert (first["projects"], second) == (["one"], {"projects": ["two"]})
    assert denied["Error"] == {"Code": "AccessDeniedException", "Message": "no"}


@pytest.mark.parametrize(
    ("output", "why"),
    [
        ({"serviceRevisions": [{"imageDigest": DIGEST}]}, "Unknown parameter"),
        ({"serviceRevisions": "none"}, "Invalid type"),
        ({"serviceRevisions": [{"launchType": "LUNCH"}]}, "'LUNCH', none of EC2"),
        ({"serviceRevisions": [{"createdAt": "noon"}]}, "Invalid type"),
    ],
)
def test_an_answer_that_the_model_does_not_allow_fails_the_call_and_the_test(
    cloud: Cloud, aws: Aws, output: dict[str, Any], why: str
) -> None:
    cloud.answer("ecs", "DescribeServiceRevisions", lambda _: output)

    with pytest.raises(ClientError, match="TestIsWrong"):
        aws("ecs").describe_service_revisions(serviceRevisionArns=[REVISION])
    with pytest.raises(AssertionError, match=why):
        cloud.check()


def test_what_moto_does_not_have_and_no_test_registered_fails_the_test(cloud: Cloud, aws: Aws) -> None:
    with pytest.raises(ClientError, match="TestIsWrong"):
        aws("ecs").describe_daemon(daemonArn="d")
    with pytest.raises(AssertionError, match="moto cannot answer ecs DescribeDaemon"):
        cloud.check()


def test_an_answer_may_be_an_error_of_the_service(cloud: Cloud, aws: Aws) -> None:
    def gone(call: Call) -> dict[str, Any]:
        raise Refusal("ResourceNotFoundException", f"no {call.parameters['FunctionName']}", 404)

    cloud.answer("lambda", "GetFunction", gone)
    client = aws("lambda")

    with pytest.raises(client.exceptions.ResourceNotFoundException, match="no f"):
        client.get_function(FunctionName="f")


def test_an_answer_may_leave_a_call_to_moto(cloud: Cloud, aws: Aws) -> None:
    cloud.answer("ecs", "ListClusters", lambda call: {"clusterArns": ["a"]} if call.region == "eu-west-1" else None)

    assert aws("ecs", "eu-west-1").list_clusters()["clusterArns"] == ["a"]
    assert aws("ecs", "us-east-1").list_clusters()["clusterArns"] == []


def test_an_answer_cannot_be_registered_for_an_operation_that_is_not_in_the_model(cloud: Cloud) -> None:
    with pytest.raises(ValueError, match="no model of ecs ListTask "):
        cloud.answer("ecs", "ListTask", lambda _: {})


class Words(NamedTuple):
    """How a service says that a call is denied, and that it came too soon."""

    service: str
    operation: str
    denied: str
    throttled: str


WORDS = [
    Words("ecs", "ListClusters", "AccessDeniedException", "ThrottlingException"),
    Words("lambda", "ListFunctions", "AccessDeniedException", "TooManyRequestsException"),
    Words("cloudformation", "ListStacks", "AccessDenied", "Throttling"),
    Words("codebuild", "ListProjects", "AccessDeniedException", "ThrottlingException"),
    Words("ec2", "DescribeRegions", "UnauthorizedOperation", "RequestLimitExceeded"),
]


@pytest.mark.parametrize("words", WORDS, ids=[words.service for words in WORDS])
def test_a_denial_and_a_throttling_are_in_the_words_of_the_service(cloud: Cloud, aws: Aws, words: Words) -> None:
    cloud.deny(words.service, words.operation, nth=1)
    cloud.throttle(words.service, words.operation, nth=2)
    client = aws(words.service)

    with pytest.raises(ClientError) as denied:
        call(client, words.operation, {})
    with pytest.raises(ClientError) as throttled:
        call(client, words.operation, {})

    assert denied.value.response["Error"]["Code"] == words.denied
    assert denied.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert denied.value.response["Error"]["Message"].startswith(
        "User: arn:aws:sts::123456789012:assumed-role/gc/session is not authorized to perform: "
        f"{words.service}:{words.operation} on resource: *"
    )
    assert throttled.value.response["Error"]["Code"] == words.throttled
    assert call(client, words.operation, {})


def test_a_denial_names_the_action_by_the_prefix_of_iam_and_the_account_of_the_caller(cloud: Cloud, aws: Aws) -> None:
    cloud.deny("stepfunctions", resource="arn:aws:states:*:*:stateMachine:*")

    with pytest.raises(ClientError, match=rf"sts::{OTHER}:.*perform: states:ListStateMachines on resource: arn:aws:st"):
        aws("stepfunctions", account=OTHER).list_state_machines()


def test_a_fault_can_be_limited_to_what_a_call_asks_for_and_where(cloud: Cloud, aws: Aws) -> None:
    for region in ("us-east-1", "eu-west-1"):
        for cluster in ("blue", "green"):
            aws("ecs", region).create_cluster(clusterName=cluster)
    cloud.deny(
        "ecs", "ListTasks", when=lambda call: call.region == "eu-west-1" and call.parameters["cluster"] == "blue"
    )

    assert aws("ecs", "us-east-1").list_tasks(cluster="blue")["taskArns"] == []
    assert aws("ecs", "eu-west-1").list_tasks(cluster="green")["taskArns"] == []
    with pytest.raises(ClientError, match="AccessDenied"):
        aws("ecs", "eu-west-1").list_tasks(cluster="blue")


def test_an_error_can_be_of_any_status_and_code_and_is_over_when_it_is_mended(cloud: Cloud, aws: Aws) -> None:
    cloud.fail("ecs", status=503, code="ServiceUnavailable", message="later")

    with pytest.raises(ClientError, match=r"ServiceUnavailable.*later"):
        aws("ecs").list_clusters()
    cloud.mend()
    assert aws("ecs").list_clusters()["clusterArns"] == []


def test_an_answer_that_is_cut_off_is_shorter_than_it_says(cloud: Cloud) -> None:
    cloud.answer("apprunner", "ListServices", lambda _: {"ServiceSummaryList": []})
    cloud.cut("apprunner", "ListServices", nth=1)
    signed = (
        "AWS4-HMAC-SHA256 Credential=KEY/20240601/us-east-1/apprunner/aws4_request, SignedHeaders=host, Signature=0"
    )
    headers = {"X-Amz-Target": "AppRunner.ListServices", "Authorization": signed}
    connection = http.client.HTTPConnection(cloud.url.removeprefix("http://"))

    connection.request("POST", "/", b"{}", headers)
    with pytest.raises(http.client.IncompleteRead):
        connection.getresponse().read()
    connection.close()
    connection.request("POST", "/", b"{}", headers)
    assert json.loads(connection.getresponse().read()) == {"ServiceSummaryList": []}
    connection.close()


@pytest.mark.parametrize(("service", "operation"), [("ecs", "ListClusters"), ("lambda", "ListFunctions")])
@pytest.mark.parametrize("spoil", [Cloud.cut, Cloud.garbage])
def test_botocore_takes_json_that_is_cut_off_or_garbage_for_an_answer_without_members(
    cloud: Cloud, aws: Aws, spoil: Callable[..., None], service: str, operation: str
) -> None:
    spoil(cloud, service, operation)

    assert call(aws(service), operation, {}) == {}


@pytest.mark.parametrize(("spoil", "error"), [(Cloud.cut, ResponseParserError), (Cloud.garbage, KeyError)])
def test_botocore_fails_at_xml_that_is_cut_off_or_garbage(
    cloud: Cloud, aws: Aws, spoil: Callable[..., None], error: type[Exception]
) -> None:
    spoil(cloud, "cloudformation", "ListStacks")

    with pytest.raises(error):
        aws("cloudformation").list_stacks()


def test_a_call_that_hangs_runs_into_the_timeout_of_its_client_and_ends_with_the_test(cloud: Cloud, aws: Aws) -> None:
    cloud.hang("ecs", "ListClusters", seconds=3600)

    with pytest.raises(ReadTimeoutError):
        aws("ecs", read_timeout=0.2).list_clusters()
    cloud.reset()  # would wait for what is still under way
    assert aws("ecs").list_clusters()["clusterArns"] == []


def test_the_cloud_counts_how_many_calls_were_under_way_at_once(cloud: Cloud, aws: Aws) -> None:
    together = threading.Barrier(5)

    def met(_: Call) -> dict[str, Any]:
        together.wait(30)
        return {"ServiceSummaryList": []}

    cloud.answer("apprunner", "ListServices", met)
    client = aws("apprunner")
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda _: client.list_services(), range(5)))

    assert cloud.most_at_once == 5
    assert len(cloud.named("apprunner", "ListServices")) == 5


def put_image(ecr: Any, tag: str) -> str:
    """An image in moto's ECR, with its repository; its digest."""
    ecr.create_repository(repositoryName="app")
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "size": 2, "digest": DIGEST},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "size": 1, "digest": DIGEST}],
    }
    put = ecr.put_image(repositoryName="app", imageManifest=json.dumps(manifest), imageTag=tag)
    return str(put["image"]["imageId"]["imageDigest"])


def role(aws: Aws) -> str:
    """A role that a service may take on."""
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "*"}, "Action": "sts:AssumeRole"}]}
    made = aws("iam").create_role(RoleName="runs", AssumeRolePolicyDocument=json.dumps(trust))
    return str(made["Role"]["Arn"])


def create_project(aws: Aws, name: str) -> None:
    """A CodeBuild project that builds in the image."""
    aws("codebuild").create_project(
        name=name,
        source={"type": "GITHUB", "location": "https://github.com/a/b"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={"type": "LINUX_CONTAINER", "image": IMAGE, "computeType": "BUILD_GENERAL1_SMALL"},
        serviceRole=f"arn:aws:iam::{ACCOUNT}:role/service-role/runs",
    )


def test_a_function_of_an_image_comes_back_from_moto_with_the_digest_of_that_image(cloud: Cloud, aws: Aws) -> None:
    digest = put_image(aws("ecr"), "1")
    client = aws("lambda")
    client.create_function(FunctionName="f", Role=role(aws), PackageType="Image", Code={"ImageUri": IMAGE})

    assert [each["FunctionName"] for each in client.list_functions()["Functions"]] == ["f"]
    code = client.get_function(FunctionName="f")["Code"]
    assert (code["ImageUri"], code["ResolvedImageUri"]) == (IMAGE, f"{IMAGE.removesuffix(':1')}@{digest}")
    assert cloud.named("lambda", "GetFunction")[0].parameters == {"FunctionName": "f"}


def test_clusters_services_and_task_definitions_come_back_from_moto(cloud: Cloud, aws: Aws) -> None:
    ecs = aws("ecs")
    ecs.create_cluster(clusterName="blue")
    ecs.register_task_definition(family="web", containerDefinitions=[{"name": "web", "image": IMAGE, "memory": 64}])
    ecs.create_service(cluster="blue", serviceName="web", taskDefinition="web:1", desiredCount=1)

    listed = ecs.list_services(cluster="blue")["serviceArns"]
    described = ecs.describe_services(cluster="blue", services=listed)["services"]
    definition = ecs.describe_task_definition(taskDefinition=described[0]["taskDefinition"])["taskDefinition"]
    assert definition["containerDefinitions"][0]["image"] == IMAGE
    assert [str(seen) for seen in cloud.named("ecs", "ListServices")] == ["ecs ListServices (123456789012, us-east-1)"]


def test_job_definitions_models_projects_and_runtimes_come_back_from_moto(aws: Aws) -> None:
    aws("batch").register_job_definition(
        jobDefinitionName="j", type="container", containerProperties={"image": IMAGE, "vcpus": 1, "memory": 64}
    )
    aws("sagemaker").create_model(ModelName="m", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=role(aws))
    create_project(aws, "project")
    runtime = aws("bedrock-agentcore-control").create_agent_runtime(
        agentRuntimeName="r",
        agentRuntimeArtifact={"containerConfiguration": {"containerUri": IMAGE}},
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/runs",
        networkConfiguration={"networkMode": "PUBLIC"},
    )["agentRuntimeId"]

    defined = aws("batch").describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    modelled = aws("sagemaker").describe_model(ModelName="m")
    projects = aws("codebuild").batch_get_projects(names=["project"])["projects"]
    run = aws("bedrock-agentcore-control").get_agent_runtime(agentRuntimeId=runtime)
    assert defined[0]["containerProperties"]["image"] == IMAGE
    assert modelled["PrimaryContainer"]["Image"] == IMAGE
    assert projects[0]["environment"]["image"] == IMAGE
    assert run["agentRuntimeArtifact"]["containerConfiguration"]["containerUri"] == IMAGE


def test_an_answer_of_motos_can_be_completed_with_what_moto_leaves_out(cloud: Cloud, aws: Aws) -> None:
    emr = aws("emr-serverless")
    made = emr.create_application(name="a", releaseLabel="emr-7.0.0", type="SPARK")

    def with_image(_: Call, output: dict[str, Any]) -> dict[str, Any]:
        output["application"]["imageConfiguration"] = {"imageUri": IMAGE, "resolvedImageDigest": DIGEST}
        return output

    cloud.amend("emr-serverless", "GetApplication", with_image)

    got = emr.get_application(applicationId=made["applicationId"])["application"]
    assert (got["name"], got["imageConfiguration"]["resolvedImageDigest"]) == ("a", DIGEST)


@pytest.fixture
def families(aws: Aws) -> list[str]:
    """Seven task definitions."""
    containers = [{"name": "web", "image": IMAGE, "memory": 64}]
    made = [
        aws("ecs").register_task_definition(family=f"f{number}", containerDefinitions=containers) for number in range(7)
    ]
    return [each["taskDefinition"]["taskDefinitionArn"] for each in made]


@pytest.mark.parametrize("hollow", [False, True])
@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_pages_are_complete_and_none_is_larger_than_allowed(
    cloud: Cloud, aws: Aws, families: list[str], size: int, hollow: bool
) -> None:
    cloud.paginate("ecs", "ListTaskDefinitions", "taskDefinitionArns", size, hollow=hollow)

    pages = [page["taskDefinitionArns"] for page in aws("ecs").get_paginator("list_task_definitions").paginate()]
    assert [arn for page in pages for arn in page] == families
    assert max(map(len, pages)) == min(size, 7)
    assert any(not page for page in pages) == hollow


def test_a_caller_gets_no_more_on_a_page_than_it_asked_for(cloud: Cloud, aws: Aws, families: list[str]) -> None:
    first = aws("ecs").list_task_definitions(maxResults=3)
    rest = aws("ecs").list_task_definitions(nextToken=first["nextToken"])

    assert (first["taskDefinitionArns"], rest["taskDefinitionArns"]) == (families[:3], families[3:])
    assert "nextToken" not in rest
    assert cloud.named("ecs", "ListTaskDefinitions")[0].parameters == {"maxResults": 3}


def test_a_token_can_be_used_again_but_only_for_the_listing_that_handed_it_out(aws: Aws, families: list[str]) -> None:
    ecs = aws("ecs")
    token = ecs.list_task_definitions(maxResults=3)["nextToken"]

    assert ecs.list_task_definitions(nextToken=token)["taskDefinitionArns"] == families[3:]
    assert ecs.list_task_definitions(nextToken=token)["taskDefinitionArns"] == families[3:]
    for parameters in ({"nextToken": token, "status": "INACTIVE"}, {"nextToken": "3"}):
        with pytest.raises(ClientError, match="InvalidParameterException"):
            ecs.list_task_definitions(**parameters)
    with pytest.raises(ClientError, match="InvalidParameterException"):
        aws("ecs", "eu-west-1").list_task_definitions(nextToken=token)


def test_listings_of_every_protocol_come_in_pages(cloud: Cloud, aws: Aws) -> None:
    repository = put_image(aws("ecr"), "1") and role(aws)
    for number in range(3):
        aws("lambda").create_function(
            FunctionName=f"f{number}", Role=repository, PackageType="Image", Code={"ImageUri": IMAGE}
        )
    stacks = [{"StackName": f"s{n}", "CreationTime": WHEN, "StackStatus": "CREATE_COMPLETE"} for n in range(3)]
    cloud.answer("cloudformation", "ListStacks", lambda _: {"StackSummaries": stacks})
    cloud.answer("codebuild", "ListProjects", lambda _: {"projects": ["p0", "p1", "p2"]})
    for service, operation in (
        ("lambda", "ListFunctions"),
        ("cloudformation", "ListStacks"),
        ("codebuild", "ListProjects"),
    ):
        cloud.paginate(service, operation, size_limit=2)

    functions = list(aws("lambda").get_paginator("list_functions").paginate())
    summaries = list(aws("cloudformation").get_paginator("list_stacks").paginate())
    projects = list(aws("codebuild").get_paginator("list_projects").paginate())
    assert [[each["FunctionName"] for each in page["Functions"]] for page in functions] == [["f0", "f1"], ["f2"]]
    assert [[each["StackName"] for each in page["StackSummaries"]] for page in summaries] == [["s0", "s1"], ["s2"]]
    assert [page["projects"] for page in projects] == [["p0", "p1"], ["p2"]]


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code"),
    [
        ("ecs", "ListServices", {"cluster": "blue", "maxResults": 101}, "InvalidParameterException"),
        ("ecs", "DescribeServices", {"cluster": "blue", "services": ["s"] * 11}, "InvalidParameterException"),
        ("ecs", "DescribeTasks", {"cluster": "blue", "tasks": ["t"] * 101}, "InvalidParameterException"),
        ("ecs", "DescribeServiceRevisions", {"serviceRevisionArns": ["r"] * 21}, "InvalidParameterException"),
        ("ecs", "ListTaskDefinitions", {"maxResults": 101}, "InvalidParameterException"),
        ("batch", "DescribeJobs", {"jobs": ["j"] * 101}, "ClientException"),
        ("batch", "DescribeJobDefinitions", {"maxResults": 101}, "ClientException"),
        ("codebuild", "BatchGetProjects", {"names": ["pp"] * 101}, "InvalidInputException"),
        ("apprunner", "ListServices", {"MaxResults": 21}, "InvalidRequestException"),
        ("sagemaker", "ListModels", {"MaxResults": 101}, "ValidationException"),
        ("organizations", "ListAccounts", {"MaxResults": 21}, "InvalidInputException"),
    ],
)
def test_a_call_that_asks_for_more_than_aws_allows_is_refused(
    aws: Aws, service: str, operation: str, parameters: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as refused:
        call(aws(service), operation, parameters)

    assert refused.value.response["Error"]["Code"] == code


def test_lambda_gives_fifty_functions_however_many_are_asked_for(cloud: Cloud, aws: Aws) -> None:
    functions = [{"FunctionName": f"f{number}"} for number in range(60)]
    cloud.answer("lambda", "ListFunctions", lambda _: {"Functions": functions})

    assert len(aws("lambda").list_functions(MaxItems=10000)["Functions"]) == 50


def test_a_role_of_another_account_sees_only_that_account(cloud: Cloud, aws: Aws) -> None:
    aws("ecs").create_cluster(clusterName="here")
    aws("ecs", account=OTHER).create_cluster(clusterName="there")

    assert aws("sts").get_caller_identity()["Account"] == ACCOUNT
    assert aws("sts", account=OTHER).get_caller_identity()["Account"] == OTHER
    assert [arn.split(":")[4:] for arn in aws("ecs").list_clusters()["clusterArns"]] == [[ACCOUNT, "cluster/here"]]
    there = aws("ecs", account=OTHER).list_clusters()["clusterArns"]
    assert [arn.split(":")[4:] for arn in there] == [[OTHER, "cluster/there"]]
    assert [seen.account for seen in cloud.named("ecs", "ListClusters")] == [ACCOUNT, OTHER]


def test_the_accounts_of_an_organization_are_listed(aws: Aws) -> None:
    aws("organizations").create_organization(FeatureSet="ALL")
    for number in range(22):
        aws("organizations").create_account(Email=f"{number}@example.com", AccountName=f"a{number}")

    pages = list(aws("organizations").get_paginator("list_accounts").paginate())
    assert [len(page["Accounts"]) for page in pages] == [20, 3]


def test_a_key_can_be_made_that_of_another_account(cloud: Cloud, aws: Aws) -> None:
    cloud.know("AKIDEXAMPLE", OTHER)

    assert aws("sts").get_caller_identity()["Account"] == OTHER
    aws("ecs").create_cluster(clusterName="there")
    assert cloud.calls[-1].account == OTHER
    assert aws("ecs").list_clusters()["clusterArns"] == [f"arn:aws:ecs:us-east-1:{OTHER}:cluster/there"]


def test_what_one_test_created_the_next_does_not_see(cloud: Cloud, aws: Aws) -> None:
    aws("ecs").create_cluster(clusterName="blue")
    cloud.reset()

    assert aws("ecs").list_clusters()["clusterArns"] == []
    assert [seen.operation for seen in cloud.calls] == ["ListClusters"]


def test_another_process_finds_the_cloud_by_its_environment(
    cloud: Cloud, aws: Aws, credentials: dict[str, str]
) -> None:
    aws("ecs").create_cluster(clusterName="blue")
    lists = "import boto3; print(boto3.client('ecs').list_clusters()['clusterArns'])"

    said = subprocess.run([sys.executable, "-c", lists], env=credentials, capture_output=True, text=True, check=True)
    assert said.stdout == f"['arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/blue']\n"
    assert len(cloud.named("ecs", "ListClusters")) == 1


def test_the_tables_of_gaps_and_pages_name_operations_that_exist_and_page() -> None:
    for service, operation in [*gaps.ANSWERS, *paging.NAMES]:
        assert operation_model(service, operation)
    for service, operation in paging.PAGES:
        assert paging.members_of(operation_model(service, operation)).items


FILLED: dict[str, Any] = {"filter": {"resourceId": f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/app/{DIGEST}"}}


@pytest.mark.parametrize(("service", "operation"), sorted(set(gaps.EMPTY)))
def test_what_moto_lacks_is_answered_as_in_an_account_that_has_no_such_thing(
    aws: Aws, service: str, operation: str
) -> None:
    shape = operation_model(service, operation).input_shape
    parameters = {name: FILLED.get(name, "a" * 40) for name in shape.required_members}

    assert list(call(aws(service), operation, parameters).values()) == [[]]
