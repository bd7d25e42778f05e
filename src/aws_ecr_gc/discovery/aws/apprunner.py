"""App Runner: every service that is not deleted. A paused one pulls its image again when it is resumed.

One that is made of source code, or of an image of ECR Public, uses nothing here.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from aws_ecr_gc.discovery.aws.descriptions import unless_gone, uses_in
from aws_ecr_gc.discovery.reader import Reader
from aws_ecr_gc.usage import Use


def read(reader: Reader) -> Iterator[Use]:
    """The images of services."""
    listed = reader.rows("apprunner", "ListServices", "ServiceSummaryList", MaxResults=20)
    live = [row["ServiceArn"] for row in listed if row.get("Status") != "DELETED"]
    for service in reader.each(partial(_service, reader), live):
        if service is not None and service.get("Status") != "DELETED":
            yield from uses_in(reader, service, f"service {service['ServiceName']}")


def _service(reader: Reader, arn: str) -> dict[str, Any] | None:
    call = partial(reader.service("apprunner").call, "DescribeService", "Service", ServiceArn=arn)
    answered = unless_gone(call)
    return None if answered is None else answered["Service"]
