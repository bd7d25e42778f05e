"""`plan`: what a policy would do, and nothing done."""

from contextlib import closing
from pathlib import Path

from aws_ecr_gc import __version__
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.crew import Crew
from aws_ecr_gc.app.fleet import aimed, plan_fleet
from aws_ecr_gc.app.measures import prepare, publish_one
from aws_ecr_gc.app.planfiles import Draft
from aws_ecr_gc.app.policies import Policies, policies_of
from aws_ecr_gc.app.protection import Protection, protection_of
from aws_ecr_gc.app.report import Report
from aws_ecr_gc.app.site import Site
from aws_ecr_gc.app.sources import LiveSource, Source, open_source
from aws_ecr_gc.app.sweep import Sweep
from aws_ecr_gc.config import Request
from aws_ecr_gc.errors import Exit, Misuse, worst
from aws_ecr_gc.inventory import Inventory, unread_indexes
from aws_ecr_gc.policy.forecasting import forecast
from aws_ecr_gc.report import document, forecasts, plans


def plan(request: Request, *, now: float, console: Console, out: Path | None = None) -> Exit:
    """Plan every repository, and write the plans to `out`; exit 4 where a guard refuses one.

    Raises `errors.Error` where nothing can be planned, and OutputLost.
    """
    prepare(request.watching)
    policies = policies_of(request)
    request = aimed(request, policies)
    if request.targets.is_fleet:
        return plan_fleet(request, policies, now=now, console=console, out=out)
    draft = None if out is None else Draft(out, request, policies, now, asked=policies.in_use)
    with open_source(request, now, console) as source, closing(Report(request, policies, now, console)) as report:
        protection = protection_for(request, policies, source, now, console)
        site = Site(source, request, policies, console, policies.in_use)
        with closing(Crew(request, protection, console, carries_out=False, holds=draft is not None)) as crew:
            for each in crew.through(crew.passages(site)):
                if each.failure is not None:
                    raise each.failure
                report.take(each)
                if draft is not None and each.made is not None:
                    draft.add(each.made, each.refused)
                report.end_of(each)
                crew.told(each)
        report.end(site.sweep)
        if draft is not None:
            draft.write(console)
        code = worst(report.exits)
        if isinstance(source, LiveSource):
            publish_one(request.watching, source, report.summary, code, console)
        return code


def protection_for(request: Request, policies: Policies, source: Source, now: float, console: Console) -> Protection:
    """The protection that a request asks for, where it reads from."""
    return protection_of(
        None if request.defers_in_use else policies.in_use,
        source.connection(request.connection),
        now,
        console,
        allow_unread=request.allow_unread,
        saved=request.uses,
    )


def time_of(source: Source, inventory: Inventory) -> float:
    """The time to decide as at, in epoch seconds."""
    return inventory.taken_at if source.at is None else source.at


def forecast_all(request: Request, horizon: float, *, now: float, console: Console) -> Exit:
    """Forecast every repository for `horizon` seconds. Raises `errors.Error`."""
    policies = policies_of(request)
    if request.targets.is_fleet:
        raise Misuse("--forecast and several accounts or regions: a forecast is of one; forecast each by itself")
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
