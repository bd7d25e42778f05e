"""Accounts and regions of AWS: who is asking, entering another account, what an organization consists of."""

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from aws_ecr_gc.aws.client import Client
from aws_ecr_gc.aws.session import Granted, Session
from aws_ecr_gc.errors import AccessDenied, Unintelligible, one_line
from aws_ecr_gc.globs import matcher
from aws_ecr_gc.targets import Entry

_ACTIVE = "ACTIVE"
_WITH_ACCOUNT_API = frozenset({"aws", "aws-cn"})


class Place(Struct, frozen=True):
    """An account and a region of AWS. `stated` is the region as the user wrote it, where that is an alias of it."""

    account: str
    region: str
    partition: str
    stated: str | None = None

    @property
    def endpoint_region(self) -> str:
        """The region as botocore is to be told of it."""
        return self.stated or self.region

    def __str__(self) -> str:
        return f"{self.account}, {self.region}"


class Member(Struct, frozen=True):
    """An account of an organization, and its state: only ACTIVE ones can be entered."""

    account: str
    state: str

    @property
    def is_active(self) -> bool:
        return self.state == _ACTIVE


def caller_account(sts: Client) -> str:
    """The account of the credentials."""
    return str(sts.call("GetCallerIdentity", "Account")["Account"])


def assume(sts: Client, partition: str, account: str, entry: Entry) -> Granted:
    """Credentials of the role in an account; they last an hour. Raises `errors.Error`."""
    role = entry.arn(partition, account)
    more: dict[str, object] = {} if entry.external_id is None else {"ExternalId": entry.external_id}
    if entry.session_tags:
        more["Tags"] = [{"Key": key, "Value": value} for key, value in entry.session_tags.items()]
    try:
        granted = sts.call("AssumeRole", "Credentials", RoleArn=role, RoleSessionName="aws-ecr-gc", **more)
    except AccessDenied as error:
        raise AccessDenied(f"{error}; or {role} does not trust the caller", error.code) from error
    try:
        keys = granted["Credentials"]
        return Granted(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], keys["Expiration"])
    except (KeyError, TypeError) as error:
        raise Unintelligible(f"AssumeRole: an answer without {one_line(error)}") from error


def members(
    organizations: Client, units: Sequence[Sequence[str]] = (), tags: Sequence[tuple[str, str]] = ()
) -> list[Member]:
    """The accounts of an organization, sorted: all, or those in a unit of each group, and of these those with the tags.

    In a unit is what is in one below it, too. Values of tags are globs. An account that is not active is asked for no
    tags. Raises `errors.Error`.
    """
    found: dict[str, str] = {}
    try:
        for number, group in enumerate(units or [()]):
            rows = {
                str(row["Id"]): str(row.get("State") or row.get("Status")) for row in _rows_in(organizations, group)
            }
            found = rows if number == 0 else {account: rows[account] for account in found if account in rows}
    except (KeyError, TypeError) as error:
        raise Unintelligible(f"ListAccounts: an account without {one_line(error)}") from error
    several = [Member(account, state) for account, state in sorted(found.items())]
    if not tags:
        return several
    fits = [(key, matcher([value])) for key, value in tags]
    return [each for each in several if not each.is_active or _has(organizations, each.account, fits)]


def _rows_in(organizations: Client, units: Sequence[str]) -> Iterator[dict[str, object]]:
    if not units:
        for page in organizations.pages("ListAccounts", "Accounts"):
            yield from page
        return
    waiting, seen = list(units), set(units)
    while waiting:
        unit = waiting.pop(0)
        for page in organizations.pages("ListAccountsForParent", "Accounts", ParentId=unit):
            yield from page
        for page in organizations.pages("ListOrganizationalUnitsForParent", "OrganizationalUnits", ParentId=unit):
            below = [str(row["Id"]) for row in page if row["Id"] not in seen]
            seen.update(below)
            waiting += below


def _has(organizations: Client, account: str, fits: Sequence[tuple[str, Callable[[str], object]]]) -> bool:
    pages = organizations.pages("ListTagsForResource", "Tags", ResourceId=account)
    tags = {str(row["Key"]): str(row["Value"]) for page in pages for row in page}
    return all(key in tags and fit(tags[key]) for key, fit in fits)


def enabled_regions(session: Session, account: Callable[[], Client]) -> list[str]:
    """The regions that are enabled for an account, sorted; `account` makes a client of its account API.

    In partitions without AWS's account API, every region is; there they are those of botocore's endpoint data. Raises
    `errors.Error`.
    """
    if session.partition not in _WITH_ACCOUNT_API:
        return sorted(session.listed("ecr"))
    client = account()
    try:
        pages = client.pages("ListRegions", "Regions", RegionOptStatusContains=["ENABLED", "ENABLED_BY_DEFAULT"])
        return sorted(str(row["RegionName"]) for page in pages for row in page)
    except (KeyError, TypeError) as error:
        raise Unintelligible(f"ListRegions: a region without {one_line(error)}") from error
    finally:
        client.close()
