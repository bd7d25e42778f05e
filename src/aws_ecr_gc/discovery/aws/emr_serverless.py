"""EMR Serverless: applications that are not terminated, and job runs that are not over.

Both may have an image for all workers and one for each kind of worker, with the digest that was resolved when the
application started or the run was submitted. What a run's configuration names in its text is protected too.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from aws_ecr_gc.discovery.aws.descriptions import unless_gone, uses_in
from aws_ecr_gc.discovery.reader import Reader
from aws_ecr_gc.usage import Use

_LIVE = ["SUBMITTED", "PENDING", "SCHEDULED", "QUEUED", "RUNNING", "CANCELLING"]


def read(reader: Reader) -> Iterator[Use]:
    """The images of applications and job runs."""
    listed = reader.rows("emr-serverless", "ListApplications", "applications", maxResults=50)
    ids = [row["id"] for row in listed if row["state"] != "TERMINATED"]
    applications = [each for each in reader.each(partial(_application, reader), ids) if each is not None]
    for application in applications:
        name = application.get("name") or "without a name"
        yield from uses_in(reader, application, f"application {name} ({application['applicationId']})")
    there = [application["applicationId"] for application in applications]
    live = [run for runs in reader.each(partial(_live, reader), there) for run in runs]
    for run in reader.each(partial(_run, reader), live):
        if run is not None:
            yield from uses_in(reader, run, f"job run {run['applicationId']}/{run['jobRunId']}")


def _application(reader: Reader, application: str) -> dict[str, Any] | None:
    call = partial(reader.service("emr-serverless").call, "GetApplication", "application", applicationId=application)
    answered = unless_gone(call)
    return None if answered is None else answered["application"]


def _live(reader: Reader, application: str) -> list[tuple[str, str]]:
    """The runs of an application that are not over."""
    asked = {"applicationId": application, "states": _LIVE, "maxResults": 50}
    runs = unless_gone(partial(reader.rows, "emr-serverless", "ListJobRuns", "jobRuns", **asked))
    return [(application, run["id"]) for run in runs or ()]


def _run(reader: Reader, run: tuple[str, str]) -> dict[str, Any] | None:
    asked = {"applicationId": run[0], "jobRunId": run[1]}
    answered = unless_gone(partial(reader.service("emr-serverless").call, "GetJobRun", "jobRun", **asked))
    return None if answered is None else answered["jobRun"]
