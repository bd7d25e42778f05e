"""Taking plans to their end: what was done is told also where the work ends before its time."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.crew import Crew, exit_for
from aws_ecr_gc.app.passage import Ended, Passage
from aws_ecr_gc.errors import Error, Exit, Interrupted, JournalLost, NoJournal, OutputLost, worst
from aws_ecr_gc.report import plans

Question = Callable[[str], bool]
"""Asks whether to go on; the text names the numbers."""


class Telling(Protocol):
    """A report: each repository as it has a plan, and as that has ended. All raise OutputLost.

    `planned` takes what has a plan where nothing ends before all have one.
    """

    exits: list[Exit]

    def planned(self, each: Passage) -> None: ...
    def take(self, each: Passage) -> None: ...
    def end_of(self, each: Passage) -> None: ...


class Running:
    """One run; what it did is reported also when it ends before its time."""

    def __init__(self, crew: Crew, report: Telling, console: Console) -> None:
        self._crew = crew
        self._report = report
        self._console = console
        self._ended: list[Ended] = []
        self._failure: Error | None = None

    def through(self, passages: Iterable[Passage], question: Question | None, end: Callable[[], None]) -> Exit:
        """Take them all to their end, and `end` the report. Raises `errors.Error`."""
        try:
            self._go(passages, question)
            if self._failure is not None and not self._changed:
                raise self._failure
            if self._failure is not None:
                interrupted = isinstance(self._failure, Interrupted)
                self._console.say(
                    "interrupted while reading; run again to finish" if interrupted else str(self._failure)
                )
            end()
        except OutputLost:
            for each in self._ended:
                self._console.say(each.deletions)
            raise
        return self.exit

    @property
    def exit(self) -> Exit:
        """The exit code as it stands."""
        return worst([*self._report.exits, *self._exits()])

    @property
    def interrupted(self) -> bool:
        """Whether a deletion was."""
        return any(each.interrupted for each in self._ended)

    def _go(self, passages: Iterable[Passage], question: Question | None) -> None:
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
            self._report.planned(each)
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
            raise Interrupted("interrupted; nothing was changed")
        if question(plans.question(going)):
            return True
        self._console.say("nothing was changed")
        return False

    @property
    def _changed(self) -> bool:
        """Whether anything was to be deleted that was not only planned."""
        return any(each.tried for each in self._ended)

    def _exits(self) -> Iterator[Exit]:
        called = any(each.called for each in self._ended)
        for each in self._ended:
            yield each.exit if called else each.alone
        if isinstance(self._failure, (JournalLost, NoJournal)) and not called:
            yield Exit.MISUSE  # as `exit_of`
        elif self._failure is not None:
            yield exit_for(self._failure)
