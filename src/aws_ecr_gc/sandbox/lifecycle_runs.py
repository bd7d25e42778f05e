"""Carries lifecycle policies out as the stand-in's clock moves: once a day for each repository that has one.

Source: the ECR user guide. An image that an index lists which is not archived can neither expire nor be archived; what
refers to an image that went, or was archived, follows within 24 hours: here after exactly that time.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import RLock
from typing import NamedTuple

from aws_ecr_gc.sandbox import naive_lifecycle
from aws_ecr_gc.sandbox.behaviour import Behaviour
from aws_ecr_gc.sandbox.store import Image, Repository

EVERY = 86400.0
NEVER = 0.0
"""What ECR tells as the time of the last evaluation of a policy that has not been evaluated."""


class LifecycleAction(NamedTuple):
    """What became of an image at an evaluation, or by following its subject (`rule` is none); `at` in epoch seconds."""

    account: str
    region: str
    repository: str
    at: float
    digest: str
    tags: tuple[str, ...]
    action: str
    """`expire` or `archive`."""
    rule: int | None
    failure: str | None = None
    """Why it failed; none where it was done."""


class _Waiting(NamedTuple):
    """What is to follow its subject."""

    due: float
    subject: str
    archived: bool


@dataclass
class _Schedule:
    """Of one repository. `text` is the policy that the times are those of."""

    text: str
    next_at: float
    last_at: float = NEVER
    waiting: list[_Waiting] = field(default_factory=list)

    @property
    def due(self) -> float:
        return min([self.next_at, *(each.due for each in self.waiting)])


class LifecycleRuns:
    """The schedules of all repositories, and what was done so far, in order."""

    def __init__(self, repositories: Callable[[], Iterable[Repository]], behaviour: Behaviour, lock: RLock) -> None:
        self._repositories = repositories
        self._behaviour = behaviour
        self._lock = lock
        self._schedules: dict[Repository, _Schedule] = {}
        self.actions: list[LifecycleAction] = []

    def last_evaluated(self, repository: Repository) -> float:
        """When its policy was evaluated last, in epoch seconds; NEVER."""
        schedule = self._schedules.get(repository)
        return NEVER if schedule is None else schedule.last_at

    def notice(self, now: float) -> None:
        """Take note of the policies that came, changed or went: their first evaluation is a day from now."""
        with self._lock:
            there = list(self._repositories())
            for repository in self._schedules.keys() - set(there):
                del self._schedules[repository]
            for repository in there:
                text = repository.settings.lifecycle_policy
                known = self._schedules.get(repository)
                if text is None:
                    self._schedules.pop(repository, None)
                elif known is None:
                    self._schedules[repository] = _Schedule(text, now + EVERY)
                elif known.text != text:
                    self._schedules[repository] = _Schedule(text, now + EVERY, waiting=known.waiting)

    def next_due(self) -> float | None:
        """When something is to happen next."""
        if not self._behaviour.lifecycle_runs:
            return None
        return min((schedule.due for schedule in self._schedules.values()), default=None)

    def catch_up(self, now: float) -> None:
        """Do all that is due, in the order of its time."""
        with self._lock:
            self.notice(now)
            while (due := self.next_due()) is not None and due <= now:
                for repository, schedule in list(self._schedules.items()):
                    if schedule.due == due:
                        self._sweep_what_is_due(repository, schedule, due)
                        if schedule.next_at == due:
                            self._evaluate(repository, schedule, due)

    def _evaluate(self, repository: Repository, schedule: _Schedule, now: float) -> None:
        schedule.last_at, schedule.next_at = now, now + EVERY
        while True:
            done, failures = self._carry_out(repository, schedule, now)
            if self._behaviour.lifecycle_settles:
                waiting, schedule.waiting = schedule.waiting, []
                self._follow(repository, waiting, now)
                if done and failures:
                    continue
            self.actions += failures
            return

    def _carry_out(self, repository: Repository, schedule: _Schedule, now: float) -> tuple[bool, list[LifecycleAction]]:
        """Whether anything went or was archived, and what failed."""
        images = list(repository.images.values())
        marks = naive_lifecycle.evaluate(schedule.text, images, now, self._behaviour)
        done, failures = False, []
        for mark in naive_lifecycle.in_order(marks, images, self._behaviour):
            image = repository.images[mark.digest]
            holders = repository.holders_of(mark.digest)
            if holders:
                reason = f"ImageReferencedByManifestList: [{', '.join(holders)}]"
                failures.append(_action(repository, image, now, mark.priority, archived=mark.is_transition, why=reason))
                continue
            done = True
            self._act(repository, image, now, mark.priority, archived=mark.is_transition)
            schedule.waiting.append(_Waiting(now + EVERY, mark.digest, mark.is_transition))
        return done, failures

    def _act(self, repository: Repository, image: Image, now: float, rule: int | None, *, archived: bool) -> None:
        self.actions.append(_action(repository, image, now, rule, archived=archived))
        if archived:
            repository.change(image.digest, status="ARCHIVED", archived_at=now, activates_at=None)
        else:
            repository.remove(image.digest, "sweep" if rule is None else "lifecycle")

    def _sweep_what_is_due(self, repository: Repository, schedule: _Schedule, now: float) -> None:
        due = [each for each in schedule.waiting if each.due <= now]
        schedule.waiting = [each for each in schedule.waiting if each.due > now]
        self._follow(repository, due, now)

    def _follow(self, repository: Repository, gone: list[_Waiting], now: float) -> None:
        """What refers to these follows, and what refers to that, until nothing more can."""
        moved = True
        while moved:
            moved = False
            for subject in list(gone):
                for digest in repository.referrers_of(subject.subject):
                    image = repository.images[digest]
                    if repository.holders_of(digest) or (subject.archived and image.status != "ACTIVE"):
                        continue
                    self._act(repository, image, now, None, archived=subject.archived)
                    gone.append(_Waiting(now, digest, subject.archived))
                    moved = True


def _action(
    repository: Repository, image: Image, now: float, rule: int | None, *, archived: bool, why: str | None = None
) -> LifecycleAction:
    registry, action = repository.registry, "archive" if archived else "expire"
    place = registry.account, registry.region, repository.name
    return LifecycleAction(*place, now, image.digest, image.tags, action, rule, why)
