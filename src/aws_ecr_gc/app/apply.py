"""`apply`: carry out the plans of a file, as far as what they were made by still holds."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from aws_ecr_gc import __version__, planfile
from aws_ecr_gc.app.backup import Backups, demand_backup
from aws_ecr_gc.app.cautions import Replication
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.hands import Hands, Job
from aws_ecr_gc.app.journals import About, Log, demand_place, part_of
from aws_ecr_gc.app.live import Live, Planned
from aws_ecr_gc.app.measures import count_calls
from aws_ecr_gc.app.planfiles import settings_of
from aws_ecr_gc.app.protection import demand_later, loaded
from aws_ecr_gc.app.sources import LiveSource, open_live
from aws_ecr_gc.app.workloads import Workloads, needed
from aws_ecr_gc.apply import Applied, Earlier, Terms, Veto
from aws_ecr_gc.aws.session import Session
from aws_ecr_gc.config import CONCURRENCY, Connection, Directories, Keeping
from aws_ecr_gc.discovery.settings import Settings
from aws_ecr_gc.durations import spelled
from aws_ecr_gc.errors import (
    Elsewhere,
    Exit,
    Incomplete,
    Interrupted,
    Outdated,
    worst,
)
from aws_ecr_gc.inventory import Inventory
from aws_ecr_gc.planfile import PlanFile, PlannedRepository
from aws_ecr_gc.policyfile import load
from aws_ecr_gc.reference import Registry
from aws_ecr_gc.report import document, planfiles, plans, uses, work
from aws_ecr_gc.report.fleets import Summary

Question = Callable[[str], bool]
_DAY = 86400.0


class Order(Struct, frozen=True):
    """Which plan is to be carried out, and by what it must still hold; `max_age` is in seconds.

    With `policy`, the plan must be of this policy file; with `uses`, this file says what is in use.
    """

    plan: Path
    policy: Path | None = None
    connection: Connection = Connection()
    directories: Directories = Directories()
    max_age: float = _DAY
    uses: Path | None = None
    allow_unread: tuple[str, ...] = ()
    strict: bool = False
    journal: Keeping = Keeping()
    backup: str | None = None
    output: str = "text"
    concurrency: int = CONCURRENCY


def apply_file(
    order: Order, *, now: float, console: Console, question: Question | None, summary: Summary | None = None
) -> Exit:
    """Carry out a plan file; with a question, only if it is answered. How AWS was called is noted in `summary`.

    Exit 4 where a guard had refused a repository: that one is left as it is. Raises Altered, Outdated and Elsewhere for
    a plan that is not to be carried out here and now, and other `errors.Error` before anything is deleted.
    """
    demand_place(order.journal)
    demand_backup(order.backup)
    file = planfile.load(order.plan)
    _demand_recent(file, order, now)
    _demand_policy(file, order)
    _demand_protection(file, order)
    connection = connection_to(file.registry, str(order.plan), order.connection)
    going = [each for each in file.repositories if each.plan.steps and not each.refused]
    for each in file.repositories:
        for refusal in each.refused:
            name = each.plan.repository.name
            console.say(
                f"repository {name}: refused by the guard {refusal.guard}: {refusal.detail}; {refusal.way_round}"
            )
    if question is not None and going and not _agreed(file, going, console, question):
        return Exit.DONE
    veto = vetoes(
        settings_of(file.asked),
        order.uses,
        allowed(file, order),
        [each.inventory for each in going],
        connection,
        now=now,
        console=console,
    )
    with open_live(connection, Live(order.directories, now, console), order.concurrency) as source:
        code = _Carrying(file, order, source, veto, console).out(going)
        if summary is not None and source.traffic is not None:
            count_calls(summary, source.traffic.tally, source.traffic.seconds)
        return code


def _demand_recent(file: PlanFile, order: Order, now: float) -> None:
    age = now - file.made_at
    if age > order.max_age:
        raise Outdated(
            f"{order.plan}: made {spelled(age)} ago, and --max-age is {spelled(order.max_age)}; "
            "make the plan again, or raise --max-age"
        )


def _demand_policy(file: PlanFile, order: Order) -> None:
    if order.policy is not None and load(order.policy).sha256 != file.policy.sha256:
        made_by = ", ".join(file.policy.files) or "flags"
        raise Elsewhere(f"{order.plan}: made by another policy than {order.policy}: {made_by}; make the plan again")


def _demand_protection(file: PlanFile, order: Order) -> None:
    """A plan that only a file protected has nobody to ask what is in use now."""
    if file.seen is not None and file.asked is None and order.uses is None:
        raise Outdated(
            f"{order.plan}: what is in use was taken from a file when it was made, and no policy says whom to ask; "
            "give --in-use with a younger file"
        )


def connection_to(registry: Registry, name: str, stated: Connection) -> Connection:
    """The connection to the registry that a file is about.

    Raises Elsewhere where credentials or region are of another one.
    """
    try:
        session = Session(stated.profile, stated.region)
    except Incomplete:
        session = Session(stated.profile, registry.region)
    if session.region != registry.region:
        raise Elsewhere(
            f"{name}: of the registry in {registry.region}, and the region here is {session.region}; "
            f"give --region {registry.region} if it is meant"
        )
    if registry.account is not None:
        account = stated.registry_id or (registry.account if stated.entry is not None else _account(session))
        if account != registry.account:
            raise Elsewhere(
                f"{name}: of the registry of {registry.account}, and this is {account}; check the credentials, "
                f"or give --registry-id {registry.account} if it is meant"
            )
    entered = None if stated.entry is None else registry.account
    return replace(stated, region=session.region, registry_id=stated.registry_id or entered)


def _account(session: Session) -> str:
    with closing(session.client("sts")) as client:
        return str(client.call("GetCallerIdentity", "Account")["Account"])


def _agreed(file: PlanFile, going: Sequence[PlannedRepository], console: Console, question: Question) -> bool:
    for each in going:
        console.print(plans.lines(each.plan, each.policy, (), each.broken))
    console.print([planfiles.total(file)])
    if console.stop():
        raise Interrupted("interrupted; nothing was changed")
    if question(plans.question([each.plan for each in going])):
        return True
    console.say("nothing was changed")
    return False


Vetoes = Callable[[Inventory], Veto | None]
"""What may object to steps of the repository with this inventory."""


def vetoes(
    settings: Settings | None,
    saved: Path | None,
    allow_unread: tuple[str, ...],
    inventories: Iterable[Inventory],
    connection: Connection,
    *,
    now: float,
    console: Console,
) -> Vetoes:
    """What is in use now, if that is to be asked, or as a file says that is younger than the inventories."""
    if saved is not None:
        in_use = loaded(saved, settings, allow_unread)
        for each in inventories:
            demand_later(in_use, each, str(saved))

        def by_file(inventory: Inventory) -> Veto:
            vetoed: Mapping[str, str] = needed(inventory, in_use)
            return lambda: vetoed

        return by_file
    if settings is None:
        return lambda _: None
    workloads = Workloads(settings, connection, allow_unread, console, now=now)
    return lambda inventory: workloads.veto(inventory, None)


def allowed(file: PlanFile, order: Order) -> tuple[str, ...]:
    """What may be missing of what is in use: what the plan was made with, and what was said now."""
    return tuple(dict.fromkeys((*file.allow_unread, *order.allow_unread)))


class _Carrying:
    """One apply, repository by repository."""

    def __init__(self, file: PlanFile, order: Order, source: LiveSource, veto: Vetoes, console: Console) -> None:
        self._file = file
        self._order = order
        self._source = source
        self._veto = veto
        self._console = console
        about = About(
            part_of(file.policy.files, file.policy.sha256), settings_of(file.asked), allowed(file, order), file.checksum
        )
        self._log = Log(order.journal, about, order.connection, order.directories, console)
        self._backups = Backups(order.backup, order.connection, source.live, console)
        self._parts: list[plans.RepositoryPlan] = []
        self._carried_out, self._refused = plans.Sum(), plans.Sum()
        self._done = 0

    def out(self, going: Sequence[PlannedRepository]) -> Exit:
        """Carry out what may be, and report."""
        refused = [each for each in self._file.repositories if each.refused]
        for each in refused:
            self._refused.add(each.plan)
        replication = Replication(self._source.delete_replication)
        for each in going:
            replication.warn(each.plan, self._console)
        mend = "apply the plan again to finish"
        hands = Hands(self._console, self._order.concurrency, strict=self._order.strict, mend=mend)
        hands.through([Job(each.plan, partial(self._one, each), partial(self._report, each)) for each in going])
        self._end()
        code = worst([hands.exit, *(Exit.REFUSED for _ in refused)])
        self._log.end(code, interrupted=hands.interrupted)
        return code

    def _one(self, planned: PlannedRepository, console: Console, is_next: Callable[[], bool]) -> Applied:
        plan = planned.plan
        inventory = planned.inventory
        terms = Terms(
            pulled_since=inventory.read_until if planned.heeds_pulls else None,
            canary=planned.canary,
            max_failures=planned.max_failures,
        )
        port = self._source.registry.repository(plan.repository.name)
        live = self._source.live.telling(console)
        if (kept := live.kept_from(plan.repository, terms, is_next)) is not None:
            return kept

        def carry_out(terms: Terms, earlier: Earlier) -> Applied:
            return live.apply(
                Planned(plan, live.leftovers(plan.repository)),
                port,
                self._veto(inventory),
                terms=terms,
                earlier=earlier,
                recorder=self._log.recorder(plan, inventory, terms, self._file.seen, console),
            )

        backups = self._backups.telling(live, console)
        return backups.before(carry_out, plan, inventory.images, port, terms=terms)

    def _report(self, planned: PlannedRepository, applied: Applied) -> None:
        plan = planned.plan
        self._carried_out.add(plan)
        self._done += work.done(applied.outcomes)
        if self._order.output == "text":
            self._console.print(plans.outcome_lines(plan, applied.outcomes))
            return
        part = plans.part(plan, planned.policy, ())
        stopped_by = None if applied.stopped_by is None else str(applied.stopped_by)
        plans.complete(part, plan, applied.outcomes, interrupted=applied.interrupted, stopped_by=stopped_by)
        self._parts.append(part)

    def _end(self) -> None:
        if self._order.output == "text":
            self._console.print(plans.outcome_summary(self._carried_out, self._done, self._refused))
            return
        file = self._file
        content = plans.PlanDocument(
            version=1,
            tool=f"aws-ecr-gc {__version__}",
            at=document.moment(file.made_at),
            policy_files=list(file.policy.files),
            policy_sha256=file.policy.sha256,
            repositories=self._parts,
            left_alone=[],
            unread=[],
            in_use=None if file.seen is None else uses.in_use_part(file.seen),
        )
        self._console.print([document.encode(content)])
