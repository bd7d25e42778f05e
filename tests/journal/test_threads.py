"""Several threads write one journal: each goes on when its record can't be lost; they wait for the disk together."""

from concurrent.futures import ThreadPoolExecutor
from threading import Condition

import pytest

from aws_ecr_gc.errors import JournalLost
from aws_ecr_gc.journal import Journal, create
from aws_ecr_gc.journal.records import Line
from aws_ecr_gc.plan import Action
from aws_ecr_gc.ports import ImageId
from tests.journal.histories import NOW, REGISTRY, beginning
from tests.journal.memory import Memory

THREADS = 8


class Disk(Memory):
    """Settles only once so many lines wait for it, the first time; `kept` is how many can't be lost."""

    def __init__(self, lines: int) -> None:
        super().__init__()
        self._wanted = lines
        self._changed = Condition()
        self.lines_written = self.kept = self.settled = 0
        self.broken = False

    def append(self, number: int, line: Line) -> None:
        super().append(number, line)
        with self._changed:
            self.lines_written += 1
            self._changed.notify_all()

    def settle(self) -> None:
        with self._changed:
            self.settled += 1
            written = self.lines_written
            if self.settled > 1:  # the record of the beginning is settled alone
                assert self._changed.wait_for(lambda: self.lines_written >= self._wanted, timeout=30)
            if self.broken:
                raise JournalLost("the disk is gone")
            self.kept = written

    def about(self, to: Journal, thread: int) -> bool:
        """Put a record of a call; whether it can't be lost now."""
        number = to.about(f"r{thread}", Action.DELETE, [ImageId(f"sha256:{thread:064}", None)], [], {})
        return self.kept > number


def test_nobody_goes_on_before_his_record_is_safe_and_all_that_wait_share_a_settling() -> None:
    disk = Disk(1 + THREADS)
    written = create(disk, REGISTRY, clock=lambda: NOW)
    beginning()(written)
    with ThreadPoolExecutor(THREADS) as pool:
        assert all(pool.map(lambda thread: disk.about(written, thread), range(THREADS)))
    assert disk.settled <= 3  # the beginning; whoever came first; all others
    assert disk.content.count(b"\n") == 1 + THREADS


def test_where_the_disk_fails_nobody_goes_on() -> None:
    disk = Disk(1 + THREADS)
    written = create(disk, REGISTRY, clock=lambda: NOW)
    beginning()(written)
    disk.broken = True
    with ThreadPoolExecutor(THREADS) as pool:
        tries = [pool.submit(disk.about, written, thread) for thread in range(THREADS)]
        assert all(isinstance(each.exception(), JournalLost) for each in tries)
    disk.broken = False
    with pytest.raises(JournalLost, match="the disk is gone"):
        disk.about(written, THREADS)
    assert disk.settled == 2
