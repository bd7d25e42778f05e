"""What is told of a run over several places: each place in its order, and the last word over all of them."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_ecr_gc import __version__
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.measures import count_calls, count_end, count_plan
from aws_ecr_gc.app.passage import Mark, Passage
from aws_ecr_gc.app.planfiles import Draft
from aws_ecr_gc.app.policies import Policies
from aws_ecr_gc.app.site import FleetSite
from aws_ecr_gc.app.territory import Absent
from aws_ecr_gc.config import Request
from aws_ecr_gc.errors import Exit, Interrupted, worst
from aws_ecr_gc.report import document, fleets, plans, uses
from aws_ecr_gc.report.metrics import PlaceNumbers
from aws_ecr_gc.report.parts import Parts, lines_of
from aws_ecr_gc.report.work import Work

if TYPE_CHECKING:
    from aws_ecr_gc.usage import InUse


class _Account:
    """The numbers of one place, and the parts of its document."""

    def __init__(self) -> None:
        self.parts = Parts("repositories", 1)
        self._work = Work()
        self.summary = fleets.Summary()
        self.exits: list[Exit] = []
        self.tried = self.called = self.interrupted = False
        self.told = False


class FleetReport:
    """The plans of all places as they come: text at once, JSON at the end."""

    def __init__(
        self, request: Request, policies: Policies, now: float, console: Console, draft: Draft | None = None
    ) -> None:
        self._request = request
        self._draft = draft
        self._policies = policies
        self._now = now
        self._console = console
        self._started = time.monotonic()
        self._places = Parts("places", 1)
        self._open: dict[FleetSite, _Account] = {}
        self._in_use: InUse | None = None
        self._number = self._empty = 0
        self._tried = False
        self._failed: list[str] = []
        self._work = Work()
        self.summary = fleets.Summary()
        self.numbers: list[PlaceNumbers] = []
        self.exits: list[Exit] = []

    def close(self) -> None:
        """Let go of what is kept."""
        self._places.close()
        for each in self._open.values():
            each.parts.close()

    def take(self, each: Passage) -> None:
        """Tell of a repository that got as far as it gets for now. Raises OutputLost."""
        site = _site_of(each)
        if each.mark is Mark.BEGIN:
            self._open.setdefault(site, _Account())
        account = self._open.get(site)
        if account is None or each.mark is not None:
            return
        each.aside.tell()
        if each.is_counted:
            return
        each.is_counted = True
        if each.unread is not None:
            site.sweep.has_failed(f"{each.name} ({site.place})", each.unread, each.name)
        elif each.left_alone:
            site.sweep.left_alone.append(each.name)
        if each.taken_at is not None:
            self._in_use = each.in_use or self._in_use
            count_plan(account.summary, each)
            if self._draft is not None and each.made is not None:
                self._draft.add(each.made, each.refused)
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
        each.forget()
        if each.encoded is not None:
            account.parts.add(each.encoded.splitlines())

    def _end_place(self, site: FleetSite, account: _Account) -> None:
        del self._open[site]
        failure = None if site.failure is None else str(site.failure)
        if failure is not None:
            self._failed.append(str(site.place))
            account.exits.append(Exit.AWS)
            if not isinstance(site.failure, Interrupted):
                self._console.say(f"{site.place}: not read to the end: {failure}")
        self._number += 1
        self._empty += not site.names and failure is None
        self._tried = self._tried or account.tried
        code = worst([*site.sweep.exits, *account.exits])
        site.log.end(code, interrupted=account.interrupted)
        summary = account.summary
        count_calls(summary, site.tally, site.seconds)
        self.summary.add(summary)
        self.numbers.append(PlaceNumbers(site.place.account, site.place.region, int(code), summary))
        self.exits.append(code)
        site.close()
        if self._request.output == "text":
            self._console.print(plans.left_alone(site.sweep.left_alone))
        else:
            place = site.place
            content = fleets.PlaceDocument(
                account=place.account,
                region=place.region,
                partition=place.partition,
                failure=failure,
                repositories=[],
                left_alone=site.sweep.left_alone,
                unread=site.sweep.unread,
                exit=int(code),
                summary=summary,
            )
            self._places.add(lines_of(account.parts.lines(content)))
        account.parts.close()

    def end(self, absent: Sequence[Absent], code: Exit) -> None:
        """The last word. Raises OutputLost."""
        for site, account in list(self._open.items()):  # the work ended in the middle of them
            self._end_place(site, account)
        self.summary.seconds = round(time.monotonic() - self._started, 3)
        names = [*map(str, absent), *self._failed]
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
    assert isinstance(site, FleetSite)  # noqa: S101 - the crew makes no others for a fleet
    return site
