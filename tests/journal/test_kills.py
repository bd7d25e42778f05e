"""Processes that are killed while they write: what they were told is durable is on record, and another goes on.

A bounded number here, more with `make test-full`; AWS_ECR_GC_JOURNAL_KILLS sets another.
"""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any

import pytest

from aws_ecr_gc.journal import journal_at, latest, place_of, read
from tests.conftest import FULL
from tests.journal import writing_child
from tests.journal.histories import no_s3

_KILLS = int(os.environ.get("AWS_ECR_GC_JOURNAL_KILLS") or (500 if FULL else 20))
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.journal.writing_child"])


def killed(target: Callable[[Path, int], None], path: Path, chance: random.Random) -> int:
    """Start a process and kill it at some moment; the number of records that it was told are durable."""
    reading, writing = os.pipe()
    process = _PROCESSES.Process(target=_child, args=(target, path, DupFd(writing)))
    process.start()
    os.close(writing)
    told = 0
    wanted = chance.choice([1, 2, 3, chance.randrange(4, 60)])
    while told < wanted:
        told += len(os.read(reading, wanted - told)) or pytest.fail("the child ended by itself")
    time.sleep(chance.random() * chance.choice([0, 0.0005, 0.003]))
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    while more := os.read(reading, 4096):
        told += len(more)
    os.close(reading)
    return told


def _child(target: Callable[[Path, int], None], path: Path, told: Any) -> None:
    target(path, told.detach())


@pytest.mark.parametrize("seed", range(_KILLS))
def test_a_killed_writer_leaves_all_that_it_was_told_is_durable(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    told = killed(writing_child.write, tmp_path, chance) - 1  # the first byte is for the file
    (glance,) = latest(place_of(tmp_path, no_s3))
    assert (glance.end, glance.under_way) == (None, False)
    path = tmp_path / glance.name
    if told == 0 and b"\n" not in path.read_bytes():
        return
    found = read(*journal_at(path, no_s3))
    assert told <= found.position.number <= told + 1
    for _ in range(chance.randrange(3)):
        before = found
        told = killed(writing_child.go_on, path, chance)
        found = read(*journal_at(path, no_s3))
        assert 0 <= found.position.number - before.position.number - told <= 1
        assert found.resumed == before.resumed + 1
        assert path.read_bytes()[: found.position.length].endswith(b"\n")
