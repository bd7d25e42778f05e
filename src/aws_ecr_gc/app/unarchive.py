"""`unarchive`: take images out of the archive, with all that they need to be whole."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from aws_ecr_gc import __version__
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.live import Live
from aws_ecr_gc.app.sources import LiveSource, open_live
from aws_ecr_gc.config import Connection, Directories
from aws_ecr_gc.errors import AwsFailure, Exit, ImageNotFound, Interrupted, Misuse, worst
from aws_ecr_gc.inventory import Image, Inventory, Status, unread_indexes
from aws_ecr_gc.policy.protection import relations_of
from aws_ecr_gc.ports import BATCH
from aws_ecr_gc.report import document, text, unarchived

if TYPE_CHECKING:
    from aws_ecr_gc.ports import RepositoryPort

POLL = 15.0
"""Seconds between two looks while it is waited."""

LONGEST = 3600.0
"""Seconds after which waiting ends: ECR takes 20 minutes, as it says."""


class Wanted(Struct, frozen=True):
    """An image to take out: its repository, and a tag or the beginning of a digest."""

    repository: str
    tag: str | None
    digest: str | None

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}" if self.digest else f"{self.repository}:{self.tag}"


class Asked(Struct, frozen=True):
    """What is to come back; with `wait`, until it is there: `poll` seconds between two looks, `longest` in all."""

    images: tuple[Wanted, ...]
    connection: Connection = Connection()
    directories: Directories = Directories()
    wait: bool = False
    poll: float = POLL
    longest: float = LONGEST
    output: str = "text"


def unarchive(asked: Asked, *, now: float, console: Console) -> Exit:
    """Take images out of the archive. Exit 5 where some could not be, or are not there when waiting ends.

    Raises Misuse for an image that is not there, before anything is changed, and other `errors.Error`.
    """
    by_repository: dict[str, list[Wanted]] = {}
    for each in asked.images:
        by_repository.setdefault(each.repository, []).append(each)
    with open_live(asked.connection, Live(asked.directories, now, console)) as source:
        returns = [_Return(name, wanted, source, console) for name, wanted in by_repository.items()]
        for back in returns:
            back.begin()
        for back in returns if asked.wait else ():
            _wait(back, asked, console)
    rows = [row for each in returns for row in each.rows()]
    if asked.output == "json":
        console.print([document.encode(unarchived.document(rows, f"aws-ecr-gc {__version__}"))])
    else:
        console.print(unarchived.lines(rows))
    for back in returns:
        for digest in back.unread:
            console.say(
                f"repository {back.name}: what index {digest} lists can't be read before it is active; "
                "give the same command again then, or --wait"
            )
    return worst(each.exit(waited=asked.wait) for each in returns)


def _wait(each: "_Return", asked: Asked, console: Console) -> None:
    """Wait until all is active, what only then can be read included. Nothing is looked at without a pause before it."""
    started = time.monotonic()
    while each.is_under_way() or each.unread:
        if time.monotonic() - started > asked.longest:
            console.say(f"repository {each.name}: not everything is active after {asked.longest / 60:.0f} minutes")
            break
        _sleep(asked.poll, console.stop)
        each.look()
        if not each.is_under_way() and each.unread:
            each.go_on()
    console.clear()


def _sleep(seconds: float, stop: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while not stop():
        left = until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, 0.2))
    raise Interrupted("interrupted while waiting; what was begun goes on by itself")


class _Return:
    """The way back of some images of one repository.

    `_needed` are the digests that are to be active in the end, with why; `unread` the indexes among them of which it is
    not known what they list. `_images` holds each as it was seen last: one that is deleted meanwhile is told of, too.
    """

    def __init__(self, name: str, wanted: Sequence[Wanted], source: LiveSource, console: Console) -> None:
        self.name = name
        self._source = source
        self._console = console
        self._port: RepositoryPort = source.registry.repository(name)
        self._images: dict[str, Image] = {}
        self._inventory = self._read(lambda _: ())
        self._named = [_find(each, self._inventory.images) for each in wanted]
        self._status: dict[str, Status] = {}
        self._failed: dict[str, str] = {}
        self._activated: set[str] = set()
        self._needed: dict[str, str] = {}

    def _read(self, needed: Callable[[Inventory], Sequence[str]]) -> Inventory:
        inventory = self._source.inventory(self.name, needed)
        self._images |= inventory.images
        return inventory

    def begin(self) -> None:
        """Ask ECR for all that is known to be needed; indexes that are active are read for it."""
        self._needed |= _needed(self._named, self._inventory)
        while readable := [digest for digest in unread_indexes(self._inventory) if digest in self._needed]:
            self._inventory = self._read(partial(_these, readable))
            self._needed |= _needed(self._named, self._inventory)
        for digest in self._needed:
            if digest not in self._failed:
                self._ask_for(digest, self._inventory.images.get(digest))

    def _ask_for(self, digest: str, image: Image | None) -> None:
        """Ask for one, once: what somebody archives again meanwhile is left there."""
        if image is None:
            self._has_failed(digest, "deleted meanwhile")
        elif image.status is not Status.ARCHIVED or digest in self._activated:
            self._status[digest] = image.status
        else:
            try:
                self._status[digest] = self._port.activate(digest)
                self._activated.add(digest)
            except ImageNotFound:
                self._has_failed(digest, "deleted meanwhile")
            except AwsFailure as error:
                self._has_failed(digest, str(error))

    def _has_failed(self, digest: str, why: str) -> None:
        self._status.pop(digest, None)
        self._failed[digest] = why

    @property
    def unread(self) -> list[str]:
        """The indexes on their way, or there, of which it is not known what they list."""
        return [
            digest
            for digest, status in self._status.items()
            if self._images[digest].children is None and status is not Status.ARCHIVED
        ]

    def is_under_way(self) -> bool:
        """Whether something is asked for and not there yet."""
        return any(status is Status.ACTIVATING for status in self._status.values())

    def look(self) -> None:
        """See how far it is."""
        under_way = [digest for digest, status in self._status.items() if status is Status.ACTIVATING]
        self._console.show(f"{self.name}: {text.images(len(under_way))} on the way back")
        for at in range(0, len(under_way), BATCH):
            for image in self._described(under_way[at : at + BATCH]):
                self._status[image.digest] = image.status

    def _described(self, digests: list[str]) -> list[Image]:
        try:
            return self._port.describe(digests)
        except ImageNotFound as gone:
            if gone.digest not in digests:
                raise
            self._has_failed(gone.digest, "deleted meanwhile")
            return []

    def go_on(self) -> None:
        """Read the indexes that are active by now, and ask for what they list."""
        self._inventory = self._read(lambda _: ())
        self.begin()

    def exit(self, *, waited: bool) -> Exit:
        """Whether all went well so far; once it was waited, that is whether all is active."""
        missing = waited and any(status is not Status.ACTIVE for status in self._status.values())
        return Exit.SOME_FAILED if self._failed or missing else Exit.DONE

    def rows(self) -> Iterator[unarchived.Row]:
        """What became of each."""
        for digest, why in self._needed.items():
            image = self._images[digest]
            yield unarchived.Row(
                repository=self.name,
                digest=digest,
                tags=list(image.tags),
                size=image.own_size,
                why=why,
                asked_now=digest in self._activated,
                status=self._status.get(digest),
                failed=self._failed.get(digest),
            )


def _these(indexes: Sequence[str], _: Inventory) -> Sequence[str]:
    return indexes


def _find(wanted: Wanted, images: Mapping[str, Image]) -> str:
    if wanted.digest is not None:
        found = [digest for digest in images if digest.startswith(wanted.digest)]
    else:
        found = [digest for digest, image in images.items() if wanted.tag in image.tags]
    if len(found) != 1:
        how_many = "no such image" if not found else f"{len(found)} images begin so; give more of the digest"
        raise Misuse(f"{wanted}: {how_many}; nothing was changed")
    return found[0]


def _needed(named: Iterable[str], inventory: Inventory) -> dict[str, str]:
    """The images that are named, what they list, and what refers to any of these: why, by digest."""
    relations = relations_of(inventory)
    needed = dict.fromkeys(named, unarchived.ASKED_FOR)
    waiting = list(needed)
    while waiting:
        digest = waiting.pop()
        for child in relations.children.get(digest, ()):
            if child not in needed:
                needed[child] = "listed by one of these"
                waiting.append(child)
        for referrer in relations.referrers.get(digest, ()):
            if referrer not in needed:
                needed[referrer] = "refers to one of these"
                waiting.append(referrer)
    return needed
