"""Plans under a policy, as text and as JSON. `schemas/plan.schema.json` is generated from the shapes here."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from aws_ecr_gc.inventory import INDEX_TYPES, Status
from aws_ecr_gc.plan import Action, Decision, Outcome, Plan
from aws_ecr_gc.report import document, text, uses, work
from aws_ecr_gc.report.uses import InUsePart, UsePart, use_parts
from aws_ecr_gc.report.work import Work
from aws_ecr_gc.usage import Use


class Guarded(Struct, frozen=True):
    """A guard that refused: its name, why, and the way round it."""

    guard: str
    detail: str
    way_round: str


class RepositoryPlan(Struct, forbid_unknown_fields=True):
    """One repository: the policy that fits it, and what it makes of every image. Sizes in bytes, 'at most'.

    `action` is what the policy does to active images that do not stay. `archive_minimum_usd` is what the archive bills
    at least for what goes there, `early_deletion_usd` what it still bills for what is deleted from it too early, both
    at the prices that docs/policy.md names.
    `refused` names the guards that forbid carrying the plan out; `broken` are the workloads whose image is not there to
    be pulled. `replicates_deletes_to` are the other registries in which what is deleted here is deleted too; null where
    that is not known, or nobody asked, as where nothing is to be changed. `interrupted` and `stopped_by` are of `run`.
    `notes` say what else fills the repository; absent where nothing does, or nobody asked.
    """

    repository: document.RepositoryPart
    policy: str
    taken_at: datetime
    action: Action
    counts: document.Counts
    size_to_delete: int
    size_to_archive: int
    archive_minimum_usd: float
    early_deletion_usd: float
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

    `in_use` is null where nothing was to be asked, or nothing was to be changed.
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
    done = work.work_of(plan)
    steps = {step.digest: step for step in plan.steps}
    return RepositoryPlan(
        repository=document.repository_part(plan.repository),
        policy=policy,
        taken_at=document.moment(plan.taken_at),
        action=plan.action,
        counts=document.counts_of(plan, {}),
        size_to_delete=done.deleted_size,
        size_to_archive=done.archived_size,
        archive_minimum_usd=round(work.archive_minimum(done), 2),
        early_deletion_usd=round(work.early_deletion(plan), 2),
        refused=list(refused),
        broken=use_parts(broken),
        replicates_deletes_to=replicates_deletes_to,
        interrupted=False,
        stopped_by=None,
        images=[document.image_part(each, None, steps.get(each.image.digest)) for each in plan.decisions],
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
    """One repository as text: what changes, newest first, with its reasons; what stays, by reason.

    `broken` are the texts of workloads whose image is not there.
    """
    repository = plan.repository
    yield f"Total images in {repository.name} ({repository.registry.region}): {plan.active}"
    yield f"Policy: {policy}"
    for action in Action:
        yield from _changes(plan, action)
    losing = {step.digest for step in plan.going(Action.UNTAG)}
    by_use: list[Decision] = []
    staying, others = plan.decisions.staying()
    for decision in others:
        if uses.is_kept(decision):
            by_use.append(decision)
        if decision.image.digest not in losing:
            staying[decision.reasons[0].rule] += decision.image.status is Status.ACTIVE
    by_reason = ", by their first reason" if staying.total() else ""
    unchanged = "keep their tags" if plan.action is Action.UNTAG else "stay"
    yield f"Images that {unchanged} ({sum(staying.values())}){by_reason}"
    for rule, count in sorted(staying.items(), key=lambda each: (-each[1], each[0])):
        if count:
            yield f"  {rule}: {count}"
    in_archive = len(plan.decisions) - plan.active - sum(step.status is not Status.ACTIVE for step in plan.steps)
    if in_archive:
        yield f"Archived or on the way back, left alone ({in_archive})"
    if by_use:
        yield "Kept by what uses them, and by no rule"
        yield from (f"  {line}" for line in uses.kept_lines(by_use))
    yield from (f"Broken: {each}" for each in broken)
    for guard in refused:
        yield f"Refused by the guard {guard.guard}: {guard.detail}; {guard.way_round}"


def beside(destinations: Sequence[str], notes: Iterable[str]) -> Iterator[str]:
    """What deletions in this repository mean beside it: where they are replicated to, what fills it anew."""
    if destinations:
        yield f"Deletions are replicated to {', '.join(destinations)}"
    yield from (f"Note: {each}" for each in notes)


def _changes(plan: Plan, action: Action) -> Iterator[str]:
    """What one action does to which images, and why. Nothing where it isn't the policy's, and there is no such step."""
    steps = {step.digest: step for step in plan.going(action)}
    if not steps and action is not plan.action:
        return
    done = work.work_of(plan)
    match action:
        case Action.DELETE:
            yield f"Images to delete ({len(steps)}), at most {text.size(done.deleted_size)}"
        case Action.ARCHIVE:
            yield f"Images to archive ({len(steps)}), at most {text.size(done.archived_size)}"
        case Action.UNTAG:
            yield f"Tags to remove ({done.tags}), from {text.images(len(steps))}"
    for decision in plan.decisions.of(steps):
        image = decision.image
        step = steps[image.digest]
        loses = f"loses [{', '.join(step.untag)}] of " if step.untag else ""
        yield f"  {text.moment(image.pushed_at)}: {text.short(image.digest)} {loses}[{', '.join(image.tags)}]"
        for reason in decision.reasons:
            yield f"    {text.reason(reason)}"
    yield from cautions(plan, action)


def cautions(plan: Plan, action: Action) -> Iterator[str]:
    """What the archive bills for an action, what follows from an index that can't be read any more, and what can't be
    put back.
    """
    done = work.work_of(plan)
    if action is Action.ARCHIVE and done.archived:
        yield work.archive_terms(done)
        going = {step.digest for step in plan.going(Action.ARCHIVE)}
        indexes = sum(image.media_type in INDEX_TYPES for image in plan.decisions.images() if image.digest in going)
        if indexes:
            yield (
                f"Indexes among them: {indexes}. ECR hands out no manifest from the archive: keep the cache directory, "
                "or untagged images of the repository stay as long as they are there"
            )
    if action is Action.DELETE:
        yield from work.for_good(done)
        early = work.early_deletion(plan)
        if early:
            yield f"Some of them were archived less than 90 days ago: the rest is billed, {work.at_most_dollars(early)}"


def outcome_lines(plan: Plan, outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    """How the work in one repository ended."""
    yield f"Carried out in {plan.repository.name} ({plan.repository.registry.region})"
    yield from text.applied(plan, outcomes)


def question(going: Sequence[Plan]) -> str:
    """What is asked before these plans are carried out: the numbers, and what remains."""
    done = work.work_of_all(going)
    leaving = sum(
        step.status is Status.ACTIVE and step.action is not Action.UNTAG for plan in going for step in plan.steps
    )
    remaining = sum(plan.active for plan in going) - leaving
    where = text.repositories(len(going)) if len(going) > 1 else going[0].repository.name
    asked = f"{work.orders(done)} in {where}{work.at_most(done)}?"
    return " ".join(
        [asked, *(f"{line}." for line in work.for_good(done)), f"{text.images(remaining)} will remain there."]
    )


class Sum(Struct):
    """How many plans, and what they do."""

    plans: int = 0
    work: Work = Work()

    def add(self, plan: Plan) -> None:
        """One more."""
        self.unite(Sum(1, work.work_of(plan)))

    def unite(self, other: "Sum") -> None:
        """All of another one."""
        self.plans += other.plans
        self.work += other.work


def summary(going: Sum, refused: Sum) -> Iterator[str]:
    """The sum, where there is more than one repository; what guards refuse stands apart."""
    if going.plans + refused.plans > 1:
        done = going.work
        apart = f"; guards refuse {text.images(refused.work.images)} in {text.repositories(refused.plans)}"
        if done.only_deletes:
            what = f"To delete in {text.repositories(going.plans)}: {text.images(done.deleted)}"
        else:
            what = f"To do in {text.repositories(going.plans)}: {work.to_do(done)}"
        yield f"{what}{work.at_most(done)}{apart if refused.plans else ''}"


def outcome_summary(carried_out: Sum, done: int, refused: Sum) -> Iterator[str]:
    """The same once plans were carried out."""
    if carried_out.plans + refused.plans > 1:
        apart = f"; guards refused {text.images(refused.work.images)} in {text.repositories(refused.plans)}"
        verb = "Deleted" if carried_out.work.only_deletes else "Done"
        yield (
            f"{verb} in {text.repositories(carried_out.plans)}: {done} of {text.images(carried_out.work.images)}"
            f"{apart if refused.plans else ''}"
        )


def left_alone(names: Sequence[str]) -> Iterator[str]:
    """The repositories that no policy fits."""
    if names:
        yield f"Left alone, for no policy fits ({len(names)}): {', '.join(names)}"
