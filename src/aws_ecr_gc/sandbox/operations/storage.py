"""UpdateImageStorageClass: archiving and restoring."""

from aws_ecr_gc.sandbox.errors import ServiceError
from aws_ecr_gc.sandbox.operations.image_ids import demand_wellformed_ids, image_not_found, look_up
from aws_ecr_gc.sandbox.store import Image, Repository, Status
from aws_ecr_gc.sandbox.world import Caller, Members


def update_image_storage_class(caller: Caller, request: Members) -> Members:
    """Archive an image at once, or begin to restore it. Nothing changes where the image is in that class already."""
    repository = caller.repository(request)
    wanted = request["imageId"]
    demand_wellformed_ids([wanted])
    image = look_up(repository, wanted)
    if image is None:
        raise image_not_found(repository, wanted)
    if request["targetStorageClass"] == "ARCHIVE":
        status = _archive(repository, image)
    else:
        status = _restore(repository, image, caller.world.behaviour.activation_seconds)
    return {
        "registryId": repository.registry.account,
        "repositoryName": repository.name,
        "imageId": {**wanted, "imageDigest": image.digest},
        "imageStatus": status,
    }


def _archive(repository: Repository, image: Image) -> Status:
    if image.status == "ACTIVATING":
        raise _not_supported(f"Image {image.digest} is being activated")
    holders = repository.holders_of(image.digest)
    if holders:
        raise _not_supported(f"Requested image referenced by manifest list: [{', '.join(holders)}]")
    if image.status == "ACTIVE":
        repository.archive(image.digest)
    return "ARCHIVED"


def _restore(repository: Repository, image: Image, activation_seconds: float) -> Status:
    if image.status != "ARCHIVED":
        return image.status
    repository.restore(image.digest, activation_seconds)
    return "ACTIVATING"


def _not_supported(message: str) -> ServiceError:
    return ServiceError("ImageStorageClassUpdateNotSupportedException", message)
