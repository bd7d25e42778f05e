"""What a registry takes for a pair of digest and tag is found out in one repository, while others wait."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from aws_ecr_gc.app.pipeline import LOOK
from aws_ecr_gc.apply import TAKEN_WHOLE, Applied
from aws_ecr_gc.plan import Action, Plan, Result
from aws_ecr_gc.reference import Registry


class Trial:
    """What is known of one registry: nothing yet, that it takes the whole image, or that it takes only the tag."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.takes_whole = False
        self.takes_tags = False

    def finds(self, plan: Plan, applied: Applied) -> bool:
        """Whether it shows in what became of a plan that the registry takes a whole image."""
        ended = [applied.outcomes[step.digest] for step in plan.going(Action.UNTAG) if step.digest in applied.outcomes]
        if any(outcome.code == TAKEN_WHOLE for outcome in ended):
            self.takes_whole = True
        elif any(outcome.result is Result.DONE for outcome in ended):
            self.takes_tags = True
        return self.takes_whole


class Trials:
    """Those of all registries of a run. For all threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._trials: dict[Registry, Trial] = {}

    @contextmanager
    def of(self, registry: Registry, stop: Callable[[], bool]) -> Iterator[Trial]:
        """A block in which tags are removed: of the one repository that tries it, or of all once that went well.

        It is entered at once where the work is to `stop`, for then no call is made in it.
        """
        with self._lock:
            trial = self._trials.setdefault(registry, Trial())
        alone = False
        while not (alone or trial.takes_tags or stop()):
            alone = trial.lock.acquire(timeout=LOOK)
        try:
            yield trial
        finally:
            if alone:
                trial.lock.release()
