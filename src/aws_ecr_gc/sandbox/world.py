"""All that the stand-in knows between one reset and the next, and the view of it that one API call gets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import RLock
from typing import Any, NamedTuple

from aws_ecr_gc.sandbox.behaviour import Behaviour
from aws_ecr_gc.sandbox.clock import Clock
from aws_ecr_gc.sandbox.errors import ServiceError
from aws_ecr_gc.sandbox.lifecycle_runs import LifecycleRuns
from aws_ecr_gc.sandbox.paging import Listings
from aws_ecr_gc.sandbox.partitions import partition_of
from aws_ecr_gc.sandbox.store import Deletion, Registry, Repository
from aws_ecr_gc.sandbox.workloads import Workloads

Members = dict[str, Any]
"""A JSON object of the API: a request, an answer, or a part of either."""

DEFAULT_ACCOUNT = "123456789012"
DEFAULT_REGION = "us-east-1"


class Preview(NamedTuple):
    """What a lifecycle policy would do: its text, when it was asked for, and the rows of the answer."""

    text: str
    started_at: float
    rows: Sequence[Members]


class Trust(NamedTuple):
    """What must come with a call that assumes a role."""

    external_id: str | None
    session_tags: Mapping[str, str]


class Download(NamedTuple):
    """A layer that whoever has the URL may download until then."""

    repository: Repository
    digest: str
    expires_at: float


@dataclass
class World:
    """Registries, clock and switches. `lock` is held while a call is carried out."""

    clock: Clock = field(default_factory=Clock)
    behaviour: Behaviour = field(default_factory=Behaviour)
    accounts: Mapping[str, str] = field(default_factory=dict)
    """Account by access key, for access keys that are no account numbers."""
    replication: dict[tuple[str, str], list[Members]] = field(default_factory=dict)
    """The replication rules of a registry (account, region), as DescribeRegistry answers them."""
    cache_rules: dict[tuple[str, str], dict[str, Members]] = field(default_factory=dict)
    """The pull-through cache rules of a registry (account, region), by prefix."""
    templates: dict[tuple[str, str], dict[str, Members]] = field(default_factory=dict)
    """The repository creation templates of a registry (account, region), by prefix."""
    enabled: dict[str, list[str]] = field(default_factory=dict)
    """The enabled regions of an account, where they are not those of every account."""
    deletions: list[Deletion] = field(default_factory=list)
    listings: Listings = field(default_factory=Listings)
    lock: RLock = field(default_factory=RLock)
    registries: dict[tuple[str, str], Registry] = field(default_factory=dict)
    running: dict[tuple[str, str], Workloads] = field(default_factory=dict)
    granted: dict[str, str] = field(default_factory=dict)
    """Account by access key, for those that AssumeRole gave out."""
    trusted: dict[str, "Trust"] = field(default_factory=dict)
    """What the roles of an account ask of who assumes them; nothing where it is not said."""
    sessions: dict[str, str] = field(default_factory=dict)
    """The ARN of the role's session by access key, for the same."""
    url: str = ""
    """Where the stand-in answers, for the URLs of layers."""
    downloads: dict[str, Download] = field(default_factory=dict)
    """What can be downloaded, by the path that GetDownloadUrlForLayer gave out."""
    exclusions: dict[tuple[str, str], dict[str, float]] = field(default_factory=dict)
    """By registry (account, region): the ARNs of the roles whose pulls move no pull time, and since when."""

    previews: dict[Repository, Preview] = field(default_factory=dict)
    """By repository, the last preview of a lifecycle policy."""
    lifecycles: LifecycleRuns = field(init=False)

    def __post_init__(self) -> None:
        self.lifecycles = LifecycleRuns(self._repositories, self.behaviour, self.lock)
        self.clock.follow(self.lifecycles)

    def _repositories(self) -> list[Repository]:
        return [each for registry in self.registries.values() for each in registry.repositories.values()]

    def registry(self, account: str = DEFAULT_ACCOUNT, region: str = DEFAULT_REGION) -> Registry:
        """The registry of an account in a region; every account has one, empty at first."""
        with self.lock:
            known = self.registries.get((account, region))
            if known is None:
                known = Registry(
                    account,
                    region,
                    clock=self.clock,
                    deletions=self.deletions,
                    lock=self.lock,
                    behaviour=self.behaviour,
                )
                self.registries[account, region] = known
            return known

    def workloads(self, account: str = DEFAULT_ACCOUNT, region: str = DEFAULT_REGION) -> Workloads:
        """What runs in an account and a region; nothing at first."""
        with self.lock:
            known = self.running.get((account, region))
            if known is None:
                known = Workloads(account, region, self.clock, self.lock, self.registry)
                self.running[account, region] = known
            return known

    def account_of(self, access_key: str) -> str:
        """The account that an access key belongs to."""
        known = self.accounts.get(access_key) or self.granted.get(access_key)
        if known is not None:
            return known
        return access_key if len(access_key) == 12 and access_key.isdecimal() else DEFAULT_ACCOUNT


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and where: what an operation needs besides its request."""

    world: World
    access_key: str
    account: str
    region: str

    def registry(self, request: Members) -> Registry:
        """The registry that a request is about: the caller's own, or that of `registryId`."""
        return self.world.registry(request.get("registryId") or self.account, self.region)

    @property
    def arn(self) -> str:
        """Who calls: the session of an assumed role, or the one user that every account has."""
        user = f"arn:{partition_of(self.region).name}:iam::{self.account}:user/sandbox"
        return self.world.sessions.get(self.access_key, user)

    @property
    def exclusions(self) -> dict[str, float]:
        """The roles whose pulls move no pull time in the caller's own registry."""
        return self.world.exclusions.setdefault((self.account, self.region), {})

    @property
    def workloads(self) -> Workloads:
        """What runs where the caller is."""
        return self.world.workloads(self.account, self.region)

    def repository(self, request: Members) -> Repository:
        """The repository that a request is about. Raises RepositoryNotFoundException."""
        return repository_in(self.registry(request), request["repositoryName"])


def repository_in(registry: Registry, name: str) -> Repository:
    """A repository by its name. Raises RepositoryNotFoundException."""
    repository = registry.repositories.get(name)
    if repository is None:
        raise ServiceError(
            "RepositoryNotFoundException",
            f"The repository with name '{name}' does not exist in the registry with id '{registry.account}'",
        )
    return repository
