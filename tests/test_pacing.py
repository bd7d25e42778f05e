"""A pace lets through no more than it promises, however many ask."""

import time
from concurrent.futures import ThreadPoolExecutor

from aws_ecr_gc.aws.pacing import Pace, Rate


def test_no_more_pass_than_the_burst_and_what_came_since() -> None:
    pace = Pace(Rate(200, 10))
    start = time.monotonic()

    def passing(_: int) -> float:
        pace.wait()
        return time.monotonic() - start

    with ThreadPoolExecutor(16) as pool:
        passed = sorted(pool.map(passing, range(60)))
    for count, elapsed in enumerate(passed, 1):
        assert count <= 10 + 200 * elapsed + 1e-6


def test_a_pause_gives_no_more_than_the_burst_back() -> None:
    pace = Pace(Rate(200, 3))
    time.sleep(0.1)
    start = time.monotonic()
    for count in range(1, 13):
        pace.wait()
        assert count <= 3 + 200 * (time.monotonic() - start) + 1e-6
