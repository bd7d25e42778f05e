"""Reading what is in use: calls beside the fewest that AWS's API allows, seconds beside those of the pace alone."""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from typing import Any, NamedTuple

from benchmarks.measuring import ROOT, environment, output

LATENCY = 0.03
"""Seconds a call; AWS's regions answer about as fast."""
VERSIONS_OF_A_FUNCTION = 5
_FOR_SOURCES = ("aws_ecr_gc.discovery.reading", "aws_ecr_gc.app.workloads", "concurrent.futures.thread")


class Account(NamedTuple):
    """What `benchmarks.workloads` fills the stand-in with."""

    services: int
    clusters: int
    versions: int

    def __str__(self) -> str:
        return f"{self.services:,} services, {self.clusters} clusters, {self.versions:,} versions"

    def fewest(self) -> int:
        """The fewest calls that tell what is in use: pages and batches as long as the API allows them.

        Every service has a deployment, a revision, a task and a definition of its own. The clusters hold as many
        services, but for one. GetFunction and DescribeTaskDefinition describe one thing a call.
        """
        sizes = [len(range(start, self.services, self.clusters)) for start in range(self.clusters)]
        calls = {
            "GetCallerIdentity": 1,
            "ListClusters": ceil(self.clusters / 100),
            "ListServices": sum(ceil(size / 100) for size in sizes),
            "DescribeServices": sum(ceil(size / 10) for size in sizes),
            # Those that run, and those that stopped: there are none, and that takes a call.
            "ListTasks": sum(ceil(size / 100) + 1 for size in sizes),
            "DescribeTasks": sum(ceil(size / 100) for size in sizes),
            "DescribeServiceDeployments": ceil(self.services / 20),
            "DescribeServiceRevisions": ceil(self.services / 20),
            "ListTaskDefinitions": ceil(self.services / 100),
            "DescribeTaskDefinition": self.services,
            "ListDaemons": self.clusters,
            "ListEventBuses": 1,
            "ListRuleNamesByTarget": self.clusters,
            "ListSchedules": 1,
            "ListStateMachines": 1,
            "ListFunctions": ceil(self.versions / 50),
            "GetFunction": self.versions,
        }
        return sum(calls.values())


class Read(NamedTuple):
    """What the process that reads says: seconds and uses."""

    seconds: float
    uses: int


class Reading(NamedTuple):
    """One reading in a process of its own: what it cost, and what the server saw, by `lambda:GetFunction`."""

    read: Read
    cpu: float
    calls: Counter[str]
    most_at_once: int
    pace: float
    """Seconds that the pace costs where nothing else takes time."""


def measure(account: Account) -> Reading:
    """Read what is in use in an account. Raises RuntimeError where a call failed."""
    with _serving(account) as (url, server), tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "benchmarks.discovering"]
        surroundings = {**environment(home), "AWS_ENDPOINT_URL": url}
        with subprocess.Popen(command, cwd=ROOT, env=surroundings, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None  # noqa: S101 - asked for two lines above
            printed = process.stdout.read()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seen = _seen(server)
    if process.returncode or seen["failed"]:
        raise RuntimeError(f"{command}: exit code {process.returncode}, {seen['failed']} failed calls")
    read = Read(*json.loads(printed))
    calls = Counter(seen["calls"])
    pace = float(output([sys.executable, "-m", "benchmarks.pace", json.dumps(calls)]).stdout)
    return Reading(read, used.ru_utime + used.ru_stime, calls, seen["most"], pace)


def loads_reading(imported: str) -> bool:
    """Whether what only in-use protection needs is among the imports that `-X importtime` printed."""
    names = {line.rpartition("|")[2].strip() for line in imported.splitlines()}
    return not names.isdisjoint(_FOR_SOURCES)


@contextmanager
def _serving(account: Account) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    command = [sys.executable, "-m", "benchmarks.workloads", *map(str, tuple(account)), str(LATENCY)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdout is not None  # noqa: S101 - asked for two lines above
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.kill()


def _seen(server: "subprocess.Popen[str]") -> dict[str, Any]:
    assert server.stdin is not None  # noqa: S101 - asked for above
    assert server.stdout is not None  # noqa: S101 - the same
    server.stdin.write("\n")
    found: dict[str, Any] = json.loads(server.stdout.readline())
    return found
