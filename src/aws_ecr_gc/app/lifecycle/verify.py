"""`lifecycle verify`: the simulator beside ECR's own preview."""

import time
from collections.abc import Callable

from aws_ecr_gc import __version__
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.lifecycle.asked import Asked, Repositories, own_policy, text_of
from aws_ecr_gc.app.lifecycle.previewing import Patience, run_preview
from aws_ecr_gc.app.live import Live
from aws_ecr_gc.app.sources import LiveSource, open_live
from aws_ecr_gc.errors import Exit, Unintelligible, worst
from aws_ecr_gc.lifecycle.comparing import Mark, differences
from aws_ecr_gc.lifecycle.reading import parse
from aws_ecr_gc.lifecycle.simulating import simulate
from aws_ecr_gc.lifecycle.values import Action
from aws_ecr_gc.ports import Preview
from aws_ecr_gc.report import document, text
from aws_ecr_gc.report.lifecycle import verifications

_ACTIONS = {"EXPIRE": Action.EXPIRE, "TRANSITION": Action.TRANSITION}


def verify(asked: Asked, patience: Patience, *, now: float, console: Console) -> Exit:
    """Preview and simulate in every repository; exit 6 where the two differ. Raises LifecycleMistakes."""
    stated = None if asked.policy is None else text_of(asked.policy)
    if stated is not None:
        parse(stated, str(asked.policy))
    if asked.at is not None:
        console.say(f"simulated as at {text.moment(asked.at)} UTC")
    started = time.monotonic()

    def clock() -> float:
        return now + time.monotonic() - started if asked.at is None else asked.at

    without: list[str] = []
    found: list[verifications.RepositoryVerification] = []
    with open_live(asked.connection, Live(asked.directories, now, console)) as source:
        repositories = Repositories(source, asked.patterns, console)
        for name in repositories.names():
            with repositories.reading(name):
                made = _verified(asked, stated, source, name, patience=patience, clock=clock, console=console)
                if made is None:
                    without.append(name)
                    continue
                found.append(made)
                if asked.output == "text":
                    console.print(verifications.lines(made))
    if asked.output == "json":
        tool = f"aws-ecr-gc {__version__}"
        content = verifications.VerificationDocument(1, tool, found, without, repositories.unread)
        console.print([document.encode(content)])
    else:
        console.print(f"{name}: no lifecycle policy" for name in without)
    differing = [Exit.FOUND for each in found if each.differences]
    return worst([*differing, *repositories.exits])


def _verified(
    asked: Asked,
    stated: str | None,
    source: LiveSource,
    name: str,
    *,
    patience: Patience,
    clock: Callable[[], float],
    console: Console,
) -> verifications.RepositoryVerification | None:
    """None for a repository without a policy, where none is stated."""
    if stated is None:
        own = own_policy(source, name)
        if own is None:
            return None
        policy_text, policy = own.kept.text, own.policy
    else:
        policy_text, policy = stated, parse(stated, str(asked.policy))
    port = source.registry.lifecycle(name)
    inventory = source.inventory(name, lambda _: ())  # marks do not depend on what indexes list
    images = list(inventory.images.values())
    before = simulate(images, policy, clock(), assumptions=asked.assumptions)
    preview = run_preview(port, policy_text, patience, lambda reason: console.reading(f"{name}: {reason}"))
    console.clear()
    after = simulate(images, policy, clock(), assumptions=asked.assumptions)
    marks = _marks(preview)
    found = list(differences(before, after, marks, inventory.images))
    return verifications.part(inventory, str(asked.policy) if asked.policy else None, after.marks, marks, found)


def _marks(preview: Preview) -> dict[str, Mark]:
    marks: dict[str, Mark] = {}
    for each in preview.results:
        if each.action not in _ACTIONS:
            raise Unintelligible(f"GetLifecyclePolicyPreview: an action that is not known here: {each.action}")
        marks[each.digest] = each.priority, _ACTIONS[each.action]
    return marks
