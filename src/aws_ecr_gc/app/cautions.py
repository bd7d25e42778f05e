"""What is said beside plans: where else deletions reach, and why pull times may be untrue."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock, Semaphore
from typing import Generic, TypeVar

from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.sources import Source
from aws_ecr_gc.config import OriginalFlags, Request
from aws_ecr_gc.errors import Error
from aws_ecr_gc.plan import Plan
from aws_ecr_gc.policy import Guards, Policy
from aws_ecr_gc.policy.guards import refusals
from aws_ecr_gc.ports import DeleteReplication, filled_by, made_by, replicated_to

_Known = TypeVar("_Known")
_PULL_TIMES = (
    "warning: pulled_within goes by pull times, and these may be untrue: scanners and our own reading renew them, "
    "Lambda does not, and a pull of an index none of its children's; see aws-ecr-gc doctor -f FILE"
)


def drastic(plan: Plan) -> str | None:
    """What a policy file has guards against, and the original's flags only a warning of."""
    if not plan.steps:
        return None
    if len(plan.steps) == plan.active:
        return "this is every image of the repository"
    guards = {refusal.guard for refusal in refusals(plan, Guards())}
    return "no tagged image of the repository will be left" if "keep_tagged" in guards else None


class _Once(Generic[_Known]):
    """What is asked for once, by whoever needs it first. For all threads."""

    def __init__(self, ask: Callable[[], _Known | None], unknown: str) -> None:
        """`ask` gives None where there is nobody to ask; `unknown` is what is not known if it fails."""
        self._ask = ask
        self._unknown = unknown
        self._lock = Lock()
        self._asked = False
        self.is_settled = False
        """Whether `get` waits for nothing any more."""
        self._known: _Known | None = None
        self._trouble: Error | None = None

    def find_out(self, *, wait: bool = True) -> None:
        """Ask, unless that was done; without `wait`, leave it to another thread that is asking now."""
        if not self._lock.acquire(blocking=wait):
            return
        try:
            if not self._asked:
                self._asked = True
                self._known = self._ask()
        except Error as error:  # it stops nothing: what needs a call for its work fails by itself
            self._trouble = error
        finally:
            self.is_settled = True
            self._lock.release()

    def get(self, console: Console) -> _Known | None:
        """What is known; None where it is not, and then that is said."""
        self.find_out()
        if self._trouble is not None:
            console.say_once(f"warning: {self._unknown} is not known: {self._trouble}")
        return self._known


def _there(unknown: str, place: str | None) -> str:
    return unknown if place is None else f"{unknown} in {place}"


class Replication:
    """Where else deletions reach. The registry is asked once in a run, and only if something would be deleted."""

    def __init__(self, ask: Callable[[], Sequence[DeleteReplication] | None], place: str | None = None) -> None:
        """`ask` gives None where there is no registry to ask; `place` is told where there are several."""
        self.rules = _Once(ask, _there("whether deletions are replicated", place))

    def warn(self, plan: Plan, console: Console) -> list[str] | None:
        """Where the plan's deletions are replicated to, said too; None where that was not asked, or is not known."""
        rules = self.rules.get(console) if plan.steps else None
        if rules is None:
            return None
        destinations = replicated_to(rules, plan.repository.name)
        if destinations:
            where = ", ".join(destinations)
            console.announce(f"warning: repository {plan.repository.name}: deletions are replicated to {where}")
        return destinations


class Cautions:
    """The warnings of one run under a policy file; the original's flags get none. For all threads."""

    def __init__(self, request: Request, source: Source, place: str | None = None) -> None:
        """`place` is told where there are several."""
        self._silent = isinstance(request.policy, OriginalFlags)
        self._replication = Replication(source.delete_replication, place)
        self._caches = _Once(source.caches, _there("what fills repositories without a push", place))
        self._templates = _Once(source.templates, _there("what makes repositories that nobody creates", place))
        self._questions = (self._replication.rules, self._caches, self._templates)
        self._askers = Semaphore(len(self._questions))

    @contextmanager
    def few(self) -> Iterator[None]:
        """Until all is asked, for no more threads at once than there are questions: plans that wait take memory.

        Also those wait whose plan will turn out to ask nothing: it has to be made to know.
        """
        if self._silent or all(each.is_settled for each in self._questions):
            yield
        else:
            with self._askers:
                yield

    def are_settled(self, plan: Plan) -> bool:
        """Whether nothing has to be asked first for what is said of a plan."""
        return self._silent or not plan.steps or all(each.is_settled for each in self._questions)

    def settle(self, plan: Plan) -> None:
        """Ask what has to be asked for it."""
        if not self.are_settled(plan):
            for wait in (False, True):  # several threads that come here at once ask for different things
                for each in self._questions:
                    each.find_out(wait=wait)

    def about(self, plan: Plan, policy: Policy, console: Console) -> list[str] | None:
        """Warn; where the plan's deletions are replicated to, as far as that is known."""
        if self._silent:
            return None
        if policy.goes_by_pulls:
            console.say_once(_PULL_TIMES)
        return self._replication.warn(plan, console)

    def notes(self, plan: Plan, console: Console) -> list[str]:
        """What fills the repository without a push, and what that means for what is deleted."""
        if not plan.steps or self._silent:
            return []
        name = plan.repository.name
        return [*filled_by(self._caches.get(console) or (), name), *made_by(self._templates.get(console) or (), name)]
