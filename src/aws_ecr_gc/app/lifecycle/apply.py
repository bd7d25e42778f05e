"""`lifecycle apply`: one policy for many repositories, or none."""

from collections.abc import Callable, Sequence

from aws_ecr_gc import __version__
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.lifecycle.asked import Asked, Repositories, text_of
from aws_ecr_gc.app.live import Live
from aws_ecr_gc.app.sources import LiveSource, open_live
from aws_ecr_gc.errors import Error, Exit, Interrupted, worst
from aws_ecr_gc.lifecycle.changing import Change, changes, is_same
from aws_ecr_gc.lifecycle.linting import warnings
from aws_ecr_gc.lifecycle.reading import parse, read
from aws_ecr_gc.report import document
from aws_ecr_gc.report.lifecycle import changes as report
from aws_ecr_gc.report.lifecycle.changes import ChangedPart, Ending

Question = Callable[[str], bool]


def apply(asked: Asked, *, now: float, console: Console, question: Question | None, dry_run: bool) -> Exit:
    """Show what changes in which repositories, ask, and change it; without a policy theirs are removed.

    Exit 4 where a policy changed since it was shown: that repository is left as it is. Raises LifecycleMistakes.
    """
    text = None if asked.policy is None else text_of(asked.policy)
    if text is not None:
        parse(text, str(asked.policy))
        for finding in warnings(read(text, str(asked.policy))):
            console.say(str(finding))
    with open_live(asked.connection, Live(asked.directories, now, console)) as source:
        repositories = Repositories(source, asked.patterns, console)
        kept: dict[str, str | None] = {}
        for name in repositories.names():
            if console.stop():
                raise Interrupted("interrupted; no policy was changed")
            with repositories.reading(name):
                policy = source.lifecycle_policy(name)
                kept[name] = None if policy is None else policy.text
        found = changes(kept, text)
        if asked.output == "text":
            for change in found:
                console.print(report.lines(change))
        agreed = not dry_run and bool(found) and (question is None or question(report.question(found)))
        ended = _carry_out(source, found, console) if agreed else list(_not_carried_out(found))
    return _report(asked, console, kept, ended, repositories, agreed=agreed)


def _not_carried_out(found: Sequence[Change]) -> list[ChangedPart]:
    return [
        ChangedPart(name, change.verb, change.old, change.new, Ending.SHOWN, "")
        for change in found
        for name in change.names
    ]


def _carry_out(source: LiveSource, found: Sequence[Change], console: Console) -> list[ChangedPart]:
    ended: list[ChangedPart] = []
    for change in found:
        for name in change.names:
            if console.stop():
                result, detail = Ending.SKIPPED, "interrupted before; run again to finish"
            else:
                result, detail = _change(source, name, change)
            ended.append(ChangedPart(name, change.verb, change.old, change.new, result, detail))
    return ended


def _change(source: LiveSource, name: str, change: Change) -> tuple[Ending, str]:
    """Change one repository, unless its policy is another by now than was shown."""
    port = source.registry.lifecycle(name)
    try:
        kept = port.policy()
        if not is_same(None if kept is None else kept.text, change.old):
            return Ending.SKIPPED, "its policy changed since it was shown; run again to see it"
        if change.new is None:
            port.remove()
        else:
            port.put(change.new)
    except Error as error:
        return Ending.FAILED, str(error)
    return Ending.DONE, ""


def _report(
    asked: Asked,
    console: Console,
    kept: dict[str, str | None],
    ended: Sequence[ChangedPart],
    repositories: Repositories,
    *,
    agreed: bool,
) -> Exit:
    unchanged = sorted(kept.keys() - {each.repository for each in ended})
    if asked.output == "json":
        tool = f"aws-ecr-gc {__version__}"
        content = report.ChangesDocument(1, tool, list(ended), unchanged, repositories.unread)
        console.print([document.encode(content)])
    else:
        if agreed:
            console.print(map(report.ended, ended))
        elif ended:
            console.say("no policy was changed")
        console.print([f"Unchanged: {', '.join(unchanged)}"] if unchanged else [])
    results = {each.result for each in ended}
    exits = [Exit.AWS] if Ending.FAILED in results else []
    if Ending.SKIPPED in results:
        exits.append(Exit.INTERRUPTED if console.stop() else Exit.REFUSED)
    return worst([*exits, *repositories.exits])
