"""`plan` and `run` over several accounts and regions."""

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from msgspec.structs import replace

from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.crew import Crew
from aws_ecr_gc.app.fleetreport import FleetReport
from aws_ecr_gc.app.live import Live
from aws_ecr_gc.app.measures import publish
from aws_ecr_gc.app.pipeline import in_order
from aws_ecr_gc.app.planfiles import Drafts
from aws_ecr_gc.app.policies import Policies
from aws_ecr_gc.app.protection import Protection, protection_of
from aws_ecr_gc.app.reopening import Reopening
from aws_ecr_gc.app.running import Question, Running
from aws_ecr_gc.app.site import Fits, FleetSite
from aws_ecr_gc.app.sources import LiveSource
from aws_ecr_gc.app.territory import Absent, Territory, registry_of
from aws_ecr_gc.app.turns import PlaceConsole, Turns
from aws_ecr_gc.aws.accounts import Place
from aws_ecr_gc.aws.pacing import Limits, Traffic
from aws_ecr_gc.config import Request
from aws_ecr_gc.discovery.settings import Settings
from aws_ecr_gc.errors import Error, Exit, Interrupted, Misuse
from aws_ecr_gc.ports import remaining
from aws_ecr_gc.report import text
from aws_ecr_gc.shards import Shard
from aws_ecr_gc.targets import ALL_REGIONS, Entry

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
    if request.shard is not None and not targets.is_fleet:
        raise Misuse(
            "--shard: there is one account and region, whose limits all machines would share; leave --shard out, or "
            "name more accounts or regions"
        )
    if targets.is_fleet:
        if request.snapshot is not None:
            raise Misuse("--snapshot and several accounts or regions: a snapshot is of one; leave the others out")
        if request.backup is not None:
            raise Misuse("--backup and several accounts or regions: copies are made of one; back up each by itself")
        if connection.registry_id is not None:
            raise Misuse("--registry-id and several accounts or regions: name the accounts with --account and --role")
    return replace(request, targets=targets, patterns=remaining(targets.repositories), connection=connection)


def plan_fleet(request: Request, policies: Policies, *, now: float, console: Console, out: Path | None) -> Exit:
    """Plan every repository of every place; with `out`, into a file for each place in that directory, or into that
    file where one account and region are stated.

    Raises `errors.Error` where nothing can be planned, and OutputLost.
    """
    fleet = _Fleet(request, policies, now, console, carries_out=False, holds=out is not None, out=out)
    return fleet.through(None)


def run_fleet(
    request: Request, policies: Policies, *, now: float, console: Console, question: Question | None, strict: bool
) -> Exit:
    """Plan and delete in every place; with a question, all plans are made and shown before it is asked.

    Raises `errors.Error` where nothing can be planned, and OutputLost.
    """
    fleet = _Fleet(
        request, policies, now, console, carries_out=question is None, strict=strict, holds=question is not None
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
        holds: bool = False,
        out: Path | None = None,
    ) -> None:
        self._request = request
        self._policies = policies
        self._now = now
        self._console = console
        if request.at is not None:
            console.say(f"as at {text.moment(request.at)} UTC")
        self._territory = Territory(request.targets, request.connection, console.say, console.stop)
        places = self._territory.places()
        self._places = _part(places, request.shard)
        if request.shard is not None and not self._places:
            console.say(f"no account and region falls to shard {request.shard}: nothing to do")
        for each in self._territory.absent:
            console.say(f"account {each}: no plan: {each.reason}")
        self._limits = Limits()
        settings = policies.in_use
        if settings is not None and settings.asks_aws:
            absent = [each.account for each in self._territory.absent]
            every = ALL_REGIONS in request.targets.regions and request.uses is None
            settings = everywhere(settings, request.targets.entry, places, absent, every_region=every)
        self._in_use = settings
        one = request.targets.is_one
        self._drafts = None if out is None else Drafts(out, request, policies, now, asked=settings, one=one)
        self._live = Live(request.directories, now, console)
        protection = self._protection()
        self._crew = Crew(request, protection, console, carries_out=carries_out, strict=strict, holds=holds)
        self._crew.headway.expect(places=len(self._places))
        self._turns = Turns(console)

    def through(self, question: Question | None) -> Exit:
        """To the end, and the exit code."""
        gc.enable()  # what is left of a botocore client is cycles (measured: 0.1 MB), and each place has one
        absent: list[Absent] = self._territory.absent
        with closing(self._turns), closing(self._crew), closing(self._report()) as report:
            running = Running(self._crew, report, self._console)
            if absent:
                report.exits.append(Exit.AWS)
            sites = self._sites(report)
            code = running.through(self._crew.over(sites), question, lambda: report.end(absent, running))
            publish(self._request.watching, report.numbers, code, self._console)
            return code

    def _report(self) -> FleetReport:
        at = self._now if self._request.at is None else self._request.at
        return FleetReport(self._request, self._policies, at, self._console, places=self._places, drafts=self._drafts)

    def _sites(self, report: FleetReport) -> Iterator[FleetSite]:
        """Each place with its repositories listed, a few ahead of those at work. They are closed by the report.

        At the end, what fits nothing in any of them is said, and shows in the exit code.
        """
        fits = Fits(self._request.patterns)
        for site in in_order(self._places, self._open, _OPENED_AT_ONCE):
            if site.failure is None:
                fits.add(site.everything)
            yield site
        for complaint in () if self._request.is_part else fits.complaints():
            self._console.say(complaint)
            report.exits.append(Exit.AWS)

    def _open(self, place: Place) -> FleetSite:
        request, stop = self._request, self._crew.stops_reading
        rps, ended = request.connection.max_rps, self._console.stop
        traffic = Traffic(self._limits, place.account, place.region, stated=rps, ended=ended)
        registry = Reopening(registry_of(place), lambda: self._territory.open(place, traffic, request.concurrency))
        site = FleetSite(
            LiveSource(registry, self._live, request.at),
            request,
            self._policies,
            PlaceConsole(self._console, self._turns, str(place)),
            place=place,
            traffic=traffic,
            in_use=self._in_use,
        )
        try:
            if stop():
                raise Interrupted("interrupted before it was looked into")
            site.find(request.patterns)
        except Error as error:
            site.failure = error
        return site

    def _protection(self) -> Protection:
        """One reading of what is in use serves all places: it is looked for wherever they are.

        With a shard too: what runs where other machines look may be of an image here.
        """
        request = self._request
        connection = replace(request.connection, region=self._territory.home_region)
        return protection_of(
            None if request.defers_in_use else self._in_use,
            connection,
            self._now,
            self._console,
            allow_unread=request.allow_unread,
            saved=request.uses,
        )


def _part(places: Sequence[Place], shard: Shard | None) -> Sequence[Place]:
    return [each for each in places if shard is None or shard.holds(each.account, each.region)]


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
