"""Put-, Get- and DeleteLifecyclePolicy, and their previews. `lifecycle_runs` carries the policies out."""

from typing import Any

from aws_ecr_gc.sandbox import naive_lifecycle
from aws_ecr_gc.sandbox.errors import ServiceError, invalid_parameter
from aws_ecr_gc.sandbox.lifecycle import normalised
from aws_ecr_gc.sandbox.operations.image_ids import demand_wellformed_ids, image_not_found, look_up
from aws_ecr_gc.sandbox.store import Image, Repository
from aws_ecr_gc.sandbox.world import Caller, Members, Preview

PREVIEW_PAGE_SIZE = 100


def put_lifecycle_policy(caller: Caller, request: Members) -> Members:
    """Keep a policy if it is valid."""
    repository = caller.repository(request)
    repository.settings.lifecycle_policy = normalised(request["lifecyclePolicyText"])
    caller.world.lifecycles.notice(caller.world.clock.now())
    return _answer(repository, repository.settings.lifecycle_policy)


def get_lifecycle_policy(caller: Caller, request: Members) -> Members:
    """The policy, with its rules in the order of their priority."""
    repository = caller.repository(request)
    text = _policy_of(repository)
    return {**_answer(repository, text), "lastEvaluatedAt": caller.world.lifecycles.last_evaluated(repository)}


def delete_lifecycle_policy(caller: Caller, request: Members) -> Members:
    """Forget the policy."""
    repository = caller.repository(request)
    text = _policy_of(repository)
    last = caller.world.lifecycles.last_evaluated(repository)
    repository.settings.lifecycle_policy = None
    caller.world.lifecycles.notice(caller.world.clock.now())
    return {**_answer(repository, text), "lastEvaluatedAt": last}


def start_lifecycle_policy_preview(caller: Caller, request: Members) -> Members:
    """Evaluate a policy, or the repository's own, without acting. One at a time for each repository."""
    repository = caller.repository(request)
    stated = request.get("lifecyclePolicyText")
    text = _policy_of(repository) if stated is None else normalised(stated)
    before = caller.world.previews.get(repository)
    if before is not None and _status(caller, before) == "IN_PROGRESS":
        raise ServiceError(
            "LifecyclePolicyPreviewInProgressException",
            f"The previous lifecycle policy preview request for the repository with name '{repository.name}' in the "
            f"registry with id '{repository.registry.account}' has not completed. Please try again later.",
        )
    now = caller.world.clock.now()
    preview = Preview(text, now, _rows(caller, repository, text, now))
    caller.world.previews[repository] = preview
    return {**_answer(repository, text), "status": _status(caller, preview, at_start=True)}


def get_lifecycle_policy_preview(caller: Caller, request: Members) -> Members:
    """What the last preview found, page by page or for `imageIds`, and whether it has ended."""
    repository = caller.repository(request)
    preview = caller.world.previews.get(repository)
    if preview is None:
        raise ServiceError(
            "LifecyclePolicyPreviewNotFoundException",
            f"Lifecycle policy preview does not exist for the repository with name '{repository.name}' in the registry "
            f"with id '{repository.registry.account}'",
        )
    status = _status(caller, preview)
    answer = {**_answer(repository, preview.text), "status": status}
    if status != "COMPLETE":
        return answer
    rows = [row for row in preview.rows if _meets(row, request.get("filter") or {})]
    if request.get("imageIds") is not None:
        return {**answer, "previewResults": _named(repository, request, rows), "summary": _summary(preview.rows)}
    scope = ("GetLifecyclePolicyPreview", caller.account, caller.region, preview.started_at)
    page, following = caller.world.listings.page(scope, request, lambda: rows, PREVIEW_PAGE_SIZE)
    return {**answer, "previewResults": page, "summary": _summary(preview.rows), **following}


def _status(caller: Caller, preview: Preview, *, at_start: bool = False) -> str:
    behaviour = caller.world.behaviour
    passed = caller.world.clock.now() - preview.started_at
    if at_start or passed < behaviour.preview_seconds:
        return "IN_PROGRESS"
    if behaviour.preview_fails:
        return "FAILED"
    return "COMPLETE" if passed < behaviour.preview_seconds + behaviour.preview_kept_seconds else "EXPIRED"


def _rows(caller: Caller, repository: Repository, text: str, now: float) -> list[Members]:
    behaviour = caller.world.behaviour
    images = list(repository.images.values())
    marks = naive_lifecycle.evaluate(text, images, now, behaviour)
    return [_row(repository.images[mark.digest], mark) for mark in naive_lifecycle.in_order(marks, images, behaviour)]


def _row(image: Image, mark: naive_lifecycle.Mark) -> Members:
    archive: dict[str, Any] = {"targetStorageClass": "ARCHIVE"} if mark.is_transition else {}
    return {
        **({"imageTags": list(image.tags)} if image.tags else {}),
        "imageDigest": image.digest,
        "imagePushedAt": image.pushed_at,
        "action": {"type": "TRANSITION" if mark.is_transition else "EXPIRE", **archive},
        "appliedRulePriority": mark.priority,
        "storageClass": "ARCHIVE" if image.status == "ARCHIVED" else "STANDARD",
    }


def _meets(row: Members, conditions: Members) -> bool:
    tag_status = conditions.get("tagStatus") or "ANY"
    return tag_status in ("TAGGED" if row.get("imageTags") else "UNTAGGED", "ANY")


def _named(repository: Repository, request: Members, rows: list[Members]) -> list[Members]:
    if request.get("nextToken") is not None or request.get("maxResults") is not None:
        raise invalid_parameter("imageIds", "nextToken and maxResults cannot be given together with imageIds")
    demand_wellformed_ids(request["imageIds"])
    wanted = set()
    for image_id in request["imageIds"]:
        image = look_up(repository, image_id)
        if image is None:
            raise image_not_found(repository, image_id)
        wanted.add(image.digest)
    return [row for row in rows if row["imageDigest"] in wanted]


def _summary(rows: Any) -> Members:
    archived = sum(row["action"]["type"] == "TRANSITION" for row in rows)
    totals = [{"targetStorageClass": "ARCHIVE", "imageTotalCount": archived}] if archived else []
    return {
        "expiringImageTotalCount": len(rows) - archived,
        **({"transitioningImageTotalCounts": totals} if totals else {}),
    }


def _policy_of(repository: Repository) -> str:
    if repository.settings.lifecycle_policy is None:
        raise ServiceError(
            "LifecyclePolicyNotFoundException",
            f"Lifecycle policy does not exist for the repository with name '{repository.name}' in the registry with "
            f"id '{repository.registry.account}'",
        )
    return repository.settings.lifecycle_policy


def _answer(repository: Repository, text: str) -> Members:
    return {
        "registryId": repository.registry.account,
        "repositoryName": repository.name,
        "lifecyclePolicyText": text,
    }
