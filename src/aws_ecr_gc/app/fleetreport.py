"""What is told of a run over several places: each place in its order, and the last word over all of them."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_ecr_gc import __version__
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.measures import count_calls, count_end, count_plan
from aws_ecr_gc.app.passage import Mark, Passage
from aws_ecr_gc.app.planfiles import Drafts
from aws_ecr_gc.app.policies import Policies
from aws_ecr_gc.app.running import Running
from aws_ecr_gc.app.site import FleetSite
from aws_ecr_gc.app.territory import Absent
from aws_ecr_gc.aws.accounts import Place
from aws_ecr_gc.config import Request
from aws_ecr_gc.errors import AwsFailure, Exit, Interrupted, worst
from aws_ecr_gc.report import document, fleets, plans, text, uses
from aws_ecr_gc.report.metrics import PlaceNumbers
from aws_ecr_gc.report.parts import Parts, lines_of
from aws_ecr_gc.report.work import Work

if TYPE_CHECKING:
    from aws_ecr_gc.usage import InUse


class _Account:
    """The numbers of one place, and the parts of its document; `number` is its place among the places."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.parts = Parts("repositories", 1)
        self.summary = fleets.Summary()
        self.exits: list[Exit] = []
        self.tried = self.interrupted = False
        self.told = 0
        """Of how many repositories it is known what became of them: the first ones."""
        self.without_plan: list[str] = []
        """Those among them that the end of the work kept from a plan."""
        self.cut = False
        """Whether plans were not carried out because the work ended."""


class FleetReport:
    """The plans of all places as they come: text at once, JSON at the end."""

    def __init__(
        self,
        request: Request,
        policies: Policies,
        now: float,
        console: Console,
        *,
        places: Sequence[Place],
        drafts: Drafts | None = None,
    ) -> None:
        """`places` are those that are to come, in their order. With `drafts`, the plans go into files too."""
        self._drafts = drafts
        self._request = request
        self._expected = places
        self._policies = policies
        self._now = now
        self._console = console
        self._started = time.monotonic()
        self._places = Parts("places", 1)
        self._open: dict[FleetSite, _Account] = {}
        self._in_use: InUse | None = None
        self._number = self._empty = 0
        self._tried = False
        self._failed: dict[int, str] = {}
        self._work = Work()
        self.summary = fleets.Summary()
        self._numbers: dict[int, PlaceNumbers] = {}
        self.exits: list[Exit] = []

    def close(self) -> None:
        """Let go of what is kept."""
        self._places.close()
        for each in self._open.values():
            each.parts.close()

    @property
    def numbers(self) -> list[PlaceNumbers]:
        """Those of each place, in order."""
        return [numbers for _, numbers in sorted(self._numbers.items())]

    def planned(self, each: Passage) -> None:
        """The same, where nothing is carried out before all plans are told. Raises OutputLost."""
        self.take(each)
        if each.mark is Mark.END:
            site = _site_of(each)
            site.turn.end()
            site.rest()

    def take(self, each: Passage) -> None:
        """Tell of a repository that got as far as it gets for now. Raises OutputLost."""
        site = _site_of(each)
        if each.mark is Mark.BEGIN:
            self._open.setdefault(site, _Account(len(self._open) + self._number))
            site.turn.begin(self._heading(site))
        account = self._open.get(site)
        if account is None or each.mark is not None:
            return
        each.aside.tell()
        if each.is_counted:
            return
        each.is_counted = True
        account.told += 1
        if each.unread is not None:
            site.sweep.has_failed(each.name, each.unread)
        elif each.left_alone:
            site.sweep.left_alone.append(each.name)
        elif each.taken_at is None:
            account.without_plan.append(each.name)
        if each.taken_at is not None:
            self._in_use = each.in_use or self._in_use
            count_plan(account.summary, each)
            if self._drafts is not None and each.made is not None:
                self._drafts.add(site.place, each.made, each.refused)
            if not each.refused:
                self._work += each.sum.work
            if each.refused:
                account.exits.append(Exit.REFUSED)

    def end_of(self, each: Passage) -> None:
        """Tell how its plan ended, if it was carried out, and let go of it. Raises OutputLost."""
        site = _site_of(each)
        account = self._open.get(site)
        if account is None or each.mark is Mark.BEGIN:
            return
        if each.mark is Mark.END:
            self._end_place(site, account)
            return
        each.aside.tell()
        if each.ended is not None:
            ended = each.ended
            account.tried = account.tried or ended.tried
            account.interrupted = account.interrupted or ended.interrupted
            count_end(account.summary, each)
            account.exits.append(ended.exit)
        account.cut = account.cut or each.not_reached
        each.forget()
        if each.has_document:
            account.parts.add(each.document())

    def _heading(self, site: FleetSite) -> list[str]:
        if self._request.output == "json" or not site.names:
            return []
        return [fleets.heading(site.place.account, site.place.region)]

    def _end_place(self, site: FleetSite, account: _Account) -> None:
        del self._open[site]
        without_plan = [*account.without_plan, *site.names[account.told :]]
        failure = site.failure
        if failure is None and (without_plan or account.cut):
            failure = Interrupted("interrupted") if self._console.stop() else AwsFailure("the work ended before")
        if failure is not None:
            self._failed[account.number] = str(site.place)
            account.exits.append(Exit.INTERRUPTED if isinstance(failure, Interrupted) else Exit.AWS)
            names = f"; no plan for {text.some(without_plan)}" if without_plan else ""
            site.console.say(f"not brought to its end: {failure}{names}")
        self._number += 1
        self._empty += not site.names and failure is None
        self._tried = self._tried or account.tried
        code = worst([*site.sweep.exits, *account.exits])
        site.log.end(code, interrupted=account.interrupted)
        summary = account.summary
        count_calls(summary, site.tally, site.seconds)
        self.summary.add(summary)
        if site.names:
            site.console.say(fleets.of_one(summary))
        where = site.place
        self._numbers[account.number] = PlaceNumbers(where.account, where.region, int(code), summary, time.time())
        self.exits.append(code)
        site.end()
        if self._request.output == "text":
            self._tell_left_alone(site)
        else:
            place = site.place
            content = fleets.PlaceDocument(
                account=place.account,
                region=place.region,
                partition=place.partition,
                failure=None if failure is None else str(failure),
                repositories=[],
                left_alone=site.sweep.left_alone,
                unread=site.sweep.unread,
                without_plan=without_plan,
                exit=int(code),
                summary=summary,
            )
            self._places.add(lines_of(account.parts.lines(content)), account.number)
        account.parts.close()
        if self._drafts is not None:
            self._drafts.write(site.place, site.console)
        if site.turn.has_begun:
            site.turn.end()

    def _tell_left_alone(self, site: FleetSite) -> None:
        lines = list(plans.left_alone(site.sweep.left_alone))
        if lines and not site.turn.has_begun:  # its plans were told, and nothing was carried out
            site.turn.begin(self._heading(site))
        if lines:
            site.turn.print(lines)

    def end(self, absent: Sequence[Absent], running: Running) -> None:
        """The last word. Raises OutputLost."""
        for site, account in list(self._open.items()):  # the work ended in the middle of them
            self._end_place(site, account)
        reason = "interrupted" if self._console.stop() else "the work ended before"
        unreached = [Absent(each.account, each.region, reason) for each in self._expected[self._number :]]
        if unreached:
            self.exits.append(Exit.INTERRUPTED if self._console.stop() else Exit.AWS)
        absent = [*absent, *unreached]
        code = running.exit
        for number, each in enumerate(absent, self._number):
            self._numbers[number] = PlaceNumbers(
                each.account, each.region or "", int(Exit.AWS), fleets.Summary(), time.time()
            )
        self.summary.seconds = round(time.monotonic() - self._started, 3)
        names = [*map(str, absent), *(name for _, name in sorted(self._failed.items()))]
        if self._request.output == "text":
            self._console.print(
                fleets.total(self._number, self._empty, self.summary, self._work, carried_out=self._tried)
            )
            self._console.print(fleets.absent(names))
            if self._in_use is not None:
                self._console.print(uses.reading(self._in_use))
        else:
            self._console.print(self._places.lines(self._document(absent, code)))
        self._console.say(fleets.traffic(self.summary))

    def _document(self, absent: Sequence[Absent], code: Exit) -> fleets.FleetDocument:
        return fleets.FleetDocument(
            version=1,
            tool=f"aws-ecr-gc {__version__}",
            at=document.moment(self._now),
            policy_files=[str(path) for path in self._policies.files],
            policy_sha256=self._policies.sha256,
            places=[],
            absent=[fleets.AbsentPart(each.account, each.region, each.reason) for each in absent],
            in_use=None if self._in_use is None else uses.in_use_part(self._in_use),
            exit=int(code),
            summary=self.summary,
            shard=None if self._request.shard is None else str(self._request.shard),
        )


def _site_of(each: Passage) -> FleetSite:
    site = each.site
    if not isinstance(site, FleetSite):
        raise TypeError("the crew makes no other sites for a fleet")
    return site
