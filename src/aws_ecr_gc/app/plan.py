"""`plan`: what a policy would do, and nothing done."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from aws_ecr_gc import __version__
from aws_ecr_gc.app.cautions import Cautions, drastic
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.material import Material, gather
from aws_ecr_gc.app.planfiles import Draft
from aws_ecr_gc.app.policies import Policies, policies_of
from aws_ecr_gc.app.protection import Protected, Protection, protection_of
from aws_ecr_gc.app.sources import Source, open_source
from aws_ecr_gc.app.sweep import Sweep
from aws_ecr_gc.apply import Applied
from aws_ecr_gc.config import OriginalFlags, Request
from aws_ecr_gc.errors import Exit, worst
from aws_ecr_gc.inventory import Inventory, unread_indexes
from aws_ecr_gc.plan import Plan
from aws_ecr_gc.policy.forecasting import forecast
from aws_ecr_gc.policy.guards import refusals
from aws_ecr_gc.report import document, forecasts, plans, uses, work


def plan(request: Request, *, now: float, console: Console, out: Path | None = None) -> Exit:
    """Plan every repository, and write the plans to `out`; exit 4 where a guard refuses one.

    Raises `errors.Error` where nothing can be planned, and OutputLost.
    """
    policies = policies_of(request)
    draft = None if out is None else Draft(out, request, policies, now)
    with open_source(request, now, console) as source:
        protection = protection_for(request, policies, source, now, console)
        sweep = Sweep(source, request.patterns, console)
        report = Report(request, policies, now, console, Cautions(request, source, console))
        for made in protection.plans(materials(source, sweep, policies)):
            report.add(made)
            if draft is not None:
                draft.add(made, refusals(made.plan, made.material.policy.guards))
            warning = drastic(made.plan) if isinstance(request.policy, OriginalFlags) else None
            if warning is not None:
                console.say(f"warning: repository {made.plan.repository.name}: {warning}")
        report.end(sweep)
        if draft is not None:
            draft.write(console)
        return worst([*sweep.exits, *report.exits])


def protection_for(request: Request, policies: Policies, source: Source, now: float, console: Console) -> Protection:
    """The protection that a request asks for, where it reads from."""
    return protection_of(
        policies.in_use,
        source.connection(request.connection),
        now,
        console,
        allow_unread=request.allow_unread,
        saved=request.uses,
    )


def materials(source: Source, sweep: Sweep, policies: Policies) -> Iterator[Material]:
    """Every repository that a policy is for, as it is read; what goes wrong with one keeps no other from its plan."""
    for target in sweep.targets(policies):
        material = None
        with sweep.reading(target.name):
            material = gather(target.policy, partial(source.inventory, target.name), source.leftovers, source.at)
        if material is not None:
            yield material


def time_of(source: Source, inventory: Inventory) -> float:
    """The time to decide as at, in epoch seconds."""
    return inventory.taken_at if source.at is None else source.at


def forecast_all(request: Request, horizon: float, *, now: float, console: Console) -> Exit:
    """Forecast every repository for `horizon` seconds."""
    policies = policies_of(request)
    if policies.in_use is not None or request.uses is not None:
        console.say("what is in use is no part of a forecast")
    with open_source(request, now, console) as source:
        sweep = Sweep(source, request.patterns, console)
        found = []
        for target in sweep.targets(policies):
            with sweep.reading(target.name):
                inventory = source.inventory(target.name, unread_indexes)
                made = forecast(inventory, target.policy, time_of(source, inventory), horizon)
                found.append(forecasts.part(inventory.repository, target.policy.name, made))
                if request.output == "text":
                    console.print(forecasts.lines(inventory.repository, target.policy.name, made))
        if request.output == "json":
            content = forecasts.ForecastDocument(1, f"aws-ecr-gc {__version__}", found, sweep.left_alone, sweep.unread)
            console.print([document.encode(content)])
        else:
            console.print(plans.left_alone(sweep.left_alone))
        return worst(sweep.exits)


class Report:
    """The plans as they come: text at once, JSON at the end."""

    def __init__(self, request: Request, policies: Policies, now: float, console: Console, cautions: Cautions) -> None:
        self._request = request
        self._cautions = cautions
        self._policies = policies
        self._now = now
        self._console = console
        self._parts: dict[str, plans.RepositoryPlan] = {}
        self._going, self._refused, self._carried_out = plans.Sum(), plans.Sum(), plans.Sum()
        self._done = 0
        self._taken_at: float | None = None
        self._made: Protected | None = None
        self.exits: list[Exit] = []

    def add(self, made: Protected) -> bool:
        """One more plan. Returns whether the guards let it be carried out."""
        plan, policy = made.plan, made.material.policy
        refused = [plans.Guarded(each.guard, each.detail, each.way_round) for each in refusals(plan, policy.guards)]
        if refused:
            self.exits.append(Exit.REFUSED)
        (self._refused if refused else self._going).add(plan)
        self._taken_at = plan.taken_at
        self._made = made
        destinations = self._cautions.about(plan, policy)
        if self._request.output == "json":
            self._parts[plan.repository.name] = plans.part(plan, policy.name, refused, made.broken, destinations)
        else:
            self._console.print(plans.lines(plan, policy.name, refused, map(uses.broken_text, made.broken)))
        return not refused

    def applied(self, plan: Plan, applied: Applied) -> None:
        """How a plan that was added ended."""
        self._carried_out.add(plan)
        self._done += work.done(applied.outcomes)
        if self._request.output == "json":
            stopped_by = None if applied.stopped_by is None else str(applied.stopped_by)
            part = self._parts[plan.repository.name]
            plans.complete(part, plan, applied.outcomes, interrupted=applied.interrupted, stopped_by=stopped_by)
        elif plan.steps:
            self._console.print(plans.outcome_lines(plan, applied.outcomes))

    @property
    def _at(self) -> float:
        """The time that was decided as at: a snapshot's repositories were all read as at one."""
        if self._request.at is not None:
            return self._request.at
        return self._now if self._taken_at is None else self._taken_at

    def end(self, sweep: Sweep) -> None:
        """The last word."""
        in_use = None if self._made is None else self._made.in_use
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
            repositories=list(self._parts.values()),
            left_alone=sweep.left_alone,
            unread=sweep.unread,
            in_use=None if in_use is None else uses.in_use_part(in_use),
        )
        self._console.print([document.encode(content)])
