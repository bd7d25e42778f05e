"""Many at once, and yet in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from aws_ecr_gc.memory import share_one_heap

if TYPE_CHECKING:
    from concurrent.futures import Future

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

LOOK = 0.05
"""Seconds after which somebody who waits for others looks whether it is his turn, or all is to end."""
AHEAD = 2
"""How many tasks for each worker may be finished, or waiting, behind one that is still at work."""


def in_order(tasks: Iterable[_Task], work: Callable[[_Task], _Result], workers: int) -> Iterator[_Result]:
    """What `work` makes of each task, in the order of the tasks; so many at a time as there are workers.

    No more tasks are taken than are under way or will be soon. What `work` raises comes in its place, and ends it all
    once the calls under way have ended. With one worker, all is done by the caller's own thread.
    """
    if workers == 1:
        yield from map(work, tasks)
        return
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - start-up: one repository needs none

    share_one_heap()
    pool = ThreadPoolExecutor(workers)
    waiting: deque[Future[_Result]] = deque()
    try:
        for task in tasks:
            waiting.append(pool.submit(work, task))
            while waiting and (len(waiting) >= AHEAD * workers or waiting[0].done()):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
