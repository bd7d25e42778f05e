"""A fleet in stages, each by processes of its own that meet in S3: pairs, plans, what is in use, deletions, a report.

A stage may be begun any number of times, by several at once: what it has found is written once, and read by who comes
later. What does not get to its end in its time leaves no result, and the next attempt goes on.
"""

import io
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from aws_ecr_gc import __version__, usesfile
from aws_ecr_gc.app.apply import Order, apply_file
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.fleet import aimed, everywhere
from aws_ecr_gc.app.merging import Merge, Pair, pairs_of
from aws_ecr_gc.app.plan import plan
from aws_ecr_gc.app.territory import Territory
from aws_ecr_gc.app.workloads import Workloads
from aws_ecr_gc.aws.accounts import Place
from aws_ecr_gc.aws.objects import Objects
from aws_ecr_gc.config import Connection, Directories, Keeping, Request
from aws_ecr_gc.discovery.settings import Settings
from aws_ecr_gc.errors import AwsFailure, Error, Exit, Interrupted, Misuse, worst
from aws_ecr_gc.plan import Action
from aws_ecr_gc.policyfile import load
from aws_ecr_gc.report import document, fleets, plans
from aws_ecr_gc.report.logs import JSON
from aws_ecr_gc.targets import ALL_REGIONS, Entry, Targets

_PAIRS, _ABSENT, _USES, _REPORT = "pairs.json", "absent.json", "in-use.json", "report.json"


class Unfinished(Error):
    """The time was up before the work was done: what was done is on record, and another attempt goes on."""

    exit = Exit.INTERRUPTED


class Told(Struct):
    """What a stage says of a pair, in few words; the result whole is at `document`."""

    account: str
    region: str
    exit: int
    failure: str | None
    planned: int
    done: int
    document: str


class Found(Struct):
    """How many pairs there are, how many could not be found out, and whether anybody is to be asked what is in use."""

    pairs: int
    absent: int
    in_use: bool


class Report(Struct):
    """The last word: the exit code that speaks for all, and where the merged report is."""

    exit: int
    pairs: int
    absent: int
    done: int
    failed: int
    document: str


class Stages:
    """The stages of one run over a fleet; `run` is where it keeps its files, `journals` where deletions are recorded.

    `entry` stands over what the policy file says; `stop` tells when the time is nearly up.
    """

    def __init__(
        self,
        run: Objects,
        policy: Path,
        *,
        journals: str,
        entry: Entry | None,
        allow_unread: tuple[str, ...],
        now: float,
        stop: Callable[[], bool],
        scratch: Path,
    ) -> None:
        """`scratch` is a directory for files that only this process needs."""
        self._run = run
        self._journals = journals
        self._allow_unread = allow_unread
        self._now = now
        self._stop = stop
        self._scratch = scratch
        self._directories = Directories(scratch / "cache", scratch / "state")
        self._request = Request(
            policy=policy, directories=self._directories, targets=Targets(entry=entry), output="json"
        )
        self._policies = load(policy)
        self._policy = policy
        if Action.UNTAG in self._policies.actions:
            # A later attempt knows nothing of what an earlier one took, and could not put it back.
            raise Misuse(f"{policy.name}: action: untag is not carried out in stages; use `aws-ecr-gc run` for it")

    # Over the fleet

    def find_pairs(self) -> Found:
        """Write the list of accounts and regions. Raises `errors.Error` where they can't be found out."""
        territory = self._territory()
        places = territory.places()
        for each in places:
            if each.stated is not None:
                raise Misuse(f"targets: {each.stated} is an alias, and stages go by regions; write {each.region}")
        pairs = [Pair(each.account, each.region) for each in places]
        absent = [fleets.AbsentPart(each.account, each.region, each.reason) for each in territory.absent]
        self._run.put(_PAIRS, msgspec.json.encode(pairs))
        self._run.put(_ABSENT, msgspec.json.encode(absent))
        return Found(len(pairs), len(absent), self._policies.in_use is not None)

    def read_in_use(self) -> Found:
        """Read what is in use, once for all pairs, after their plans. Raises WorkloadsUnread."""
        settings = self._policies.in_use
        pairs = self._pairs()
        if settings is None:
            return Found(len(pairs), 0, in_use=False)
        if settings.asks_aws:
            places = [Place(each.account, each.region, "") for each in pairs]
            absent = [each.account for each in self._absent()]
            every = ALL_REGIONS in self._policies.targets.regions
            settings = everywhere(settings, self._entry, places, absent, every_region=every)
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            path = Path(folder) / _USES
            usesfile.save(path, self._workloads(settings).read())
            self._run.put(_USES, path.read_bytes())
        return Found(len(pairs), 0, in_use=True)

    def merge(self, stage: str) -> Report:
        """Make one report of all results of a stage, each pair once; a pair without one is told, with exit 3."""
        merge = Merge()
        for pair in self._pairs():
            name = _result(stage, pair)
            content = self._run.get(name)
            if content is None:
                merge.has_none(pair, "no result: every attempt was ended before its time")
            else:
                merge.add(content, f"{self._run.address}/{name}")
        for each in self._absent():
            merge.lacks(each)
        report = merge.document()
        address = self._run.put(_REPORT, document.encode(report).encode())
        summary = report.summary
        return Report(report.exit, len(report.places), len(report.absent), summary.done, summary.failed, address)

    # Of one account and region

    def plan(self, pair: Pair) -> Told:
        """Plan a pair, and keep the plan for `apply`. What is in use is left to that. Raises Unfinished."""
        name = _result("plan", pair)
        if (earlier := self._run.get(name)) is not None:
            return self._told(name, earlier)
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            out = Path(folder) / "plan.json"
            console, written = self._console()
            targets = Targets(accounts=(pair.account,), regions=(pair.region,), entry=self._entry)
            request = replace(self._request, targets=targets, defers_in_use=True, partial=True)
            try:
                code = plan(request, now=self._now, console=console, out=out)
                content = written.getvalue().encode()
            except Error as error:
                code, content = error.exit, self._failed(pair, error)
            self._demand_end(code, pair)
            if out.exists():
                self._run.put_first(_plan(pair), out.read_bytes())
        return self._kept(name, content)

    def apply(self, pair: Pair) -> Told:
        """Carry out the plan of a pair, as far as nothing came into use. Raises Unfinished."""
        name = _result("apply", pair)
        if (earlier := self._run.get(name)) is not None:
            return self._told(name, earlier)
        planned = self._run.get(_result("plan", pair))
        if planned is None:
            return self._kept(
                name, self._failed(pair, AwsFailure("no plan was made: every attempt was ended before its time"))
            )
        made = self._run.get(_plan(pair))
        if made is None:  # nothing could be planned, or there is nothing: that is the result of the pair
            return self._kept(name, planned)
        result = msgspec.json.decode(planned, type=fleets.FleetDocument)
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            path = Path(folder) / "plan.json"
            path.write_bytes(made)
            code = self._carried_out(pair, path, result.places[0])
        self._demand_end(code, pair)
        result.exit = int(worst([Exit(result.exit), code]))
        result.at = document.moment(self._now)
        result.summary = result.places[0].summary
        return self._kept(name, document.encode(result).encode())

    def _carried_out(self, pair: Pair, path: Path, place: fleets.PlaceDocument) -> Exit:
        """Carry out a plan file, and note in its place how that ended."""
        called = fleets.Summary()
        console, written = self._console()
        try:
            order = Order(
                plan=path,
                policy=self._policy,
                connection=Connection(region=pair.region, registry_id=pair.account, entry=self._entry),
                directories=self._directories,
                uses=self._uses(path.parent),
                allow_unread=self._allow_unread,
                journal=Keeping(self._journals),
                output="json",
            )
            code = apply_file(order, now=self._now, console=console, question=None, summary=called)
        except Interrupted:
            return Exit.INTERRUPTED
        except Error as error:
            code, place.failure = error.exit, str(error)
        else:
            _complete(place, msgspec.json.decode(written.getvalue(), type=plans.PlanDocument))
        for name in ("calls", "retries", "throttled", "seconds"):
            setattr(place.summary, name, getattr(place.summary, name) + getattr(called, name))
        place.exit = int(worst([Exit(place.exit), code]))
        return code

    # What they share

    @property
    def _entry(self) -> Entry | None:
        return self._request.targets.over(self._policies.targets).entry

    def _territory(self) -> Territory:
        request = aimed(self._request, self._policies)
        return Territory(request.targets, request.connection, self._console()[0].say, self._stop)

    def _workloads(self, settings: Settings) -> Workloads:
        return Workloads(settings, Connection(), self._allow_unread, self._console()[0], now=self._now)

    def _uses(self, folder: Path) -> Path | None:
        if self._policies.in_use is None:
            return None
        content = self._run.get(_USES)
        if content is None:
            raise Misuse(
                f"{self._run.address}/{_USES}: isn't there, and the policy asks what is in use; read that first"
            )
        path = folder / _USES
        path.write_bytes(content)
        return path

    def _pairs(self) -> Sequence[Pair]:
        name = f"{self._run.address}/{_PAIRS}"
        content = self._run.get(_PAIRS)
        if content is None:
            raise Misuse(f"{name}: isn't there; find the pairs first")
        return pairs_of(content, name)

    def _absent(self) -> Sequence[fleets.AbsentPart]:
        """What could not be found out with the pairs."""
        return msgspec.json.decode(self._run.get(_ABSENT) or b"[]", type=list[fleets.AbsentPart])

    def _console(self) -> tuple[Console, io.StringIO]:
        """Remarks go to standard error, where Lambda logs them; the result is caught."""
        written = io.StringIO()
        return Console(written, sys.stderr, self._stop, JSON), written

    def _demand_end(self, code: Exit, pair: Pair) -> None:
        """A place that the end of the time kept from being read says so as one that can't be read."""
        if code is Exit.INTERRUPTED or (code is not Exit.DONE and self._stop()):
            raise Unfinished(f"{pair.account}, {pair.region}: the time was up; another attempt goes on")

    def _kept(self, name: str, content: bytes) -> Told:
        """Of several attempts that get here, the first one's result stands."""
        if not self._run.put_first(name, content):
            content = self._run.get(name) or content
        return self._told(name, content)

    def _told(self, name: str, content: bytes) -> Told:
        place = msgspec.json.decode(content, type=fleets.FleetDocument).places[0]
        return Told(
            place.account,
            place.region,
            place.exit,
            place.failure,
            place.summary.planned,
            place.summary.done,
            f"{self._run.address}/{name}",
        )

    def _failed(self, pair: Pair, error: Error) -> bytes:
        """The document of a pair of which nothing could be planned."""
        place = fleets.PlaceDocument(
            account=pair.account,
            region=pair.region,
            partition="",
            failure=str(error),
            repositories=[],
            left_alone=[],
            unread=[],
            without_plan=[],
            exit=int(error.exit),
            summary=fleets.Summary(),
        )
        made = fleets.FleetDocument(
            version=1,
            tool=f"aws-ecr-gc {__version__}",
            at=document.moment(self._now),
            policy_files=list(map(str, self._policies.files)),
            policy_sha256=self._policies.sha256,
            places=[place],
            absent=[],
            in_use=None,
            exit=int(error.exit),
            summary=place.summary,
        )
        return document.encode(made).encode()


def _complete(place: fleets.PlaceDocument, applied: plans.PlanDocument) -> None:
    """Put in how the plans ended; what had none, or was refused, stays as the plan said."""
    ended = {each.repository.name: each for each in applied.repositories}
    place.repositories = [ended.get(each.repository.name, each) for each in place.repositories]
    for each in ended.values():
        place.summary.done += each.counts.deleted + each.counts.moved_to_archive + each.counts.untagged
        place.summary.skipped += each.counts.skipped
        place.summary.failed += each.counts.failed


def _result(stage: str, pair: Pair) -> str:
    return f"{stage}/{pair.account}-{pair.region}.json"


def _plan(pair: Pair) -> str:
    return f"plans/{pair.account}-{pair.region}.json"
