"""Image identifiers: a digest, a tag, or both."""

import re
from collections.abc import Iterable, Mapping

from aws_ecr_gc.sandbox.errors import ServiceError, invalid_parameter
from aws_ecr_gc.sandbox.store import Image, Repository

DIGEST_PATTERN = "[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+"
TAG_PATTERN = "[a-zA-Z0-9-_.]+"

ImageId = Mapping[str, str]
Failure = dict[str, object]
Found = Image | Failure


def image_id(digest: str, tag: str | None = None) -> dict[str, str]:
    """An identifier as the API writes it: no tag, no member."""
    return {"imageDigest": digest} if tag is None else {"imageDigest": digest, "imageTag": tag}


def demand_wellformed(member: str, value: str | None) -> None:
    """Refuse a malformed `imageDigest` or `imageTag` with InvalidParameterException."""
    pattern = DIGEST_PATTERN if member == "imageDigest" else TAG_PATTERN
    if value is not None and not re.fullmatch(pattern, value):
        raise invalid_parameter(member, f"must satisfy regular expression '{pattern}'")


def demand_wellformed_ids(ids: Iterable[ImageId]) -> None:
    """Refuse identifiers that are malformed or empty, for operations that answer no failures one by one."""
    for number, each in enumerate(ids, start=1):
        if each.get("imageDigest") is None and each.get("imageTag") is None:
            raise invalid_parameter(f"imageIds.{number}.member", "both tag and digest cannot be null")
        for member in ("imageDigest", "imageTag"):
            demand_wellformed(member, each.get(member))


def look_up(repository: Repository, wanted: ImageId) -> Image | None:
    """The image that an identifier names, or None; digest and tag must agree if both are given."""
    digest, tag = wanted.get("imageDigest"), wanted.get("imageTag")
    tagged = None if tag is None else repository.tags.get(tag)
    if tag is not None and (tagged is None or digest not in (None, tagged)):
        return None
    return repository.images.get(tagged or digest or "")


def find(repository: Repository, wanted: ImageId) -> Found:
    """The image that an identifier names, or the failure that says why there is none, for the batch operations."""
    digest, tag = wanted.get("imageDigest"), wanted.get("imageTag")
    if digest is None and tag is None:
        reason = "Invalid request parameters: both tag and digest cannot be null"
        return failure(wanted, "MissingDigestAndTag", reason)
    if digest is not None and not re.fullmatch(DIGEST_PATTERN, digest):
        reason = f"Invalid request parameters: image digest should satisfy the regex '{DIGEST_PATTERN}'"
        return failure(wanted, "InvalidImageDigest", reason)
    if tag is not None and not re.fullmatch(TAG_PATTERN, tag):
        reason = f"Invalid request parameters: image tag should satisfy the regex '{TAG_PATTERN}'"
        return failure(wanted, "InvalidImageTag", reason)
    image = look_up(repository, wanted)
    if image is not None:
        return image
    if digest in repository.images and tag in repository.tags:
        return failure(wanted, "ImageTagDoesNotMatchDigest", "Requested image tag does not match the image digest")
    return not_found(wanted)


def failure(wanted: ImageId, code: str, reason: str) -> Failure:
    """A row of the `failures` of a batch operation."""
    return {"imageId": dict(wanted), "failureCode": code, "failureReason": reason}


def not_found(wanted: ImageId) -> Failure:
    """The failure for an image that is not there."""
    return failure(wanted, "ImageNotFound", "Requested image not found")


def image_not_found(repository: Repository, wanted: ImageId) -> ServiceError:
    """`ImageNotFoundException`, for the operations that fail as a whole."""
    digest, tag = wanted.get("imageDigest", "null"), wanted.get("imageTag", "null")
    return ServiceError(
        "ImageNotFoundException",
        f"The image with imageId {{imageDigest:'{digest}', imageTag:'{tag}'}} does not exist within the repository "
        f"with name '{repository.name}' in the registry with id '{repository.registry.account}'",
    )
