"""The original's output, to the letter, and what goes to standard error beside it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from aws_ecr_gc.inventory import Status
from aws_ecr_gc.plan import Outcome, Plan, Result, Step, Verdict

_HELD_SHOWN = 20
_REMARKS = {
    "archived": "Left alone and not counted, for they are archived",
    "activating": "Left alone and not counted, for they are on the way back from the archive",
    "unread-archived-index": "Retained, for an archived index can't be read and these may be its children",
    "unknown-media-type": "Retained, for their media type is not known",
    "circle": "Retained, for an index and its subject wait for one another",
}
"""Rules that nobody asked for, and what they keep."""


def planned(plan: Plan) -> Iterator[str]:
    """How many active images there are, and those to delete, newest first."""
    repository = plan.repository
    total = len([None for decision in plan.decisions if decision.image.status is Status.ACTIVE])
    yield f"Total images in {repository.name} ({repository.registry.region}): {total}"
    yield f"Images to delete ({len(plan.steps)})"
    for step in _in_print_order(plan.steps):
        yield f"  {_time(step.pushed_at)}: {_short(step.digest)} [{', '.join(step.tags)}]"


def dry_run_ends() -> Iterator[str]:
    """The last line of a dry run."""
    yield "Dry run only, nothing is deleted"


def applied(plan: Plan, outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    """What was deleted and what was not; steps that were not attempted stand in neither list."""
    ended = [(step, outcomes[step.digest]) for step in _in_print_order(plan.steps) if step.digest in outcomes]
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
    rules = Counter([decision.reasons[0].rule for decision in plan.decisions])
    for rule, remark in _REMARKS.items():
        if rules[rule]:
            yield f"{remark}: {_images(rules[rule])}"
    held = [decision for decision in plan.decisions if decision.verdict is Verdict.HELD]
    for decision in held[:_HELD_SHOWN]:
        reason = decision.reasons[0]
        tags = ", ".join(decision.image.tags)
        yield f"Held: {_short(decision.image.digest)} [{tags}]: {reason.detail} ({_short(reason.via or '')})"
    if len(held) > _HELD_SHOWN:
        yield f"Held: {_images(len(held) - _HELD_SHOWN)} more; --output json names them all"


def _images(count: int) -> str:
    return f"{count} image" if count == 1 else f"{count} images"


def _in_print_order(steps: Iterable[Step]) -> Sequence[Step]:
    """Steps as they are printed: pushed_at descending, digest ascending."""
    return sorted(steps, key=lambda step: (-step.pushed_at, step.digest))


def _time(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _short(digest: str) -> str:
    return f"{digest[:16]}..."
