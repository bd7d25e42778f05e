"""The original's output, to the letter, and what goes to standard error beside it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from aws_ecr_gc.plan import Action, Outcome, Plan, Result, Step, Verdict

_NAMES_SHOWN = 5
_HELD_SHOWN = 20
_DONE = {Action.DELETE: "Deleted", Action.ARCHIVE: "Archived", Action.UNTAG: "Tags removed"}
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
    yield f"Total images in {repository.name} ({repository.registry.region}): {plan.active}"
    yield f"Images to delete ({len(plan.steps)})"
    for step in _in_print_order(plan.steps):
        yield f"  {moment(step.pushed_at)}: {short(step.digest)} [{', '.join(step.tags)}]"


def dry_run_ends() -> Iterator[str]:
    """The last line of a dry run."""
    yield "Dry run only, nothing is deleted"


def applied(plan: Plan, outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    """What was done and what was not; steps that were not attempted stand in no list."""
    ended = [(step, outcomes[step.digest]) for step in _in_print_order(plan.steps) if step.digest in outcomes]
    for action, heading in _DONE.items():
        done = [step for step, outcome in ended if outcome.result is Result.DONE and step.action is action]
        if done or action is plan.action:
            yield f"{heading} ({len(done)})"
        for step in done:
            yield f"  {short(step.digest)} ({', '.join(step.untag or step.tags)})"
    failed = [outcome for _, outcome in ended if outcome.result is not Result.DONE]
    yield f"Failures ({len(failed)})"
    for outcome in failed:
        yield f"  {short(outcome.digest)} {outcome.code}: {outcome.detail}"


def remarks(plan: Plan) -> Iterator[str]:
    """For standard error: what is left alone, and what is held by something that stays."""
    decisions = list(plan.decisions.beyond_rules())
    rules = Counter(decision.reasons[0].rule for decision in decisions)
    for rule, remark in _REMARKS.items():
        if rules[rule]:
            yield f"{remark}: {images(rules[rule])}"
    held = [decision for decision in decisions if decision.verdict is Verdict.HELD]
    for decision in held[:_HELD_SHOWN]:
        reason = decision.reasons[0]
        tags = ", ".join(decision.image.tags)
        yield f"Held: {short(decision.image.digest)} [{tags}]: {reason.detail} ({short(reason.via or '')})"
    if len(held) > _HELD_SHOWN:
        yield f"Held: {images(len(held) - _HELD_SHOWN)} more; --output json names them all"


def images(count: int) -> str:
    """How many images."""
    return f"{count} image" if count == 1 else f"{count} images"


def manifests(count: int) -> str:
    """How many manifests."""
    return "1 manifest" if count == 1 else f"{count} manifests"


def repositories(count: int) -> str:
    """How many repositories."""
    return "1 repository" if count == 1 else f"{count} repositories"


def some(names: Sequence[str]) -> str:
    """The names of repositories, or how many there are after the first."""
    shown = ", ".join(names[:_NAMES_SHOWN])
    return shown if len(names) <= _NAMES_SHOWN else f"{shown} and {len(names) - _NAMES_SHOWN} more"


def _in_print_order(steps: Iterable[Step]) -> Sequence[Step]:
    """Steps as they are printed: pushed_at descending, digest ascending."""
    return sorted(steps, key=lambda step: (-step.pushed_at, step.digest))


def moment(epoch: float) -> str:
    """A time in UTC, as the original prints it."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(" ", "seconds")[:19]


def short(digest: str) -> str:
    """A digest, as the original prints it."""
    return f"{digest[:16]}..."


def printable(line: str) -> str:
    """The same line without what would move a terminal's cursor, or hide: as escapes."""
    return line if line.isprintable() else "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)


class Said(Protocol):
    """A reason, as a value or as a part of a document."""

    @property
    def rule(self) -> str: ...
    @property
    def detail(self) -> str: ...
    @property
    def via(self) -> str | None: ...


def reason(said: Said, *, whole: bool = False) -> str:
    """A reason on a line; digests are cut short unless they are wanted whole."""
    if said.via is None:
        return f"{said.rule}: {said.detail}"
    via = said.via if whole or not said.via.startswith("sha256:") else short(said.via)
    return f"{said.rule}: {said.detail} ({via})"


def size(amount: int) -> str:
    """Bytes in the decimal unit that reads best."""
    value = float(amount)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} bytes" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:,.1f} TB"
