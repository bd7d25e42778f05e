"""Fleets: many repositories at once, beside a bare asynchronous client that makes the same calls."""

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import contenders, measuring
from benchmarks.measuring import Run

LATENCY = 0.05
"""Seconds a call."""
LIMIT = 20.0
"""Calls a second that the throttled registry lets through, of each operation."""

_KEEP_NONE = {"name": "all", "match": {"any": True}, "keep": "none"}
_FAST = ("--max-rps", "100000")


class Fleet(NamedTuple):
    """So many repositories of so many images, so many of them worked on at once."""

    repositories: int
    images: int
    at_once: int


class Seen(NamedTuple):
    """What a process cost, and what the server saw of it."""

    run: Run
    calls: int
    refused: int


class Sizes(NamedTuple):
    """What is measured."""

    listed: Fleet = Fleet(1000, 100, 32)
    deleted: Fleet = Fleet(100, 100, 16)
    throttled: Fleet = Fleet(1000, 100, 16)
    held: Fleet = Fleet(100, 10_000, 8)


class Measured(NamedTuple):
    """Everything; `bare` is the asynchronous client."""

    listing: Seen
    bare_listing: Seen
    deleting: Seen
    bare_deleting: Seen
    throttled: Seen
    pushed: Seen
    held: Seen
    cleared: Seen
    deleted: Seen
    empty: Seen


def measure(sizes: Sizes, rounds: int) -> Measured:
    """Each pair in turns; the throttled ones and the memory once, for they do not vary much."""
    with tempfile.TemporaryDirectory() as folder:
        look, clear = _policy(Path(folder, "look.json"), _most_of(100)), _policy(Path(folder, "clear.json"), _KEEP_NONE)
        large = _policy(Path(folder, "large.json"), _most_of(sizes.held.images))
        listing, bare_listing = _side_by_side(sizes.listed, rounds, ["plan", "-f", look], "list")
        deleting, bare_deleting = _side_by_side(sizes.deleted, rounds, ["run", "-f", clear, "--yes"], "delete")
        with _serving(sizes.throttled, latency=LATENCY, limit=LIMIT) as server:
            throttled = server.seen_of(_program(server, sizes.throttled, ["plan", "-f", look]))
            pushed = server.seen_of(_program(server, sizes.throttled, ["plan", "-f", look, "--max-rps", "100"]))
        with _serving(sizes.held) as server:
            held = server.seen_of(_program(server, sizes.held, ["plan", "-f", large, *_FAST]))
            cleared = server.seen_of(_program(server, sizes.held, ["plan", "-f", clear, *_FAST]))
            deleted = server.seen_of(_program(server, sizes.held, ["run", "-f", clear, "--yes", *_FAST]))
        with _serving(Fleet(0, 0, 0)) as server:
            empty = server.seen_of(_program(server, sizes.held, ["plan", "-f", large, *_FAST]))
    return Measured(listing, bare_listing, deleting, bare_deleting, throttled, pushed, held, cleared, deleted, empty)


def _most_of(images: int) -> dict[str, object]:
    """A rule that keeps 95 of 100."""
    return {"name": "main", "match": {"prefix": "main-"}, "keep": {"newest": images * 95 // 100}}


def allowed(calls: int) -> float:
    """Seconds that so many calls take at the limit, a second's worth of which may come at once."""
    return max(calls - LIMIT, 0) / LIMIT


class _Server(NamedTuple):
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def seen_of(self, command: Sequence[str]) -> Seen:
        """Run a command to its end."""
        self._seen()
        run = measuring.run(command)
        calls, refused = self._seen()
        return Seen(run, calls, refused)

    def _seen(self) -> tuple[int, int]:
        connection = HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", "/")
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return sum(answer["calls"].values()), answer["refused"]


@contextmanager
def _serving(fleet: Fleet, latency: float = 0.0, limit: float | None = None) -> Iterator[_Server]:
    command = [sys.executable, "-m", "benchmarks.fleet_server", f"--repositories={fleet.repositories}"]
    command += [f"--images={fleet.images}", f"--latency={latency}", *([] if limit is None else [f"--limit={limit}"])]
    with measuring.started(command) as said:
        yield _Server(int(said))


def _side_by_side(fleet: Fleet, rounds: int, words: Sequence[str], work: str) -> tuple[Seen, Seen]:
    ours, bare = [], []
    with _serving(fleet, latency=LATENCY) as server:
        for _ in range(rounds):
            ours.append(server.seen_of(_program(server, fleet, [*words, *_FAST])))
            bare.append(server.seen_of(_bare(server, fleet, work)))
    return _median(ours), _median(bare)


def _program(server: _Server, fleet: Fleet, words: Sequence[str]) -> list[str]:
    where = ["--region", "us-east-1", "--endpoint-url", server.url, "--concurrency", str(fleet.at_once)]
    return [*contenders.program(), *words, *where]


def _bare(server: _Server, fleet: Fleet, work: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.bare", server.url, str(fleet.at_once), work]


def _policy(path: Path, rule: Mapping[str, object]) -> str:
    guards = {"keep_at_least": 0, "keep_tagged": 0}
    path.write_text(json.dumps({"version": 1, "policies": [{"rules": [rule], "guards": guards}]}))
    return str(path)


def _median(several: list[Seen]) -> Seen:
    runs = [each.run for each in several]
    run = Run(
        median(each.wall for each in runs), median(each.cpu for each in runs), round(median(each.peak for each in runs))
    )
    return Seen(run, several[0].calls, several[0].refused)
