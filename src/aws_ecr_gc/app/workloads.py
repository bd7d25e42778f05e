"""What is in use, as it was read last, and read again before anything is deleted."""

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import cache
from threading import Lock

from aws_ecr_gc.app.console import Console
from aws_ecr_gc.apply import Veto
from aws_ecr_gc.aws.session import Session
from aws_ecr_gc.config import Connection
from aws_ecr_gc.discovery.reading import Discovery
from aws_ecr_gc.discovery.settings import Settings
from aws_ecr_gc.errors import Error, Interrupted, Misuse
from aws_ecr_gc.inventory import Inventory
from aws_ecr_gc.policy.protection import needed_by
from aws_ecr_gc.report import text
from aws_ecr_gc.usage import InUse, without

FRESH = 300.0
"""Seconds for which a reading is good enough to delete by."""


class Workloads:
    """The readings of one run. `read` is for the plan; `veto` reads again, for the deletion."""

    def __init__(
        self,
        settings: Settings,
        connection: Connection,
        allow_unread: Sequence[str],
        console: Console,
        *,
        now: float,
        fresh: float = FRESH,
    ) -> None:
        self._console = console
        self._allow_unread = allow_unread
        self._now = now
        self._started = time.monotonic()
        self._fresh = fresh
        self._last: InUse | None = None
        self._read_again_at: float | None = None
        self._failed: Error | None = None
        self._lock = Lock()
        self._said: set[object] = set()
        self._session = cache(lambda: Session(connection.profile, connection.region))  # a profile may ask for a code
        self._discovery = Discovery(
            settings,
            self._session,
            stdin=_standard_input,
            registry_account=connection.registry_id,
            progress=self._show,
            say=self._say_once,
        )

    def account(self) -> str:
        """The account of the credentials."""
        with closing(self._session().client("sts")) as client:
            return str(client.call("GetCallerIdentity", "Account")["Account"])

    def read(self) -> InUse:
        """Everything that is in use. Raises WorkloadsUnread where a source is missing that may not be."""
        started = time.monotonic()
        found = self._discovery.read(self._now + started - self._started)
        self._console.clear()
        for each in (allowed := without(found, self._allow_unread)).unread:
            self._say_once(f"warning: going on without {each.origin}: {each.reason}")
        return allowed

    def veto(self, inventory: Inventory, seen: InUse | None) -> Veto:
        """For `apply`: what of a repository must stay for what came into use since it was `seen`, if it was.

        Workloads are read again, whole, before the first deletion of the run, and when that is older than five minutes.
        """
        vetoed: Mapping[str, str] = {}

        def ask() -> Mapping[str, str]:
            nonlocal seen, vetoed
            in_use = self._read_again()
            if in_use is not seen:
                vetoed = {**vetoed, **needed(inventory, in_use)}
                seen = in_use
            return vetoed

        return ask

    def _read_again(self) -> InUse:
        with self._lock:  # who is to delete waits for the reading that somebody else began
            if self._failed is not None:  # a source that could not be read stops every deletion, however many wait
                raise self._failed
            read_at = self._read_again_at
            if self._last is None or read_at is None or time.monotonic() - read_at > self._fresh:
                try:
                    self._last = self.read()
                except Error as error:
                    self._failed = error
                    raise
                self._read_again_at = time.monotonic()
            return self._last

    def _show(self, progress: str) -> None:
        if self._console.stop():
            self._console.clear()
            raise Interrupted("interrupted while reading what is in use")
        self._console.show(progress)

    def _say_once(self, remark: str) -> None:
        if remark not in self._said:
            self._said.add(remark)
            self._console.say(remark)


def needed(inventory: Inventory, in_use: InUse) -> dict[str, str]:
    """What must stay for what is in use, and why."""
    uses = in_use.in_repository(inventory.repository)
    return {digest: text.reason(reason) for digest, reason in needed_by(uses, inventory).items()} if uses else {}


def _standard_input() -> bytes:
    if sys.stdin is None:
        raise Misuse("standard input is closed: the list of what is in use can't be read from it")
    return sys.stdin.buffer.read()
