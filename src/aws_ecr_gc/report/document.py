"""The JSON document of a run: every image, its decision and reasons, and every outcome.

The shapes below are the format; `schemas/run.schema.json` is generated from them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from aws_ecr_gc.inventory import Status
from aws_ecr_gc.plan import Action, Decision, Outcome, Plan, Result, Step, Verdict
from aws_ecr_gc.reference import Repository
from aws_ecr_gc.report.uses import InUsePart, UsePart, in_use_part, use_parts
from aws_ecr_gc.usage import InUse, Use


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

    `action` is absent for what is left as it is, `untag` where no tag is to be removed, and `outcome` for what was to
    be left as it is, in a dry run, and where the work ended before.
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
    archived_at: datetime | None
    activated_at: datetime | None
    decision: Verdict
    reasons: list[ReasonPart]
    action: Action | UnsetType = UNSET
    untag: tuple[str, ...] | UnsetType = UNSET
    outcome: OutcomePart | UnsetType = UNSET


class Counts(Struct, forbid_unknown_fields=True):
    """How many images: active, archived or being restored; to delete, to archive, to lose tags; and how these ended."""

    active: int
    archived: int
    to_delete: int
    to_archive: int
    to_untag: int
    deleted: int
    moved_to_archive: int
    untagged: int
    skipped: int
    failed: int
    not_attempted: int


class Document(Struct, forbid_unknown_fields=True):
    """One run of the collector over one repository. Times are UTC.

    `in_use` is null where nothing was to be asked, or nothing was to be deleted; `broken` are the workloads whose image
    is not there to be pulled.
    """

    version: int
    tool: str
    repository: RepositoryPart
    taken_at: datetime
    dry_run: bool
    policy: PolicyPart
    counts: Counts
    interrupted: bool
    stopped_by: str | None
    in_use: InUsePart | None = None
    broken: list[UsePart] = field(default_factory=list)
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
    in_use: InUse | None = None,
    broken: Sequence[Use] = (),
) -> Document:
    """The document of a run that got as far as a plan."""
    steps = {step.digest: step for step in plan.steps}
    return Document(
        version=1,
        tool=tool,
        repository=repository_part(plan.repository),
        taken_at=moment(plan.taken_at),
        dry_run=dry_run,
        policy=policy,
        counts=counts_of(plan, outcomes),
        interrupted=interrupted,
        stopped_by=stopped_by,
        in_use=None if in_use is None else in_use_part(in_use),
        broken=use_parts(broken),
        images=[
            image_part(each, outcomes.get(each.image.digest), steps.get(each.image.digest)) for each in plan.decisions
        ],
    )


def repository_part(repository: Repository) -> RepositoryPart:
    """The repository."""
    registry = repository.registry
    return RepositoryPart(repository.name, registry.account, registry.region, registry.partition)


def encode(content: Struct) -> str:
    """A document as JSON text, indented by two spaces."""
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode()


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return msgspec.json.schema(Document)


def counts_of(plan: Plan, outcomes: Mapping[str, Outcome]) -> Counts:
    """How many images there are, and how each step ended."""
    results = [outcome.result for outcome in outcomes.values()]
    done = Counter(
        step.action for step in plan.steps if step.digest in outcomes and outcomes[step.digest].result is Result.DONE
    )
    return Counts(
        active=plan.active,
        archived=len(plan.decisions) - plan.active,
        to_delete=len(plan.going(Action.DELETE)),
        to_archive=len(plan.going(Action.ARCHIVE)),
        to_untag=len(plan.going(Action.UNTAG)),
        deleted=done[Action.DELETE],
        moved_to_archive=done[Action.ARCHIVE],
        untagged=done[Action.UNTAG],
        skipped=results.count(Result.SKIPPED),
        failed=results.count(Result.FAILED),
        not_attempted=len(plan.steps) - len(results),
    )


def image_part(decision: Decision, outcome: Outcome | None, step: Step | None = None) -> ImagePart:
    """An image, the decision on it, what is to be done, and how it ended."""
    image = decision.image
    return ImagePart(
        digest=image.digest,
        tags=image.tags,
        pushed_at=moment(image.pushed_at),
        pulled_at=_moment(image.pulled_at),
        media_type=image.media_type,
        artifact_type=image.artifact_type,
        size=image.size,
        status=image.status,
        subject=image.subject,
        children=image.children,
        archived_at=_moment(image.archived_at),
        activated_at=_moment(image.activated_at),
        decision=decision.verdict,
        reasons=reason_parts(decision),
        action=UNSET if step is None else step.action,
        untag=UNSET if step is None or not step.untag else step.untag,
        outcome=UNSET if outcome is None else outcome_part(outcome),
    )


def _moment(epoch: float | None) -> datetime | None:
    return None if epoch is None else moment(epoch)


def reason_parts(decision: Decision) -> list[ReasonPart]:
    """The reasons of a decision."""
    return [ReasonPart(reason.rule, reason.detail, reason.via) for reason in decision.reasons]


def outcome_part(outcome: Outcome) -> OutcomePart:
    """How a deletion ended."""
    return OutcomePart(outcome.result, outcome.code, outcome.detail)


def moment(epoch: float) -> datetime:
    """A time in UTC."""
    return datetime.fromtimestamp(epoch, UTC)
