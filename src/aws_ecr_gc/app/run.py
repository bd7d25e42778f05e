"""`run`: plan every repository and carry the plans out."""

from collections.abc import Callable, Iterable, Iterator

from aws_ecr_gc.app.backup import Backups
from aws_ecr_gc.app.cautions import Cautions
from aws_ecr_gc.app.collect import exit_of, say_what_is_left
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.journals import About, Log, part_of
from aws_ecr_gc.app.live import Live, Planned
from aws_ecr_gc.app.plan import Report, materials
from aws_ecr_gc.app.policies import Policies, policies_of
from aws_ecr_gc.app.protection import Protected, Protection, protection_of
from aws_ecr_gc.app.sources import LiveSource, open_live
from aws_ecr_gc.app.sweep import Sweep
from aws_ecr_gc.apply import Applied, Earlier, Terms
from aws_ecr_gc.config import Request
from aws_ecr_gc.errors import Error, Exit, GuardStopped, Interrupted, JournalLost, OutputLost, WorkloadsUnread, worst
from aws_ecr_gc.report import plans, work

Question = Callable[[str], bool]
"""Asks whether to go on; the text names the numbers."""


def run(request: Request, *, now: float, console: Console, question: Question | None, strict: bool) -> Exit:
    """Plan and delete, repository by repository; with a question, all plans are made and shown before it is asked.

    Exit 4 where a guard refused a repository: that one is left as it is. Raises `errors.Error` where nothing can be
    planned, and OutputLost.
    """
    policies = policies_of(request)
    protection = protection_of(policies.in_use, request.connection, now, console, allow_unread=request.allow_unread)
    with open_live(request.connection, Live(request.directories, now, console)) as source:
        return _Run(
            request, policies, source, protection=protection, now=now, console=console, strict=strict
        ).carry_out(question)


class _Run:
    """One run; what it did is reported also when it ends before its time."""

    def __init__(
        self,
        request: Request,
        policies: Policies,
        source: LiveSource,
        *,
        protection: Protection,
        now: float,
        console: Console,
        strict: bool,
    ) -> None:
        self._policies = policies
        self._protection = protection
        self._source = source
        self._console = console
        self._strict = strict
        self._sweep = Sweep(source, request.patterns, console)
        self._report = Report(request, policies, now, console, Cautions(request, source, console))
        about = About(part_of(policies.files, policies.sha256), policies.in_use, request.allow_unread)
        self._log = Log(request.journal, about, request.connection, request.directories, console)
        self._backups = Backups(request.backup, request.connection, source.live, console)
        self._ended = False
        self._interrupted = False
        self._changed = False
        self._deeds: list[str] = []

    def carry_out(self, question: Question | None) -> Exit:
        exits: list[Exit] = []
        try:
            ready: Iterable[Protected] = self._plans()
            if question is not None:
                ready = self._confirmed(list(ready), question)
            for each in ready:
                if self._ended:
                    self._console.say(f"repository {each.plan.repository.name}: not reached; run again to finish")
                    continue
                exits.append(self._apply(each))
        except OutputLost:
            raise
        except Error as error:
            if not self._changed:
                raise
            # What is wrong now was right before something was deleted: it is no misuse, and what was done is told.
            interrupted = isinstance(error, Interrupted)
            self._console.say("interrupted while reading; run again to finish" if interrupted else str(error))
            exits.append(Exit.AWS if error.exit is Exit.MISUSE else error.exit)
        try:
            self._report.end(self._sweep)
        except OutputLost:
            for line in self._deeds:
                self._console.say(line)
            raise
        code = worst([*self._sweep.exits, *self._report.exits, *exits])
        self._log.end(code, interrupted=self._interrupted)
        return code

    def _plans(self) -> Iterator[Protected]:
        for made in self._protection.plans(materials(self._source, self._sweep, self._policies)):
            if self._report.add(made):
                yield made

    def _confirmed(self, ready: list[Protected], question: Question) -> list[Protected]:
        """What may be carried out, once the user has seen it all and agreed."""
        going = [each.plan for each in ready if each.plan.steps]
        if not going:
            return ready
        if self._console.stop():
            raise Interrupted("interrupted; nothing was changed")
        if question(plans.question(going)):
            return ready
        self._console.say("nothing was changed")
        return []

    def _apply(self, made: Protected) -> Exit:
        plan, name = made.plan, made.plan.repository.name
        terms = made.material.terms
        inventory = made.material.inventory
        port = self._source.registry.repository(name)

        def carry_out(terms: Terms, earlier: Earlier) -> Applied:
            recorder = self._log.recorder(plan, inventory, terms, made.in_use)
            if plan.steps:
                self._changed = True
            return self._source.live.apply(
                Planned(plan, made.material.left_over),
                port,
                self._protection.veto(made),
                terms=terms,
                earlier=earlier,
                recorder=recorder,
            )

        untouched = not self._changed
        applied = self._backups.before(carry_out, plan, inventory.images, port, terms=terms)
        self._deeds.append(f"{name}: {work.deeds(plan, applied.outcomes)}")
        try:
            self._report.applied(plan, applied)
        except OutputLost:
            self._console.say(self._deeds[-1])
            raise
        say_what_is_left(plan, applied, self._console)
        self._interrupted = applied.interrupted
        self._ended = applied.interrupted or isinstance(
            applied.stopped_by, (WorkloadsUnread, GuardStopped, JournalLost)
        )
        return exit_of(applied, strict=self._strict, untouched=untouched)
