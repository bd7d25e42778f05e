"""Every AWS call of the program and the IAM action it needs. The one table; a test holds it against the calls seen."""

from enum import Enum
from typing import NamedTuple


class Need(Enum):
    """When a call is made."""

    READ = "whenever a repository is read"
    DECIDE = "when something may be collected: the children of indexes; and whether a subject whose tags went is gone"
    DELETE = "when something is deleted"


class Permission(NamedTuple):
    """An IAM action, and when it is needed. The resource is the repository's ARN."""

    action: str
    need: Need


PERMISSIONS: dict[str, Permission] = {
    "DescribeImages": Permission("ecr:DescribeImages", Need.READ),
    "BatchGetImage": Permission("ecr:BatchGetImage", Need.DECIDE),
    "BatchDeleteImage": Permission("ecr:BatchDeleteImage", Need.DELETE),
}


def actions_for(needs: set[Need]) -> list[str]:
    """The IAM actions for these needs, sorted."""
    return sorted(permission.action for permission in PERMISSIONS.values() if permission.need in needs)


def policy_document(
    actions: list[str], partition: str, region: str, account: str, repository: str
) -> dict[str, object]:
    """An IAM policy that allows the actions on one repository; `account` may be `*`."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AwsEcrGc",
                "Effect": "Allow",
                "Action": actions,
                "Resource": f"arn:{partition}:ecr:{region}:{account}:repository/{repository}",
            }
        ],
    }
