"""`merge`: the results of many machines as one, each account and region once."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from aws_ecr_gc import __version__
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.errors import Exit, Misuse, one_line, worst
from aws_ecr_gc.report import document
from aws_ecr_gc.report.fleets import AbsentPart, Summary
from aws_ecr_gc.report.merged import MergedDocument, MergedPlace, Place, Result, lines


class Pair(Struct, frozen=True, order=True):
    """An account and a region."""

    account: str
    region: str


class _Latest(Struct):
    """The youngest result of a pair so far, and how many there were."""

    result: Result
    place: Place
    found_in: str
    count: int


class Merge:
    """Results as they come, in any order: what is held of each is small."""

    def __init__(self) -> None:
        self._latest: dict[Pair, _Latest] = {}
        self._absent: dict[tuple[str, str | None], AbsentPart] = {}
        self._shards: dict[int, set[int]] = {}
        self._policies: set[str] = set()
        self._exits: list[Exit] = []

    def add(self, content: bytes, name: str) -> None:
        """One more document of `plan` or `run` over a fleet. Raises Misuse for what is none."""
        result = decoded(content, name)
        for place in result.places:
            pair = Pair(place.account, place.region)
            earlier = self._latest.get(pair)
            if earlier is None:
                self._latest[pair] = _Latest(result, place, name, 1)
                continue
            earlier.count += 1
            if (result.at, place.exit, name) > (earlier.result.at, earlier.place.exit, earlier.found_in):
                earlier.result, earlier.place, earlier.found_in = result, place, name
        for each in result.absent:
            self.lacks(each)
        if not result.places:
            self._exits.append(_exit(result.exit, name))
        if result.policy_sha256 is not None:
            self._policies.add(result.policy_sha256)
        if result.shard is not None:
            self._note_shard(result.shard, name)

    def has_none(self, pair: Pair, reason: str) -> None:
        """Note that a pair that was to be done has no result, unless one comes."""
        self.lacks(AbsentPart(pair.account, pair.region, reason))

    def lacks(self, each: AbsentPart) -> None:
        """Note what could not be found out, so that it is in nobody's part."""
        self._absent.setdefault((each.account, each.region), each)

    def document(self) -> MergedDocument:
        """The report over all that was added."""
        places = [self._merged(pair) for pair in sorted(self._latest)]
        done = {(each.account, each.region) for each in places}
        absent = [each for key, each in sorted(self._absent.items(), key=_in_order) if key not in done]
        missing = list(self._missing_shards())
        summary = Summary()
        for each in places:
            summary.add(each.summary)
            summary.seconds = round(summary.seconds + each.summary.seconds, 3)
        exits = [*self._exits, *(Exit(each.exit) for each in places)]
        if absent or missing:
            exits.append(Exit.AWS)
        return MergedDocument(
            version=1,
            tool=f"aws-ecr-gc {__version__}",
            places=places,
            absent=absent,
            missing_shards=missing,
            policies=sorted(self._policies),
            exit=int(worst(exits)),
            summary=summary,
        )

    def _merged(self, pair: Pair) -> MergedPlace:
        latest = self._latest[pair]
        place = latest.place
        return MergedPlace(
            account=place.account,
            region=place.region,
            partition=place.partition,
            failure=place.failure,
            unread=place.unread,
            exit=int(_exit(place.exit, latest.found_in)),
            summary=place.summary,
            results=latest.count,
            found_in=latest.found_in,
        )

    def _note_shard(self, stated: str, name: str) -> None:
        number, _, total = stated.partition("/")
        if not (number.isdecimal() and total.isdecimal()):
            raise Misuse(f"{name}: shard {stated!r} is not I/N; the file was changed since it was written")
        self._shards.setdefault(int(total), set()).add(int(number))

    def _missing_shards(self) -> Iterator[str]:
        """A fleet that was divided anew has results of several divisions: one that is whole will do."""
        if any(len(numbers) == total for total, numbers in self._shards.items()):
            return
        for total, numbers in sorted(self._shards.items()):
            yield from (f"{number}/{total}" for number in range(1, total + 1) if number not in numbers)


def decoded(content: bytes, name: str) -> Result:
    """A document of a fleet. Raises Misuse."""
    try:
        result = msgspec.json.decode(content, type=Result)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Misuse(
            f"{name}: not a JSON document of plan or run over a fleet: {one_line(error)}; give --output json there"
        ) from error
    if result.version != 1:
        raise Misuse(f"{name}: version {result.version} of the document is not known; use a younger aws-ecr-gc")
    return result


def pairs_of(content: bytes, name: str) -> list[Pair]:
    """The list of accounts and regions that were to be done. Raises Misuse."""
    try:
        return msgspec.json.decode(content, type=list[Pair])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Misuse(f"{name}: not a list of accounts and regions: {one_line(error)}") from error


def merge_files(names: Sequence[Path], pairs: Path | None, *, output: str, console: Console) -> Exit:
    """Merge files, and the JSON files of directories; with `pairs`, each of these must have a result.

    Raises Misuse for what is no result, and OutputLost.
    """
    merge = Merge()
    for path in _files(names):
        merge.add(_read(path), one_line(path))
    if pairs is not None:
        for pair in pairs_of(_read(pairs), one_line(pairs)):
            merge.has_none(pair, "no result")
    content = merge.document()
    console.print([document.encode(content)] if output == "json" else lines(content))
    return Exit(content.exit)


def _files(names: Iterable[Path]) -> Iterator[Path]:
    for name in names:
        if not name.is_dir():
            yield name
            continue
        found = sorted(name.rglob("*.json"))
        if not found:
            raise Misuse(f"{one_line(name)}: holds no JSON file; give the results, or a directory that holds them")
        yield from found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Misuse(f"{one_line(path)}: can't be read: {error.strerror}") from error


def _exit(code: int, name: str) -> Exit:
    try:
        return Exit(code)
    except ValueError:
        raise Misuse(f"{name}: exit code {code} is none of aws-ecr-gc; the file was changed") from None


def _in_order(item: tuple[tuple[str, str | None], AbsentPart]) -> tuple[str, str]:
    (account, region), _ = item
    return account, region or ""
