"""The original's output, to the letter, and what goes to standard error beside it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from aws_ecr_gc.inventory import Status
from aws_ecr_gc.plan import Outcome, Plan, Result, Step, Verdict

_HELD_SHOWN = 20


def planned(plan: Plan) -> Iterator[str]:
    """How many active images there are, and those to delete, newest first."""
    repository = plan.repository
    total = len(plan.decisions) - _archived(plan)
    yield f"Total images in {repository.name} ({repository.registry.region}): {total}"
    yield f"Images to delete ({len(plan.steps)})"
    for step in newest_first(plan.steps):
        yield f"  {_time(step.pushed_at)}: {_short(step.digest)} [{', '.join(step.tags)}]"


def dry_run_ends() -> Iterator[str]:
    """The last line of a dry run."""
    yield "Dry run only, nothing is deleted"


def applied(plan: Plan, outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    """What was deleted and what was not; steps that were not attempted stand in neither list."""
    ended = [(step, outcomes[step.digest]) for step in newest_first(plan.steps) if step.digest in outcomes]
    deleted = [step for step, outcome in ended if outcome.result is Result.DONE]
    yield f"Deleted ({len(deleted)})"
    for step in deleted:
        yield f"  {_short(step.digest)} ({', '.join(step.tags)})"
    failed = [outcome for _, outcome in ended if outcome.result is not Result.DONE]
    yield f"Failures ({len(failed)})"
    for outcome in failed:
        yield f"  {_short(outcome.digest)} {outcome.code}: {outcome.detail}"


def remarks(plan: Plan) -> Iterator[str]:
    """For standard error: what is left alone, and what is held by something that stays."""
    archived = _archived(plan)
    if archived:
        yield f"Left alone and not counted: {_images(archived)} in the archive, or on the way back from it"
    for rule in ("unread-archived-index", "unknown-media-type", "circle"):
        stay = [decision.reasons[0] for decision in plan.decisions if decision.reasons[0].rule == rule]
        if stay:
            yield f"Retained: {_images(len(stay))}: {stay[0].detail}"
    held = [decision for decision in plan.decisions if decision.verdict is Verdict.HELD]
    for decision in held[:_HELD_SHOWN]:
        reason = decision.reasons[0]
        tags = ", ".join(decision.image.tags)
        yield f"Held: {_short(decision.image.digest)} [{tags}]: {reason.detail} ({_short(reason.via or '')})"
    if len(held) > _HELD_SHOWN:
        yield f"Held: {_images(len(held) - _HELD_SHOWN)} more; --output json names them all"


def _images(count: int) -> str:
    return f"{count} image" if count == 1 else f"{count} images"


def _archived(plan: Plan) -> int:
    return len([None for decision in plan.decisions if decision.image.status is not Status.ACTIVE])


def newest_first(steps: Iterable[Step]) -> Sequence[Step]:
    """Steps as they are printed: pushed_at descending, digest ascending."""
    return sorted(steps, key=lambda step: (-step.pushed_at, step.digest))


def _time(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _short(digest: str) -> str:
    return f"{digest[:16]}..."
