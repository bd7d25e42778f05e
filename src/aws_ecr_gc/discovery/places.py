"""The accounts and regions in which workloads are read, and the credentials for each."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import TypeVar

from msgspec.structs import replace

from aws_ecr_gc.aws.accounts import Place, assume, caller_account, enabled_regions, members
from aws_ecr_gc.aws.client import Client
from aws_ecr_gc.aws.pacing import Limits, Rate
from aws_ecr_gc.aws.session import Keys, Session, true_region
from aws_ecr_gc.discovery.settings import Settings
from aws_ecr_gc.errors import Error, SourceFailure
from aws_ecr_gc.targets import ALL_REGIONS
from aws_ecr_gc.usage import Origin, Unread

_Found = TypeVar("_Found")
_Otherwise = TypeVar("_Otherwise")

CONNECTIONS = 16
"""Calls of one source under way at once: at 200 ms a call, as many as the quickest pace lets through."""

_DEFAULT_RATE = Rate(10, 20)
_RATES: dict[str, Rate] = {
    "ecs": Rate(20, 50),
    "lambda": Rate(10, 15),
    "lambda:GetFunction": Rate(80, 80),
    "inspector2": Rate(5, 10),
}
_BY_OPERATION = frozenset({"ecs"})
"""By service, and by operation where one has a limit of its own, as all of ECS have. ECS refills most buckets with 20
tokens a second; Lambda grants 100 GetFunction a second and 15 of all its other control plane calls together. Source:
the ECS API reference, request throttling; the Lambda developer guide, quotas. For the others, what none refuses."""


def line_of(service: str, operation: str) -> tuple[str, Rate]:
    """The calls that wait in one line, by a name for them, and the rate at which it moves."""
    own = f"{service}:{operation}"
    line = own if own in _RATES or service in _BY_OPERATION else service
    return line, _RATES.get(line) or _RATES.get(service, _DEFAULT_RATE)


class Places:
    """The places of one reading: found out once, with a client for each service, made when it is first needed."""

    def __init__(
        self, session: Session, settings: Settings, registry_account: str | None, going: Callable[[], bool]
    ) -> None:
        """`registry_account` is the registry's, if it is known not to be that of the credentials."""
        self._session = session
        self._settings = settings
        self._registry_account = registry_account
        self._going = going
        self._lock = threading.Lock()
        self._clients: dict[tuple[Place, str], Client] = {}
        self._users: Counter[tuple[Place, str]] = Counter()
        self._limits = Limits()
        self._keys: dict[str, Keys] = {}
        self._stated_regions: dict[str, str] = {}
        self.unread: list[Unread] = []
        self.remarks: list[str] = []

    def find(self, pool: Executor) -> list[Place]:
        """Every place that can be entered; what can't is in `unread`. Raises Credentials for the user's own."""
        partition = self._session.partition
        home = Place(self._own_account(partition), self._session.region, partition)
        registry = [] if self._registry_account is None else [self._registry_account]
        accounts = list(dict.fromkeys([*registry, *self._settings.accounts, *self._members(home)]))
        entering = {each: pool.submit(self._enter, home, each) for each in accounts if each != home.account}
        entered = [home.account, *(each for each, future in entering.items() if self._is_in(each, future))]
        if self._settings.regions == (ALL_REGIONS,):
            asking = {each: pool.submit(self._enabled, replace(home, account=each)) for each in entered}
            return [
                Place(account, region, partition)
                for account, future in asking.items()
                for region in self._found(account, future, ())
            ]
        self._stated_regions = {true_region(stated): stated for stated in self._settings.regions}
        regions = self._stated_regions or (home.region,)
        return [Place(account, region, partition) for account in entered for region in regions]

    def client(self, place: Place, service: str) -> Client:
        """The client of a service in a place; one for all threads."""
        with self._lock:
            key = (place, service)
            if key not in self._clients:
                self._clients[key] = self._session.client(
                    service,
                    region=self._stated_region(place.region),
                    credentials=self._keys.get(place.account),
                    connections=CONNECTIONS,
                    before_call=lambda operation: self._wait(place, service, operation),
                )
            return self._clients[key]

    @contextmanager
    def clients(self, place: Place) -> Iterator[Callable[[str], Client]]:
        """Gives the clients of a place, for as long as the block. Those that no other block has come to use give their
        connections back then: an organization has more places than a process may have files open.
        """
        used: set[str] = set()

        def client(service: str) -> Client:
            with self._lock:
                if service not in used:
                    used.add(service)
                    self._users[place, service] += 1
            return self.client(place, service)

        try:
            yield client
        finally:
            with self._lock:
                self._users.subtract((place, service) for service in used)
                idle = [self._clients.get((place, each)) for each in used if not self._users[place, each]]
            for each in idle:
                if each is not None:
                    each.close()

    def _stated_region(self, region: str) -> str | None:
        """The region as botocore is to be told of it; None for the session's own."""
        return self._stated_regions.get(region, None if region == self._session.region else region)

    def close(self) -> None:
        """Give the connections back."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def _own_account(self, partition: str) -> str:
        place = Place("", self._session.region, partition)
        return caller_account(self.client(place, "sts"))

    def _members(self, home: Place) -> Sequence[str]:
        """The accounts of the organization that are not closed."""
        if not self._settings.organization:
            return ()
        try:
            found = members(self.client(home, "organizations"))
        except Error as error:
            self.unread.append(Unread(Origin("organization", home.account), str(error)))
            return ()
        closed = [f"{each.account} ({each.state})" for each in found if not each.is_active]
        if closed:
            self.remarks.append(f"not looked into, for they are not active: {', '.join(closed)}")
        return [each.account for each in found if each.is_active]

    def _enter(self, home: Place, account: str) -> Keys:
        """Credentials for another account. They last an hour: each reading asks for new ones."""
        entry = self._settings.entry
        if entry is None:
            raise SourceFailure("it can't be entered without a role: name one in a policy file, in_use: {role: NAME}")
        granted = assume(self.client(home, "sts"), home.partition, account, entry)
        return Keys(granted.access_key, granted.secret_key, granted.token)

    def _is_in(self, account: str, entering: "Future[Keys]") -> bool:
        keys = self._found(account, entering, None)
        if keys is not None:
            self._keys[account] = keys
        return keys is not None

    def _enabled(self, there: Place) -> Sequence[str]:
        """The regions of an account."""
        return enabled_regions(self._session, lambda: self.client(there, "account"))

    def _found(self, account: str, asking: "Future[_Found]", otherwise: _Otherwise) -> _Found | _Otherwise:
        """What was found out of an account; where it could not be, none of its workloads are known."""
        try:
            return asking.result()
        except Error as error:
            self.unread.append(Unread(Origin("role", account), str(error)))
            return otherwise

    def _wait(self, place: Place, service: str, operation: str) -> None:
        """Take a place in the line, unless the work has ended."""
        if not self._going():
            raise SourceFailure("the reading was ended")
        line, rate = line_of(service, operation)
        self._limits.pace(place.account, place.region, line, rate).wait()
