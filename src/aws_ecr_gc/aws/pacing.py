"""How fast AWS is called: deploy tools share its limits, so reading and deleting leave them room."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from msgspec import Struct

SETTLED = 0.8
"""The part of a pace that is left after a call was refused for it."""
ABOVE = 1.2
"""So many times what AWS lets through is asked for at most while that is counted: `SETTLED` of it is close below."""
PATIENCE = 60.0
"""Seconds before more is tried again."""
_MEASURED = 1.5
"""Seconds for which what AWS lets through is counted before it is known."""
_ENOUGH = 10
"""Calls that must have been let through by then."""
_LONGEST = 3.0
"""Seconds after which fewer calls are enough."""
_BUSY = 0.25
"""The part of a pace that calls must take for what gets through to say something of AWS's limit."""
_MANY = 0.25
"""The part of calls that, refused, says so too: threads that wait for a retry can't take much of a fast pace."""
_DOUBT = 2
"""Calls that may have been let through beyond those counted, as long as it is not known."""
_REFILL = 5
"""Calls' time of silence once a pace has settled: a bucket that is empty refuses those that are a moment early."""
_SLOWEST = 1.0
"""Calls a second that are left in any case, unless less was asked for."""
_SLICE = 0.1
"""Seconds after which a waiting call looks whether the work has ended."""


class Rate(NamedTuple):
    """Calls a second in the long run, and how many may come at once after a pause."""

    sustained: float
    burst: int


RATES: dict[str, Rate] = {
    "BatchDeleteImage": Rate(10, 10),
    "BatchGetImage": Rate(50, 50),
    "DescribeImages": Rate(20, 10),
    "DescribeRepositories": Rate(10, 10),
    "ListTagsForResource": Rate(10, 10),
    "UpdateImageStorageClass": Rate(20, 20),
}
"""ECR's operations. AWS publishes a limit of BatchGetImage (2,000), which pulls share. Of the others it is known that
big accounts meet them; docs/fleet.md has the table and the reasons. PutImage has a pace of its own."""
OTHERS = Rate(5, 5)


def rate_of(operation: str, stated: float | None) -> Rate:
    """The pace of an operation of ECR: `stated` calls a second, or the default."""
    if stated is None:
        return RATES.get(operation, OTHERS)
    return Rate(stated, max(1, int(stated / 2)))


class Pace:
    """One limiter for all threads that make the same kind of call.

    It starts at its rate. The first refusal settles it at `SETTLED` of that: AWS's limit is not known yet, for what had
    been saved up there hides it. From then on what gets through between two refusals is the limit. At each the pace
    comes down to `ABOVE` of that, and once it is known settles at `SETTLED` of where it has come to. No sooner than
    `PATIENCE` seconds later it tries a step more, until it is at its rate again.
    """

    def __init__(
        self,
        rate: Rate,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._pace = rate.sustained
        self._lock = threading.Lock()
        self._is_at_rate = True
        self._settled_at = clock()
        self._left: list[float] = []
        self._refused: list[float] = []
        self._line = object()
        self._due = self._settled_at - self._ahead - 1 / rate.sustained

    @property
    def pace(self) -> float:
        """Calls a second, as it is now."""
        return self._pace

    @property
    def _ahead(self) -> float:
        """How far calls may come ahead of their time. What AWS refused has no burst: its bucket is empty."""
        return (self._rate.burst - 1) / self._rate.sustained if self._is_at_rate else 0.0

    def wait(self, ended: Callable[[], bool] = lambda: False) -> float:
        """Return when the next call may be made, or at once when the work has `ended`. The time at which it leaves."""
        due, line = self._place()
        while (delay := due - self._clock()) > 0 and not ended():
            self._sleep(min(delay, _SLICE))
            if line is not self._line:
                due, line = self._place()
        with self._lock:
            left = self._clock()
            if not self._is_at_rate:
                self._left.append(left)
        return left

    def _place(self) -> tuple[float, object]:
        """When the next call may leave, and the line that it stands in: after a refusal a new one is formed."""
        with self._lock:
            now = self._clock()
            self._try_more(now)
            self._due = max(self._due + 1 / self._pace, now - self._ahead)
            return self._due, self._line

    def refused(self, left: float) -> None:
        """A call that left at this time was refused for its pace. Those that left before it settled say nothing new."""
        with self._lock:
            if self._is_at_rate:
                self._settle(self._pace)
            elif left > self._settled_at:
                self._refused.append(left)
                self._compare(left)

    def _compare(self, left: float) -> None:
        """The pace with what got through since the refusal that settled it, up to that of a call that left just now."""
        seconds = left - self._settled_at
        made = sum(each <= left for each in self._left)
        refused = sum(each <= left for each in self._refused)
        through = made - refused
        tells = made >= _BUSY * self._pace * seconds or (made >= _ENOUGH and refused >= _MANY * made)
        if seconds >= _LONGEST or (seconds >= _MEASURED and through >= _ENOUGH):
            self._settle(min(self._pace, ABOVE * through / seconds) if tells else self._pace)
        elif tells and (pace := ABOVE * (through + _DOUBT) / seconds) < self._pace:
            self._change(pace, self._clock())

    def _settle(self, tried: float) -> None:
        before = self._pace
        self._begin(self._clock())
        self._is_at_rate = False
        self._change(SETTLED * tried, self._settled_at)
        if self._pace < before:
            self._due += _REFILL / max(self._pace, _SLOWEST)

    def _begin(self, now: float) -> None:
        self._settled_at = now
        self._left.clear()
        self._refused.clear()

    def _change(self, pace: float, now: float) -> None:
        """Those that wait had their places at a pace that is too fast: they would be refused one after the other."""
        self._pace = max(pace, min(self._pace, _SLOWEST))
        self._due, self._line = now, object()

    def _try_more(self, now: float) -> None:
        if not self._is_at_rate and now - self._settled_at >= PATIENCE:
            self._begin(now)
            self._pace = min(self._rate.sustained, self._pace / SETTLED)
            self._is_at_rate = self._pace == self._rate.sustained


class Limits:
    """The paces of all accounts and regions, each shared by whoever makes its calls."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._paces: dict[tuple[str, str, str], Pace] = {}

    def pace(self, account: str, region: str, line: str, rate: Rate) -> Pace:
        """The pace of the calls that wait in one line there."""
        key = (account, region, line)
        with self._lock:
            if key not in self._paces:
                self._paces[key] = Pace(rate)
            return self._paces[key]

    def forget(self, account: str, region: str) -> None:
        """Nothing more is called there."""
        with self._lock:
            for key in [key for key in self._paces if key[:2] == (account, region)]:
                del self._paces[key]


class Tally(Struct):
    """How many calls were made, how often any was tried, and how many tries were refused for their pace."""

    calls: int = 0
    tries: int = 0
    throttled: int = 0

    @property
    def retries(self) -> int:
        return max(0, self.tries - self.calls)

    def add(self, other: "Tally") -> None:
        """Those of another one too."""
        self.calls += other.calls
        self.tries += other.tries
        self.throttled += other.throttled


class _OfThread(threading.local):
    """Of a thread's own calls: when the last one of each operation left, and whose turn was waited for already."""

    def __init__(self) -> None:
        self.left: dict[str, float] = {}
        self.reserved: set[str] = set()


class Traffic:
    """The calls of ECR in one account and region: each waits for its pace, and is counted. For all threads."""

    def __init__(
        self,
        limits: Limits,
        account: str,
        region: str,
        *,
        stated: float | None = None,
        ended: Callable[[], bool] = lambda: False,
    ) -> None:
        """`stated` is the pace in place of the defaults; when the work has `ended`, no call waits any more."""
        self._limits = limits
        self._where = (account, region)
        self._stated = stated
        self._ended = ended
        self._lock = threading.Lock()
        self._own = _OfThread()
        self._started = time.monotonic()
        self.tally = Tally()
        self.by_operation: Counter[str] = Counter()

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.monotonic() - self._started

    def end(self) -> None:
        """Nothing more is called there."""
        self._limits.forget(*self._where)

    def turn(self, operation: str) -> None:
        """Wait for this thread's next call of the operation now, so that it need not when it is made."""
        if operation not in self._own.reserved:  # one that was not made after all keeps its turn
            self._own.left[operation] = self._pace(operation).wait(self._ended)
            self._own.reserved.add(operation)

    def calling(self, operation: str) -> None:
        """A call is about to be made, however often it will be tried."""
        with self._lock:
            self.tally.calls += 1
            self.by_operation[operation] += 1

    def leaving(self, operation: str) -> None:
        """One try is about to leave. Returns when it may."""
        if operation in self._own.reserved:
            self._own.reserved.remove(operation)
            self._own.left[operation] = time.monotonic()
        else:
            self._own.left[operation] = self._pace(operation).wait(self._ended)
        with self._lock:
            self.tally.tries += 1

    def refused(self, operation: str) -> None:
        """The last try of this thread was refused for its pace."""
        with self._lock:
            self.tally.throttled += 1
        self._pace(operation).refused(self._own.left[operation])

    def _pace(self, operation: str) -> Pace:
        return self._limits.pace(*self._where, operation, rate_of(operation, self._stated))
