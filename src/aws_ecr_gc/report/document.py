"""The JSON document of a run: every image, its decision and reasons, and every outcome.

The shapes below are the format; `schemas/run.schema.json` is generated from them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from aws_ecr_gc.inventory import Status
from aws_ecr_gc.plan import Decision, Outcome, Plan, Result, Verdict


class RepositoryPart(Struct, forbid_unknown_fields=True):
    """The repository. The account is null where nothing named it: an empty repository, no --registry-id."""

    name: str
    account: str | None
    region: str
    partition: str


class PolicyPart(Struct, forbid_unknown_fields=True):
    """What was asked for; `grace_seconds` is the age below which untagged images stay."""

    keep: dict[str, int]
    delete_untagged: bool
    grace_seconds: float


class ReasonPart(Struct, forbid_unknown_fields=True):
    """A reason: the rule, what it found, and the tag or digest through which it acts."""

    rule: str
    detail: str
    via: str | None


class OutcomePart(Struct, forbid_unknown_fields=True):
    """How the deletion of an image ended; `code` and `detail` say why where it is not done."""

    result: Result
    code: str
    detail: str


class ImagePart(Struct, forbid_unknown_fields=True):
    """An image as it was read, and the decision on it. `children` is null for an index that was not read.

    `outcome` is absent for what was not to be deleted, in a dry run, and where the work ended before.
    """

    digest: str
    tags: tuple[str, ...]
    pushed_at: datetime
    pulled_at: datetime | None
    media_type: str | None
    artifact_type: str | None
    size: int
    status: Status
    subject: str | None
    children: tuple[str, ...] | None
    decision: Verdict
    reasons: list[ReasonPart]
    outcome: OutcomePart | UnsetType = UNSET


class Counts(Struct, forbid_unknown_fields=True):
    """How many images: active, archived or being restored, to delete; and of these, how each ended."""

    active: int
    archived: int
    to_delete: int
    deleted: int
    skipped: int
    failed: int
    not_attempted: int


class Document(Struct, forbid_unknown_fields=True):
    """One run of the collector over one repository. Times are UTC."""

    version: int
    tool: str
    repository: RepositoryPart
    taken_at: datetime
    dry_run: bool
    policy: PolicyPart
    counts: Counts
    interrupted: bool
    stopped_by: str | None
    images: list[ImagePart] = field(default_factory=list)


def document(
    plan: Plan,
    outcomes: Mapping[str, Outcome],
    *,
    tool: str,
    policy: PolicyPart,
    dry_run: bool,
    interrupted: bool,
    stopped_by: str | None,
) -> Document:
    """The document of a run that got as far as a plan."""
    registry = plan.repository.registry
    return Document(
        version=1,
        tool=tool,
        repository=RepositoryPart(plan.repository.name, registry.account, registry.region, registry.partition),
        taken_at=_time(plan.taken_at),
        dry_run=dry_run,
        policy=policy,
        counts=_counts(plan, outcomes),
        interrupted=interrupted,
        stopped_by=stopped_by,
        images=[_image(decision, outcomes.get(decision.image.digest)) for decision in plan.decisions],
    )


def encode(content: Document) -> str:
    """The document as JSON text, indented by two spaces."""
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode()


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return msgspec.json.schema(Document)


def _counts(plan: Plan, outcomes: Mapping[str, Outcome]) -> Counts:
    results = [outcome.result for outcome in outcomes.values()]
    active = sum(decision.image.status is Status.ACTIVE for decision in plan.decisions)
    return Counts(
        active=active,
        archived=len(plan.decisions) - active,
        to_delete=len(plan.steps),
        deleted=results.count(Result.DONE),
        skipped=results.count(Result.SKIPPED),
        failed=results.count(Result.FAILED),
        not_attempted=len(plan.steps) - len(results),
    )


def _image(decision: Decision, outcome: Outcome | None) -> ImagePart:
    image = decision.image
    return ImagePart(
        digest=image.digest,
        tags=image.tags,
        pushed_at=_time(image.pushed_at),
        pulled_at=None if image.pulled_at is None else _time(image.pulled_at),
        media_type=image.media_type,
        artifact_type=image.artifact_type,
        size=image.size,
        status=image.status,
        subject=image.subject,
        children=image.children,
        decision=decision.verdict,
        reasons=[ReasonPart(reason.rule, reason.detail, reason.via) for reason in decision.reasons],
        outcome=UNSET if outcome is None else OutcomePart(outcome.result, outcome.code, outcome.detail),
    )


def _time(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)
