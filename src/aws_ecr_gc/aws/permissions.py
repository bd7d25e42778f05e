"""Every AWS call of the program and the IAM action it needs. The one table; a test holds it against the calls seen."""

import re
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

_BRACKETS = re.compile(r"\[!?\]?[^\]]*\]")


class Need(Enum):
    """When a call is made."""

    READ = "whenever a repository is read"
    DECIDE = (
        "when something may be collected, and for an explanation, a snapshot or a forecast: the children of indexes; "
        "and whether a subject whose tags went is gone"
    )
    DELETE = "when something is deleted"
    ARCHIVE = "where a policy archives what does not stay, and for `unarchive`"
    UNTAG = "where a policy removes tags: an image that ECR takes whole for a tag is put back; and for `restore`"
    NAMES = "where repositories are chosen by a glob, or several"
    TAGS = "where a policy selects by resource tags"
    REPLICATION = (
        "when something may be deleted under a policy file, and for `doctor`: whether deletions are replicated"
    )
    CACHES = "when something may be deleted under a policy file: what pulls it again, or makes repositories anew"
    LIFECYCLE = "for `lifecycle`, where a repository's own lifecycle policy counts"
    LIFECYCLE_PUT = "for `lifecycle apply`, where a policy is put"
    LIFECYCLE_REMOVE = "for `lifecycle apply --remove`"
    LIFECYCLE_PREVIEW = "for `lifecycle verify`"
    BACKUP = "with `--backup`: downloading the layers of what will be deleted"
    RESTORE = "for `restore`: which layers are there"
    UPLOAD = "for `restore --from`: uploading layers"
    DOCTOR = "for `doctor`: whether the caller's role is excluded from pull-time updates"


class Permission(NamedTuple):
    """An IAM action, and when it is needed.

    The resource is the repository's ARN, but where repositories are chosen by a glob: ECR then lists them all, which
    IAM takes for an action on `repository/*`. What is asked of a whole registry has no resource but `*`.
    """

    action: str
    need: Need


PERMISSIONS: dict[str, Permission] = {
    "DescribeImages": Permission("ecr:DescribeImages", Need.READ),
    "BatchGetImage": Permission("ecr:BatchGetImage", Need.DECIDE),
    "BatchDeleteImage": Permission("ecr:BatchDeleteImage", Need.DELETE),
    "UpdateImageStorageClass": Permission("ecr:UpdateImageStorageClass", Need.ARCHIVE),
    "PutImage": Permission("ecr:PutImage", Need.UNTAG),
    "DescribeRepositories": Permission("ecr:DescribeRepositories", Need.NAMES),
    "ListTagsForResource": Permission("ecr:ListTagsForResource", Need.TAGS),
    "DescribeRegistry": Permission("ecr:DescribeRegistry", Need.REPLICATION),
    "DescribePullThroughCacheRules": Permission("ecr:DescribePullThroughCacheRules", Need.CACHES),
    "DescribeRepositoryCreationTemplates": Permission("ecr:DescribeRepositoryCreationTemplates", Need.CACHES),
    "GetLifecyclePolicy": Permission("ecr:GetLifecyclePolicy", Need.LIFECYCLE),
    "PutLifecyclePolicy": Permission("ecr:PutLifecyclePolicy", Need.LIFECYCLE_PUT),
    "DeleteLifecyclePolicy": Permission("ecr:DeleteLifecyclePolicy", Need.LIFECYCLE_REMOVE),
    "StartLifecyclePolicyPreview": Permission("ecr:StartLifecyclePolicyPreview", Need.LIFECYCLE_PREVIEW),
    "GetLifecyclePolicyPreview": Permission("ecr:GetLifecyclePolicyPreview", Need.LIFECYCLE_PREVIEW),
    "GetDownloadUrlForLayer": Permission("ecr:GetDownloadUrlForLayer", Need.BACKUP),
    "BatchCheckLayerAvailability": Permission("ecr:BatchCheckLayerAvailability", Need.RESTORE),
    "InitiateLayerUpload": Permission("ecr:InitiateLayerUpload", Need.UPLOAD),
    "UploadLayerPart": Permission("ecr:UploadLayerPart", Need.UPLOAD),
    "CompleteLayerUpload": Permission("ecr:CompleteLayerUpload", Need.UPLOAD),
    "ListPullTimeUpdateExclusions": Permission("ecr:ListPullTimeUpdateExclusions", Need.DOCTOR),
}


def actions_for(needs: set[Need]) -> list[str]:
    """The IAM actions for these needs, sorted."""
    return sorted(permission.action for permission in PERMISSIONS.values() if permission.need in needs)


def policy_document(
    actions: list[str],
    partition: str,
    region: str,
    account: str,
    *repositories: str,
    on_all: Sequence[str] = (),
    elsewhere: Sequence["Statement"] = (),
) -> dict[str, object]:
    """An IAM policy that allows the actions on repositories, names or globs; `account` may be `*`.

    `on_all` are the actions that are allowed on every repository besides: those for `Need.NAMES` where a glob chooses.
    IAM knows no `[...]`: such a glob is widened to any character in its place. `elsewhere` are statements of their own.
    """
    prefix = f"arn:{partition}:ecr:{region}:{account}:repository/"
    resources = list(dict.fromkeys(prefix + _BRACKETS.sub("?", repository) for repository in repositories))
    statements = [_statement("AwsEcrGc", actions, resources)]
    if on_all:
        statements.append(_statement("AwsEcrGcOnAll", list(on_all), [f"{prefix}*"]))
    return _document([*statements, *map(_statement_of, elsewhere)])


class Statement(NamedTuple):
    """Actions that are no calls of ECR, and what they are allowed on."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)


def document_of(statements: Sequence[Statement]) -> dict[str, object]:
    """An IAM policy of these statements alone."""
    return _document(list(map(_statement_of, statements)))


def _document(statements: list[dict[str, object]]) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": statements}


def _statement_of(statement: Statement) -> dict[str, object]:
    return _statement(statement.sid, list(statement.actions), list(statement.resources))


def _statement(sid: str, actions: list[str], resources: list[str]) -> dict[str, object]:
    resource = resources[0] if len(resources) == 1 else resources
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
