"""What is said beside plans: where else deletions reach, and why pull times may be untrue."""

from collections.abc import Callable, Sequence

from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.sources import Source
from aws_ecr_gc.config import OriginalFlags, Request
from aws_ecr_gc.errors import Error
from aws_ecr_gc.plan import Plan
from aws_ecr_gc.policy import Guards, Policy
from aws_ecr_gc.policy.guards import refusals
from aws_ecr_gc.ports import DeleteReplication, replicated_to

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


class Replication:
    """Where else deletions reach. The registry is asked once in a run, and only if something would be deleted."""

    def __init__(self, ask: Callable[[], Sequence[DeleteReplication] | None], console: Console) -> None:
        """`ask` gives None where there is no registry to ask."""
        self._ask = ask
        self._console = console
        self._asked = False
        self._rules: Sequence[DeleteReplication] | None = None

    def warn(self, plan: Plan) -> list[str] | None:
        """Where the plan's deletions are replicated to, said too; None where that was not asked, or is not known."""
        if not plan.steps:
            return None
        if not self._asked:
            self._asked = True
            self._rules = self._answer()
        if self._rules is None:
            return None
        destinations = replicated_to(self._rules, plan.repository.name)
        if destinations:
            where = ", ".join(destinations)
            self._console.say(f"warning: repository {plan.repository.name}: deletions are replicated to {where}")
        return destinations

    def _answer(self) -> Sequence[DeleteReplication] | None:
        try:
            return self._ask()
        except Error as error:  # it stops nothing: what needs a call for its work fails by itself
            self._console.say(f"warning: whether deletions are replicated is not known: {error}")
            return None


class Cautions:
    """The warnings of one run under a policy file; the original's flags get none."""

    def __init__(self, request: Request, source: Source, console: Console) -> None:
        self._console = console
        self._silent = isinstance(request.policy, OriginalFlags)
        self._told = False
        self._replication = Replication(source.delete_replication, console)

    def about(self, plan: Plan, policy: Policy) -> list[str] | None:
        """Warn; where the plan's deletions are replicated to, as far as that is known."""
        if self._silent:
            return None
        if not self._told and policy.goes_by_pulls:
            self._told = True
            self._console.say(_PULL_TIMES)
        return self._replication.warn(plan)
