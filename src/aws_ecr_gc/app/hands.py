"""Carrying out plans that are there already, of a file or of a journal: several at once, told in their order."""

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from aws_ecr_gc.app.collect import exit_of, say_what_is_left
from aws_ecr_gc.app.console import Aside, Console
from aws_ecr_gc.app.crew import exit_for
from aws_ecr_gc.app.pipeline import in_order
from aws_ecr_gc.apply import Applied
from aws_ecr_gc.errors import Error, Exit, JournalLost, OutputLost, WorkloadsUnread, worst
from aws_ecr_gc.plan import Plan
from aws_ecr_gc.report import text, work


class Job(Struct, frozen=True):
    """One repository: `carry_out` is given where to say things, and what tells whether those before it have ended.

    `tell` reports; it raises OutputLost.
    """

    plan: Plan
    carry_out: Callable[[Console, Callable[[], bool]], Applied]
    tell: Callable[[Applied], None]


class _Ended(Struct, frozen=True):
    """What became of a job; without `applied` and `failure` it was not begun."""

    job: Job
    aside: Aside
    applied: Applied | None = None
    failure: Error | None = None


class Hands:
    """Carry out one apply, or the rest of one: so many repositories at a time as there are workers.

    Where nobody knows what is in use, or the journal is lost, no further one is begun; those under way go on to their
    own end. What a guard ends is for `Live` to say.
    """

    def __init__(self, console: Console, workers: int, *, strict: bool, mend: str, goes_on: bool = False) -> None:
        """`mend` is how to reach what was not. With `goes_on`, something was deleted before."""
        self._console = console
        self._workers = workers
        self._strict = strict
        self._untouched = not goes_on
        self._mend = mend
        self._told: list[tuple[Plan, Applied]] = []
        self._failure: Error | None = None
        self._no_more = False
        self._unheard = False
        self._over: set[int] = set()

    def through(self, jobs: Sequence[Job]) -> None:
        """Take them to their end.

        Raises `errors.Error` where no journal can be begun, and OutputLost once all that is under way has ended.
        """
        lost: OutputLost | None = None
        done = 0
        try:
            for each in in_order(enumerate(jobs), self._one, self._workers):
                lost = lost or self._tell(each)
                self._no_more = self._no_more or lost is not None
                self._unheard = lost is not None
                if each.applied is not None:
                    self._told.append((each.job.plan, each.applied))
                    done += work.done(each.applied.outcomes)
                if len(jobs) > 1:
                    so_far = f"{len(self._told)} of {text.repositories(len(jobs))}, {text.images(done)} done"
                    self._console.show(so_far)
        except BaseException:  # those under way end after their call
            self._no_more = self._unheard = True
            raise
        self._console.clear()
        if lost is not None:
            for plan, applied in self._told:
                self._console.say(f"{plan.repository.name}: {work.deeds(plan, applied.outcomes)}")
            raise lost
        if self._failure is not None:
            if not self._told:
                raise self._failure
            self._console.say(str(self._failure))

    @property
    def exit(self) -> Exit:
        """The exit code as it stands."""
        return worst(self._exits())

    @property
    def interrupted(self) -> bool:
        """Whether a deletion was."""
        return any(applied.interrupted for _, applied in self._told)

    def _exits(self) -> Iterator[Exit]:
        untouched = self._untouched and not any(applied.called for _, applied in self._told)
        for _, applied in self._told:
            yield exit_of(applied, strict=self._strict, untouched=untouched)
        if self._failure is not None and untouched:
            yield Exit.MISUSE if isinstance(self._failure, JournalLost) else self._failure.exit  # as `exit_of`
        elif self._failure is not None:
            yield exit_for(self._failure)

    def _one(self, numbered: tuple[int, Job]) -> _Ended:
        try:
            return self._ended(*numbered)
        except BaseException:  # a defect, or Ctrl-C: those that would wait for it are let go, and it goes on from here
            self._no_more = self._unheard = True
            raise

    def _ended(self, number: int, job: Job) -> _Ended:
        aside = Aside(self._console, lambda: self._unheard or self._console.stop())
        try:
            return _Ended(job, aside) if self._no_more else self._begun(number, job, aside)
        finally:
            self._over.add(number)

    def _begun(self, number: int, job: Job, aside: Aside) -> _Ended:
        try:
            applied = job.carry_out(aside, lambda: self._over.issuperset(range(number)))
        except Error as error:
            if isinstance(error, JournalLost) and self._no_more:  # another one lost it, and says so
                return _Ended(job, aside)
            self._no_more = True
            return _Ended(job, aside, failure=error)
        if applied.interrupted or isinstance(applied.stopped_by, (WorkloadsUnread, JournalLost)):
            self._no_more = True
        return _Ended(job, aside, applied)

    def _tell(self, each: _Ended) -> OutputLost | None:
        """Tell of one; what keeps it from being told, if anything does."""
        self._failure = self._failure or each.failure
        try:
            each.aside.tell()
            if each.applied is not None:
                each.job.tell(each.applied)
                say_what_is_left(each.job.plan, each.applied, self._console)
            elif each.failure is None and self._told:
                self._console.say(f"repository {each.job.plan.repository.name}: not reached; {self._mend}")
        except OutputLost as error:
            return error
        return None
