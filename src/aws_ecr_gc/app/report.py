"""What is told of a run: repositories in their order, each as it has ended, and the last word."""

from typing import TYPE_CHECKING

from aws_ecr_gc import __version__
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.measures import count_end, count_plan
from aws_ecr_gc.app.passage import Passage
from aws_ecr_gc.app.policies import Policies
from aws_ecr_gc.app.sweep import Sweep
from aws_ecr_gc.config import Request
from aws_ecr_gc.errors import Exit
from aws_ecr_gc.report import document, plans, uses
from aws_ecr_gc.report.fleets import Summary
from aws_ecr_gc.report.parts import Parts

if TYPE_CHECKING:
    from aws_ecr_gc.usage import InUse


class Report:
    """The plans of one registry as they come: text at once, JSON at the end."""

    def __init__(self, request: Request, policies: Policies, now: float, console: Console) -> None:
        self._request = request
        self._policies = policies
        self._now = now
        self._console = console
        self._parts = Parts("repositories", 1)
        self._going, self._refused, self._carried_out = plans.Sum(), plans.Sum(), plans.Sum()
        self._done = 0
        self._taken_at: float | None = None
        self._in_use: InUse | None = None
        self.summary = Summary()
        self.exits: list[Exit] = []

    def close(self) -> None:
        """Let go of what is kept."""
        self._parts.close()

    def planned(self, each: Passage) -> None:
        """As `take`."""
        self.take(each)

    def take(self, each: Passage) -> None:
        """Tell of a repository that got as far as it gets for now. Raises OutputLost."""
        each.aside.tell()
        if each.is_counted:
            return
        each.is_counted = True
        sweep = each.site.sweep
        if each.unread is not None:
            sweep.has_failed(each.name, each.unread)
        elif each.left_alone:
            sweep.left_alone.append(each.name)
        if each.taken_at is not None:
            self._taken_at, self._in_use = each.taken_at, each.in_use
            count_plan(self.summary, each)
            (self._refused if each.refused else self._going).unite(each.sum)
            if each.refused:
                self.exits.append(Exit.REFUSED)

    def end_of(self, each: Passage) -> None:
        """Tell how its plan ended, if it was carried out, and let go of it. Raises OutputLost."""
        each.aside.tell()
        if each.ended is not None:
            count_end(self.summary, each)
            self._carried_out.unite(each.sum)
            self._done += each.ended.done
        each.forget()
        if each.has_document:
            self._parts.add(each.document())

    @property
    def _at(self) -> float:
        """The time that was decided as at: a snapshot's repositories were all read as at one."""
        if self._request.at is not None:
            return self._request.at
        return self._now if self._taken_at is None else self._taken_at

    def end(self, sweep: Sweep) -> None:
        """The last word. Raises OutputLost."""
        self.exits += sweep.exits
        in_use = self._in_use
        if self._request.output == "text":
            if self._carried_out.plans:
                self._console.print(plans.outcome_summary(self._carried_out, self._done, self._refused))
            else:
                self._console.print(plans.summary(self._going, self._refused))
            self._console.print(plans.left_alone(sweep.left_alone))
            if in_use is not None:
                self._console.print(uses.reading(in_use))
            return
        content = plans.PlanDocument(
            version=1,
            tool=f"aws-ecr-gc {__version__}",
            at=document.moment(self._at),
            policy_files=[str(path) for path in self._policies.files],
            policy_sha256=self._policies.sha256,
            repositories=[],
            left_alone=sweep.left_alone,
            unread=sweep.unread,
            in_use=None if in_use is None else uses.in_use_part(in_use),
        )
        self._console.print(self._parts.lines(content))
