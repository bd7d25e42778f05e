"""`run`: plan every repository and carry the plans out."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing

from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.crew import Crew, exit_for
from aws_ecr_gc.app.live import Live
from aws_ecr_gc.app.passage import Ended, Passage
from aws_ecr_gc.app.policies import policies_of
from aws_ecr_gc.app.protection import protection_of
from aws_ecr_gc.app.report import Report
from aws_ecr_gc.app.site import Site
from aws_ecr_gc.app.sources import open_live
from aws_ecr_gc.config import Request
from aws_ecr_gc.errors import Error, Exit, Interrupted, OutputLost, worst
from aws_ecr_gc.report import plans

Question = Callable[[str], bool]
"""Asks whether to go on; the text names the numbers."""


def run(request: Request, *, now: float, console: Console, question: Question | None, strict: bool) -> Exit:
    """Plan and delete, many repositories at once; with a question, all plans are made and shown before it is asked.

    Exit 4 where a guard refused a repository: that one is left as it is. Raises `errors.Error` where nothing can be
    planned, and OutputLost.
    """
    policies = policies_of(request)
    protection = protection_of(policies.in_use, request.connection, now, console, allow_unread=request.allow_unread)
    live = Live(request.directories, now, console)
    with open_live(request.connection, live, request.concurrency) as source:
        site = Site(source, request, policies, console)
        crew = Crew(
            request, protection, console, carries_out=question is None, strict=strict, holds=question is not None
        )
        with closing(Report(request, policies, now, console)) as report:
            return _Run(site, crew, report, console).to_the_end(question)


class _Run:
    """One run; what it did is reported also when it ends before its time."""

    def __init__(self, site: Site, crew: Crew, report: Report, console: Console) -> None:
        self._site = site
        self._crew = crew
        self._report = report
        self._console = console
        self._ended: list[Ended] = []
        self._failure: Error | None = None

    def to_the_end(self, question: Question | None) -> Exit:
        try:
            self._go(question)
            if self._failure is not None and not self._changed:
                raise self._failure
            if self._failure is not None:
                interrupted = isinstance(self._failure, Interrupted)
                self._console.say(
                    "interrupted while reading; run again to finish" if interrupted else str(self._failure)
                )
            self._report.end(self._site.sweep)
        except OutputLost:
            for each in self._ended:
                self._console.say(each.deletions)
            raise
        code = worst([*self._site.sweep.exits, *self._report.exits, *self._exits()])
        self._site.log.end(code, interrupted=any(each.interrupted for each in self._ended))
        return code

    def _go(self, question: Question | None) -> None:
        passages = self._crew.passages(self._site)
        try:
            if question is None:
                self._take(self._crew.through(passages))
            else:
                planned = list(self._looked_at(self._crew.through(passages)))
                if self._failure is None and self._agreed(planned, question):
                    self._take(self._crew.carried_out(planned))
        except OutputLost:
            raise
        except Error as error:
            self._failure = self._failure or error

    def _looked_at(self, passages: Iterable[Passage]) -> Iterator[Passage]:
        """What has a plan, told."""
        for each in passages:
            self._failure = self._failure or each.failure
            self._report.take(each)
            yield each

    def _take(self, passages: Iterable[Passage]) -> None:
        """Tell of what has ended. Where nobody hears of it, what is under way ends before OutputLost is raised."""
        lost: OutputLost | None = None
        try:
            for each in passages:
                if lost is None:
                    lost = self._told(each)
                elif each.ended is not None:
                    self._ended.append(each.ended)
                if lost is not None:
                    self._crew.give_up(unheard=True)
                self._crew.told(each)
        except BaseException:  # those under way would wait for their turn to be told
            self._crew.give_up(unheard=True)
            raise
        if lost is not None:
            raise lost

    def _told(self, each: Passage) -> OutputLost | None:
        """Tell of one; what keeps it from being told, if anything does."""
        self._failure = self._failure or each.failure
        if each.ended is not None:
            self._ended.append(each.ended)
        if isinstance(each.failure, OutputLost):
            return each.failure
        try:
            self._report.take(each)
            self._report.end_of(each)
        except OutputLost as error:
            return error
        return None

    def _agreed(self, planned: Iterable[Passage], question: Question) -> bool:
        """Whether what was shown may be carried out."""
        going = [each.plan for each in planned if each.plan is not None and each.plan.steps and not each.refused]
        if not going:
            return True
        if self._console.stop():
            raise Interrupted("interrupted; nothing was deleted")
        if question(plans.question(going)):
            return True
        self._console.say("nothing was deleted")
        return False

    @property
    def _changed(self) -> bool:
        """Whether anything was to be deleted that was not only planned."""
        return any(each.tried for each in self._ended)

    def _exits(self) -> Iterator[Exit]:
        called = any(each.called for each in self._ended)
        for each in self._ended:
            yield each.exit if called else each.alone
        if self._failure is not None:
            yield exit_for(self._failure)
