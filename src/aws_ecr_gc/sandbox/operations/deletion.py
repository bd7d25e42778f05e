"""BatchDeleteImage. Deletion happens nowhere else in the API, but for DeleteRepository with force."""

from collections.abc import Mapping

from aws_ecr_gc.sandbox.operations.image_ids import Failure, ImageId, failure, find, image_id, look_up
from aws_ecr_gc.sandbox.store import Image, Repository
from aws_ecr_gc.sandbox.world import Caller, Members

Holders = Mapping[str, list[str]]


def batch_delete_image(caller: Caller, request: Members) -> Members:
    """Delete images by digest, remove tags by tag; an image goes with its last tag.

    Each identifier is answered on its own, in the request's order: a row for every tag removed (a single one without
    tag for an untagged image), or a failure.
    """
    repository = caller.repository(request)
    # What an index holds is judged by the state at the start: its children can't go in the call that takes the index.
    holders: Holders = {
        image.digest: repository.holders_of(image.digest)
        for wanted in request["imageIds"]
        if (image := look_up(repository, wanted))
    }
    removed: list[dict[str, str]] = []
    failures: list[Failure] = []
    for wanted in request["imageIds"]:
        found = find(repository, wanted)
        if not isinstance(found, Image):
            failures.append(found)
            continue
        whole = _takes_whole_image(caller, wanted, found)
        if whole and holders[found.digest]:
            failures.append(_held(wanted, holders[found.digest]))
            continue
        tags = sorted(found.tags) if whole else [wanted["imageTag"]]
        removed.extend(image_id(found.digest, tag) for tag in tags or [None])
        _remove(caller, repository, found, None if whole else wanted["imageTag"])
    return {"imageIds": removed, "failures": failures}


def _takes_whole_image(caller: Caller, wanted: ImageId, image: Image) -> bool:
    tag = wanted.get("imageTag")
    if tag is None or image.tags == (tag,):
        return True
    return wanted.get("imageDigest") is not None and caller.world.behaviour.pair_deletes == "image"


def _held(wanted: ImageId, holders: list[str]) -> Failure:
    reason = f"Requested image referenced by manifest list: [{', '.join(holders)}]"
    return failure(wanted, "ImageReferencedByManifestList", reason)


def _remove(caller: Caller, repository: Repository, image: Image, tag: str | None) -> None:
    if tag is not None:
        repository.remove_tag(tag, "BatchDeleteImage")
        return
    repository.remove(image.digest, "BatchDeleteImage")
    if caller.world.behaviour.sweep_referrers:
        _sweep(repository, image.digest)


def _sweep(repository: Repository, subject: str) -> None:
    for digest in repository.referrers_of(subject):
        if not repository.holders_of(digest):
            repository.remove(digest, "sweep")
            _sweep(repository, digest)
