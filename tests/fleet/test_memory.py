"""What waits, and what was let go of, takes little memory."""

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
        time.sleep(0.3)
        assert len(made) == 3
        slow.answers.set()
    assert [each.result() for each in ended] == [None] * 12
    assert len(made) == 12


_HOARD = """
import sys, threading
if sys.argv[1:]:
    from aws_ecr_gc.memory import give_back_large_blocks
    give_back_large_blocks()

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

def hoard():
    for _ in range(3):  # what is freed once has glibc keep the next of its size
        blocks = [bytes(500_000) for _ in range(40)]
        kept.append(bytes(1000))
        del blocks

kept = []
before = resident()
threads = [threading.Thread(target=hoard) for _ in range(8)]
for each in threads:
    each.start()
for each in threads:
    each.join()
print(resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it is glibc that keeps them")
def test_large_blocks_of_many_threads_go_back_to_the_system() -> None:
    command = [sys.executable, "-c", _HOARD, "give back"]
    left = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert left < 10_000_000
