"""EMR Serverless: applications and job runs."""

from datetime import UTC, datetime
from typing import Any

import pytest

from aws_ecr_gc.discovery.sources import SOURCES
from tests.aws.calls import Call
from tests.aws.server import Cloud
from tests.discovery.worlds import Reading, digest, listing, naming, needed, uri, vanish

_THEN = datetime(2026, 1, 1, tzinfo=UTC)
_ARN = "arn:aws:emr-serverless:us-east-1:123456789012:/applications"
_LIVE = ["SUBMITTED", "PENDING", "SCHEDULED", "QUEUED", "RUNNING", "CANCELLING"]


def _image(image: str, recorded: str | None = None) -> dict[str, Any]:
    return {"imageUri": uri(image), **({} if recorded is None else {"resolvedImageDigest": recorded})}


def _application(name: str, state: str = "STARTED", **more: Any) -> dict[str, Any]:
    told = {"applicationId": f"id{name}", "arn": f"{_ARN}/id{name}", "releaseLabel": "emr-7.0.0", "type": "Spark"}
    return {**told, "name": name, "state": state, "createdAt": _THEN, "updatedAt": _THEN, **more}


def _job_run(application: str, run: str, state: str = "RUNNING", **more: Any) -> dict[str, Any]:
    told = {"applicationId": f"id{application}", "jobRunId": run, "arn": f"{_ARN}/id{application}/jobruns/{run}"}
    told |= {"createdBy": "arn:aws:iam::123456789012:user/u", "executionRole": "arn:aws:iam::123456789012:role/job"}
    when = {"createdAt": _THEN, "updatedAt": _THEN}
    driver = {"sparkSubmit": {"entryPoint": "s3://bucket/job.py"}}
    return {
        **told,
        **when,
        "state": state,
        "stateDetails": "",
        "releaseLabel": "emr-7.0.0",
        "jobDriver": driver,
        **more,
    }


def _run(cloud: Cloud, applications: list[dict[str, Any]], runs: list[dict[str, Any]]) -> None:
    summary = ("arn", "releaseLabel", "type", "name", "state", "createdAt", "updatedAt")
    rows = [{"id": each["applicationId"], **{name: each[name] for name in summary}} for each in applications]
    listing(cloud, "emr-serverless", "ListApplications", "applications", rows)
    known = {each["applicationId"]: each for each in applications}
    cloud.answer(
        "emr-serverless", "GetApplication", lambda call: {"application": known[call.parameters["applicationId"]]}
    )
    own = {"jobRunId", "jobDriver", "imageConfiguration", "workerTypeSpecifications", "configurationOverrides"}

    def listed(call: Call) -> list[dict[str, Any]]:
        return [
            {"id": run["jobRunId"], **{name: value for name, value in run.items() if name not in own}}
            for run in runs
            if run["applicationId"] == call.parameters["applicationId"] and run["state"] in call.parameters["states"]
        ]

    listing(cloud, "emr-serverless", "ListJobRuns", "jobRuns", listed)
    of_id = {run["jobRunId"]: run for run in runs}
    cloud.answer("emr-serverless", "GetJobRun", lambda call: {"jobRun": of_id[call.parameters["jobRunId"]]})


@pytest.mark.parametrize(
    ("image", "recorded", "expected"),
    [
        ("spark:1", None, ["spark:1"]),
        ("spark:1", digest(1), [f"spark:1@{digest(1)}"]),
        (f"spark@{digest(1)}", digest(1), [f"spark@{digest(1)}"]),
        (f"spark:1@{digest(1)}", digest(2), [f"spark:1@{digest(1)}", f"spark@{digest(2)}"]),
    ],
)
def test_an_application_holds_its_image_and_the_digest_it_was_resolved_to(
    cloud: Cloud, read: Reading, image: str, recorded: str | None, expected: list[str]
) -> None:
    _run(cloud, [_application("a", "STOPPED", imageConfiguration=_image(image, recorded))], [])
    assert read("emr-serverless") == {(each, "application a (ida)", True) for each in expected}


def test_images_of_kinds_of_workers_are_held(cloud: Cloud, read: Reading) -> None:
    workers = {
        "driver": {"imageConfiguration": _image("driver:1", digest(1))},
        "executor": {"imageConfiguration": _image("executor:1", digest(2))},
    }
    _run(cloud, [_application("a", workerTypeSpecifications=workers)], [])
    assert read("emr-serverless") == {
        (f"driver:1@{digest(1)}", "application a (ida)", True),
        (f"executor:1@{digest(2)}", "application a (ida)", True),
    }


def test_applications_and_runs_on_all_pages_are_read_but_not_those_that_are_over(cloud: Cloud, read: Reading) -> None:
    applications = [
        _application("a", imageConfiguration=_image("spark:a")),
        _application("b", imageConfiguration=_image("spark:b")),
        _application("over", "TERMINATED", imageConfiguration=_image("spark:over")),
    ]
    runs = [_job_run("a", f"r{state}", state, imageConfiguration=_image(f"run:{state}", digest(1))) for state in _LIVE]
    runs += [
        _job_run("a", f"r{state}", state, imageConfiguration=_image("run:over")) for state in ("SUCCESS", "FAILED")
    ]
    _run(cloud, applications, runs)
    assert read("emr-serverless") == {
        ("spark:a", "application a (ida)", True),
        ("spark:b", "application b (idb)", True),
        *((f"run:{state}@{digest(1)}", f"job run ida/r{state}", True) for state in _LIVE),
    }
    assert needed(cloud, "emr-serverless")


def test_what_the_configuration_of_a_run_names_is_kept_but_may_be_missing(cloud: Cloud, read: Reading) -> None:
    properties = {"spark.kubernetes.container.image": uri("spark:conf")}
    overrides = {"applicationConfiguration": [{"classification": "spark-defaults", "properties": properties}]}
    parameters = {"entryPoint": "job.py", "sparkSubmitParameters": f"--conf image={uri('spark:flag')} --verbose"}
    run = _job_run("a", "r", configurationOverrides=overrides, jobDriver={"sparkSubmit": parameters})
    _run(cloud, [_application("a")], [run])
    assert read("emr-serverless") == {
        ("spark:conf", "job run ida/r", False),
        ("spark:flag", "job run ida/r", False),
    }


def test_what_is_deleted_meanwhile_uses_nothing(cloud: Cloud, read: Reading) -> None:
    applications = [_application(name, imageConfiguration=_image(f"spark:{name}")) for name in ("there", "gone")]
    runs = [_job_run("there", name, imageConfiguration=_image(f"run:{name}")) for name in ("stays", "goes")]
    _run(cloud, applications, runs)
    vanish(cloud, "emr-serverless", "GetApplication", naming("applicationId", "idgone"))
    vanish(cloud, "emr-serverless", "GetJobRun", naming("jobRunId", "goes"))
    assert read("emr-serverless") == {
        ("spark:there", "application there (idthere)", True),
        ("run:stays", "job run idthere/stays", True),
    }


@pytest.mark.parametrize("action", SOURCES["emr-serverless"].actions)
def test_a_missing_permission_is_named(cloud: Cloud, read: Reading, action: str) -> None:
    _run(cloud, [_application("a")], [_job_run("a", "r")])
    cloud.deny("emr-serverless", action.partition(":")[2])
    assert action in read.refused("emr-serverless")
