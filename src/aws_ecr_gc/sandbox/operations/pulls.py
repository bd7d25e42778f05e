"""BatchGetImage."""

from aws_ecr_gc.sandbox.manifests import INDEX_TYPES, Descriptor
from aws_ecr_gc.sandbox.operations.image_ids import failure, find, image_id
from aws_ecr_gc.sandbox.operations.pull_times import is_excluded
from aws_ecr_gc.sandbox.store import Image, Repository
from aws_ecr_gc.sandbox.world import Caller, Members


def batch_get_image(caller: Caller, request: Members) -> Members:
    """Manifests by digest or tag, which counts as a pull unless the caller's role is excluded.

    An index asked for by tag is answered with one of its platforms' manifests where the client accepts no index.
    """
    repository = caller.repository(request)
    accepts_indexes = not INDEX_TYPES.isdisjoint(request.get("acceptedMediaTypes") or ())
    counts = caller.world.behaviour.pulls_move_pull_time and not is_excluded(caller)
    images, failures = [], []
    for wanted in request["imageIds"]:
        found = find(repository, wanted)
        if not isinstance(found, Image):
            failures.append(found)
            continue
        if found.status != "ACTIVE":
            code = caller.world.behaviour.archived_pull_failure
            failures.append(failure(wanted, code, f"Requested image is {found.status.lower()}"))
            continue
        # ECR converts manifests by tag only, never by digest.
        by_tag_only = wanted.get("imageDigest") is None
        fetched = _one_platform(repository, found) if by_tag_only and not accepts_indexes else found
        if counts:
            repository.pull(fetched.digest)
        images.append(fetched_image(repository, fetched, wanted.get("imageTag")))
    return {"images": images, "failures": failures}


def fetched_image(repository: Repository, image: Image, tag: str | None) -> Members:
    """An image with its manifest, as BatchGetImage and PutImage answer it."""
    return {
        "registryId": repository.registry.account,
        "repositoryName": repository.name,
        "imageId": image_id(image.digest, tag),
        "imageManifest": image.manifest.decode(),
        "imageManifestMediaType": image.media_type,
    }


def _one_platform(repository: Repository, image: Image) -> Image:
    """The linux/amd64 manifest of an index, or else its first one that is there; any other image is itself."""
    entries = [entry for entry in image.contents.manifests if entry.digest in repository.images]
    if image.media_type not in INDEX_TYPES or not entries:
        return image
    chosen = next((entry for entry in entries if _is_linux_amd64(entry)), entries[0])
    return _one_platform(repository, repository.images[chosen.digest])


def _is_linux_amd64(entry: Descriptor) -> bool:
    platform = entry.platform
    return platform is not None and (platform.os, platform.architecture) == ("linux", "amd64")
