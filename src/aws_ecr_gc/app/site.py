"""One registry of a run, and what becomes of its repositories."""

from collections.abc import Iterator, Sequence
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
from aws_ecr_gc.ports import nothing_left, without
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


class Fits:
    """Which of the patterns fit something anywhere, of several places."""

    def __init__(self, patterns: Sequence[str]) -> None:
        taking, self._excluding = parted(patterns)
        self._waiting = dict.fromkeys(taking)
        self._taking = matcher(taking) if taking else None
        self._any = self._fitting = self._left = False

    def add(self, names: Sequence[str]) -> None:
        """The repositories of one more place."""
        self._any = True
        self._waiting = {each: None for each in self._waiting if not any(map(matcher([each]), names))}
        fitting = names if self._taking is None else list(filter(self._taking, names))
        self._fitting = self._fitting or bool(fitting)
        self._left = self._left or bool(without(fitting, self._excluding))

    def complaints(self) -> Iterator[str]:
        """A line for each pattern that fits nothing, and one where all that fits was taken out again."""
        if not self._any:  # what could not be read may have it
            return
        for pattern in self._waiting:
            yield f"no repository fits {pattern} in any account and region that was read; check --repo and targets:"
        if self._fitting and not self._left:
            yield nothing_left(self._excluding)


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
        self.everything: Sequence[str] = ()

    def find(self, patterns: Sequence[str]) -> None:
        """List the repositories that fit: in a fleet, not every pattern need fit everywhere. Raises `errors.Error`."""
        taking, excluding = parted(patterns)
        self.everything = self._registry.names(())
        self.sweep.listed = True
        taken = matcher(taking) if taking else None
        self.names = without([name for name in self.everything if taken is None or taken(name)], excluding)

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
