"""What a lifecycle policy does to a repository, by ECR's own algorithm, evaluation by evaluation.

Source: the ECR user guide, "Lifecycle policy properties" and its evaluation rules. All rules are evaluated at once:
each counts over everything that meets what it says of tags, whatever other rules mark. An image belongs to the first
rule whose tags it meets, be it marked by that one or not, so no other rule ever marks it. Marks are carried out oldest
first; what an existing index lists fails, and may go in a later evaluation.
"""

from collections.abc import Collection, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from aws_ecr_gc.inventory import Image, Status
from aws_ecr_gc.lifecycle.ages import Members, effective_push
from aws_ecr_gc.lifecycle.assumptions import Activating, Assumptions, Passes, Referrers
from aws_ecr_gc.lifecycle.values import DAY, Action, CountType, LifecyclePolicy, Rule, Storage

EVERY = DAY
"""Seconds from one evaluation to the next: ECR says no more than that it acts within 24 hours."""
ACTIVATION = 1200.0
"""Seconds for which an image is at most on its way back from the archive."""


class Event(Struct, frozen=True, gc=False):
    """An image that expires or is archived, at an evaluation; `at` is in epoch seconds.

    `priority` is the rule's; it is None for what follows its subject within 24 hours, and `subject` names that.
    """

    digest: str
    action: Action
    at: float
    priority: int | None
    subject: str | None = None


class Failure(Struct, gc=False):
    """An image that a rule marks in vain: `holders` are the indexes that list it. `first` and `last` are the times of
    the evaluations at which it failed, `times` how many there were."""

    digest: str
    action: Action
    priority: int
    holders: tuple[str, ...]
    first: float
    last: float
    times: int = 1


class Simulation(Struct, frozen=True):
    """What happens, in order. `marks` is what the first evaluation marks: (rule's priority, action) by digest.

    `failures` are in the order of their first time. `owners` says which rule an image belongs to from the beginning:
    the only one that can ever mark it in its storage class. `ties` are images marked by a count although an image that
    is not marked has the same time: which of them goes is not documented.
    """

    at: float
    evaluations: int
    marks: dict[str, tuple[int, Action]]
    events: tuple[Event, ...]
    failures: tuple[Failure, ...]
    owners: dict[str, int]
    ties: frozenset[str]

    @property
    def gone(self) -> set[str]:
        """The digests of what expires."""
        return {event.digest for event in self.events if event.action is Action.EXPIRE}

    @property
    def archived(self) -> set[str]:
        """The digests of what is archived, though it may expire later."""
        return {event.digest for event in self.events if event.action is Action.TRANSITION}


def simulate(
    images: Sequence[Image],
    policy: LifecyclePolicy,
    at: float,
    *,
    days: int = 0,
    assumptions: Assumptions | None = None,
) -> Simulation:
    """The evaluation at `at` (epoch seconds), and one more each day for `days`.

    Of images pushed at the same time, the later one in the sequence counts as the younger. Nothing is pushed, pulled or
    restored meanwhile. The children of indexes must be known, but for archived ones.
    """
    return _Course(images, policy, at, assumptions or Assumptions()).run(days)


class _Place(Struct, gc=False):
    """An image in the course of time."""

    image: Image
    status: Status
    gone: bool = False
    holders: int = 0


class _Course:
    """The state of a repository from one evaluation to the next. Images are named by their position."""

    def __init__(self, images: Sequence[Image], policy: LifecyclePolicy, at: float, assumptions: Assumptions) -> None:
        self._at = at
        self._now = at
        self._assumptions = assumptions
        self._members = [Members(rule, assumptions) for rule in policy.rules]
        self._places = [_Place(image, image.status) for image in images]
        self._positions = {image.digest: position for position, image in enumerate(images)}
        self._owners: dict[Storage, list[int]] = {storage: [-1] * len(images) for storage in Storage}
        self._parents: dict[int, list[int]] = {}
        self._referrers: dict[int, list[int]] = {}
        self._activating = [p for p, image in enumerate(images) if image.status is Status.ACTIVATING]
        self._relate(images)
        for storage in Storage:
            among = [p for p, image in enumerate(images) if self._storage_of(image.status) is storage]
            self._admit(storage, among)
        self._events: list[Event] = []
        self._swept_to = 0
        self._failures: dict[tuple[int, Action], Failure] = {}
        self._failing: list[Failure] = []

    def _relate(self, images: Sequence[Image]) -> None:
        for position, image in enumerate(images):
            for child in dict.fromkeys(image.children or ()):
                at = self._positions.get(child)
                if at is not None:
                    self._parents.setdefault(at, []).append(position)
                    self._places[at].holders += image.status is not Status.ARCHIVED
            if image.subject is not None and image.subject in self._positions:
                self._referrers.setdefault(self._positions[image.subject], []).append(position)

    def _storage_of(self, status: Status) -> Storage | None:
        if status is Status.ACTIVATING:
            among = self._assumptions.activating
            return None if among is Activating.NONE else Storage(among.value)
        return Storage.ARCHIVE if status is Status.ARCHIVED else Storage.STANDARD

    def _admit(self, storage: Storage, positions: Sequence[int]) -> None:
        """Images that come into a storage class: which rules they meet, and which of these owns them."""
        ignored = self._assumptions.referrers is Referrers.IGNORED
        owners = self._owners[storage]
        taken = [p for p in positions if not (ignored and self._places[p].image.subject is not None)]
        tagged = [self._places[p].image.tags for p in taken]
        for number, members in enumerate(self._members):
            if members.rule.storage is not storage:
                continue
            select = members.select
            met = [p for p, tags in zip(taken, tagged, strict=True) if select(tags)]
            for position in met:
                if owners[position] < 0:
                    owners[position] = number
            timed = [(time, p) for p in met if (time := members.time(self._places[p].image)) is not None]
            members.add(timed)

    def run(self, days: int) -> Simulation:
        marks = self._marks()
        first = {self._places[p].image.digest: (rule.priority, rule.action) for p, rule in marks.items()}
        ties = self._ties(marks)
        owners = {
            each.image.digest: self._members[number].rule.priority
            for storage in Storage
            for each, number in zip(self._places, self._owners[storage], strict=True)
            if number >= 0
        }
        changed = self._evaluate(marks)
        for day in range(1, days + 1):
            changed |= self._pass_to(self._at + day * EVERY)
            if changed or self._ages():
                changed = self._evaluate(self._marks())
            else:
                self._fail_again()
        self._pass_to(self._now + EVERY)
        return Simulation(
            self._at,
            days + 1,
            first,
            tuple(self._events),
            tuple(sorted(self._failures.values(), key=lambda each: each.first)),
            owners,
            ties,
        )

    def _ties(self, marks: dict[int, Rule]) -> frozenset[str]:
        tied = (p for members in self._members for p in members.tied() if marks.get(p) is members.rule)
        return frozenset(self._places[p].image.digest for p in tied)

    def _marks(self) -> dict[int, Rule]:
        """What each rule asks for among what it owns."""
        marks: dict[int, Rule] = {}
        for number, members in enumerate(self._members):
            owners = self._owners[members.rule.storage]
            for _, position in members.by_age[: members.due(self._now)]:
                if owners[position] == number:
                    marks[position] = members.rule
        return marks

    def _ages(self) -> bool:
        """Whether any rule asks for more than it did at the evaluation before, by age alone."""
        return any(
            members.rule.count_type is not CountType.MORE_THAN
            and members.due(self._now) > members.due(self._now - EVERY)
            for members in self._members
        )

    def _evaluate(self, marks: dict[int, Rule]) -> bool:
        """Carry out the marks, and let what refers to them follow; whether anything went or was archived.

        Where one evaluation goes on until it can't, what failed is tried again after each success.
        """
        begun = before = len(self._events)
        self._carry_out(marks)
        if self._assumptions.passes is Passes.SETTLED:
            self._sweep_up()
            while self._failing and len(self._events) > before:
                before = len(self._events)
                self._carry_out(self._marks())
                self._sweep_up()
        for failure in self._failing:
            self._note(failure)
        return len(self._events) > begun

    def _carry_out(self, marks: dict[int, Rule]) -> None:
        self._failing = []
        started = len(self._events)
        by_age = sorted((effective_push(self._places[p].image, self._assumptions), p) for p in marks)
        for _, position in by_age:
            rule, place = marks[position], self._places[position]
            if place.holders:
                holders = tuple(sorted(self._places[p].image.digest for p in self._standing_parents(position)))
                self._failing.append(
                    Failure(place.image.digest, rule.action, rule.priority, holders, self._now, self._now)
                )
            else:
                self._apply(position, Event(place.image.digest, rule.action, self._now, rule.priority))
        self._settle(started)

    def _standing_parents(self, position: int) -> Iterator[int]:
        for parent in self._parents.get(position, ()):
            if not self._places[parent].gone and self._places[parent].status is not Status.ARCHIVED:
                yield parent

    def _sweep_up(self) -> None:
        """What refers to something that went (or was archived) goes (is archived) too, and what refers to that."""
        followed = self._events[self._swept_to :]
        started = -1
        while started < len(self._events):
            started = len(self._events)
            for event in followed:
                for position in self._referrers.get(self._positions[event.digest], ()):
                    self._sweep(position, event)
            followed += self._events[started:]
            self._settle(started)
        self._swept_to = len(self._events)

    def _sweep(self, position: int, event: Event) -> None:
        place = self._places[position]
        is_there = not place.gone and (event.action is Action.EXPIRE or place.status is Status.ACTIVE)
        if is_there and not place.holders:
            self._apply(position, Event(place.image.digest, event.action, self._now, None, event.digest))

    def _apply(self, position: int, event: Event) -> None:
        place = self._places[position]
        if place.status is not Status.ARCHIVED:
            for child in dict.fromkeys(place.image.children or ()):
                if child in self._positions:
                    self._places[self._positions[child]].holders -= 1
        if event.action is Action.EXPIRE:
            place.gone = True
        else:
            place.status = Status.ARCHIVED
        self._events.append(event)

    def _settle(self, started: int) -> None:
        """Take what changed out of the rules' members, and what was archived in among those of the archive."""
        new = self._events[started:]
        if new:
            self._drop({self._positions[event.digest] for event in new})
        archived = [self._positions[event.digest] for event in new if event.action is Action.TRANSITION]
        for position in archived:
            place = self._places[position]
            place.image = replace(place.image, status=Status.ARCHIVED, archived_at=self._now)
        if archived:
            self._admit(Storage.ARCHIVE, archived)

    def _drop(self, positions: Collection[int]) -> None:
        for members in self._members:
            timed = [(time, p) for p in positions if (time := members.time(self._places[p].image)) is not None]
            members.drop(timed)

    def _pass_to(self, now: float) -> bool:
        """Let time pass to the next evaluation: restores end, what follows has followed; whether anything changed."""
        self._now = now
        before = len(self._events)
        activated = self._finish_activations()
        self._sweep_up()
        return activated or len(self._events) > before

    def _finish_activations(self) -> bool:
        """What was on its way back from the archive at the beginning is back by now; whether there is any."""
        places = self._places
        ready = [p for p in self._activating if places[p].status is Status.ACTIVATING and not places[p].gone]
        self._activating = []
        self._drop(ready)
        for position in ready:
            place = self._places[position]
            place.status = Status.ACTIVE
            place.image = replace(place.image, status=Status.ACTIVE, activated_at=self._at + ACTIVATION)
            self._owners[Storage.STANDARD][position] = -1
        self._admit(Storage.STANDARD, ready)
        return bool(ready)

    def _note(self, failure: Failure) -> None:
        key = self._positions[failure.digest], failure.action
        known = self._failures.setdefault(key, failure)
        if known is not failure:
            known.last, known.holders = failure.last, failure.holders
            known.times += 1

    def _fail_again(self) -> None:
        """Nothing is otherwise than at the evaluation before, so what failed fails once more."""
        for failure in self._failing:
            known = self._failures[self._positions[failure.digest], failure.action]
            known.last = self._now
            known.times += 1
