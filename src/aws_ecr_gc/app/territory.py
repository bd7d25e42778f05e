"""Which accounts and regions a fleet consists of, and a registry opened in each."""

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from aws_ecr_gc.app.entering import Grants, granting
from aws_ecr_gc.app.pipeline import in_order
from aws_ecr_gc.aws.accounts import Place, caller_account, enabled_regions, members
from aws_ecr_gc.aws.pacing import Traffic
from aws_ecr_gc.aws.session import CONNECTIONS, Session, true_region
from aws_ecr_gc.config import Connection
from aws_ecr_gc.errors import Error, Interrupted, Misuse
from aws_ecr_gc.reference import Registry
from aws_ecr_gc.registries.ecr import EcrRegistry
from aws_ecr_gc.targets import ALL_REGIONS, Targets

if TYPE_CHECKING:
    from aws_ecr_gc.aws.client import Client

_AT_ONCE = 16
_SESSIONS = 64
"""Accounts whose botocore sessions are kept at one time: the regions of an account come one after the other."""


class Absent(Struct, frozen=True):
    """An account, or a region of it, that nobody could look into, and why."""

    account: str
    region: str | None
    reason: str

    def __str__(self) -> str:
        return self.account if self.region is None else f"{self.account}, {self.region}"


class Territory:
    """The places of a fleet: found out once, entered one by one. For several threads."""

    def __init__(
        self, targets: Targets, connection: Connection, say: Callable[[str], None], stop: Callable[[], bool]
    ) -> None:
        """`stop` tells whether the search is to end, which then raises Interrupted.

        Raises Misuse, and Credentials for those that nothing can be found out with.
        """
        regions = [each for each in targets.regions if each != ALL_REGIONS]
        self._targets = targets
        self._connection = connection
        self._say = say
        self._stop = stop
        self._home = Session(connection.profile, regions[0] if regions else connection.region)
        self._partition = self._home.partition
        self._demand_one_partition(regions)
        with self._client("sts") as sts:
            self._account = caller_account(sts)
        if targets.entry is None:
            self._demand_own(targets.accounts)
        self._entered = lru_cache(_SESSIONS)(self._enter)
        self._grants: dict[str, Grants] = {}
        self.absent: list[Absent] = []

    @property
    def home_region(self) -> str:
        """The region of the user's own session, as it was stated."""
        return self._home.stated_region

    def places(self) -> list[Place]:
        """Every account and region, in order; what can't be entered is in `absent`. Raises `errors.Error`.

        Accounts come as they are stated, those of an organization sorted; regions as they are stated, or sorted.
        """
        accounts = self._accounts()
        if ALL_REGIONS not in self._targets.regions:
            regions = self._stated_regions()
            return [
                Place(account, region, self._partition, stated) for account in accounts for region, stated in regions
            ]
        found: list[Place] = []
        for account, enabled in in_order(accounts, self._regions_of, _AT_ONCE):
            if isinstance(enabled, Absent):
                self.absent.append(enabled)
            else:
                found += [Place(account, region, self._partition) for region in enabled]
        return found

    def open(self, place: Place, traffic: Traffic, connections: int) -> EcrRegistry:
        """The registry of a place, for so many threads. Raises `errors.Error`."""
        session = self._entered(place.account).there(place.endpoint_region)
        url = self._connection.endpoint_url
        client = session.ecr(url, connections=max(connections, CONNECTIONS), traffic=traffic)
        return EcrRegistry(
            client, registry_of(place), None, lambda: session.client("ecr", endpoint_url=url, attempts=1)
        )

    def _stated_regions(self) -> list[tuple[str, str | None]]:
        """Each region once, with the alias that turns on FIPS endpoints where any of its names is one."""
        found: dict[str, str | None] = {}
        for stated in self._targets.regions or (self._home.stated_region,):
            region = true_region(stated)
            found[region] = stated if stated != region else found.get(region)
        return list(found.items())

    def _demand_one_partition(self, regions: Sequence[str]) -> None:
        for region in regions:
            partition = self._home.partition_of(region)
            if partition is None:
                raise Misuse(f"{region}: no partition of AWS has regions of such names; check it")
            if partition != self._partition:
                raise Misuse(
                    f"{regions[0]} and {region} are of two partitions, {self._partition} and {partition}, and no "
                    "credentials hold for both; run once for each"
                )

    def _demand_own(self, accounts: Sequence[str]) -> None:
        for each in accounts:
            if each != self._account:
                raise Misuse(
                    f"account {each}: other accounts are entered with a role, and none is named; name the role (the "
                    f"credentials are of {self._account})"
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
        self._heed("")
        try:
            session = self._entered(account)
            return account, enabled_regions(session, lambda: session.client("account", before_call=self._heed))
        except Interrupted:
            raise
        except Error as error:
            return account, Absent(account, None, str(error))

    def _enter(self, account: str) -> Session:
        """A session in an account: the user's own where it is his."""
        if account == self._account:
            return self._home
        entry = self._targets.entry
        if entry is None:
            raise Misuse(f"account {account}: it can't be entered without a role; give --role NAME")
        return self._home.entered(self._grants.setdefault(account, granting(self._home, account, entry)))

    def _client(self, service: str) -> "closing[Client]":
        return closing(self._home.client(service, before_call=self._heed))

    def _heed(self, _operation: str) -> None:
        """Before each call."""
        if self._stop():
            raise Interrupted("interrupted; nothing was changed")


def registry_of(place: Place) -> Registry:
    """The registry of an account and region."""
    return Registry(place.account, place.region, place.partition)
