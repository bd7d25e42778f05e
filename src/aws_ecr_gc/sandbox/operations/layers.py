"""Layers: whether they are there, uploading them in parts, and the URLs by which they are downloaded."""

import base64
import re
import secrets

from aws_ecr_gc.sandbox.errors import ServiceError, invalid_parameter
from aws_ecr_gc.sandbox.layers import Blob, Upload, is_digest_of
from aws_ecr_gc.sandbox.operations.image_ids import DIGEST_PATTERN
from aws_ecr_gc.sandbox.store import Repository
from aws_ecr_gc.sandbox.world import Caller, Download, Members

PART_SIZE = 10 << 20
"""What InitiateLayerUpload proposes."""
LEAST_PART = 5 << 20


def batch_check_layer_availability(caller: Caller, request: Members) -> Members:
    """Which layers are there: uploaded, and not collected as garbage; or archived, as all images that name it."""
    repository = caller.repository(request)
    layers: list[Members] = []
    failures: list[Members] = []
    for digest in request["layerDigests"]:
        if re.fullmatch(DIGEST_PATTERN, digest):
            layers.append(_availability(repository, digest))
        else:
            reason = f"Invalid request parameters: layer digest should satisfy the regex '{DIGEST_PATTERN}'"
            failures.append({"layerDigest": digest, "failureCode": "InvalidLayerDigest", "failureReason": reason})
    return {"layers": layers, "failures": failures}


def find_layer(repository: Repository, digest: str) -> Blob | None:
    """A layer that is there, and that the scenario does not say is missing."""
    return None if digest in repository.settings.missing_layers else repository.layers.get(digest)


def _availability(repository: Repository, digest: str) -> Members:
    blob = find_layer(repository, digest)
    if blob is None:
        return {"layerDigest": digest, "layerAvailability": "UNAVAILABLE"}
    return {
        "layerDigest": digest,
        "layerAvailability": "ARCHIVED" if _is_archived(repository, digest) else "AVAILABLE",
        "layerSize": blob.size,
        "mediaType": blob.media_type or "application/octet-stream",
    }


def _is_archived(repository: Repository, digest: str) -> bool:
    """Whether images name it, and none that is active."""
    statuses = [repository.images[user].status for user in repository.layers.users_of(digest)]
    return bool(statuses) and "ACTIVE" not in statuses


def get_download_url_for_layer(caller: Caller, request: Members) -> Members:
    """A URL that needs no signature, for a layer that an active image names."""
    repository, digest = caller.repository(request), request["layerDigest"]
    _demand_digests("layerDigest", digest)
    blob = find_layer(repository, digest)
    if blob is None or (blob.content is None and blob.chunks() is None):
        raise _of_layer("LayersNotFoundException", digest, repository, "could not be found")
    if not repository.layers.users_of(digest):
        raise _of_layer("LayerInaccessibleException", digest, repository, "is not associated with an image")
    if _is_archived(repository, digest):
        raise _of_layer("LayerInaccessibleException", digest, repository, "is archived")
    world = caller.world
    path = f"/layers/{digest}?X-Amz-Signature={secrets.token_hex(16)}"
    expires_at = world.clock.now() + world.behaviour.download_url_seconds
    world.downloads[path] = Download(repository, digest, expires_at)
    return {"downloadUrl": world.url + path, "layerDigest": digest}


def initiate_layer_upload(caller: Caller, request: Members) -> Members:
    """Begin an upload."""
    return {"uploadId": caller.repository(request).layers.begin_upload(), "partSize": PART_SIZE}


def upload_layer_part(caller: Caller, request: Members) -> Members:
    """Take the next part of an upload."""
    repository = caller.repository(request)
    upload = _upload(repository, request["uploadId"])
    part = base64.b64decode(request["layerPartBlob"])
    first, last = request["partFirstByte"], request["partLastByte"]
    expected = len(upload.content)
    if first != expected or last - first + 1 != len(part) or not part:
        raise ServiceError(
            "InvalidLayerPartException",
            f"Invalid layer part of upload '{request['uploadId']}': bytes {first} to {last} of {len(part)} sent, "
            f"and the next byte is {expected}",
        )
    upload.content += part
    upload.parts.append(len(part))
    return {**_answer(repository, request), "lastByteReceived": last}


def complete_layer_upload(caller: Caller, request: Members) -> Members:
    """End an upload: its content becomes a layer, if it has the digest that is told."""
    repository = caller.repository(request)
    upload = _upload(repository, request["uploadId"])
    _demand_digests("layerDigests", *request["layerDigests"])
    digest = request["layerDigests"][0]
    if not upload.parts:
        raise ServiceError("EmptyUploadException", f"Upload '{request['uploadId']}' has no layer parts")
    if any(size < LEAST_PART for size in upload.parts[:-1]):
        raise ServiceError("LayerPartTooSmallException", "Layer parts must be at least 5 MiB in size")
    if not all(is_digest_of(each, upload.content) for each in request["layerDigests"]):
        raise _of_layer("InvalidLayerException", digest, repository, "is not what was uploaded")
    del repository.layers.uploads[request["uploadId"]]
    if find_layer(repository, digest) is not None and not _is_archived(repository, digest):
        raise _of_layer("LayerAlreadyExistsException", digest, repository, "already exists")
    repository.settings.missing_layers -= {digest}
    repository.layers.add(bytes(upload.content))
    return {**_answer(repository, request), "layerDigest": digest}


def _answer(repository: Repository, request: Members) -> Members:
    return {
        "registryId": repository.registry.account,
        "repositoryName": repository.name,
        "uploadId": request["uploadId"],
    }


def _upload(repository: Repository, upload_id: str) -> Upload:
    upload = repository.layers.uploads.get(upload_id)
    if upload is None:
        raise ServiceError(
            "UploadNotFoundException",
            f"The upload with id '{upload_id}' does not exist in the repository with name '{repository.name}' "
            f"in the registry with id '{repository.registry.account}'",
        )
    return upload


def _demand_digests(member: str, *digests: str) -> None:
    for digest in digests:
        if not re.fullmatch(DIGEST_PATTERN, digest):
            raise invalid_parameter(member, f"must satisfy regular expression '{DIGEST_PATTERN}'")


def _of_layer(code: str, digest: str, repository: Repository, what: str) -> ServiceError:
    return ServiceError(
        code,
        f"The layer with digest '{digest}' {what} in the repository with name '{repository.name}' "
        f"in the registry with id '{repository.registry.account}'",
    )
