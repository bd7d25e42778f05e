"""Reading all workloads once: every source, in every place, concurrently, to the end."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from importlib import import_module
from typing import NamedTuple

from aws_ecr_gc.aws.session import Session
from aws_ecr_gc.discovery.places import CONNECTIONS, Places
from aws_ecr_gc.discovery.reader import Memory, Place, Reader
from aws_ecr_gc.discovery.settings import Kind, Listing, Settings
from aws_ecr_gc.discovery.sources import SOURCES
from aws_ecr_gc.errors import Error, Misuse, Unintelligible, one_line
from aws_ecr_gc.usage import InUse, Origin, Reach, Unread, Use, by_repository

READINGS = 32
"""Sources read at once, whatever the number of accounts and regions."""
_LOOK = 0.2
"""Seconds after which the work is looked at again: whether it is to end, and how far it is."""


class _Reading(NamedTuple):
    origin: Origin
    read: Callable[[], Iterator[Use | Unread]]


class Discovery:
    """Reads what is in use, as often as it is asked to. What never changes is read once, and standard input too."""

    def __init__(
        self,
        settings: Settings,
        session: Callable[[], Session],
        *,
        stdin: Callable[[], bytes],
        registry_account: str | None = None,
        progress: Callable[[str], None] = lambda _: None,
        say: Callable[[str], None] = lambda _: None,
        at_once: int = READINGS,
    ) -> None:
        """`session` is called only if AWS is a source; `registry_account` is named where the registry may be another's.

        `progress` may raise to end the work; `say` is for remarks; `at_once` is how many sources are read at a time.
        """
        self._settings = settings
        self._session = session
        self._stdin = stdin
        self._registry_account = registry_account
        self._progress = progress
        self._say = say
        self._at_once = at_once
        self._memory = Memory()
        self._input: bytes | None = None

    def read(self, now: float) -> InUse:
        """Read everything once, whole or in part: what is missing is in `unread`. `now` is in epoch seconds.

        Raises `errors.Misuse` for an AWS configuration that does not even say who is asking, and what `progress`
        raises.
        """
        self._going = True
        if any(each.kind is Kind.STDIN for each in self._settings.lists) and self._input is None:
            self._input = self._stdin()
        pool = ThreadPoolExecutor(self._at_once)
        places: Places | None = None
        ended = False
        try:
            unread: list[Unread] = []
            readings = [*self._kubernetes(), *self._lists()]
            if self._settings.asks_aws:
                session = self._session()
                places = Places(session, self._settings, self._registry_account, lambda: self._going)
                found = places.find(pool)
                unread += places.unread
                for remark in places.remarks:
                    self._say(remark)
                readings += self._of_aws(self._chosen(session, found), found, places)
            found_in_use = self._gathered(now, readings, unread, pool)
            ended = True
            return found_in_use
        finally:
            self._going = False
            # Where the work is to end at once, nobody waits for the calls under way.
            pool.shutdown(wait=ended, cancel_futures=True)
            if places is not None:
                places.close()

    def _chosen(self, session: Session, places: Sequence[Place]) -> Sequence[tuple[str, str]]:
        """The sources and regions to read: those named everywhere, and of all others where AWS's data list them."""
        regions = list(dict.fromkeys(place.region for place in places))
        chosen = [(source, region) for region in regions for source in self._settings.sources]
        if self._settings.every:
            others = [source for source in SOURCES if source not in self._settings.sources]
            for region in regions:
                there = [source for source in others if session.lists(SOURCES[source].services[0], region)]
                chosen += [(source, region) for source in there]
                absent = ",".join(source for source in others if source not in there)
                if others and not there:
                    raise Misuse(
                        f"{region}: botocore knows no service of AWS there; name another region, or the sources"
                    )
                if absent:
                    self._say(
                        f"all leaves out what botocore does not list for {region}; to look there too: all,{absent}"
                    )
        return chosen

    def _of_aws(self, chosen: Iterable[tuple[str, str]], found: Sequence[Place], places: Places) -> Iterator[_Reading]:
        for source, region in chosen:
            for place in found:
                if place.region == region:
                    origin = Origin(source, place.account, place.region)
                    yield _Reading(origin, partial(self._read_source, origin, place, places))

    def _read_source(self, origin: Origin, place: Place, places: Places) -> Iterator[Use | Unread]:
        """Read a source with workers of its own: who waits for one service's pace keeps no other from its calls."""
        with places.clients(place) as calls, ThreadPoolExecutor(CONNECTIONS) as pool:
            reader = Reader(origin, place, self._settings, calls=calls, pool=pool, memory=self._memory)
            yield from import_module(SOURCES[origin.source].module).read(reader)

    def _kubernetes(self) -> Iterator[_Reading]:
        clusters = self._settings.kubernetes
        if clusters is None:
            return
        from aws_ecr_gc.discovery.kubernetes import read_context, read_in_cluster  # noqa: PLC0415 - an extra

        for context in clusters.contexts:
            origin = Origin("kubernetes", name=context)
            yield _Reading(origin, partial(read_context, context, clusters.kubeconfig, origin))
        if clusters.in_cluster:
            origin = Origin("kubernetes", name="in-cluster")
            yield _Reading(origin, partial(read_in_cluster, origin))

    def _lists(self) -> Iterator[_Reading]:
        for listing in self._settings.lists:
            origin = Origin("list", name=listing.shown)
            yield _Reading(origin, partial(self._read_list, listing, origin))

    def _read_list(self, listing: Listing, origin: Origin) -> Iterator[Use]:
        from aws_ecr_gc.discovery.lists.reading import read  # noqa: PLC0415 - its formats are loaded where one is to be read

        return read(listing, origin, stdin=lambda: self._input or b"")

    def _gathered(
        self, now: float, readings: Iterable[_Reading], unread: list[Unread], pool: ThreadPoolExecutor
    ) -> InUse:
        waiting: dict[Future[list[Use | Unread]], Origin] = {
            pool.submit(_to_the_end, reading.read): reading.origin for reading in readings
        }
        total = len(waiting)
        uses: dict[Origin, list[Use]] = {}
        while waiting:
            done, _ = wait(waiting, _LOOK, FIRST_COMPLETED)
            for each in done:
                origin = waiting.pop(each)
                try:
                    found = each.result()
                    # Two lists may have one name.
                    uses.setdefault(origin, []).extend(use for use in found if isinstance(use, Use))
                    unread += [part for part in found if isinstance(part, Unread)]
                except Error as error:
                    unread.append(Unread(origin, str(error)))
            self._progress(f"in use: {total - len(waiting)} of {total} sources read")
        every = (use for origin in sorted(uses, key=_order) for use in uses[origin])
        return InUse(
            now,
            by_repository(every),
            tuple(sorted(uses, key=_order)),
            tuple(sorted(unread, key=lambda each: _order(each.origin))),
            Reach(self._settings.every, self._settings.organization, self._settings.revisions),
        )


def _to_the_end(read: Callable[[], Iterator[Use | Unread]]) -> list[Use | Unread]:
    """All uses of a source, or its error: what it gave before that is not the whole."""
    try:
        return list(read())
    except (AttributeError, ImportError, IndexError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise Unintelligible(f"an answer that can't be understood: {one_line(repr(error))}") from error


def _order(origin: Origin) -> tuple[str, str, str, str]:
    return origin.source, origin.account or "", origin.region or "", origin.name or ""
