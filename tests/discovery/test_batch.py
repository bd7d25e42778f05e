"""AWS Batch: job definitions and jobs."""

import json
from typing import Any

import pytest

from tests.aws.calls import Call
from tests.aws.conftest import Aws
from tests.aws.server import Cloud
from tests.discovery.worlds import Reading, digest, listing, naming, needed, uri

_ARN = "arn:aws:batch:us-east-1:123456789012"
_ECS = {"taskProperties": [{"containers": [{"image": uri("ecs:1")}, {"image": uri(f"ecs@{digest(2)}")}]}]}
_EKS = {
    "podProperties": {
        "containers": [{"image": uri("pod:1"), "imagePullPolicy": "Always"}],
        "initContainers": [{"image": uri(f"pod:2@{digest(2)}")}],
    }
}
_NODES = {
    "numNodes": 3,
    "mainNode": 0,
    "nodeRangeProperties": [
        {"targetNodes": "0", "container": {"image": uri("node:1")}},
        {"targetNodes": "1", "ecsProperties": {"taskProperties": [{"containers": [{"image": uri("node:2")}]}]}},
        {"targetNodes": "2", "eksProperties": {"podProperties": {"containers": [{"image": uri("node:3")}]}}},
    ],
}
_PLACES = [
    ({"ecsProperties": _ECS}, {"ecs:1", f"ecs@{digest(2)}"}),
    ({"eksProperties": _EKS}, {"pod:1", f"pod:2@{digest(2)}"}),
    ({"nodeProperties": _NODES}, {"node:1", "node:2", "node:3"}),
]


def _definition(name: str, revision: int = 1, **places: Any) -> dict[str, Any]:
    arn = f"{_ARN}:job-definition/{name}:{revision}"
    return {"jobDefinitionName": name, "jobDefinitionArn": arn, "revision": revision, "type": "container", **places}


def _queue(name: str, **more: Any) -> dict[str, Any]:
    arn = f"{_ARN}:job-queue/{name}"
    return {
        "jobQueueName": name,
        "jobQueueArn": arn,
        "state": "ENABLED",
        "priority": 1,
        "computeEnvironmentOrder": [],
        **more,
    }


def _job(job_id: str, status: str = "RUNNING", **places: Any) -> dict[str, Any]:
    told = {"jobId": job_id, "jobName": f"name-of-{job_id}", "status": status}
    return {**told, "jobQueue": "q", "startedAt": 1, "jobDefinition": "d", **places}


def _run(cloud: Cloud, queues: dict[str, list[dict[str, Any]]]) -> None:
    """Queues by name, each with its jobs."""
    listing(cloud, "batch", "DescribeJobDefinitions", "jobDefinitions", [])
    listing(cloud, "batch", "DescribeJobQueues", "jobQueues", [_queue(name) for name in queues])

    def listed(call: Call) -> list[dict[str, Any]]:
        jobs = queues[call.parameters["jobQueue"].rpartition("/")[2]]
        return [
            {"jobId": job["jobId"], "jobName": job["jobName"]}
            for job in jobs
            if job["status"] == call.parameters["jobStatus"]
        ]

    def describe(call: Call) -> dict[str, Any]:
        return {"jobs": [job for jobs in queues.values() for job in jobs if job["jobId"] in call.parameters["jobs"]]}

    listing(cloud, "batch", "ListJobs", "jobSummaryList", listed)
    cloud.answer("batch", "DescribeJobs", describe)


def test_active_revisions_of_job_definitions_hold_their_images(aws: Aws, read: Reading) -> None:
    batch = aws("batch")
    for image in ("etl:1", "etl:2", "etl:3"):
        container = {"image": uri(image), "vcpus": 1, "memory": 512}
        batch.register_job_definition(jobDefinitionName="etl", type="container", containerProperties=container)
    batch.deregister_job_definition(jobDefinition="etl:1")
    assert read("batch") == {
        ("etl:2", "job definition etl:2", True),
        ("etl:3", "job definition etl:3", True),
    }


@pytest.mark.parametrize(("place", "images"), _PLACES, ids=["ecs", "eks", "nodes"])
def test_every_place_of_an_image_is_read(cloud: Cloud, read: Reading, place: dict[str, Any], images: set[str]) -> None:
    _run(cloud, {"q": [_job("j", **place)]})
    listing(cloud, "batch", "DescribeJobDefinitions", "jobDefinitions", [_definition("d", 3, **place)])
    expected = {(image, "job definition d:3", True) for image in images}
    assert read("batch") == expected | {(image, "job name-of-j/j", True) for image in images}


def test_what_a_command_or_a_variable_names_is_kept_but_may_be_missing(cloud: Cloud, read: Reading) -> None:
    command = ["sh", "-c", f"docker run {uri('tool:1')} --fast"]
    variables = [{"name": "BASE", "value": uri("base")}]
    place = {"image": uri("app:1"), "command": command, "environment": variables}
    listing(cloud, "batch", "DescribeJobDefinitions", "jobDefinitions", [_definition("d", containerProperties=place)])
    assert read("batch") == {
        ("app:1", "job definition d:1", True),
        ("tool:1", "job definition d:1", False),
        ("base", "job definition d:1", False),
    }


def test_all_pages_of_job_definitions_are_read(cloud: Cloud, read: Reading) -> None:
    rows = [_definition("d", number, containerProperties={"image": uri(f"app:{number}")}) for number in range(1, 8)]
    listing(cloud, "batch", "DescribeJobDefinitions", "jobDefinitions", rows)
    assert len(read("batch")) == 7
    assert len(cloud.named("batch", "DescribeJobDefinitions")) == 7


def test_jobs_of_every_queue_that_are_not_over_hold_their_images(cloud: Cloud, read: Reading) -> None:
    statuses = ["SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING"]
    first = [_job(status.lower(), status, container={"image": uri(f"app:{status.lower()}")}) for status in statuses]
    over = [_job(status.lower(), status, container={"image": uri("app:over")}) for status in ("SUCCEEDED", "FAILED")]
    second = [_job("other", container={"image": uri("app:other")})]
    _run(cloud, {"first": [*first, *over], "second": second})
    assert read("batch") == {
        (f"app:{name}", f"job name-of-{name}/{name}", True) for name in [*(each.lower() for each in statuses), "other"]
    }


def test_jobs_are_described_a_hundred_at_a_time(cloud: Cloud, read: Reading) -> None:
    jobs = [_job(f"j{number}", container={"image": uri(f"app:{number}")}) for number in range(120)]
    _run(cloud, {"q": jobs})
    cloud.paginate("batch", "ListJobs", "jobSummaryList", size_limit=100)
    assert len(read("batch")) == 120
    assert sorted(len(call.parameters["jobs"]) for call in cloud.named("batch", "DescribeJobs")) == [20, 100]


def test_a_job_that_goes_on_while_it_is_looked_for_is_found(cloud: Cloud, read: Reading) -> None:
    job = _job("quick", "SUBMITTED", container={"image": uri("app:1")})
    _run(cloud, {"q": [job]})
    goes = iter(["PENDING", "RUNNABLE", "STARTING", "RUNNING"])

    def listed(call: Call) -> list[dict[str, Any]]:
        if len(cloud.named("batch", "ListJobs")) == 1:
            job["status"] = next(goes)
            return []
        found = job["status"] == call.parameters["jobStatus"]
        job["status"] = next(goes, "RUNNING") if not found else job["status"]
        return [{"jobId": "quick", "jobName": "x"}] if found else []

    listing(cloud, "batch", "ListJobs", "jobSummaryList", listed)
    assert read("batch") == {("app:1", "job name-of-quick/quick", True)}


def test_a_job_that_is_tried_again_while_it_is_looked_for_is_found(cloud: Cloud, read: Reading) -> None:
    job = _job("again", "RUNNING", container={"image": uri("app:1")})
    _run(cloud, {"q": [job]})

    def listed(call: Call) -> list[dict[str, Any]]:
        if call.parameters["jobStatus"] == "STARTING":
            job["status"] = "RUNNABLE"
        return [{"jobId": "again", "jobName": "x"}] if job["status"] == call.parameters["jobStatus"] else []

    listing(cloud, "batch", "ListJobs", "jobSummaryList", listed)
    assert read("batch") == {("app:1", "job name-of-again/again", True)}


def _run_for_sagemaker(cloud: Cloud) -> None:
    _run(cloud, {"q": [_job("j", container={"image": uri("app:1")})]})
    queues = [_queue("q"), _queue("training", jobQueueType="SAGEMAKER_TRAINING")]
    listing(cloud, "batch", "DescribeJobQueues", "jobQueues", queues)
    request = {"TrainingJobName": "t", "AlgorithmSpecification": {"TrainingImage": uri("train:1")}}
    job = {"jobId": "s", "jobName": "t", "serviceJobType": "SAGEMAKER_TRAINING"}
    more = {"jobQueue": "training", "startedAt": 1, "status": "SCHEDULED", "serviceRequestPayload": json.dumps(request)}
    listing(
        cloud,
        "batch",
        "ListServiceJobs",
        "jobSummaryList",
        lambda call: [job] if call.parameters["jobStatus"] == "SCHEDULED" else [],
    )
    cloud.answer("batch", "DescribeServiceJob", lambda _: {**job, **more})


def test_a_training_job_that_waits_in_a_queue_holds_its_image(cloud: Cloud, read: Reading) -> None:
    _run_for_sagemaker(cloud)
    assert read("batch") == {("app:1", "job name-of-j/j", True), ("train:1", "job t/s", True)}
    assert needed(cloud, "batch")


@pytest.mark.parametrize(
    "operation",
    [
        "DescribeJobDefinitions",
        "DescribeJobQueues",
        "ListJobs",
        "DescribeJobs",
        "ListServiceJobs",
        "DescribeServiceJob",
    ],
)
def test_a_missing_permission_is_named(cloud: Cloud, read: Reading, operation: str) -> None:
    _run_for_sagemaker(cloud)
    cloud.deny("batch", operation)
    assert f"batch:{operation}" in read.refused("batch")


def test_a_queue_that_is_deleted_meanwhile_has_no_jobs(cloud: Cloud, read: Reading) -> None:
    _run(cloud, {"there": [_job("j", container={"image": uri("app:1")})], "gone": []})
    queues = [_queue("there"), _queue("gone")]

    def described(call: Call) -> list[dict[str, Any]]:
        return [] if call.parameters.get("jobQueues") else queues

    listing(cloud, "batch", "DescribeJobQueues", "jobQueues", described)
    gone = naming("jobQueue", queues[1]["jobQueueArn"])
    cloud.fail("batch", "ListJobs", gone, status=400, code="ClientException", message="JobQueue gone not found")
    assert read("batch") == {("app:1", "job name-of-j/j", True)}


def test_a_queue_that_is_there_but_cannot_be_listed_is_a_failure(cloud: Cloud, read: Reading) -> None:
    _run(cloud, {"q": []})
    cloud.fail("batch", "ListJobs", status=400, code="ClientException", message="something else is wrong")
    assert "something else is wrong" in read.refused("batch")


def test_a_job_that_is_forgotten_meanwhile_uses_nothing(cloud: Cloud, read: Reading) -> None:
    _run(cloud, {"q": [_job("j", container={"image": uri("app:1")})]})
    cloud.answer("batch", "DescribeJobs", lambda _: {"jobs": []})
    assert read("batch") == set()
