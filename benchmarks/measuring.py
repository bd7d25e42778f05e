"""Run commands as fresh processes, in turns, and measure them from outside.

This process stays small on purpose: on Linux the peak memory of a child begins at that of the process it was forked
from.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in a unit of ru_maxrss."""


class Run(NamedTuple):
    """One process: seconds, peak resident memory in bytes, and what the server saw of it."""

    wall: float
    cpu: float
    peak: int
    calls: int = 0
    first_call: float = 0.0
    """Seconds from the start of the process to the arrival of its first call; 0 without one."""


class Planned(NamedTuple):
    """A plan made in memory: CPU seconds of making it and of reading each decision once, and memory in bytes."""

    seconds: float
    reading: float
    added: int
    """What both added to the peak of the process."""
    peak: int
    steps: int


class Server:
    """The server process, as seen from here."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.url = f"http://127.0.0.1:{port}"

    def seen(self) -> tuple[int, float | None]:
        """How many calls came since this was last asked, and when the first did."""
        connection = HTTPConnection("127.0.0.1", self._port)
        connection.request("GET", "/")
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer["calls"], answer["first"]


@contextmanager
def started(command: Sequence[str]) -> Iterator[str]:
    """A server in a process of its own, for as long as the block; the first line that it says."""
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None:
            raise RuntimeError(f"{command}: its output was not asked for")
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


@contextmanager
def serving(images: int, latency: float = 0.0) -> Iterator[Server]:
    """A server of a repository with this many images; `latency` is in seconds a call."""
    command = [sys.executable, "-m", "benchmarks.server", f"--images={images}", f"--latency={latency}"]
    with started(command) as said:
        yield Server(int(said))


def run(command: Sequence[str], server: Server | None = None, expected: int = 0) -> Run:
    """Run one command to its end. Raises RuntimeError, with what it said, if its exit code is not as expected."""
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryDirectory() as home:
        if server is not None:
            server.seen()
        started = time.monotonic()
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(home), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != expected:
            errors.seek(0)
            raise RuntimeError(f"{command}: exit code {process.returncode}\n{errors.read().decode()}")
    calls, first = (0, None) if server is None else server.seen()
    return Run(
        wall,
        used.ru_utime + used.ru_stime,
        used.ru_maxrss * PEAK_UNIT,
        calls,
        0.0 if first is None else first - started,
    )


def in_turns(
    commands: Mapping[str, Sequence[str]], rounds: int, server: Server | None = None, expected: int = 0
) -> dict[str, Run]:
    """The medians of commands run one after the other, round by round, so that a busy machine meets all alike."""
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(run(command, server, expected))
    return {name: _median(several) for name, several in runs.items()}


def output(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """What a command says, where that matters and its cost does not."""
    with tempfile.TemporaryDirectory() as home:
        return subprocess.run(command, cwd=ROOT, env=environment(home), capture_output=True, text=True, check=False)


def environment(home: str) -> dict[str, str]:
    """One in which nothing of the user's own AWS set-up, proxies or caches takes part."""
    return {
        "PATH": os.defpath,
        "HOME": home,
        "TZ": "UTC",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _median(runs: Sequence[Run]) -> Run:
    return Run(
        median(run.wall for run in runs),
        median(run.cpu for run in runs),
        round(median(run.peak for run in runs)),
        round(median(run.calls for run in runs)),
        median(run.first_call for run in runs),
    )
