"""A pace lets through no more than it promises, however many ask."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from heapq import heappop, heappush

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.aws.pacing import Limits, Pace, Rate, Traffic


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


class Hand:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Bucket:
    """AWS's side: so many calls a second, and so many saved up at most."""

    def __init__(self, limit: float, size: float, clock: Hand) -> None:
        self._limit = limit
        self._size = self._held = size
        self._clock = clock
        self._at = clock.now

    def lets_through(self) -> bool:
        self._held = min(self._size, self._held + (self._clock.now - self._at) * self._limit)
        self._at = self._clock.now
        if self._held < 1:
            return False
        self._held -= 1
        return True


def ask(pace: Pace, bucket: Bucket, clock: Hand, seconds: float) -> tuple[int, int]:
    """Call as fast as the pace allows: how many calls were let through, and how many refused."""
    through = refused = 0
    ended = clock.now + seconds
    while clock.now < ended:
        left = pace.wait()
        if bucket.lets_through():
            through += 1
        else:
            refused += 1
            pace.refused(left)
    return through, refused


def crowd(pace: Pace, bucket: Bucket, clock: Hand, callers: int, seconds: float) -> tuple[int, int, int]:
    """So many callers, who wait 50 ms for each answer, and before they try again as botocore does: how many calls were
    let through, how many refused, and how often one was at most.
    """
    numbers = random.Random(1)
    through = refused = most = 0
    coming: list[tuple[float, int, int, float | None]] = [(clock.now, each, 0, None) for each in range(callers)]
    ended = clock.now + seconds
    while coming and clock.now < ended:
        at, caller, tries, answer_to = heappop(coming)
        clock.now = max(clock.now, at)
        if answer_to is None:
            left = pace.wait()
            if bucket.lets_through():
                through += 1
                heappush(coming, (left + 0.05, caller, 0, None))
            else:
                heappush(coming, (left + 0.05, caller, tries + 1, left))
        else:
            refused += 1
            most = max(most, tries)
            pace.refused(answer_to)
            heappush(coming, (clock.now + numbers.random() * 2 ** (tries - 1), caller, tries, None))
    return through, refused, most


def leave(pace: Pace) -> float:
    """A call that does not wait."""
    return pace.wait(lambda: True)


def test_a_refusal_settles_the_pace_at_four_fifths() -> None:
    clock = Hand()
    pace = Pace(Rate(50, 5), clock)
    pace.refused(leave(pace))
    assert pace.pace == pytest.approx(40)


def test_refusals_of_calls_that_left_before_it_settled_say_nothing_new() -> None:
    clock = Hand()
    pace = Pace(Rate(50, 5), clock)
    left = [leave(pace) for _ in range(5)]
    clock.now += 0.05
    for each in left:
        pace.refused(each)
    assert pace.pace == pytest.approx(40)


def test_a_refusal_once_it_has_settled_takes_four_fifths_again() -> None:
    clock = Hand()
    pace = Pace(Rate(50, 5), clock)
    pace.refused(leave(pace))
    clock.now += 3
    pace.refused(leave(pace))
    assert pace.pace == pytest.approx(32)


@given(limit=st.floats(10, 200), saved=st.floats(0, 2), times=st.floats(1.6, 50))
def test_a_pace_far_above_the_limit_settles_close_below_it(limit: float, saved: float, times: float) -> None:
    """The bucket holds at least a second's worth of calls, and at most three."""
    clock = Hand()
    pace = Pace(Rate(limit * times, 5), clock, clock.sleep)
    bucket = Bucket(limit, limit * (1 + saved), clock)
    ask(pace, bucket, clock, 30)
    assert 0.85 * limit <= pace.pace <= limit
    assert ask(pace, bucket, clock, 20)[1] == 0


@given(limit=st.floats(10, 200), saved=st.floats(0, 2), times=st.floats(1, 50))
def test_no_pace_settles_at_less_than_four_fifths_of_the_limit(limit: float, saved: float, times: float) -> None:
    clock = Hand()
    pace = Pace(Rate(limit * times, 5), clock, clock.sleep)
    ask(pace, Bucket(limit, limit * (1 + saved), clock), clock, 40)
    assert 0.79 * limit <= pace.pace


@pytest.mark.parametrize("limit", [20, 50, 100])
def test_little_is_lost_and_little_refused_until_a_pace_has_settled(limit: int) -> None:
    clock = Hand()
    pace = Pace(Rate(5 * limit, 2 * limit), clock, clock.sleep)
    through, refused = ask(pace, Bucket(limit, limit, clock), clock, 55)
    assert refused <= 0.05 * (through + refused)
    assert through >= (55 * limit + limit) / 1.1


@pytest.mark.parametrize("times", [5, 50, 500, 5000])
@pytest.mark.parametrize("callers", [8, 32])
def test_a_pace_beyond_what_the_callers_can_take_comes_down_before_calls_fail(callers: int, times: int) -> None:
    clock = Hand()
    pace = Pace(Rate(20 * times, 10 * times), clock, clock.sleep)
    through, refused, most = crowd(pace, Bucket(20, 20, clock), clock, callers, 55)
    assert refused <= 0.08 * (through + refused)
    assert most <= 4
    assert through >= (55 * 20 + 20) / 1.15


def test_a_limit_that_falls_is_followed() -> None:
    clock = Hand()
    pace = Pace(Rate(100, 10), clock, clock.sleep)
    ask(pace, Bucket(50, 50, clock), clock, 20)
    assert 42 <= pace.pace <= 50
    ask(pace, Bucket(20, 20, clock), clock, 20)
    assert 16 <= pace.pace <= 20


def test_few_calls_say_nothing_of_what_more_would_be_let_through() -> None:
    clock = Hand()
    pace = Pace(Rate(50, 5), clock)
    for _ in range(30):
        clock.now += 0.5
        left = leave(pace)
    pace.refused(left)
    assert pace.pace == pytest.approx(40)
    for _ in range(8):
        clock.now += 0.4
        left = leave(pace)
    pace.refused(left)
    assert pace.pace == pytest.approx(32)


def test_a_pace_that_has_settled_lets_the_bucket_fill_a_little() -> None:
    clock = Hand()
    pace = Pace(Rate(50, 5), clock, clock.sleep)
    pace.refused(pace.wait())
    settled = clock.now
    assert pace.wait() - settled == pytest.approx(6 / 40)


def test_more_is_tried_no_sooner_than_after_a_minute_and_never_more_than_the_rate() -> None:
    clock = Hand()
    pace = Pace(Rate(50, 5), clock)
    pace.refused(leave(pace))
    clock.now += 3
    pace.refused(leave(pace))
    assert pace.pace == pytest.approx(32)
    clock.now += 59
    leave(pace)
    assert pace.pace == pytest.approx(32)
    clock.now += 1
    leave(pace)
    assert pace.pace == pytest.approx(40)
    leave(pace)
    assert pace.pace == pytest.approx(40)
    for _ in range(3):
        clock.now += 60
        leave(pace)
    assert pace.pace == 50


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=60), st.floats(0.1, 500))
def test_the_pace_stays_between_the_slowest_and_the_rate(moves: list[tuple[float, bool]], rate: float) -> None:
    clock = Hand()
    pace = Pace(Rate(rate, 3), clock)
    for seconds, refused in moves:
        clock.now += seconds
        left = leave(pace)
        if refused:
            pace.refused(left)
        assert min(1.0, rate) * 0.999 <= pace.pace <= rate


def test_who_waits_is_let_go_when_the_work_has_ended() -> None:
    pace = Pace(Rate(0.1, 1))
    leave(pace)
    started = time.monotonic()
    pace.wait(lambda: time.monotonic() - started > 0.2)
    assert 0.2 <= time.monotonic() - started < 5


def test_a_turn_that_was_waited_for_stays_one_turn_of_its_operation() -> None:
    """A deletion's turn is waited for before the last look, and a look may show that there is nothing to delete."""
    waits: list[str] = []

    def wait() -> bool:
        waits.append("a wait")
        return True

    traffic = Traffic(Limits(), "1", "here", stated=0.01, ended=wait)
    for _ in range(3):
        traffic.turn("BatchDeleteImage")
    traffic.leaving("BatchDeleteImage")
    assert not waits
    traffic.leaving("BatchDeleteImage")
    assert waits


def test_a_refusal_is_judged_by_when_its_own_operation_left() -> None:
    limits = Limits()
    traffic = Traffic(limits, "1", "here", stated=1000.0)
    pace = limits.pace("1", "here", "BatchDeleteImage", Rate(1000.0, 500))
    traffic.leaving("BatchDeleteImage")
    pace.refused(time.monotonic())  # another thread's, which settles the pace
    settled = pace.pace
    traffic.leaving("DescribeImages")
    traffic.refused("BatchDeleteImage")
    assert pace.pace == settled  # it left before that, and says nothing new


def test_those_that_wait_when_a_call_is_refused_wait_at_the_settled_pace() -> None:
    clock = Hand()
    pace = Pace(Rate(10, 1), clock)
    first = leave(pace)

    def meanwhile() -> bool:
        if pace.pace == 10:
            pace.refused(first)
        clock.now += 0.05
        return False

    assert pace.wait(meanwhile) - first >= 1 / 8
