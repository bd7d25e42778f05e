"""AWS Batch: the ACTIVE revisions of all job definitions, and all jobs that are not over.

A job may have been submitted with a revision that was deregistered since, so the jobs are read too. An array job is
read by its parent: its children have the same images. Jobs of queues for SageMaker hold the request of a training job.
"""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from aws_ecr_gc.discovery.aws.descriptions import unless_gone, uses_in
from aws_ecr_gc.discovery.reader import Reader, batches
from aws_ecr_gc.errors import AwsFailure
from aws_ecr_gc.usage import Use

_Row = Mapping[str, Any]

# In the order in which a job goes through them, so that none slips from a status not yet read into one that was; and
# RUNNABLE once more, where a job that is tried again goes back to.
_STATUSES = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "RUNNABLE")
_SERVICE_STATUSES = ("SUBMITTED", "PENDING", "RUNNABLE", "SCHEDULED", "STARTING", "RUNNING", "RUNNABLE")


def read(reader: Reader) -> Iterator[Use]:
    """The images of job definitions and jobs."""
    definitions = reader.rows("batch", "DescribeJobDefinitions", "jobDefinitions", status="ACTIVE", maxResults=100)
    for definition in definitions:
        name, revision = definition["jobDefinitionName"], definition["revision"]
        yield from uses_in(reader, definition, f"job definition {name}:{revision}")
    queues = reader.rows("batch", "DescribeJobQueues", "jobQueues", maxResults=100)
    listed = list(zip(queues, reader.each(partial(_live, reader), queues), strict=True))
    jobs = dict.fromkeys(job for queue, live in listed if not _is_for_sagemaker(queue) for job in live)
    service_jobs = dict.fromkeys(job for queue, live in listed if _is_for_sagemaker(queue) for job in live)
    for described in reader.each(partial(_jobs, reader), batches(jobs, 100)):
        for job in described:
            yield from uses_in(reader, job, f"job {job['jobName']}/{job['jobId']}")
    for service_job in reader.each(partial(_service_job, reader), service_jobs):
        request = json.loads(service_job.get("serviceRequestPayload") or "{}")
        yield from uses_in(reader, request, f"job {service_job['jobName']}/{service_job['jobId']}")


def _is_for_sagemaker(queue: _Row) -> bool:
    return queue.get("jobQueueType") == "SAGEMAKER_TRAINING"


def _live(reader: Reader, queue: _Row) -> list[str]:
    """The jobs of a queue that are not over."""
    for_sagemaker = _is_for_sagemaker(queue)
    operation = "ListServiceJobs" if for_sagemaker else "ListJobs"
    jobs: list[str] = []
    for status in _SERVICE_STATUSES if for_sagemaker else _STATUSES:
        asked = {"jobQueue": queue["jobQueueArn"], "jobStatus": status, "maxResults": 100}
        call = partial(reader.rows, "batch", operation, "jobSummaryList", **asked)
        rows = unless_gone(call, partial(_is_gone, reader, queue))
        if rows is None:
            break
        jobs += [row["jobId"] for row in rows]
    return jobs


def _is_gone(reader: Reader, queue: _Row, error: AwsFailure) -> bool:
    """Whether the queue was deleted, which it can be only without jobs. Batch has one code for all a caller does."""
    if error.code != "ClientException":
        return False
    there = reader.rows("batch", "DescribeJobQueues", "jobQueues", jobQueues=[queue["jobQueueArn"]])
    return all(row.get("status") == "DELETED" for row in there)


def _jobs(reader: Reader, jobs: list[str]) -> list[dict[str, Any]]:
    """What of these jobs is still known; Batch leaves out the others."""
    described: list[dict[str, Any]] = reader.service("batch").call("DescribeJobs", "jobs", jobs=jobs)["jobs"]
    return described


def _service_job(reader: Reader, job: str) -> dict[str, Any]:
    return reader.service("batch").call("DescribeServiceJob", "jobId", jobId=job)
