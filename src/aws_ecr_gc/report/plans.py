"""Plans under a policy, as text and as JSON. `schemas/plan.schema.json` is generated from the shapes here."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from aws_ecr_gc.inventory import Status
from aws_ecr_gc.plan import Outcome, Plan, Verdict
from aws_ecr_gc.report import document, text, uses
from aws_ecr_gc.report.uses import InUsePart, UsePart, use_parts
from aws_ecr_gc.usage import Use


class Guarded(Struct, frozen=True):
    """A guard that refused: its name, why, and the way round it."""

    guard: str
    detail: str
    way_round: str


class RepositoryPlan(Struct, forbid_unknown_fields=True):
    """One repository: the policy that fits it, and what it makes of every image. Sizes in bytes, 'at most'.

    `refused` names the guards that forbid carrying the plan out; `broken` are the workloads whose image is not there to
    be pulled. `replicates_deletes_to` are the other registries in which what is deleted here is deleted too; null where
    that is not known, or nobody asked, as where nothing is to be deleted. `interrupted` and `stopped_by` are of `run`.
    `notes` say what else fills the repository; absent where nothing does, or nobody asked.
    """

    repository: document.RepositoryPart
    policy: str
    taken_at: datetime
    counts: document.Counts
    size_to_delete: int
    refused: list[Guarded]
    broken: list[UsePart]
    replicates_deletes_to: list[str] | None
    interrupted: bool
    stopped_by: str | None
    images: list[document.ImagePart]
    notes: list[str] | UnsetType = UNSET


class Unread(Struct, forbid_unknown_fields=True):
    """A repository that could not be read, and so has no plan."""

    repository: str
    reason: str


class PlanDocument(Struct, forbid_unknown_fields=True):
    """The plans for several repositories as at one time. `left_alone` are those that no policy fits.

    `in_use` is null where nothing was to be asked, or nothing was to be deleted.
    """

    version: int
    tool: str
    at: datetime
    policy_files: list[str]
    policy_sha256: str | None
    repositories: list[RepositoryPlan]
    left_alone: list[str]
    unread: list[Unread]
    in_use: InUsePart | None


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return msgspec.json.schema(PlanDocument)


def part(
    plan: Plan,
    policy: str,
    refused: Sequence[Guarded],
    broken: Sequence[Use] = (),
    replicates_deletes_to: list[str] | None = None,
) -> RepositoryPlan:
    """The part of the document that one repository fills."""
    return RepositoryPlan(
        repository=document.repository_part(plan.repository),
        policy=policy,
        taken_at=document.moment(plan.taken_at),
        counts=document.counts_of(plan, {}),
        size_to_delete=plan.size,
        refused=list(refused),
        broken=use_parts(broken),
        replicates_deletes_to=replicates_deletes_to,
        interrupted=False,
        stopped_by=None,
        images=[document.image_part(decision, None) for decision in plan.decisions],
    )


def complete(
    part: RepositoryPlan, plan: Plan, outcomes: Mapping[str, Outcome], *, interrupted: bool, stopped_by: str | None
) -> None:
    """Add how the plan ended."""
    part.counts = document.counts_of(plan, outcomes)
    part.interrupted = interrupted
    part.stopped_by = stopped_by
    for image in part.images:
        if image.digest in outcomes:
            image.outcome = document.outcome_part(outcomes[image.digest])


def lines(plan: Plan, policy: str, refused: Sequence[Guarded], broken: Iterable[str] = ()) -> Iterator[str]:
    """One repository as text: what goes, newest first, with its reasons; what stays, by reason.

    `broken` are the texts of workloads whose image is not there.
    """
    repository = plan.repository
    yield f"Total images in {repository.name} ({repository.registry.region}): {plan.active}"
    yield f"Policy: {policy}"
    yield f"Images to delete ({len(plan.steps)}), at most {text.size(plan.size)}"
    staying: Counter[str] = Counter()
    for decision in plan.decisions:
        if decision.verdict is not Verdict.COLLECTED:
            staying[decision.reasons[0].rule] += decision.image.status is Status.ACTIVE
            continue
        image = decision.image
        yield f"  {text.moment(image.pushed_at)}: {text.short(image.digest)} [{', '.join(image.tags)}]"
        for reason in decision.reasons:
            yield f"    {text.reason(reason)}"
    by_reason = ", by their first reason" if staying.total() else ""
    yield f"Images that stay ({sum(staying.values())}){by_reason}"
    for rule, count in staying.most_common():
        if count:
            yield f"  {rule}: {count}"
    if len(plan.decisions) > plan.active:
        yield f"Archived or on the way back, left alone ({len(plan.decisions) - plan.active})"
    by_use = list(uses.kept(plan))
    if by_use:
        yield "Kept by what uses them, and by no rule"
        yield from (f"  {line}" for line in by_use)
    yield from (f"Broken: {each}" for each in broken)
    for guard in refused:
        yield f"Refused by the guard {guard.guard}: {guard.detail}; {guard.way_round}"


def outcome_lines(plan: Plan, outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    """How the deletions in one repository ended."""
    yield f"Carried out in {plan.repository.name} ({plan.repository.registry.region})"
    yield from text.applied(plan, outcomes)


def question(going: Sequence[Plan]) -> str:
    """What is asked before these plans are carried out: the numbers, and what remains."""
    steps = sum(len(plan.steps) for plan in going)
    remaining = sum(plan.active for plan in going) - steps
    size = text.size(sum(plan.size for plan in going))
    where = text.repositories(len(going)) if len(going) > 1 else going[0].repository.name
    return f"Delete {text.images(steps)} in {where}, at most {size}? {text.images(remaining)} will remain there."


class Sum(Struct):
    """How many plans, the images that they delete, and the bytes of these, at most."""

    plans: int = 0
    images: int = 0
    size: int = 0

    def add(self, plan: Plan) -> None:
        """One more."""
        self.unite(Sum(1, len(plan.steps), plan.size))

    def unite(self, other: "Sum") -> None:
        """All of another one."""
        self.plans += other.plans
        self.images += other.images
        self.size += other.size


def summary(going: Sum, refused: Sum) -> Iterator[str]:
    """The sum, where there is more than one repository; what guards refuse stands apart."""
    if going.plans + refused.plans > 1:
        apart = f"; guards refuse {text.images(refused.images)} in {text.repositories(refused.plans)}"
        yield (
            f"To delete in {text.repositories(going.plans)}: {text.images(going.images)}, "
            f"at most {text.size(going.size)}{apart if refused.plans else ''}"
        )


def outcome_summary(carried_out: Sum, deleted: int, refused: Sum) -> Iterator[str]:
    """The same once plans were carried out."""
    if carried_out.plans + refused.plans > 1:
        apart = f"; guards refused {text.images(refused.images)} in {text.repositories(refused.plans)}"
        yield (
            f"Deleted in {text.repositories(carried_out.plans)}: {deleted} of {text.images(carried_out.images)}"
            f"{apart if refused.plans else ''}"
        )


def left_alone(names: Sequence[str]) -> Iterator[str]:
    """The repositories that no policy fits."""
    if names:
        yield f"Left alone, for no policy fits ({len(names)}): {', '.join(names)}"
