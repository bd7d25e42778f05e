"""Where a run looks for repositories: accounts, regions, and which repositories there."""

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

ALL_REGIONS = "all"
EXCLUDED = "!"
"""What a glob of names begins with that takes repositories out again."""


REGION = r"(fips-)?[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}(-fips)?"
"""What regions are called, those of botocore's aliases among them that turn on FIPS endpoints."""
_SIDES = ("north", "south", "east", "west", "central", "northeast", "northwest", "southeast", "southwest")
"""What all regions so far have before their number."""
ROLE = r"(?!(.*/)?\.{1,2}(/|$))([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,64}"
"""A role's name, with the path before it and no slash to begin with. Source: the IAM API reference, CreateRole."""
EXTERNAL_ID = r"[A-Za-z0-9_+=,.@:/-]{2,1224}"
"""Source: the STS API reference, AssumeRole."""


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
    those in a unit of each of `units` (or in a unit below), and of these those that have all of `account_tags`, values
    being globs. With `every_repository`, no other part's `repositories` are of account.
    """

    repositories: tuple[str, ...] = ()
    every_repository: bool = False
    regions: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    organization: bool = False
    units: tuple[tuple[str, ...], ...] = ()
    account_tags: tuple[tuple[str, str], ...] = ()
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
        if self.organization and self.entry is None:
            return "other accounts are entered with a role, and none is named", "name the role"
        return None

    def over(self, other: "Targets") -> "Targets":
        """What is stated here; of the other, what is left open here.

        Accounts, or the organization, are one choice: who names accounts here means nothing of the other's. What takes
        out holds wherever it is stated: globs with `!`, units and tags.
        """
        accounts = self if self.accounts or self.organization else other
        narrowed = (self,) if self.accounts else (self, other)
        return replace(
            self,
            repositories=() if self.every_repository else _united(self.repositories, other.repositories),
            every_repository=self.every_repository or other.every_repository,
            regions=self.regions or other.regions,
            accounts=accounts.accounts,
            organization=accounts.organization,
            units=tuple(dict.fromkeys(group for each in narrowed for group in each.units)),
            account_tags=tuple(dict.fromkeys(tag for each in narrowed for tag in each.account_tags)),
            entry=_entered(self.entry, other.entry),
        )


def _entered(entry: Entry | None, other: Entry | None) -> Entry | None:
    """The role of the first that names one; what goes with it, of the first that says it."""
    if entry is None or other is None:
        return entry or other
    external_id, tags = entry.external_id or other.external_id, entry.session_tags or other.session_tags
    return Entry(entry.role, external_id, tags)


def _united(patterns: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """The globs that choose of the first that has some, and those of both that take out."""
    taking, excluding = parted(patterns)
    others_taking, others_excluding = parted(others)
    out = dict.fromkeys((*excluding, *others_excluding))
    return (*(taking or others_taking), *(f"{EXCLUDED}{each}" for each in out))


def parted(patterns: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The globs that choose, and those that take out again."""
    return (
        tuple(each for each in patterns if not each.startswith(EXCLUDED)),
        tuple(each.removeprefix(EXCLUDED) for each in patterns if each.startswith(EXCLUDED)),
    )


def region_mistake(text: str) -> tuple[str, str] | None:
    """Why this can't be a region, and the mend. Regions are opened that nobody here knows: what may be one passes."""
    if not re.fullmatch(REGION, text):
        return "is not a region", "write one such as us-east-1"
    bare = text.removeprefix("fips-").removesuffix("-fips")
    first, side, number = bare.rsplit("-", 2)
    if side in _SIDES:
        return None
    from difflib import get_close_matches  # noqa: PLC0415 - start-up: only for what is rarely right

    meant = sorted(get_close_matches(side, _SIDES), key=lambda each: sorted(each) != sorted(side))  # letters swapped
    return ("is not a region", f"write {first}-{meant[0]}-{number} if that is meant") if meant else None


def tags_mistake(keys: Iterable[str]) -> str | None:
    """Why sessions can't have tags of these keys. Source: the IAM user guide, passing session tags."""
    seen: set[str] = set()
    for key in keys:
        if key.casefold().startswith("aws:"):
            return f"{key!r}: keys that begin with aws: are AWS's own"
        if not 1 <= len(key) <= 128:
            return f"{key!r}: a key has 1 to 128 characters"
        if key.casefold() in seen:
            return f"{key!r} is given twice: the case of a key is of no account"
        seen.add(key.casefold())
    return None
