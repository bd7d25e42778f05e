"""Guards that end the work while it is under way end it in a whole registry, however many repositories are at work."""

import time
from collections.abc import Callable
from threading import Lock

from msgspec.structs import replace

from aws_ecr_gc.app.pipeline import LOOK
from aws_ecr_gc.apply import Applied, Terms
from aws_ecr_gc.errors import GuardStopped
from aws_ecr_gc.plan import Result
from aws_ecr_gc.reference import Registry, Repository


class Halt:
    """What guards say of one registry: whether deletions were seen to go well, and what ended the work."""

    def __init__(self, *, ends_all: bool) -> None:
        self._ends_all = ends_all
        self.went_well = False
        self.by: GuardStopped | None = None

    def of_others(self) -> Applied | None:
        """What becomes of a repository once a guard ended the work on another one."""
        return None if self.by is None else Applied({}, self.by, interrupted=False)

    def judge(self, repository: Repository, applied: Applied, stop: Callable[[], bool]) -> Applied:
        """Note what came of one repository. What was ended for another's sake was not interrupted."""
        if isinstance(applied.stopped_by, GuardStopped) and self._ends_all:
            self.by = self.by or GuardStopped(f"ended with repository {repository.name}: {applied.stopped_by}")
        elif self.by is not None and applied.interrupted and not stop():
            return replace(applied, interrupted=False, stopped_by=self.by)
        elif any(outcome.result is Result.DONE for outcome in applied.outcomes.values()):
            self.went_well = True
        return applied


class Halts:
    """Those of all registries of a run. For all threads."""

    def __init__(self, *, ends_all: bool) -> None:
        """With `ends_all`, a guard that stops the work on one repository ends it in its whole registry."""
        self._ends_all = ends_all
        self._lock = Lock()
        self._halts: dict[Registry, Halt] = {}

    def of(self, registry: Registry) -> Halt:
        """That of a registry."""
        with self._lock:
            return self._halts.setdefault(registry, Halt(ends_all=self._ends_all))

    def wait(self, registry: Registry, terms: Terms, stop: Callable[[], bool], is_next: Callable[[], bool]) -> Halt:
        """Return when a repository may be begun. `is_next` tells whether those before it have ended.

        Under a canary, until deletions went well once, that is one repository after the other: what a canary is to find
        out would otherwise happen in as many as there are workers.
        """
        halt = self.of(registry)
        while terms.canary is not None and not (halt.went_well or halt.by or is_next() or stop()):
            time.sleep(LOOK)
        return halt
