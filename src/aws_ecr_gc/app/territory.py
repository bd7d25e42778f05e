"""Which accounts and regions a fleet consists of, and a registry opened in each."""

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import lru_cache

from msgspec import Struct

from aws_ecr_gc.app.entering import entered
from aws_ecr_gc.app.pipeline import in_order
from aws_ecr_gc.aws.accounts import Place, caller_account, enabled_regions, members
from aws_ecr_gc.aws.client import CONNECTIONS, Client, Session
from aws_ecr_gc.aws.pacing import Traffic
from aws_ecr_gc.config import Connection
from aws_ecr_gc.errors import Error, Misuse
from aws_ecr_gc.reference import Registry
from aws_ecr_gc.registries.ecr import EcrRegistry
from aws_ecr_gc.targets import ALL_REGIONS, Targets

_AT_ONCE = 16
_SESSIONS = 64
"""Accounts whose credentials are kept at one time: the regions of an account come one after the other."""


class Absent(Struct, frozen=True):
    """An account, or a region of it, that nobody could look into, and why."""

    account: str
    region: str | None
    reason: str

    def __str__(self) -> str:
        return self.account if self.region is None else f"{self.account}, {self.region}"


class Territory:
    """The places of a fleet: found out once, entered one by one. For several threads."""

    def __init__(self, targets: Targets, connection: Connection, say: Callable[[str], None]) -> None:
        """Raises Misuse, and Credentials for those that nothing can be found out with."""
        stated = next((each for each in targets.regions if each != ALL_REGIONS), connection.region)
        self._targets = targets
        self._connection = connection
        self._say = say
        self._home = Session(connection.profile, stated)
        self._partition = self._home.partition
        with self._client("sts") as sts:
            self._account = caller_account(sts)
        self._entered = lru_cache(_SESSIONS)(self._enter)
        self.absent: list[Absent] = []

    @property
    def home_region(self) -> str:
        return self._home.region

    def places(self) -> list[Place]:
        """Every account and region, in order; what can't be entered is in `absent`. Raises `errors.Error`.

        Accounts come as they are stated, those of an organization sorted; regions as they are stated, or sorted.
        """
        accounts = self._accounts()
        if ALL_REGIONS not in self._targets.regions:
            regions = list(dict.fromkeys(self._targets.regions)) or [self._home.region]
            return [Place(account, region, self._partition) for account in accounts for region in regions]
        found: list[Place] = []
        for account, enabled in in_order(accounts, self._regions_of, _AT_ONCE):
            if isinstance(enabled, Absent):
                self.absent.append(enabled)
            else:
                found += [Place(account, region, self._partition) for region in enabled]
        return found

    def open(self, place: Place, traffic: Traffic, connections: int) -> EcrRegistry:
        """The registry of a place, for so many threads. Raises `errors.Error`."""
        session = self._entered(place.account).there(place.region)
        url = self._connection.endpoint_url
        client = session.ecr(url, connections=max(connections, CONNECTIONS), traffic=traffic)
        return EcrRegistry(
            client, registry_of(place), None, lambda: session.client("ecr", endpoint_url=url, attempts=1)
        )

    def _accounts(self) -> Sequence[str]:
        targets = self._targets
        if not targets.organization:
            return list(dict.fromkeys(targets.accounts)) or [self._account]
        with self._client("organizations") as organizations:
            found = members(organizations, targets.units, targets.account_tags)
        closed = [f"{each.account} ({each.state})" for each in found if not each.is_active]
        if closed:
            self._say(f"not entered, for they are not active: {', '.join(closed)}")
        active = [each.account for each in found if each.is_active]
        if not active:
            raise Misuse("the organization has no active account that fits; check the units and the account tags")
        return list(dict.fromkeys([*active, *targets.accounts]))

    def _regions_of(self, account: str) -> tuple[str, list[str] | Absent]:
        try:
            return account, enabled_regions(self._entered(account))
        except Error as error:
            return account, Absent(account, None, str(error))

    def _enter(self, account: str) -> Session:
        """A session in an account: the user's own where it is his."""
        if account == self._account:
            return self._home
        entry = self._targets.entry
        if entry is None:
            raise Misuse(f"account {account}: it can't be entered without a role; give --role NAME")
        return entered(self._home, account, entry)

    def _client(self, service: str) -> "closing[Client]":
        return closing(self._home.client(service))


def registry_of(place: Place) -> Registry:
    """The registry of an account and region."""
    return Registry(place.account, place.region, place.partition)
