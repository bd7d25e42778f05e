"""Where inventories come from: a registry as it is now, or a snapshot of one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Protocol

from msgspec.structs import replace

from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.entering import session_of
from aws_ecr_gc.app.live import Live
from aws_ecr_gc.aws.pacing import Limits, Traffic
from aws_ecr_gc.aws.session import CONNECTIONS
from aws_ecr_gc.config import Connection, Request
from aws_ecr_gc.errors import Misuse
from aws_ecr_gc.inventory import Inventory, unread_indexes
from aws_ecr_gc.plan import Leftover
from aws_ecr_gc.ports import CacheRule, CreationTemplate, DeleteReplication, KeptPolicy, RegistryPort
from aws_ecr_gc.reference import Repository
from aws_ecr_gc.registries.ecr import registry_of
from aws_ecr_gc.report import text
from aws_ecr_gc.snapshots import Snapshot, open_snapshot


class Source(Protocol):
    """A registry to read from. `at` is the time to decide as at, in epoch seconds; None is that of each reading."""

    at: float | None

    def connection(self, stated: Connection) -> Connection:
        """The stated connection, to where the registry is: its account and region, as far as they are known."""

    def names(self, patterns: Sequence[str]) -> list[str]:
        """As `ports.RegistryPort.names`."""

    def resource_tags(self, name: str) -> Mapping[str, str]:
        """As `ports.RegistryPort.resource_tags`."""

    def delete_replication(self) -> Sequence[DeleteReplication] | None:
        """As `ports.RegistryPort.delete_replication`; None where there is no registry to ask."""

    def caches(self) -> Sequence[CacheRule] | None:
        """As `ports.RegistryPort.caches`; None where there is no registry to ask."""

    def templates(self) -> Sequence[CreationTemplate] | None:
        """As `ports.RegistryPort.templates`; None where there is no registry to ask."""

    def lifecycle_policy(self, name: str) -> KeptPolicy | None:
        """The lifecycle policy of a repository; None where it has none."""

    def inventory(self, name: str, needed: Callable[[Inventory], Sequence[str]]) -> Inventory:
        """A repository, with the children of the indexes that are needed."""

    def leftovers(self, repository: Repository) -> tuple[Leftover, ...]:
        """What an interrupted run left over there."""

    def telling(self, console: Console) -> "Source":
        """The same, with what is said of it going there."""


class LiveSource:
    """The registry as it is now."""

    def __init__(
        self, registry: RegistryPort, live: Live, at: float | None = None, traffic: Traffic | None = None
    ) -> None:
        self.registry = registry
        self.traffic = traffic
        self.live = live
        self.at = at

    def connection(self, stated: Connection) -> Connection:
        return stated

    def names(self, patterns: Sequence[str]) -> list[str]:
        return self.registry.names(patterns)

    def resource_tags(self, name: str) -> Mapping[str, str]:
        return self.registry.resource_tags(name)

    def delete_replication(self) -> Sequence[DeleteReplication]:
        return self.registry.delete_replication()

    def caches(self) -> Sequence[CacheRule]:
        return self.registry.caches()

    def templates(self) -> Sequence[CreationTemplate]:
        return self.registry.templates()

    def lifecycle_policy(self, name: str) -> KeptPolicy | None:
        return self.registry.lifecycle(name).policy()

    def inventory(self, name: str, needed: Callable[[Inventory], Sequence[str]]) -> Inventory:
        return self.live.inventory(self.registry.repository(name), needed)

    def leftovers(self, repository: Repository) -> tuple[Leftover, ...]:
        return self.live.leftovers(repository)

    def telling(self, console: Console) -> "LiveSource":
        return LiveSource(self.registry, self.live.telling(console), self.at, self.traffic)


class SnapshotSource:
    """A snapshot: everything is read already."""

    def __init__(self, snapshot: Snapshot, at: float | None) -> None:
        self._snapshot = snapshot
        self.at = at

    def connection(self, stated: Connection) -> Connection:
        registry = self._snapshot.registry
        return replace(stated, region=registry.region, registry_id=registry.account)

    def names(self, patterns: Sequence[str]) -> list[str]:
        return self._snapshot.names(patterns)

    def resource_tags(self, name: str) -> Mapping[str, str]:
        return self._snapshot.resource_tags(name)

    def delete_replication(self) -> None:
        return None

    def caches(self) -> None:
        return None

    def templates(self) -> None:
        return None

    def lifecycle_policy(self, name: str) -> KeptPolicy | None:
        raise Misuse(f"repository {name}: a snapshot holds no lifecycle policies; name the file of one")

    def inventory(self, name: str, needed: Callable[[Inventory], Sequence[str]]) -> Inventory:  # noqa: ARG002 - nothing is left to read
        inventory = self._snapshot.inventory(name)
        for digest in unread_indexes(inventory):
            raise Misuse(f"repository {name}: the snapshot does not hold the children of {digest}; take it again")
        return inventory

    def leftovers(self, repository: Repository) -> tuple[Leftover, ...]:  # noqa: ARG002 - nobody deletes from a file
        return ()

    def telling(self, console: Console) -> "SnapshotSource":  # noqa: ARG002 - nothing is said of it
        return self


@contextmanager
def open_source(request: Request, now: float, console: Console) -> Iterator[Source]:
    """What a command without deletions reads from."""
    if request.at is not None:
        console.say(f"as at {text.moment(request.at)} UTC")
    if request.snapshot is not None:
        with closing(open_snapshot(request.snapshot)) as snapshot:
            yield SnapshotSource(snapshot, request.at)
        return
    with open_live(request.connection, Live(request.directories, now, console), request.concurrency) as source:
        source.at = request.at
        yield source


@contextmanager
def open_live(connection: Connection, live: Live, concurrency: int = 1) -> Iterator[LiveSource]:
    """The registry as it is now, for so many threads at once."""
    traffic = Traffic(Limits(), "", "", stated=connection.max_rps, ended=live.stop)
    registry = registry_of(
        session_of(connection),
        registry_id=connection.registry_id,
        endpoint_url=connection.endpoint_url,
        connections=max(concurrency, CONNECTIONS),
        traffic=traffic,
    )
    with closing(registry) as port:
        yield LiveSource(port, live, traffic=traffic)
