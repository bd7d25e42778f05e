"""Many at once, and yet in order."""

import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_ecr_gc.app.pipeline import AHEAD, in_order


@settings(max_examples=50)
@given(st.lists(st.floats(0, 0.003), max_size=40), st.integers(1, 8))
def test_results_come_in_the_order_of_the_tasks(naps: list[float], workers: int) -> None:
    def work(task: tuple[int, float]) -> int:
        time.sleep(task[1])
        return task[0]

    assert list(in_order(enumerate(naps), work, workers)) == list(range(len(naps)))


@pytest.mark.parametrize("workers", [1, 4])
def test_no_more_tasks_are_taken_than_are_under_way_or_will_be_soon(workers: int) -> None:
    taken = 0
    at_work = most = 0
    lock = threading.Lock()

    def tasks() -> Iterator[int]:
        nonlocal taken
        for number in range(100):
            taken = number + 1
            yield number

    def work(number: int) -> int:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        time.sleep(0.001)
        with lock:
            at_work -= 1
        return number

    for number in in_order(tasks(), work, workers):
        assert taken <= number + 1 + AHEAD * workers
    assert most <= workers


def test_what_goes_wrong_comes_in_its_place_and_ends_it_all() -> None:
    seen: list[int] = []

    def work(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        return number

    with pytest.raises(ValueError, match="three"):
        seen.extend(in_order(range(1000), work, 4))
    assert seen == [0, 1, 2]
