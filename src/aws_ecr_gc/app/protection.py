"""Plans under in-use protection, or without it where none is asked for."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.material import Material
from aws_ecr_gc.apply import Veto
from aws_ecr_gc.aws.session import true_region
from aws_ecr_gc.config import Connection
from aws_ecr_gc.discovery.settings import Settings
from aws_ecr_gc.errors import Misuse, Outdated
from aws_ecr_gc.inventory import Inventory
from aws_ecr_gc.plan import Plan
from aws_ecr_gc.report import text
from aws_ecr_gc.targets import ALL_REGIONS
from aws_ecr_gc.usage import InUse, Use, broken, without

if TYPE_CHECKING:
    from aws_ecr_gc.app.workloads import Workloads


class Protected(Struct, frozen=True):
    """A plan, what it was made of, and what was in use then; None where nobody asked."""

    material: Material
    plan: Plan
    in_use: InUse | None = None

    @property
    def broken(self) -> Sequence[Use]:
        """The uses of the repository whose image is not there."""
        if self.in_use is None:
            return ()
        return broken(self.material.inventory, self.in_use.in_repository(self.plan.repository))


class Protection:
    """What decides with which uses plans are made: here with none.

    With `by_batch` plans wait until all repositories of a batch were read.
    """

    by_batch = False

    def plans(self, materials: Iterable[Material]) -> Iterator[Protected]:
        """A plan for each, one by one as repositories are read."""
        for material in materials:
            yield Protected(material, material.plan())

    def read(self, materials: Sequence[Material]) -> InUse | None:  # noqa: ARG002 - nobody asks
        """What is in use, for these repositories. Raises WorkloadsUnread, and Outdated."""
        return None

    def veto(self, made: Protected) -> Veto | None:  # noqa: ARG002 - nobody asks
        """What may object to steps of the plan while it is carried out."""
        return None


class _Batch(Protection):
    """All repositories are read first, for workloads are read after them: what starts to run in between is seen."""

    by_batch = True

    def __init__(self, console: Console) -> None:
        self._console = console

    def plans(self, materials: Iterable[Material]) -> Iterator[Protected]:
        """A plan for each. What is in use is read only where something would be changed.

        Raises WorkloadsUnread, and Outdated.
        """
        first = [Protected(material, material.plan()) for material in materials]
        if not any(each.plan.steps for each in first):
            self._console.say_once("nothing would be changed, so what is in use was not read")
            yield from first
            return
        in_use = self.read([each.material for each in first])
        for each in first:
            uses = () if in_use is None else in_use.in_repository(each.material.repository)
            yield Protected(each.material, each.material.plan(uses) if uses else each.plan, in_use)


class _ByWorkloads(_Batch):
    """What is in use is asked of the workloads, and again before anything is deleted."""

    def __init__(self, workloads: "Workloads", console: Console) -> None:
        super().__init__(console)
        self._workloads = workloads

    def read(self, materials: Sequence[Material]) -> InUse:  # noqa: ARG002 - they were read just now
        return self._workloads.read()

    def veto(self, made: Protected) -> Veto | None:
        return None if made.in_use is None else self._workloads.veto(made.material.inventory, made.in_use)


class _ByFile(_Batch):
    """What is in use stands in a file."""

    def __init__(self, in_use: InUse, name: str, console: Console) -> None:
        super().__init__(console)
        self._in_use = in_use
        self._name = name

    def read(self, materials: Sequence[Material]) -> InUse:
        for material in materials:
            demand_later(self._in_use, material.inventory, self._name)
        return self._in_use


def protection_of(
    settings: Settings | None,
    connection: Connection,
    now: float,
    console: Console,
    *,
    allow_unread: Sequence[str],
    saved: Path | None = None,
) -> Protection:
    """The protection that a policy file or the flags ask for, or that a file of uses gives.

    Raises Misuse, and WorkloadsUnread for a file without something that may not be missing.
    """
    if saved is not None:
        return _ByFile(loaded(saved, settings, allow_unread), str(saved), console)
    if settings is None:
        if allow_unread:
            raise Misuse("--allow-unread: nobody is asked what is in use: that takes in_use or --protect-in-use")
        return Protection()
    asked = {*settings.kinds, "organization", "role"}
    for stated in allow_unread:
        if not settings.every and stated.partition("@")[0] not in asked:
            raise Misuse(f"--allow-unread {stated}: nobody looks there; looked into are {', '.join(settings.kinds)}")
    from aws_ecr_gc.app.workloads import Workloads  # noqa: PLC0415 - start-up: most runs protect nothing so

    return _ByWorkloads(Workloads(settings, connection, allow_unread, console, now=now), console)


def loaded(path: Path, settings: Settings | None, allow_unread: Sequence[str]) -> InUse:
    """A file of what is in use. Raises Misuse, WorkloadsUnread, and Outdated where it is narrower than is asked for."""
    from aws_ecr_gc import usesfile  # noqa: PLC0415 - as in `protection_of`

    in_use = without(usesfile.load(path), allow_unread)
    if settings is not None and (absent := list(_not_read(settings, in_use))):
        raise Outdated(f"{path}: {', '.join(absent)} was not read for it, and the policy asks for that; read it again")
    return in_use


def _not_read(settings: Settings, in_use: InUse) -> Iterator[str]:
    """What the settings ask for and the reading does not speak of."""
    known = [*in_use.read, *(each.origin for each in in_use.unread)]
    reach = in_use.reach
    if settings.every and not reach.every:
        yield "all"
    if settings.organization and not reach.organization:
        yield "the organization"
    if settings.asks_aws and settings.revisions > reach.revisions:
        yield f"{settings.revisions} revisions of task definitions"
    sources = {(origin.source, region) for origin in known for region in (origin.region, None)}
    stated = [true_region(each) for each in settings.regions if each != ALL_REGIONS]
    wanted = [(source, region) for source in settings.sources for region in stated or (None,)]
    yield from (
        f"{source} in {region}" if region else source for source, region in wanted if (source, region) not in sources
    )
    yield from (account for account in settings.accounts if account not in {origin.account for origin in known})
    named = {(origin.source, origin.name) for origin in known}
    clusters = settings.kubernetes
    names = [] if clusters is None else [("kubernetes", each) for each in clusters.contexts]
    names += [("kubernetes", "in-cluster")] if clusters is not None and clusters.in_cluster else []
    names += [("list", listing.shown) for listing in settings.lists]
    yield from (f"{source} {name}" for source, name in names if (source, name) not in named)


def demand_later(in_use: InUse, inventory: Inventory, name: str) -> None:
    """Raise Outdated if what is in use was read before the reading of a repository ended.

    What began to run in between is in neither.
    """
    if in_use.taken_at < inventory.read_until:
        raise Outdated(
            f"{name}: read at {text.moment(in_use.taken_at)} UTC, before repository {inventory.repository.name} "
            f"({text.moment(inventory.read_until)} UTC), so what began to run in between is not known; "
            "take a snapshot first, then in-use --out, then plan --snapshot --in-use"
        )
