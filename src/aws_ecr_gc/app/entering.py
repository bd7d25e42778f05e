"""The session for a registry: the user's own, or that of a role in the registry's account."""

from contextlib import closing

from aws_ecr_gc.aws.accounts import assume, caller_account
from aws_ecr_gc.aws.client import Granted, Session
from aws_ecr_gc.config import Connection
from aws_ecr_gc.targets import Entry


def session_of(connection: Connection) -> Session:
    """The session that a connection means. Raises `errors.Error` where an account can't be entered."""
    home = Session(connection.profile, connection.region)
    account, entry = connection.registry_id, connection.entry
    if account is None or entry is None:
        return home
    with closing(home.client("sts")) as sts:
        if caller_account(sts) == account:
            return home
    return entered(home, account, entry)


def entered(home: Session, account: str, entry: Entry) -> Session:
    """The same with the role in an account. Raises `errors.Error` where it can't be entered."""

    def grant() -> Granted:
        with closing(home.client("sts")) as sts:
            return assume(sts, home.partition, account, entry)

    return home.entered(grant)
