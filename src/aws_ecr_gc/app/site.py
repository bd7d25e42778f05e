"""One registry of a run, and what becomes of its repositories."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_ecr_gc.app.cautions import Cautions
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.journals import About, Log, part_of
from aws_ecr_gc.app.policies import Policies
from aws_ecr_gc.app.sources import LiveSource, Source
from aws_ecr_gc.app.sweep import Sweep
from aws_ecr_gc.app.turns import PlaceConsole
from aws_ecr_gc.aws.accounts import Place
from aws_ecr_gc.aws.pacing import Tally, Traffic
from aws_ecr_gc.config import Request
from aws_ecr_gc.globs import matcher
from aws_ecr_gc.ports import without
from aws_ecr_gc.report.logs import at_place
from aws_ecr_gc.targets import parted

if TYPE_CHECKING:
    from aws_ecr_gc.discovery.settings import Settings
    from aws_ecr_gc.errors import Error


class Site:
    """A registry: where it is read, whose policies hold, where its deletions are put on record.

    Where it is isolated, `failure` is what keeps it from being read any further, and no other from being read.
    """

    is_isolated = False

    def __init__(
        self,
        source: Source,
        request: Request,
        policies: Policies,
        console: Console,
        in_use: "Settings | None",
        *,
        name: str | None = None,
    ) -> None:
        """`in_use` is what is looked for: who goes on with the journal looks for the same.

        `name` is the account and region, where there are several.
        """
        self.source = source
        self.console = console
        self.policies = policies
        self.sweep = Sweep(source, request.patterns, console)
        self.failure: Error | None = None
        self.cautions = Cautions(request, source, name)
        about = About(part_of(policies.files, policies.sha256), in_use, request.allow_unread)
        self.log = Log(request.journal, about, request.connection, request.directories, console)

    def told(self, line: str) -> str:
        """A line as it is told where nothing else says where it happened."""
        return line


class FleetSite(Site):
    """One place of a fleet: what goes wrong there concerns no other. What it prints waits for its turn."""

    is_isolated = True

    def __init__(
        self,
        source: LiveSource,
        request: Request,
        policies: Policies,
        console: PlaceConsole,
        *,
        place: Place,
        traffic: Traffic,
        in_use: "Settings | None",
    ) -> None:
        super().__init__(source, request, policies, console, in_use, name=str(place))
        self.turn = console
        self.place = place
        self._traffic = traffic
        self._registry = source.registry
        self.names: Sequence[str] = ()

    def find(self, patterns: Sequence[str]) -> None:
        """List the repositories that fit: in a fleet, not every pattern need fit everywhere. Raises `errors.Error`."""
        taking, excluding = parted(patterns)
        everything = self._registry.names(())
        self.sweep.listed = True
        taken = matcher(taking) if taking else None
        self.names = without([name for name in everything if taken is None or taken(name)], excluding)

    @property
    def tally(self) -> Tally:
        """The calls so far."""
        return self._traffic.tally

    @property
    def seconds(self) -> float:
        """How long it has been open."""
        return self._traffic.seconds

    def told(self, line: str) -> str:
        return at_place(str(self.place), line)

    def end(self) -> None:
        """Let go of what it takes to call AWS there."""
        self.rest()
        self._traffic.end()

    def rest(self) -> None:
        """Give back what is held open, until something more is to be done here."""
        self._registry.close()
