"""What runs in the stand-in, as botocore's clients see it, and what the services refuse."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from aws_ecr_gc.sandbox import Faults, Repository, Sandbox, ScenarioError, bundled_scenario, load_scenario, model
from aws_ecr_gc.sandbox.services import DOWNLOAD, KNOWN, SERVICES
from aws_ecr_gc.sandbox.workloads import Workloads

from .wire import ACCOUNT, refused, repository, scenario

OTHER = "210987654321"
_IMAGES: list[dict[str, Any]] = [
    {"name": "a", "tags": ["v1"]},
    {"name": "b"},
    {"name": "i", "tags": ["v2"], "children": ["a", "b"]},
]
HOST = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
_SESSION = boto3.session.Session()


class Clients:
    """Clients by service, which try once; what they were answered has no member that botocore's model does not know."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._made: list[Any] = []

    def __call__(self, service: str, access_key: str = ACCOUNT, region: str = "us-east-1") -> Any:
        made = _SESSION.client(
            service,
            endpoint_url=self._sandbox.url,
            region_name=region,
            aws_access_key_id=access_key,
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
        )
        if service != "sts":  # it answers in XML
            made.meta.events.register("before-parse", _demand_known_members)
        self._made.append(made)
        return made

    def close(self) -> None:
        for each in self._made:
            each.close()


def _demand_known_members(operation_model: Any, response_dict: dict[str, Any], **_: object) -> None:
    if response_dict["status_code"] == 200 and "json" in response_dict["headers"]["Content-Type"]:
        service = operation_model.service_model.service_name
        shape = model.shape(model.output_shape_name(operation_model.name, service), service)
        assert not list(_unknown(shape, json.loads(response_dict["body"]), service, operation_model.name))


def _unknown(shape: dict[str, Any], value: Any, service: str, path: str) -> Iterator[str]:
    """Whatever of a JSON value the model does not know, or knows to be of another type."""
    match shape["type"]:
        case "structure":
            for member, inner in value.items():
                if member not in shape["members"]:
                    yield f"{path}.{member}"
                else:
                    of_it = model.shape(shape["members"][member]["shape"], service)
                    yield from _unknown(of_it, inner, service, f"{path}.{member}")
        case "list":
            for item in value:
                yield from _unknown(model.shape(shape["member"]["shape"], service), item, service, f"{path}[]")
        case "string":
            if not isinstance(value, str) or value not in shape.get("enum", [value]):
                yield f"{path}: {value!r}"
        case "integer" | "long" | "timestamp":
            if isinstance(value, (str, bool)):
                yield f"{path}: {value!r}"


@pytest.fixture
def aws(sandbox: Sandbox) -> Iterator[Clients]:
    """Clients of the sandbox, for any service."""
    clients = Clients(sandbox)
    yield clients
    clients.close()


@pytest.fixture
def running(sandbox: Sandbox) -> Workloads:
    """Nothing yet, beside a repository `app` with the images a (v1) and b, and the index i (v2) of both."""
    sandbox.reset(scenario(repositories=[repository(*_IMAGES)]))
    return sandbox.workloads()


def _pages(client: Any, operation: str, answer: str, **asked: Any) -> list[list[Any]]:
    """The rows of a listing, page by page."""
    sent, received = ("Marker", "NextMarker") if answer == "Functions" else ("nextToken", "nextToken")
    following: dict[str, str] = {}
    pages = []
    while True:
        answered = getattr(client, operation)(**asked, **following)
        pages.append(answered[answer])
        if received not in answered:
            return pages
        following = {sent: answered[received]}


def test_no_two_services_have_an_operation_of_the_same_name() -> None:
    assert len(KNOWN) == sum(len(service.operations) for service in SERVICES.values()) + len({DOWNLOAD})


def test_a_service_starts_from_the_digest_that_its_tag_had_when_it_was_deployed(
    running: Workloads, aws: Clients
) -> None:
    app = _app(running)
    running.ecs.register("web", "app:v1")
    service = running.ecs.create_cluster("prod").create_service("web", "web", desired=2)
    recorded = app.resolve("v1")
    app.tag("v1", app.resolve("v2"))
    ecs = aws("ecs")

    (described,) = ecs.describe_services(cluster="prod", services=["web"])["services"]
    arns = [each["arn"] for each in described["currentServiceRevisions"]]
    (revision,) = ecs.describe_service_revisions(serviceRevisionArns=arns)["serviceRevisions"]
    tasks = ecs.describe_tasks(cluster="prod", tasks=ecs.list_tasks(cluster="prod")["taskArns"])["tasks"]

    image = f"{HOST}/app:v1"
    assert (described["desiredCount"], described["runningCount"]) == (2, 2)
    assert revision["containerImages"] == [{"containerName": "c0", "image": image, "imageDigest": recorded}]
    assert [(each["image"], each["imageDigest"]) for task in tasks for each in task["containers"]] == [
        (image, recorded)
    ] * 2
    assert {task["group"] for task in tasks} == {"service:web"}
    service.deploy()
    assert service.revisions[-1].images[0].digest == app.resolve("v2")


def _app(running: Workloads) -> Repository:
    return running.ecs.site.registries(ACCOUNT, "us-east-1").repository("app")


def test_a_service_that_is_to_run_nothing_has_no_digest_until_it_is_scaled_up(running: Workloads, aws: Clients) -> None:
    running.ecs.register("web", "app:v1")
    service = running.ecs.create_cluster("prod").create_service("web", "web:1", desired=0)

    def recorded() -> list[str | None]:
        arn = service.revisions[-1].arn
        (found,) = aws("ecs").describe_service_revisions(serviceRevisionArns=[arn])["serviceRevisions"]
        return [each.get("imageDigest") for each in found["containerImages"]]

    assert recorded() == [None]
    assert not list(service.tasks())
    service.scale(1)
    assert recorded() == [_app(running).resolve("v1")]
    service.scale(0)
    assert not list(service.tasks())


def test_a_deployment_names_what_it_put_in_place_of_what(running: Workloads, aws: Clients) -> None:
    running.ecs.register("web", "app:v1")
    running.ecs.register("web", "app:v2")
    service = running.ecs.create_cluster("prod").create_service("web", "web:1")
    service.deploy("web:2", status="IN_PROGRESS")
    ecs = aws("ecs")

    (described,) = ecs.describe_services(cluster=service.cluster.arn, services=[service.arn])["services"]
    arns = [described["currentServiceDeployment"], f"{described['currentServiceDeployment']}0"]
    answered = ecs.describe_service_deployments(serviceDeploymentArns=arns)

    (deployment,) = answered["serviceDeployments"]
    assert deployment["status"] == "IN_PROGRESS"
    assert deployment["targetServiceRevision"]["arn"] == service.revisions[1].arn
    assert [each["arn"] for each in deployment["sourceServiceRevisions"]] == [service.revisions[0].arn]
    assert answered["failures"] == [{"arn": arns[1], "reason": "MISSING"}]
    assert described["taskDefinition"].endswith("task-definition/web:2")


def test_tasks_are_listed_by_whether_they_are_to_run_and_for_an_hour_after_they_stopped(
    sandbox: Sandbox, running: Workloads, aws: Clients
) -> None:
    running.ecs.register("job", "app:v1", f"app@{_app(running).resolve('v2')}", "docker.io/library/busybox:1")
    cluster = running.ecs.create_cluster("default")
    task = cluster.run_task("job")
    ecs = aws("ecs")

    (arn,) = ecs.list_tasks()["taskArns"]
    (found,) = ecs.describe_tasks(tasks=[arn])["tasks"]
    assert [each.get("imageDigest") for each in found["containers"]] == [
        _app(running).resolve("v1"),
        _app(running).resolve("v2"),
        None,
    ]
    task.stop()
    assert ecs.list_tasks()["taskArns"] == []
    assert ecs.list_tasks(desiredStatus="STOPPED")["taskArns"] == [arn]
    assert ecs.describe_tasks(tasks=[task.id])["tasks"][0]["lastStatus"] == "STOPPED"
    sandbox.clock.advance(3601)
    assert ecs.list_tasks(desiredStatus="STOPPED")["taskArns"] == []
    assert ecs.describe_tasks(tasks=[task.id])["failures"] == [{"arn": arn, "reason": "MISSING"}]


def test_a_service_of_task_sets_has_no_task_definition_of_its_own(running: Workloads, aws: Clients) -> None:
    running.ecs.register("web", "app:v1")
    service = running.ecs.create_cluster("prod").create_service("web")
    service.add_task_set("web")
    service.add_task_set("web", 1)

    (described,) = aws("ecs").describe_services(cluster="prod", services=["web"])["services"]
    assert "taskDefinition" not in described
    assert described["deployments"] == []
    assert [(each["computedDesiredCount"], each["runningCount"]) for each in described["taskSets"]] == [(0, 0), (1, 1)]


def test_a_revision_that_was_deregistered_is_inactive_and_can_be_described(running: Workloads, aws: Clients) -> None:
    names = [running.ecs.register("web", f"app:v{number}").name for number in (1, 2, 3)]
    running.ecs.definitions.deregister("web:3")
    ecs = aws("ecs")

    def listed(**asked: str) -> list[str]:
        return [arn.rpartition("/")[2] for arn in ecs.list_task_definitions(**asked)["taskDefinitionArns"]]

    assert names == ["web:1", "web:2", "web:3"]
    assert listed() == ["web:1", "web:2"]
    assert listed(status="INACTIVE") == ["web:3"]
    assert listed(sort="DESC", familyPrefix="web") == ["web:2", "web:1"]
    assert listed(familyPrefix="we") == []
    described = {name: ecs.describe_task_definition(taskDefinition=name)["taskDefinition"] for name in ("web", "web:3")}
    assert described["web"]["revision"] == 2
    assert (described["web:3"]["status"], described["web:3"]["containerDefinitions"]) == (
        "INACTIVE",
        [{"name": "c0", "image": f"{HOST}/app:v3"}],
    )
    with refused("ClientException", "Unable to describe task definition"):
        ecs.describe_task_definition(taskDefinition="web:4")


def test_lambda_keeps_the_digest_that_it_found_whatever_the_tag_points_at_later(
    running: Workloads, aws: Clients
) -> None:
    app = _app(running)
    first = app.resolve("v1")
    function = running.functions.create("thumb", "app:v1")
    function.publish()
    app.tag("v1", app.resolve("v2"))
    function.update("app:v1")
    client = aws("lambda")

    listed = client.list_functions(FunctionVersion="ALL")["Functions"]
    codes = {
        version: client.get_function(FunctionName="thumb", Qualifier=version)["Code"] for version in ("$LATEST", "1")
    }

    assert [(each["Version"], each["PackageType"]) for each in listed] == [("$LATEST", "Image"), ("1", "Image")]
    assert [each["FunctionArn"].rpartition(":")[2] for each in listed] == ["$LATEST", "1"]
    assert {each["ImageUri"] for each in codes.values()} == {f"{HOST}/app:v1"}
    assert codes["1"]["ResolvedImageUri"] == f"{HOST}/app@{first}"
    assert codes["$LATEST"]["ResolvedImageUri"] == f"{HOST}/app@{app.resolve('v2')}"
    assert [each["Version"] for each in client.list_functions()["Functions"]] == ["$LATEST"]


def test_functions_are_found_by_name_and_arn_and_missing_ones_are_said_to_be(running: Workloads, aws: Clients) -> None:
    function = running.functions.create("thumb", None)
    client = aws("lambda")

    for name in ("thumb", function.arn, f"{ACCOUNT}:function:thumb"):
        answered = client.get_function(FunctionName=name)
        assert (answered["Configuration"]["PackageType"], answered["Code"]) == ("Zip", {"RepositoryType": "S3"})
    with pytest.raises(ClientError) as caught:
        client.get_function(FunctionName="thumb", Qualifier="7")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_listings_come_in_pages_as_long_as_documented(running: Workloads, aws: Clients) -> None:
    cluster = running.ecs.create_cluster("prod")
    for number in range(120):
        running.ecs.create_cluster(f"c{number}")
        running.ecs.register("web", "app:v1")
        cluster.create_service(f"s{number}", "web")
        running.functions.create(f"f{number}", "app:v1")
    ecs = aws("ecs")

    def sizes(operation: str, answer: str, **asked: Any) -> list[int]:
        return [len(page) for page in _pages(ecs, operation, answer, **asked)]

    assert sizes("list_clusters", "clusterArns") == [100, 21]
    assert sizes("list_services", "serviceArns", cluster="prod") == [10] * 12
    assert sizes("list_services", "serviceArns", cluster="prod", maxResults=100) == [100, 20]
    assert sizes("list_tasks", "taskArns", cluster="prod") == [100, 20]
    assert sizes("list_task_definitions", "taskDefinitionArns") == [100, 20]
    pages = _pages(aws("lambda"), "list_functions", "Functions", MaxItems=1000)
    assert [len(page) for page in pages] == [50, 50, 20]
    assert len({each["FunctionArn"] for page in pages for each in page}) == 120


def test_a_page_may_be_shorter_than_asked_for(sandbox: Sandbox, aws: Clients) -> None:
    sandbox.reset(scenario(repositories=[repository({"repeat": 5})], behaviour={"longest_page": 2}))
    for number in range(5):
        sandbox.workloads().ecs.create_cluster(f"c{number}")

    assert [len(page) for page in _pages(aws("ecs"), "list_clusters", "clusterArns")] == [2, 2, 1]
    described = _pages(aws("ecr"), "describe_images", "imageDetails", repositoryName="app", maxResults=100)
    assert [len(page) for page in described] == [2, 2, 1]


def test_more_than_documented_is_refused(running: Workloads, aws: Clients) -> None:
    running.ecs.create_cluster("prod")
    ecs, functions = aws("ecs"), aws("lambda")

    for size in (0, 101):
        with refused("InvalidParameterException", "maxResults"):
            ecs.list_services(cluster="prod", maxResults=size)
    for operation, names, most in (
        ("describe_services", "services", 10),
        ("describe_tasks", "tasks", 100),
        ("describe_service_revisions", "serviceRevisionArns", 20),
        ("describe_service_deployments", "serviceDeploymentArns", 20),
    ):
        where = {} if "Arns" in names else {"cluster": "prod"}
        missing = [f"x{number}" for number in range(most)]
        assert len(getattr(ecs, operation)(**where, **{names: missing})["failures"]) == most
        for wrong in ([], [*missing, "y"]):
            with refused("InvalidParameterException", names):
                getattr(ecs, operation)(**where, **{names: wrong})
    with refused("InvalidParameterException", "enum"):
        ecs.list_tasks(cluster="prod", desiredStatus="ASLEEP")
    with refused("ClusterNotFoundException", "Cluster not found"):
        ecs.list_tasks(cluster="none")
    with refused("InvalidParameterException", "nextToken"):
        ecs.list_clusters(nextToken="mine")
    for wrong_page in ({"MaxItems": 10_001}, {"MaxItems": "many"}, {"Marker": "mine"}, {"FunctionVersion": "SOME"}):
        with refused("InvalidParameterValueException"):
            functions.list_functions(**wrong_page)


def test_every_account_and_region_has_workloads_of_its_own(running: Workloads, sandbox: Sandbox, aws: Clients) -> None:
    running.ecs.create_cluster("here")
    sandbox.workloads(OTHER).ecs.create_cluster("other")
    sandbox.workloads(region="eu-west-1").ecs.create_cluster("west")

    def clusters(client: Any) -> list[str]:
        return [arn.rpartition("/")[2] for arn in client.list_clusters()["clusterArns"]]

    assert clusters(aws("ecs")) == ["here"]
    assert clusters(aws("ecs", OTHER)) == ["other"]
    assert clusters(aws("ecs", region="eu-west-1")) == ["west"]


def test_an_image_of_another_account_is_resolved_in_its_registry(running: Workloads, sandbox: Sandbox) -> None:
    sandbox.workloads(OTHER).ecs.register("web", f"{HOST}/app:v1")
    task = sandbox.workloads(OTHER).ecs.create_cluster("prod").run_task("web")

    assert task.images[0].digest == _app(running).resolve("v1")


def test_sts_tells_who_calls_and_gives_keys_of_another_account(aws: Clients) -> None:
    sts = aws("sts")
    assert sts.get_caller_identity()["Account"] == ACCOUNT

    granted = sts.assume_role(RoleArn=f"arn:aws:iam::{OTHER}:role/path/reader", RoleSessionName="me")

    assert granted["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{OTHER}:assumed-role/reader/me"
    key = granted["Credentials"]["AccessKeyId"]
    assert aws("sts", key).get_caller_identity()["Account"] == OTHER
    assert aws("sts", key).get_caller_identity()["Arn"] == granted["AssumedRoleUser"]["Arn"]
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/sandbox"
    with refused("ValidationError", "RoleArn"):
        sts.assume_role(RoleArn="arn:aws:iam::1:user/somebody", RoleSessionName="me")
    with refused("ValidationError", "RoleSessionName"):
        sts.assume_role(RoleArn=f"arn:aws:iam::{OTHER}:role/reader", RoleSessionName="?")


def test_what_could_start_tasks_is_empty(aws: Clients) -> None:
    events, scheduler, states = aws("events"), aws("scheduler"), aws("stepfunctions")

    assert [bus["Name"] for bus in events.list_event_buses()["EventBuses"]] == ["default"]
    assert events.list_rule_names_by_target(TargetArn="arn:x", EventBusName="default")["RuleNames"] == []
    assert scheduler.list_schedules(MaxResults=100)["Schedules"] == []
    assert states.list_state_machines(maxResults=1000)["stateMachines"] == []
    assert aws("ecs").list_daemons(clusterArn="arn:x")["daemonSummariesList"] == []
    calls: list[tuple[Callable[[], Any], str]] = [
        (lambda: events.list_targets_by_rule(Rule="none"), "ResourceNotFoundException"),
        (lambda: scheduler.get_schedule(Name="none"), "ResourceNotFoundException"),
        (lambda: states.describe_state_machine(stateMachineArn="arn:x"), "StateMachineDoesNotExist"),
        (lambda: states.list_state_machine_versions(stateMachineArn="arn:x"), "ResourceNotFound"),
        (lambda: scheduler.list_schedules(MaxResults=101), "ValidationException"),
        (lambda: events.list_event_buses(Limit=101), "ValidationException"),
    ]
    for call, code in calls:
        with refused(code):
            call()


@pytest.mark.parametrize(
    ("service", "call", "throttled"),
    [
        ("ecs", "list_clusters", "ThrottlingException"),
        ("lambda", "list_functions", "TooManyRequestsException"),
        ("sts", "get_caller_identity", "Throttling"),
        ("events", "list_event_buses", "ThrottlingException"),
        ("scheduler", "list_schedules", "ThrottlingException"),
        ("stepfunctions", "list_state_machines", "ThrottlingException"),
    ],
)
def test_faults_strike_every_service_in_its_own_words(
    sandbox: Sandbox, aws: Clients, service: str, call: str, throttled: str
) -> None:
    client = aws(service)
    ask = getattr(client, call)
    operation = client.meta.method_to_api_mapping[call]
    sandbox.faults = Faults(throttle=0.001)
    ask()
    with refused(throttled, "Rate exceeded"):
        ask()
    sandbox.faults = Faults(server_error_share=1.0)
    with pytest.raises(ClientError) as caught:
        ask()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] in {500, 503}
    for fault in (Faults(reset_share=1.0), Faults(lost_answer_share=1.0, operations=[operation])):
        sandbox.faults = fault
        with pytest.raises(ConnectionClosedError):
            ask()
    sandbox.faults = Faults(deny=[operation])
    signed_for = client.meta.service_model.signing_name
    with refused("AccessDenied" if service == "sts" else "AccessDeniedException", f"{signed_for}:{operation} on"):
        ask()
    sandbox.faults = Faults(expire_credentials_after=0)
    with refused("ExpiredToken" if service == "sts" else "ExpiredTokenException"):
        ask()
    assert {(seen.service, seen.operation) for seen in sandbox.calls} == {(service, operation)}


def test_an_operation_may_be_denied_on_one_thing_alone(running: Workloads, sandbox: Sandbox, aws: Clients) -> None:
    running.ecs.register("web", "app:v1")
    revisions = [
        running.ecs.create_cluster(name).create_service("web", "web").revisions[0].arn for name in ("prod", "test")
    ]
    running.functions.create("thumb", None)
    denied = {
        "prod": ["ListTasks", "DescribeServiceRevisions", "ListDaemons"],
        "thumb": ["GetFunction"],
        OTHER: ["AssumeRole"],
        "app": ["ListImages"],
    }
    sandbox.faults = Faults(deny_on=denied)
    ecs, prod, role = aws("ecs"), running.ecs.clusters["prod"].arn, f"arn:aws:iam::{OTHER}:role/reader"

    calls: list[Callable[[], Any]] = [
        lambda: ecs.list_tasks(cluster="prod"),
        lambda: ecs.list_tasks(cluster=prod),
        lambda: ecs.list_daemons(clusterArn=prod),
    ]
    for call in calls:
        with refused("AccessDeniedException", f"on resource: {prod} because"):
            call()
    with refused("AccessDeniedException", "ecs:DescribeServiceRevisions"):
        ecs.describe_service_revisions(serviceRevisionArns=[*reversed(revisions)])
    with refused("AccessDeniedException", "function:thumb because"):
        aws("lambda").get_function(FunctionName="thumb")
    with refused("AccessDenied", f"sts:AssumeRole on resource: {role} because"):
        aws("sts").assume_role(RoleArn=role, RoleSessionName="me")
    with refused("AccessDeniedException", "repository/app because"):
        aws("ecr").list_images(repositoryName="app")
    assert ecs.list_tasks(cluster="test")["taskArns"]
    assert ecs.describe_service_revisions(serviceRevisionArns=revisions[1:])["serviceRevisions"]


def test_actions_run_at_a_call_of_any_service(running: Workloads, sandbox: Sandbox, aws: Clients) -> None:
    def create_cluster(_request: dict[str, Any]) -> None:
        running.ecs.create_cluster("late")

    def create_function(request: dict[str, Any]) -> None:
        running.functions.create(request["FunctionVersion"], None)

    sandbox.before("ListClusters", create_cluster, call=2)
    sandbox.after("ListFunctions", create_function)
    ecs, functions = aws("ecs"), aws("lambda")

    assert [len(ecs.list_clusters()["clusterArns"]) for _ in range(3)] == [0, 1, 1]
    assert [len(functions.list_functions(FunctionVersion="ALL")["Functions"]) for _ in range(2)] == [0, 1]


def test_a_service_that_is_not_there_is_said_to_be_unknown(aws: Clients) -> None:
    with refused("UnknownOperationException", "no service 'batch'"):
        aws("batch").describe_job_queues()
    with refused("UnknownOperationException", "no operation 'CreateCluster'"):
        aws("ecs").create_cluster()
    with refused("UnknownOperationException", "GET /2015-03-31/functions/f/aliases"):
        aws("lambda").list_aliases(FunctionName="f")
    with refused("InvalidAction", "GetSessionToken"):
        aws("sts").get_session_token()


# --- scenario files ------------------------------------------------------------------------------------------------

_WORKLOADS: dict[str, Any] = {
    "task_definitions": [
        {"family": "web", "images": ["app:v1"]},
        {"family": "web", "images": ["app@b", "public.ecr.aws/nginx/nginx:1"]},
        {"family": "old", "images": ["app:v2"], "inactive": True},
    ],
    "clusters": [
        {
            "name": "prod",
            "services": [
                {"name": "web", "task_definition": "web:1", "desired_count": 2, "recorded": "app@b"},
                {"name": "idle", "task_definition": "web", "desired_count": 0},
                {"name": "blue", "task_sets": ["web:1", "old:1"]},
            ],
            "tasks": [{"task_definition": "old:1"}, {"task_definition": "web:2", "stopped": True}],
        }
    ],
    "functions": [{"name": "thumb", "image": "app:v2", "versions": ["app:v1", "app@b"]}],
}


def test_a_scenario_says_what_runs(sandbox: Sandbox) -> None:
    sandbox.reset(scenario(repositories=[repository(*_IMAGES)], workloads=[_WORKLOADS]))
    app, running = sandbox.registry().repository("app"), sandbox.workloads()
    cluster = running.ecs.clusters["prod"]
    by_tag, child = app.resolve("v1"), next(each for each in app.images if not app.images[each].tags)

    assert [each.images[0].digest for each in cluster.services["web"].tasks()] == [child, child]
    assert [each.image for each in cluster.services["idle"].revisions[0].images] == [
        f"{HOST}/app@{child}",
        "public.ecr.aws/nginx/nginx:1",
    ]
    assert [each.digest for each in cluster.services["idle"].revisions[0].images] == [None, None]
    assert [each.definition.name for each in cluster.services["blue"].task_sets] == ["web:1", "old:1"]
    assert [task.stopped_at is None for task in cluster.tasks.values() if task.service is None] == [True, False]
    assert running.ecs.definitions.inactive == {"old:1"}
    versions = running.functions.by_name["thumb"].versions
    assert {number: each.digest for number, each in versions.items()} == {
        "$LATEST": app.resolve("v2"),
        "1": by_tag,
        "2": child,
    }


def test_workloads_of_a_scenario_are_where_it_says(sandbox: Sandbox) -> None:
    west = {"account": OTHER, "region": "eu-west-1", "clusters": [{"name": "prod"}]}
    sandbox.reset(scenario(workloads=[west]))

    assert list(sandbox.workloads(OTHER, "eu-west-1").ecs.clusters) == ["prod"]
    assert not sandbox.workloads().ecs.clusters


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("[{clusters: [{name: a}, {name: a}]}]", "$.workloads[0].clusters[1].name", "cluster a exists"),
        ("[{functions: [{name: a, image: 'x:1'}, {name: a, image: 'x:1'}]}]", "functions[1].name", "function a exists"),
        (
            "[{clusters: [{services: [{name: a, task_definition: web}]}]}]",
            "$.workloads[0].clusters[0].services[0]",
            "there is no task definition web",
        ),
        (
            "[{clusters: [{tasks: [{task_definition: 'web:1'}]}]}]",
            "tasks[0].task_definition",
            "no task definition web:1",
        ),
        ("[{clusters: [{services: [{name: a}]}]}]", "services[0]", "either a task_definition or task_sets"),
        (
            "[{clusters: [{services: [{name: a, task_definition: w, desired_count: 0, recorded: x}]}]}]",
            "services[0]",
            "recorded needs",
        ),
        ("[{functions: [{name: a, image: 'app@nobody'}]}]", "$.workloads[0].functions[0].image", "no image nobody"),
        ("[{functions: [{name: a, image: 'none@a'}]}]", "$.workloads[0].functions[0].image", "no repository none"),
        (
            (
                "[{task_definitions: [{family: w, images: [x]}], clusters: [{services: [{name: a, task_definition: w, "
                "recorded: 'app:none'}]}]}]"
            ),
            "services[0].recorded",
            "no image app:none",
        ),
    ],
)
def test_wrong_workloads_are_told_with_their_place(tmp_path: Path, text: str, place: str, reason: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(f"repositories: [{{name: app, images: [{{tags: [v1]}}]}}]\nworkloads: {text}\n")

    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert place in str(caught.value)
    assert reason in str(caught.value)


def test_the_bundled_multiarch_runs_a_platform_of_its_oldest_index(sandbox: Sandbox) -> None:
    sandbox.reset(bundled_scenario("multiarch"))
    repo = sandbox.registry().repository("multiarch")
    (cluster,) = sandbox.workloads().ecs.clusters.values()

    assert {task.images[0].digest for task in cluster.tasks.values()} == {repo.children_of(repo.resolve("build-1"))[1]}


def test_it_is_told_how_many_calls_were_under_way_at_once(sandbox: Sandbox, aws: Clients) -> None:
    inner, outer = aws("sts"), aws("ecs")
    assert sandbox.most_at_once == 0
    outer.list_clusters()
    assert sandbox.most_at_once == 1
    sandbox.before("ListClusters", lambda _: inner.get_caller_identity() and None, call=2)
    outer.list_clusters()
    assert sandbox.most_at_once == 2
