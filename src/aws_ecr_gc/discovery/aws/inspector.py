"""Amazon Inspector: the images that it has seen in tasks of ECS and pods of EKS, where it scans the registry.

An additional voice: where Inspector is not enabled for ECR it says nothing, and that is no failure. It speaks of images
by digest. Their tags are not what runs.
"""

import re
from collections.abc import Iterator

from aws_ecr_gc.discovery.reader import Reader
from aws_ecr_gc.errors import Unintelligible
from aws_ecr_gc.reference import Reference, Registry, Repository
from aws_ecr_gc.usage import Use

_IMAGE = re.compile(
    r"arn:(?P<partition>[^:]+):ecr:(?P<region>[^:]+):(?P<account>[0-9]{12})"
    r":repository/(?P<name>.+)/(?P<digest>sha256:[0-9a-f]{64})"
)
_IN_USE = {
    "resourceType": [{"comparison": "EQUALS", "value": "AWS_ECR_CONTAINER_IMAGE"}],
    "ecrImageInUseCount": [{"lowerInclusive": 1}],
}


def read(reader: Reader) -> Iterator[Use]:
    """The images in use."""
    if not _is_enabled(reader):
        return
    for row in reader.rows("inspector2", "ListCoverage", "coveredResources", filterCriteria=_IN_USE, maxResults=200):
        found = _IMAGE.fullmatch(row["resourceId"])
        if found is None:
            raise Unintelligible(f"ListCoverage: {row['resourceId']!r} is not the ARN of an image")
        registry = Registry(found["account"], found["region"], found["partition"])
        reference = Reference(Repository(registry, found["name"]), None, found["digest"])
        yield Use(reference, f"tasks and pods of {found['name']}", reader.origin)


def _is_enabled(reader: Reader) -> bool:
    """Whether Inspector scans the registry; an account that it never heard of has not enabled it."""
    call = reader.service("inspector2").call
    answered = call("BatchGetAccountStatus", "accounts", accountIds=[reader.place.account])
    failed = [each for each in answered.get("failedAccounts", []) if each["errorCode"] != "RESOURCE_NOT_FOUND"]
    if failed:
        said = ", ".join(f"{each['errorCode']}: {each['errorMessage']}" for each in failed)
        raise Unintelligible(f"BatchGetAccountStatus: whether Inspector is enabled is not said: {said}")
    return any(account["resourceState"]["ecr"]["status"] == "ENABLED" for account in answered["accounts"])
