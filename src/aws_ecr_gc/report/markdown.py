"""Plan files as Markdown, for a comment on a pull request.

Tags, the names of rules and policies and all else that others chose stand escaped in `<code>`: there GitHub makes
neither mentions nor references nor links of it, and nothing of it is taken for Markdown or HTML. What is too long is
left out, and counted: GitHub refuses comments of more than 65,536 characters.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from aws_ecr_gc.plan import Action, Decision, Plan, Step
from aws_ecr_gc.planfile import PlanFile, PlannedRepository
from aws_ecr_gc.report import planfiles, plans, text
from aws_ecr_gc.report.work import at_most, to_do, whole_size, work_of, work_of_all

LONGEST = 60_000
"""The most characters of a page."""

ROWS = 200
"""The most images that are listed of a repository."""

_FOR_SUMMARY = 20_000
_FOR_LAST = 500
_TEXTS = 300
_TAGS = 5
_REASONS = 3
_REMARKS = 20
# All else is written as character references: they are never taken for structure (CommonMark 0.31.2, 2.5). A colon
# before a slash and the full stop of `www.` would make links (GFM, 6.9).
_UNSAFE = re.compile(r"[^\w ,\-./():;%=+?'\"]|_|:(?=/)|(?<=www)\.", re.IGNORECASE)


def page(file: PlanFile) -> Iterator[str]:
    """The lines of the comment, of at most `LONGEST` characters in all."""
    room = _Room(LONGEST - _FOR_LAST)
    yield from room.take(_header(file))
    changing = [each for each in file.repositories if each.plan.steps]
    yield from room.take(_summary(changing, min(_FOR_SUMMARY, room.left)))
    if idle := len(file.repositories) - len(changing):
        yield from room.take([f"Nothing to {_verb(file)} in {text.repositories(idle)}.", ""])
    yield from room.take(_broken(file.repositories))
    omitted, where = 0, 0
    for each in changing:
        listed = list(_details(each, room.left))
        if listed:
            yield from room.take(listed)
        else:
            omitted += len(each.plan.steps)
            where += 1
    if omitted:
        yield f"No room for {text.images(omitted)} of {text.repositories(where)}: `aws-ecr-gc show` lists them all."


class _Room:
    """How many characters are left."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, lines: Iterable[str]) -> Iterator[str]:
        """The same lines, that take their room."""
        for line in lines:
            self.left -= len(line) + 1
            yield line


def code(words: str) -> str:
    """Any text as a piece of code on one line, cut where it is very long; nothing of nothing."""
    escaped = _UNSAFE.sub(lambda found: f"&#{ord(found[0])};", text.printable(words[:_TEXTS]))
    if len(escaped) > _TEXTS or len(words) > _TEXTS:
        whole = escaped[:_TEXTS]
        reference = whole.rfind("&")
        escaped = f"{whole if reference <= whole.rfind(';') else whole[:reference]}..."
    return f"<code>{escaped}</code>" if escaped.strip() else ""


def _header(file: PlanFile) -> Iterator[str]:
    registry = file.registry
    yield f"### aws-ecr-gc: {planfiles.total(file)}"
    yield ""
    where = f"{registry.account or 'account not known'} {registry.region}"
    yield f"Plan of {text.moment(file.made_at)} UTC by {code(file.tool)}, registry {code(where)}  "
    yield f"Policy: {code(planfiles.named(file.policy))}{_hash(file)}  "
    remarks = list(planfiles.in_use(file))
    yield from (f"{code(remark)}  " for remark in remarks[:_REMARKS])
    if len(remarks) > _REMARKS:
        yield f"{len(remarks) - _REMARKS} more sources were gone on without  "
    yield f"Checksum: {code(file.checksum)}"
    yield ""


def _hash(file: PlanFile) -> str:
    return "" if file.policy.sha256 is None else f", sha256 {code(file.policy.sha256)}"


def _summary(changing: Sequence[PlannedRepository], room: int) -> Iterator[str]:
    """The table of repositories, as far as it fits."""
    if not changing:
        return
    only_deletes = work_of_all(each.plan for each in changing).only_deletes
    yield f"| repository | images | {'to delete' if only_deletes else 'to do'} | at most | refused by |"
    yield "|---|---:|---:|---:|---|"

    def going(plans: Sequence[PlannedRepository]) -> str | int:
        work = work_of_all(each.plan for each in plans)
        return work.deleted if only_deletes else to_do(work)

    for at, each in enumerate(changing):
        plan = each.plan
        guards = ", ".join(f"{guard.guard}: {guard.detail}" for guard in each.refused)
        size = whole_size(work_of(plan))
        row = _row(code(plan.repository.name), plan.active, going([each]), size, code(guards))
        room -= len(row) + 1
        if room < 0:
            rest = changing[at:]
            size = whole_size(work_of_all(one.plan for one in rest))
            active = sum(one.plan.active for one in rest)
            yield _row(f"{text.repositories(len(rest))} more", active, going(rest), size, "")
            break
        yield row
    yield ""


def _broken(planned: Sequence[PlannedRepository]) -> Iterator[str]:
    """The workloads whose image is not there."""
    broken = [line for each in planned for line in each.broken]
    for line in broken[:_REMARKS]:
        yield f"- Broken: {code(line)}"
    if len(broken) > _REMARKS:
        yield f"- Broken: {len(broken) - _REMARKS} more"
    if broken:
        yield ""


def _details(planned: PlannedRepository, room: int) -> Iterator[str]:
    """What goes from one repository, newest first, behind a line to click; nothing where not one row has room."""
    plan = planned.plan
    refused = ", refused by a guard" if planned.refused else ""
    work = work_of(plan)
    going = f"{to_do(work)}{at_most(work)}{refused}"
    steps = {step.digest: step for step in plan.steps}
    several = len({step.action for step in plan.steps}) > 1
    head = [
        f"<details><summary>{code(plan.repository.name)}: {going}</summary>",
        "",
        f"Policy: {code(planned.policy)}",
        *_cautions(plan),
        "",
        _columns("action", "image", "tags", "pushed (UTC)", "size", "reasons", several=several),
        _columns("---", "---", "---", "---", "---:", "---", several=several).replace(" ", ""),
    ]
    more = "{} more"
    end = ["", "</details>", ""]
    room -= sum(len(line) + 1 for line in [*head, *end]) + len(more) + 20
    rows: list[str] = []
    for decision in plan.decisions.of(steps):
        step = steps[decision.image.digest]
        row = _image_row(decision, step, several=several)
        room -= len(row) + 1
        if room < 0 or len(rows) == ROWS:
            break
        rows.append(row)
    if not rows:
        return
    yield from (*head, *rows)
    if len(rows) < len(plan.steps):
        yield ""
        yield more.format(text.images(len(plan.steps) - len(rows)))
    yield from end


def _verb(file: PlanFile) -> str:
    """What is not done where nothing is: deletion, unless a policy of the file asks for something else."""
    return "delete" if all(each.plan.action is Action.DELETE for each in file.repositories) else "do"


_TO_DO = {Action.DELETE: "to delete", Action.ARCHIVE: "to archive", Action.UNTAG: "to lose tags"}


def _cautions(plan: Plan) -> Iterator[str]:
    """What the text says below its lists."""
    lines = [f"- {_TO_DO[action]}: {code(line)}" for action in Action for line in plans.cautions(plan, action)]
    if lines:
        yield from ("", *lines)


def _columns(action: str, image: str, *cells: object, several: bool) -> str:
    """A row of images; what is done to each stands there only where it is not the same for all."""
    return _row(image, *([action] if several else []), *cells)


def _image_row(decision: Decision, step: Step, *, several: bool) -> str:
    image = decision.image
    tags = f"{'loses ' if step.untag else ''}{_some(step.untag or image.tags, _TAGS, ', ')}"
    reasons = _some([text.reason(each) for each in decision.reasons], _REASONS, "<br>")
    return _columns(
        _TO_DO[step.action],
        code(text.short(image.digest)),
        tags,
        text.moment(image.pushed_at),
        text.size(image.size if step.untag else step.size),
        reasons,
        several=several,
    )


def _some(texts: Sequence[str], count: int, between: str) -> str:
    """The first of them, and how many more there are."""
    more = [f"{len(texts) - count} more"] if len(texts) > count else []
    return between.join([*map(code, texts[:count]), *more])


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"
