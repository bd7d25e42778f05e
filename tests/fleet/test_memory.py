"""What waits, and what was let go of, takes little memory."""

import platform
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from aws_ecr_gc.app.cautions import Cautions
from aws_ecr_gc.config import Request
from aws_ecr_gc.inventory import Status
from aws_ecr_gc.plan import Action, Plan, Step
from aws_ecr_gc.planfile.values import StoredDecisions
from aws_ecr_gc.ports import CacheRule, CreationTemplate, DeleteReplication
from aws_ecr_gc.reference import Registry, Repository

if TYPE_CHECKING:
    from aws_ecr_gc.app.sources import Source

_PLAN = Plan(
    Repository(Registry("123456789012", "us-east-1", "aws"), "web"),
    0.0,
    active=1,
    size=0,
    decisions=StoredDecisions(()),
    steps=(Step(Action.DELETE, "sha256:" + "0" * 64, (), Status.ACTIVE, 0.0, 0, (), 0),),
    action=Action.DELETE,
)


class Slow:
    """A registry that answers nobody until it is told to."""

    def __init__(self) -> None:
        self.answers = threading.Event()

    def delete_replication(self) -> Sequence[DeleteReplication] | None:
        self.answers.wait()
        return ()

    def caches(self) -> Sequence[CacheRule] | None:
        self.answers.wait()
        return ()

    def templates(self) -> Sequence[CreationTemplate] | None:
        self.answers.wait()
        return ()


def test_no_more_plans_wait_for_what_is_asked_once_than_there_are_questions() -> None:
    slow = Slow()
    cautions = Cautions(Request(Path("policy.yaml")), cast("Source", slow))
    made: list[int] = []

    def work(number: int) -> None:
        with cautions.few():
            made.append(number)
            cautions.settle(_PLAN)

    with ThreadPoolExecutor(12) as pool:
        ended = [pool.submit(work, number) for number in range(12)]
        ends = time.monotonic() + 30
        while len(made) < 3 and time.monotonic() < ends:
            time.sleep(0.01)
        time.sleep(0.2)
        assert len(made) == 3
        slow.answers.set()
    assert [each.result() for each in ended] == [None] * 12
    assert len(made) == 12


_HOARD = """
import sys, threading
if sys.argv[1:]:
    from aws_ecr_gc.memory import share_one_heap
    share_one_heap()

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

def hoard():
    with desk:
        for _ in range(3):  # what is freed once has glibc keep the next of its size
            blocks = [bytes(500_000) for _ in range(40)]
            kept.append(bytes(1000))
            del blocks
    over.wait()

kept, desk, over = [], threading.Lock(), threading.Barrier(9)
before = resident()
for _ in range(8):
    threading.Thread(target=hoard).start()
over.wait()
print(resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc that keeps it")
def test_threads_that_need_much_one_after_the_other_keep_what_one_of_them_needs() -> None:
    command = [sys.executable, "-c", _HOARD, "share"]
    left = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert left < 2 * 40 * 500_000
