"""Where a run looks for repositories: accounts, regions, and which repositories there."""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

ALL_REGIONS = "all"
EXCLUDED = "!"
"""What a glob of names begins with that takes repositories out again."""


class Entry(Struct, frozen=True):
    """The role with which other accounts are entered, and what goes with it."""

    role: str
    external_id: str | None = None
    session_tags: Mapping[str, str] = {}

    def arn(self, partition: str, account: str) -> str:
        return f"arn:{partition}:iam::{account}:role/{self.role}"


class Targets(Struct, frozen=True):
    """What is stated; where nothing is, the credentials' own account, their region, and every repository.

    `regions` may be `all` alone: those that are enabled for the account. With `organization` all its accounts, or
    those in `units` (with the units below), and of these those that have all of `account_tags`, values being globs.
    """

    repositories: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    organization: bool = False
    units: tuple[str, ...] = ()
    account_tags: Mapping[str, str] = {}
    entry: Entry | None = None

    @property
    def is_fleet(self) -> bool:
        """Whether it may be more than one account and region, or another than that of the credentials."""
        return bool(self.accounts or self.organization or len(self.regions) > 1 or ALL_REGIONS in self.regions)

    @property
    def is_one(self) -> bool:
        """Whether it is one account and region, as stated."""
        return not (self.organization or len(self.accounts) > 1 or len(self.regions) > 1 or ALL_REGIONS in self.regions)

    @property
    def missing(self) -> tuple[str, str] | None:
        """What is missing for it to make sense, and the mend."""
        if (self.units or self.account_tags) and not self.organization:
            return "units and account tags choose among the accounts of an organization", "ask for the organization too"
        if (self.accounts or self.organization) and self.entry is None:
            return "other accounts are entered with a role, and none is named", "name the role"
        return None

    def over(self, other: "Targets") -> "Targets":
        """What is stated here; of the other, what is left open here.

        Accounts, or the organization, are one choice: who makes it here means nothing of the other's. Units and tags
        alone narrow the other's.
        """
        accounts = self if self.accounts or self.organization else other
        return replace(
            self,
            repositories=self.repositories or other.repositories,
            regions=self.regions or other.regions,
            accounts=accounts.accounts,
            organization=accounts.organization,
            units=self.units or accounts.units,
            account_tags=self.account_tags or accounts.account_tags,
            entry=self.entry or other.entry,
        )


def parted(patterns: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The globs that choose, and those that take out again."""
    return (
        tuple(each for each in patterns if not each.startswith(EXCLUDED)),
        tuple(each.removeprefix(EXCLUDED) for each in patterns if each.startswith(EXCLUDED)),
    )
