"""What is said beside plans: where else deletions reach, and why pull times may be untrue."""

from collections.abc import Callable, Sequence
from threading import Lock

from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.sources import Source
from aws_ecr_gc.config import OriginalFlags, Request
from aws_ecr_gc.errors import Error
from aws_ecr_gc.plan import Plan
from aws_ecr_gc.policy import Policy
from aws_ecr_gc.ports import DeleteReplication, replicated_to

_PULL_TIMES = (
    "warning: pulled_within goes by pull times, and these may be untrue: scanners and our own reading renew them, "
    "Lambda does not, and a pull of an index none of its children's; see aws-ecr-gc doctor -f FILE"
)


class Replication:
    """Where else deletions reach. The registry is asked once in a run, and only if something would be deleted."""

    def __init__(self, ask: Callable[[], Sequence[DeleteReplication] | None]) -> None:
        """`ask` gives None where there is no registry to ask."""
        self._ask = ask
        self._lock = Lock()
        self._asked = False
        self._rules: Sequence[DeleteReplication] | None = None
        self._trouble: Error | None = None

    def warn(self, plan: Plan, console: Console) -> list[str] | None:
        """Where the plan's deletions are replicated to, said too; None where that was not asked, or is not known."""
        if not plan.steps:
            return None
        rules = self._answer()
        if self._trouble is not None:
            console.say_once(f"warning: whether deletions are replicated is not known: {self._trouble}")
        if rules is None:
            return None
        destinations = replicated_to(rules, plan.repository.name)
        if destinations:
            where = ", ".join(destinations)
            console.say(f"warning: repository {plan.repository.name}: deletions are replicated to {where}")
        return destinations

    def _answer(self) -> Sequence[DeleteReplication] | None:
        with self._lock:
            if not self._asked:
                self._asked = True
                try:
                    self._rules = self._ask()
                except Error as error:  # it stops nothing: what needs a call for its work fails by itself
                    self._trouble = error
            return self._rules


class Cautions:
    """The warnings of one run under a policy file; the original's flags get none. For all threads."""

    def __init__(self, request: Request, source: Source) -> None:
        self._silent = isinstance(request.policy, OriginalFlags)
        self._replication = Replication(source.delete_replication)

    def about(self, plan: Plan, policy: Policy, console: Console) -> list[str] | None:
        """Warn; where the plan's deletions are replicated to, as far as that is known."""
        if self._silent:
            return None
        if policy.goes_by_pulls:
            console.say_once(_PULL_TIMES)
        return self._replication.warn(plan, console)
