"""`plan` and `run` over several accounts and regions."""

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.crew import Crew
from aws_ecr_gc.app.fleetreport import FleetReport
from aws_ecr_gc.app.live import Live
from aws_ecr_gc.app.measures import publish
from aws_ecr_gc.app.pipeline import in_order
from aws_ecr_gc.app.policies import Policies
from aws_ecr_gc.app.protection import Protection, protection_of
from aws_ecr_gc.app.running import Question, Running
from aws_ecr_gc.app.site import Fits, FleetSite
from aws_ecr_gc.app.sources import LiveSource
from aws_ecr_gc.app.territory import Absent, Closed, Territory
from aws_ecr_gc.app.turns import PlaceConsole, Turns
from aws_ecr_gc.aws.accounts import Place
from aws_ecr_gc.aws.pacing import Limits, Traffic
from aws_ecr_gc.config import Request
from aws_ecr_gc.discovery.settings import Settings
from aws_ecr_gc.errors import Error, Exit, Interrupted, Misuse
from aws_ecr_gc.ports import remaining
from aws_ecr_gc.report import text
from aws_ecr_gc.targets import ALL_REGIONS, Entry

if TYPE_CHECKING:
    from aws_ecr_gc.ports import RegistryPort

_OPENED_AT_ONCE = 8


def aimed(request: Request, policies: Policies) -> Request:
    """The request with what the policy file says of where to look, as far as flags do not. Raises Misuse."""
    targets = request.targets.over(policies.targets)
    if targets.missing is not None:
        raise Misuse(f"targets: {targets.missing[0]}; {targets.missing[1]}")
    if request.targets.entry is not None and not (targets.accounts or targets.organization):
        raise Misuse("--role: other accounts are entered with it, and none is named; give --account or --organization")
    connection = request.connection
    if connection.region is None and targets.regions and targets.regions[0] != ALL_REGIONS:
        connection = replace(connection, region=targets.regions[0])
    if targets.is_fleet:
        if request.snapshot is not None:
            raise Misuse("--snapshot and several accounts or regions: a snapshot is of one; leave the others out")
        if request.backup is not None:
            raise Misuse("--backup and several accounts or regions: copies are made of one; back up each by itself")
        if connection.registry_id is not None:
            raise Misuse("--registry-id and several accounts or regions: name the accounts with --account and --role")
    return replace(request, targets=targets, patterns=remaining(targets.repositories), connection=connection)


def plan_fleet(request: Request, policies: Policies, *, now: float, console: Console, out: Path | None) -> Exit:
    """Plan every repository of every place. Raises `errors.Error` where nothing can be planned, and OutputLost."""
    if out is not None:
        raise Misuse("--out and several accounts or regions: a plan file is of one; plan each by itself")
    fleet = _Fleet(request, policies, now, console, carries_out=False)
    return fleet.through(None)


def run_fleet(
    request: Request, policies: Policies, *, now: float, console: Console, question: Question | None, strict: bool
) -> Exit:
    """Plan and delete in every place; with a question, all plans are made and shown before it is asked.

    Raises `errors.Error` where nothing can be planned, and OutputLost.
    """
    fleet = _Fleet(
        request, policies, now, console, carries_out=question is None, strict=strict, asks=question is not None
    )
    return fleet.through(question)


class _Fleet:
    def __init__(
        self,
        request: Request,
        policies: Policies,
        now: float,
        console: Console,
        *,
        carries_out: bool,
        strict: bool = False,
        asks: bool = False,
    ) -> None:
        self._request = request
        self._policies = policies
        self._now = now
        self._console = console
        if request.at is not None:
            console.say(f"as at {text.moment(request.at)} UTC")
        self._territory = Territory(request.targets, request.connection, console.say, console.stop)
        self._places = self._territory.places()
        for each in self._territory.absent:
            console.say(f"account {each}: no plan: {each.reason}")
        self._limits = Limits()
        self._turns = Turns(console)
        settings = policies.in_use
        if settings is not None and settings.asks_aws:
            absent = [each.account for each in self._territory.absent]
            every = ALL_REGIONS in request.targets.regions and request.uses is None
            settings = everywhere(settings, request.targets.entry, self._places, absent, every_region=every)
        self._in_use = settings
        self._live = Live(request.directories, now, console)
        protection = self._protection()
        self._crew = Crew(request, protection, console, carries_out=carries_out, strict=strict, holds=asks)
        self._crew.headway.expect(places=len(self._places))

    def through(self, question: Question | None) -> Exit:
        """To the end, and the exit code."""
        gc.enable()  # what is left of a botocore client is cycles (measured: 0.1 MB), and each place has one
        absent: list[Absent] = self._territory.absent
        with closing(self._turns), closing(self._report()) as report:
            running = Running(self._crew, report, self._console)
            if absent:
                report.exits.append(Exit.AWS)
            code = running.through(
                self._crew.over(self._sites(report)), question, lambda code: report.end(absent, code)
            )
            publish(self._request.watching, report.numbers, code, self._console)
            return code

    def _report(self) -> FleetReport:
        at = self._now if self._request.at is None else self._request.at
        return FleetReport(self._request, self._policies, at, self._console)

    def _sites(self, report: FleetReport) -> Iterator[FleetSite]:
        """Each place with its repositories listed, a few ahead of those at work. They are closed by the report.

        At the end, what fits nothing in any of them is said, and shows in the exit code.
        """
        fits = Fits(self._request.patterns)
        for site in in_order(self._places, self._open, _OPENED_AT_ONCE):
            if site.failure is None:
                fits.add(site.everything)
            yield site
        for complaint in fits.complaints():
            self._console.say(complaint)
            report.exits.append(Exit.AWS)

    def _open(self, place: Place) -> FleetSite:
        request, stop = self._request, self._crew.stops_reading
        traffic = Traffic(self._limits, place.account, place.region, stated=request.connection.max_rps, ended=stop)
        registry: RegistryPort = Closed(place)
        failure: Error | None = None
        try:
            if stop():
                raise Interrupted("not reached")
            registry = self._territory.open(place, traffic, request.concurrency)
        except Error as error:
            failure = error
        source = LiveSource(registry, self._live, request.at)
        console = PlaceConsole(self._console, self._turns, str(place))
        site = FleetSite(source, request, self._policies, console, place=place, traffic=traffic, in_use=self._in_use)
        site.failure = failure
        if failure is None:
            try:
                site.find(request.patterns)
            except Error as error:
                site.failure = error
        return site

    def _protection(self) -> Protection:
        """One reading of what is in use serves all places: it is looked for wherever they are."""
        request = self._request
        connection = replace(request.connection, region=self._territory.home_region)
        return protection_of(
            self._in_use, connection, self._now, self._console, allow_unread=request.allow_unread, saved=request.uses
        )


def everywhere(
    settings: Settings, entry: Entry | None, places: Sequence[Place], absent: Iterable[str], *, every_region: bool
) -> Settings:
    """What is in use is looked for in all of these places too, with their role where none is named for it.

    Also in the accounts that could not be entered: what runs there may use images of the others. With `every_region`
    each account is asked which regions it has: a call in one that is not enabled fails, and stops every deletion.
    """
    stated = tuple(dict.fromkeys(each.endpoint_region for each in places))
    regions = settings.regions or ((ALL_REGIONS,) if every_region else stated)
    accounts = tuple(dict.fromkeys((*settings.accounts, *(each.account for each in places), *absent)))
    if settings.role is not None or entry is None:
        return replace(settings, regions=regions, accounts=accounts)
    return replace(
        settings,
        regions=regions,
        accounts=accounts,
        role=entry.role,
        external_id=entry.external_id,
        session_tags=entry.session_tags,
    )
