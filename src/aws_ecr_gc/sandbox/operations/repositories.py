"""CreateRepository, DescribeRepositories, DeleteRepository, and the resource tags of a repository."""

import re

from aws_ecr_gc.sandbox.errors import ServiceError, invalid_parameter
from aws_ecr_gc.sandbox.partitions import partition_of
from aws_ecr_gc.sandbox.store import Repository, Settings
from aws_ecr_gc.sandbox.world import Caller, Members, repository_in

PAGE_SIZE = 100
RESOURCE_TAGS_MAX = 50
TAG_KEY_MAX, TAG_VALUE_MAX = 128, 256

_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):ecr:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):repository/(?P<name>.+)"
)


def create_repository(caller: Caller, request: Members) -> Members:
    """Create an empty repository."""
    registry = caller.registry(request)
    name = request["repositoryName"]
    settings = Settings(
        tag_mutability=request.get("imageTagMutability") or "MUTABLE",
        exclusion_filters=[each["filter"] for each in request.get("imageTagMutabilityExclusionFilters") or ()],
        scan_on_push=bool((request.get("imageScanningConfiguration") or {}).get("scanOnPush")),
        encryption=request.get("encryptionConfiguration") or {"encryptionType": "AES256"},
        resource_tags=_with_tags({}, request.get("tags") or []),
    )
    if settings.tag_mutability.endswith("_WITH_EXCLUSION") != bool(settings.exclusion_filters):
        constraint = "must be given with a mutability that ends in _WITH_EXCLUSION, and only then"
        raise invalid_parameter("imageTagMutabilityExclusionFilters", constraint)
    if name in registry.repositories:
        raise ServiceError(
            "RepositoryAlreadyExistsException",
            f"The repository with name '{name}' already exists in the registry with id '{registry.account}'",
        )
    return {"repository": _described(registry.create_repository(name, settings))}


def describe_repositories(caller: Caller, request: Members) -> Members:
    """All repositories page by page, or those that `repositoryNames` names."""
    registry = caller.registry(request)
    names = request.get("repositoryNames")
    if names is not None:
        if request.get("nextToken") is not None or request.get("maxResults") is not None:
            constraint = "nextToken and maxResults cannot be given together with repositoryNames"
            raise invalid_parameter("repositoryNames", constraint)
        return {"repositories": [_described(repository_in(registry, name)) for name in dict.fromkeys(names)]}
    scope = ("DescribeRepositories", caller.account, caller.region)
    page, following = caller.world.listings.page(
        scope, request, lambda: [repository for _, repository in sorted(registry.repositories.items())], PAGE_SIZE
    )
    return {"repositories": [_described(repository) for repository in page], **following}


def delete_repository(caller: Caller, request: Members) -> Members:
    """Delete a repository; one that holds images (archived ones too) only with `force`."""
    repository = caller.repository(request)
    if repository.images and not request.get("force"):
        raise ServiceError(
            "RepositoryNotEmptyException",
            f"The repository with name '{repository.name}' in registry with id '{repository.registry.account}' "
            "cannot be deleted because it still contains images",
        )
    repository.registry.delete_repository(repository.name, "DeleteRepository")
    return {"repository": _described(repository)}


def list_tags_for_resource(caller: Caller, request: Members) -> Members:
    """The resource tags of a repository."""
    tags = _by_arn(caller, request).settings.resource_tags
    return {"tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}


def tag_resource(caller: Caller, request: Members) -> Members:
    """Add resource tags to a repository, or give them other values."""
    settings = _by_arn(caller, request).settings
    settings.resource_tags = _with_tags(settings.resource_tags, request["tags"])
    return {}


def untag_resource(caller: Caller, request: Members) -> Members:
    """Take resource tags off a repository."""
    settings = _by_arn(caller, request).settings
    unwanted = frozenset(request["tagKeys"])
    settings.resource_tags = {key: value for key, value in settings.resource_tags.items() if key not in unwanted}
    return {}


def _by_arn(caller: Caller, request: Members) -> Repository:
    match = _ARN.fullmatch(request["resourceArn"])
    here = (partition_of(caller.region).name, caller.region)
    if match is None or (match["partition"], match["region"]) != here:
        raise invalid_parameter("resourceArn", "Invalid ARN")
    return repository_in(caller.world.registry(match["account"], match["region"]), match["name"])


def _with_tags(present: dict[str, str], tags: list[dict[str, str]]) -> dict[str, str]:
    for tag in tags:
        key, value = tag["Key"], tag["Value"]
        if not 1 <= len(key) <= TAG_KEY_MAX or len(value) > TAG_VALUE_MAX or key.lower().startswith("aws:"):
            raise ServiceError("InvalidTagParameterException", f"The tag with key '{key}' is not valid")
    together = present | {tag["Key"]: tag["Value"] for tag in tags}
    if len(together) > RESOURCE_TAGS_MAX:
        raise ServiceError("TooManyTagsException", f"A repository has at most {RESOURCE_TAGS_MAX} tags")
    return together


def _described(repository: Repository) -> Members:
    settings = repository.settings
    described: Members = {
        "repositoryArn": repository.arn,
        "registryId": repository.registry.account,
        "repositoryName": repository.name,
        "repositoryUri": repository.uri,
        "createdAt": repository.created_at,
        "imageTagMutability": settings.tag_mutability,
        "imageScanningConfiguration": {"scanOnPush": settings.scan_on_push},
        "encryptionConfiguration": settings.encryption,
    }
    if settings.exclusion_filters:
        filters = [{"filterType": "WILDCARD", "filter": pattern} for pattern in settings.exclusion_filters]
        described["imageTagMutabilityExclusionFilters"] = filters
    return described
