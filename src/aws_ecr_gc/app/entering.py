"""The session for a registry: the user's own, or that of a role in the registry's account."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from threading import Lock

from aws_ecr_gc.aws.accounts import assume, caller_account
from aws_ecr_gc.aws.session import Granted, Session
from aws_ecr_gc.config import Connection
from aws_ecr_gc.targets import Entry

_MARGIN = timedelta(minutes=20)
"""Credentials that end sooner are asked for anew: botocore begins to renew them a quarter of an hour before."""


def session_of(connection: Connection) -> Session:
    """The session that a connection means. Raises `errors.Error` where an account can't be entered."""
    home = Session(connection.profile, connection.region)
    account, entry = connection.registry_id, connection.entry
    if account is None or entry is None:
        return home
    with closing(home.client("sts")) as sts:
        if caller_account(sts) == account:
            return home
    return home.entered(granting(home, account, entry))


class Grants:
    """Credentials of one account: asked for once, by whoever is first, and again when they are about to end."""

    def __init__(self, ask: Callable[[], Granted]) -> None:
        self._ask = ask
        self._lock = Lock()
        self._last: Granted | None = None

    def __call__(self) -> Granted:
        with self._lock:
            if self._last is None or self._last.expires_at - datetime.now(UTC) < _MARGIN:
                self._last = self._ask()
            return self._last


def granting(home: Session, account: str, entry: Entry) -> Grants:
    """Those of the role in an account. They raise `errors.Error` where it can't be entered."""

    def ask() -> Granted:  # also in the middle of a deletion, when nobody is to be interrupted
        with closing(home.client("sts")) as sts:
            return assume(sts, home.partition, account, entry)

    return Grants(ask)
