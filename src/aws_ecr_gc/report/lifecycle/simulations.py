"""What a lifecycle policy does to repositories. `schemas/lifecycle-simulation.schema.json` is generated from here."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from aws_ecr_gc.inventory import Image, Inventory, Status
from aws_ecr_gc.lifecycle.assumptions import SWITCHES, Assumptions
from aws_ecr_gc.lifecycle.simulating import EVERY, Event, Failure, Simulation
from aws_ecr_gc.lifecycle.values import Action, LifecyclePolicy, counted
from aws_ecr_gc.report import document, text
from aws_ecr_gc.report.plans import Unread

_SHOWN = 20


class RuleNote(Struct, forbid_unknown_fields=True):
    """A rule, how many images belong to it from the beginning, and how many of these the first evaluation marks."""

    priority: int
    selection: str
    condition: str
    action: Action
    belong: int
    marked: int


class EventPart(Struct, forbid_unknown_fields=True):
    """What becomes of an image, and when. `rule` is null for what follows its `subject` within 24 hours before `at`."""

    action: Action
    at: datetime
    rule: int | None
    subject: str | None


class FailurePart(Struct, forbid_unknown_fields=True):
    """A rule marks it in vain, for the indexes `holders` list it: so many times, from `first` to `last`."""

    action: Action
    rule: int
    holders: tuple[str, ...]
    first: datetime
    last: datetime
    times: int


class Fate(Struct, forbid_unknown_fields=True):
    """An image and all that becomes of it. `belongs_to` is the one rule that can mark it; null if none can.

    `tied` images go by a count although one that stays is as old: which of them goes is not documented.
    """

    digest: str
    tags: tuple[str, ...]
    pushed_at: datetime
    status: Status
    belongs_to: int | None
    marked: bool
    tied: bool
    events: list[EventPart]
    failures: list[FailurePart]


class Doubt(Struct, forbid_unknown_fields=True):
    """A reading of the documentation under which other things happen (`days=calendar`), and to which images."""

    reading: str
    images: list[str]


class RepositorySimulation(Struct, forbid_unknown_fields=True):
    """One repository under a policy: evaluated first at `at`, then daily. `policy` is a file, or null for its own."""

    repository: document.RepositoryPart
    policy: str | None
    at: datetime
    evaluations: int
    assumptions: dict[str, str]
    rules: list[RuleNote]
    images: list[Fate]
    doubts: list[Doubt]


class SimulationDocument(Struct, forbid_unknown_fields=True):
    """All repositories that were looked at; `without_policy` have none of their own, `unread` can't be read."""

    version: int
    tool: str
    repositories: list[RepositorySimulation]
    without_policy: list[str]
    unread: list[Unread]


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return msgspec.json.schema(SimulationDocument)


class Simulated(Struct, frozen=True):
    """A simulation with all that it rests on. `doubts` are the digests that fare otherwise under another reading."""

    inventory: Inventory
    policy: LifecyclePolicy
    file: str | None
    simulation: Simulation
    assumptions: Assumptions
    doubts: Mapping[str, Sequence[str]]


def part(made: Simulated) -> RepositorySimulation:
    """The document's part."""
    simulation = made.simulation
    return RepositorySimulation(
        document.repository_part(made.inventory.repository),
        made.file,
        document.moment(simulation.at),
        simulation.evaluations,
        {name: str(getattr(made.assumptions, name)) for name in SWITCHES},
        list(_notes(made)),
        list(_fates(made)),
        [Doubt(reading, list(digests)) for reading, digests in made.doubts.items()],
    )


def _notes(made: Simulated) -> Iterator[RuleNote]:
    belong = Counter(made.simulation.owners.values())
    marked = Counter(priority for priority, _ in made.simulation.marks.values())
    for rule in made.policy.rules:
        numbers = belong[rule.priority], marked[rule.priority]
        yield RuleNote(rule.priority, rule.selection, rule.condition, rule.action, *numbers)


def _fates(made: Simulated) -> Iterator[Fate]:
    simulation = made.simulation
    events: dict[str, list[EventPart]] = {}
    for event in simulation.events:
        said = EventPart(event.action, document.moment(event.at), event.priority, event.subject)
        events.setdefault(event.digest, []).append(said)
    failures: dict[str, list[FailurePart]] = {}
    for each in simulation.failures:
        first, last = document.moment(each.first), document.moment(each.last)
        failure = FailurePart(each.action, each.priority, each.holders, first, last, each.times)
        failures.setdefault(each.digest, []).append(failure)
    for image in made.inventory.images.values():
        digest = image.digest
        yield Fate(
            digest,
            image.tags,
            document.moment(image.pushed_at),
            image.status,
            simulation.owners.get(digest),
            digest in simulation.marks,
            digest in simulation.ties,
            events.get(digest, []),
            failures.get(digest, []),
        )


def lines(made: Simulated) -> Iterator[str]:
    """The same for people."""
    simulation, repository = made.simulation, made.inventory.repository
    yield f"{repository.name} ({repository.registry.region}): {text.images(len(made.inventory.images))}"
    yield f"Policy: {made.file or 'its own'}, evaluated {_when(simulation)}"
    for note in _notes(made):
        yield f"  rule {note.priority}: {note.selection}, {note.condition}: {note.action}"
        yield f"    {_belong(note.belong)}, {note.marked} marked at the first evaluation"
    images = made.inventory.images
    for action, title in ((Action.EXPIRE, "Expire"), (Action.TRANSITION, "Go to the archive")):
        chosen = [event for event in simulation.events if event.action is action]
        yield f"{title} ({len(chosen)})"
        yield from (_event_line(event, images[event.digest], simulation) for event in chosen)
    yield f"Marked in vain ({len(simulation.failures)})"
    yield from (_failure_line(failure, images[failure.digest]) for failure in simulation.failures)
    yield from _doubt_lines(made)


def _when(simulation: Simulation) -> str:
    first = f"{text.moment(simulation.at)} UTC"
    if simulation.evaluations == 1:
        return f"at {first}"
    last = text.moment(simulation.at + (simulation.evaluations - 1) * EVERY)
    return f"daily from {first} to {last} ({simulation.evaluations} times)"


def _belong(count: int) -> str:
    return (
        "no image belongs to it" if not count else f"{counted(count, 'image')} belong{'s' if count == 1 else ''} to it"
    )


def _event_line(event: Event, image: Image, simulation: Simulation) -> str:
    if event.priority is None:
        reason = f"within 24 hours of its subject {text.short(event.subject or '')}, by {text.moment(event.at)}"
    else:
        tie = "; one that stays is as old, so it may be that" if event.digest in simulation.ties else ""
        reason = f"rule {event.priority}, {text.moment(event.at)}{tie}"
    return f"  {_image(image)}: {reason}"


def _failure_line(failure: Failure, image: Image) -> str:
    holders = ", ".join(map(text.short, failure.holders[:3])) + (", ..." if len(failure.holders) > 3 else "")
    often = f"{failure.times} times, last {text.moment(failure.last)}" if failure.times > 1 else "once"
    reason = f"an index that is there lists it ({holders})"
    return f"  {_image(image)}: rule {failure.priority}, {text.moment(failure.first)}: {reason}; {often}"


def _image(image: Image) -> str:
    return f"{text.moment(image.pushed_at)}: {text.short(image.digest)} [{', '.join(image.tags)}]"


def _doubt_lines(made: Simulated) -> Iterator[str]:
    if not made.doubts:
        return
    yield "AWS's documentation leaves open what else may be (see docs/lifecycle.md, --assume)"
    for reading, digests in made.doubts.items():
        shown = ", ".join(map(text.short, digests[:_SHOWN])) + (", ..." if len(digests) > _SHOWN else "")
        yield f"  {reading}: otherwise for {text.images(len(digests))}: {shown}"


def without_policy(names: Iterable[str]) -> Iterator[str]:
    """The repositories that have no policy."""
    for name in names:
        yield f"{name}: no lifecycle policy, so nothing happens"
