"""ListImages, DescribeImages, ListImageReferrers: reading without fetching manifests."""

from collections.abc import Iterator, Mapping

from aws_ecr_gc.sandbox.errors import invalid_parameter
from aws_ecr_gc.sandbox.operations.image_ids import (
    demand_wellformed,
    demand_wellformed_ids,
    image_id,
    image_not_found,
    look_up,
)
from aws_ecr_gc.sandbox.store import Image, Repository
from aws_ecr_gc.sandbox.world import Caller, Members

PAGE_SIZE = 100
REFERRERS_PAGE_SIZE = 20


def list_images(caller: Caller, request: Members) -> Members:
    """One row for each tag, and one for each image without tags."""
    repository = caller.repository(request)

    def rows() -> list[dict[str, str]]:
        return [
            image_id(image.digest, tag)
            for image in _selected(repository, request)
            for tag in sorted(image.tags) or (None,)
        ]

    scope = ("ListImages", caller.account, caller.region)
    page, following = caller.world.listings.page(scope, request, rows, PAGE_SIZE)
    return {"imageIds": page, **following}


def describe_images(caller: Caller, request: Members) -> Members:
    """One row for each image: all of them page by page, or those that `imageIds` names."""
    repository = caller.repository(request)
    if request.get("imageIds") is not None:
        return {"imageDetails": [_details(repository, image) for image in _named(repository, request)]}
    scope = ("DescribeImages", caller.account, caller.region)
    listing = caller.world.listings.page(scope, request, lambda: list(_selected(repository, request)), PAGE_SIZE)
    page, following = listing
    return {"imageDetails": [_details(repository, image) for image in page], **following}


def list_image_referrers(caller: Caller, request: Members) -> Members:
    """The direct referrers of a subject, which need not exist itself."""
    repository = caller.repository(request)
    subject = request["subjectId"]["imageDigest"]
    demand_wellformed("imageDigest", subject)
    conditions = request.get("filter") or {}
    status = conditions.get("artifactStatus") or "ACTIVE"
    types = conditions.get("artifactTypes")

    def rows() -> list[Image]:
        referrers = [repository.images[digest] for digest in repository.referrers_of(subject)]
        return [
            image
            for image in referrers
            if status in (image.status, "ANY") and (not types or image.contents.referrer_type in types)
        ]

    scope = ("ListImageReferrers", caller.account, caller.region)
    page, following = caller.world.listings.page(scope, request, rows, REFERRERS_PAGE_SIZE)
    return {"referrers": [_referrer(image) for image in page], **following}


def _selected(repository: Repository, request: Members) -> Iterator[Image]:
    # The order is none in particular in ECR. Digest order is stable and has nothing to do with age.
    conditions = request.get("filter") or {}
    images = repository.images
    return (images[digest] for digest in sorted(images) if _meets(images[digest], conditions))


def _meets(image: Image, conditions: Mapping[str, str]) -> bool:
    status = conditions.get("imageStatus") or "ACTIVE"
    tag_status = conditions.get("tagStatus") or "ANY"
    return status in (image.status, "ANY") and tag_status in ("TAGGED" if image.tags else "UNTAGGED", "ANY")


def _named(repository: Repository, request: Members) -> list[Image]:
    if request.get("nextToken") is not None or request.get("maxResults") is not None:
        raise invalid_parameter("imageIds", "nextToken and maxResults cannot be given together with imageIds")
    demand_wellformed_ids(request["imageIds"])
    conditions = request.get("filter") or {}
    found: dict[str, Image] = {}
    for wanted in request["imageIds"]:
        image = look_up(repository, wanted)
        if image is None or not _meets(image, conditions):
            raise image_not_found(repository, wanted)
        found[image.digest] = image
    return list(found.values())


def _details(repository: Repository, image: Image) -> Members:
    details: Members = {
        "registryId": repository.registry.account,
        "repositoryName": repository.name,
        "imageDigest": image.digest,
        "imageSizeInBytes": image.size,
        "imagePushedAt": image.pushed_at,
        "imageManifestMediaType": image.media_type,
        "imageStatus": image.status,
    }
    if image.tags:
        details["imageTags"] = image.tags
    optional = {
        "artifactMediaType": image.artifact_media_type,
        "lastRecordedPullTime": image.pulled_at,
        "subjectManifestDigest": image.subject,
        "lastArchivedAt": image.archived_at,
        "lastActivatedAt": image.activated_at,
    }
    details.update({member: value for member, value in optional.items() if value is not None})
    return details


def _referrer(image: Image) -> Members:
    contents = image.contents
    row: Members = {
        "digest": image.digest,
        "mediaType": image.media_type,
        "size": len(image.manifest),
        "artifactStatus": image.status,
    }
    if contents.referrer_type:
        row["artifactType"] = contents.referrer_type
    if contents.annotations:
        row["annotations"] = contents.annotations
    return row
