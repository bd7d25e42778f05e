"""PutImage."""

import fnmatch

import msgspec

from aws_ecr_gc.sandbox import manifests
from aws_ecr_gc.sandbox.errors import ServiceError, invalid_parameter
from aws_ecr_gc.sandbox.operations.image_ids import demand_wellformed
from aws_ecr_gc.sandbox.operations.layers import find_layer
from aws_ecr_gc.sandbox.operations.pulls import fetched_image
from aws_ecr_gc.sandbox.store import Repository, Settings
from aws_ecr_gc.sandbox.world import Caller, Members


def put_image(caller: Caller, request: Members) -> Members:
    """Store a manifest and tag it, under the rules that a push is under."""
    repository = caller.repository(request)
    tag = request.get("imageTag")
    for member in ("imageDigest", "imageTag"):
        demand_wellformed(member, request.get(member))
    manifest = request["imageManifest"].encode()
    media_type = _media_type(manifest, request.get("imageManifestMediaType"))
    digest = manifests.digest_of(manifest)
    if request.get("imageDigest") not in (None, digest):
        raise ServiceError(
            "ImageDigestDoesNotMatchException",
            f"The calculated digest '{digest}' does not match the provided digest '{request['imageDigest']}'",
        )
    _demand_references(repository, _contents(manifest, media_type), media_type)
    _demand_change(repository, digest, tag)
    repository.put(manifest, media_type, tag)
    return {"image": fetched_image(repository, repository.images[digest], tag)}


def is_immutable(settings: Settings, tag: str) -> bool:
    """Whether a tag that exists may not be moved: the repository's setting, turned round by its exclusion filters."""
    excluded = any(fnmatch.fnmatchcase(tag, pattern) for pattern in settings.exclusion_filters)
    return settings.tag_mutability.startswith("IMMUTABLE") != excluded


def _media_type(manifest: bytes, given: str | None) -> str:
    try:
        stated = manifests.stated_media_type(manifest)
    except msgspec.DecodeError as error:
        raise invalid_parameter("ImageManifest", "Invalid JSON syntax") from error
    if not given and not stated:
        raise invalid_parameter("imageManifestMediaType", "must be given when the manifest states no mediaType")
    if given and stated and given != stated:
        raise invalid_parameter("imageManifestMediaType", f"must be the mediaType of the manifest, '{stated}'")
    return given or stated or ""


def _contents(manifest: bytes, media_type: str) -> manifests.Contents:
    try:
        return manifests.read(manifest, media_type)
    except msgspec.DecodeError as error:
        raise invalid_parameter("ImageManifest", f"Invalid manifest of type {media_type}: {error}") from error


def _demand_references(repository: Repository, contents: manifests.Contents, media_type: str) -> None:
    children = contents.manifests if media_type in manifests.INDEX_TYPES else []
    absent = [child.digest for child in children if child.digest not in repository.images]
    if absent:
        raise ServiceError("ReferencedImagesNotFoundException", _required("Images", absent, repository))
    needed = [blob for blob in contents.blob_descriptors if not blob.is_foreign]
    missing = [blob.digest for blob in needed if find_layer(repository, blob.digest) is None]
    if missing:
        raise ServiceError("LayersNotFoundException", _required("Layers", missing, repository))


def _required(what: str, digests: list[str], repository: Repository) -> str:
    return (
        f"{what} with digests '[{', '.join(digests)}]' required for pushing image into repository with name "
        f"'{repository.name}' in the registry with id '{repository.registry.account}' do not exist"
    )


def _demand_change(repository: Repository, digest: str, tag: str | None) -> None:
    known = repository.images.get(digest)
    if known is not None and known.status == "ACTIVE" and (tag is None or tag in known.tags):
        raise ServiceError(
            "ImageAlreadyExistsException",
            f"Image with digest '{digest}' and tag '{tag or 'null'}' already exists in the repository with name "
            f"'{repository.name}' in registry with id '{repository.registry.account}'",
        )
    if tag in repository.tags and repository.tags[tag] != digest and is_immutable(repository.settings, tag):
        raise ServiceError(
            "ImageTagAlreadyExistsException",
            f"The image tag '{tag}' already exists in the '{repository.name}' repository and cannot be overwritten "
            "because the tag is immutable.",
        )
