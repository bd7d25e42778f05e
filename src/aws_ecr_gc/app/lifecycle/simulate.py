"""`lifecycle simulate`: what a lifecycle policy does to repositories, and when."""

from collections.abc import Mapping, Sequence
from functools import partial

from aws_ecr_gc import __version__
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.lifecycle.asked import Asked, own_policy, reading, text_of
from aws_ecr_gc.app.plan import time_of
from aws_ecr_gc.errors import Exit, worst
from aws_ecr_gc.inventory import Image, Inventory, Status, unread_indexes
from aws_ecr_gc.lifecycle.assumptions import Assumptions
from aws_ecr_gc.lifecycle.reading import parse
from aws_ecr_gc.lifecycle.simulating import Simulation, simulate
from aws_ecr_gc.lifecycle.values import LifecyclePolicy
from aws_ecr_gc.report import document
from aws_ecr_gc.report.lifecycle import simulations


def simulate_all(asked: Asked, *, now: float, console: Console) -> Exit:
    """Simulate in every repository. Raises LifecycleMistakes for a policy that ECR would refuse."""
    stated = None if asked.policy is None else parse(text_of(asked.policy), str(asked.policy))
    found: list[simulations.RepositorySimulation] = []
    without: list[str] = []
    with reading(asked, now, console) as (source, repositories):
        for name in repositories.names():
            with repositories.reading(name):
                policy = stated
                if policy is None:
                    own = own_policy(source, name)
                    if own is None:
                        without.append(name)
                        continue
                    policy = own.policy
                inventory = source.inventory(name, partial(indexes_to_read, asked, policy, source.at))
                _warn(inventory, policy, console)
                made = _simulated(asked, inventory, policy, time_of(source, inventory))
                if asked.output == "json":
                    found.append(simulations.part(made))
                else:
                    console.print(simulations.lines(made))
    if asked.output == "json":
        content = simulations.SimulationDocument(1, f"aws-ecr-gc {__version__}", found, without, repositories.unread)
        console.print([document.encode(content)])
    else:
        console.print(simulations.without_policy(without))
    return worst(repositories.exits)


def _simulated(asked: Asked, inventory: Inventory, policy: LifecyclePolicy, at: float) -> simulations.Simulated:
    images = list(inventory.images.values())
    simulation = simulate(images, policy, at, days=asked.days, assumptions=asked.assumptions)
    doubts = doubts_of(images, policy, simulation, asked.assumptions, asked.days)
    file = None if asked.policy is None else str(asked.policy)
    return simulations.Simulated(inventory, policy, file, simulation, asked.assumptions, doubts)


def indexes_to_read(asked: Asked, policy: LifecyclePolicy, at: float | None, inventory: Inventory) -> Sequence[str]:
    """The indexes whose manifests a simulation needs: none where nothing happens, for to read one counts as a pull.

    Knowing more children only makes more marks fail.
    """
    unread = unread_indexes(inventory)
    if not unread:
        return ()
    images = list(inventory.images.values())
    moment = inventory.taken_at if at is None else at
    made = simulate(images, policy, moment, days=asked.days, assumptions=asked.assumptions)
    if made.events or doubts_of(images, policy, made, asked.assumptions, asked.days):
        return unread
    return ()


def doubts_of(
    images: Sequence[Image],
    policy: LifecyclePolicy,
    simulation: Simulation,
    assumptions: Assumptions,
    days: int,
) -> Mapping[str, Sequence[str]]:
    """What fares otherwise under another reading of the documentation, by that reading."""
    matter = {
        "restored": any(image.activated_at is not None for image in images),
        "activating": any(image.status is Status.ACTIVATING for image in images),
        "referrers": any(image.subject is not None for image in images),
        "passes": bool(simulation.failures),
    }
    found: dict[str, Sequence[str]] = {}
    for reading_, other in assumptions.others():
        if not matter.get(reading_.partition("=")[0], True):
            continue
        changed = _fates(simulation) ^ _fates(simulate(images, policy, simulation.at, days=days, assumptions=other))
        if changed:
            found[reading_] = sorted({digest for digest, *_ in changed})
    return found


def _fates(simulation: Simulation) -> set[tuple[str, str, float]]:
    return {(event.digest, event.action, event.at) for event in simulation.events}


def _warn(inventory: Inventory, policy: LifecyclePolicy, console: Console) -> None:
    """What the inventory can't tell."""
    name, images = inventory.repository.name, inventory.images.values()
    undated = sum(image.status is Status.ARCHIVED and image.archived_at is None for image in images)
    if undated and any(rule.storage == "archive" for rule in policy.rules):
        console.say(
            f"warning: repository {name}: of {undated} archived images it is not known since when; rules about the "
            "archive leave them alone here; a snapshot of an older version lacks these times: take it again"
        )
    dark = sum(image.children is None and image.status is Status.ACTIVATING for image in images)
    if dark:
        console.say(f"warning: repository {name}: the children of {dark} indexes that are being restored are not known")
