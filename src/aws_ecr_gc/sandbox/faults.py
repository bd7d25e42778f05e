"""What goes wrong on purpose: `Faults` says what and how often, `Disturbance` decides for each call."""

import random
import time
from collections import defaultdict
from enum import Enum
from itertools import chain
from threading import Lock
from typing import Annotated

import msgspec

from aws_ecr_gc.sandbox.errors import ServiceError
from aws_ecr_gc.sandbox.services import KNOWN

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Faults(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The faults of a sandbox; may be changed while it runs. Shares are of calls, and exclude one another."""

    seed: int = 0
    latency: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """Seconds that every call takes longer."""
    throttle: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """Calls a second, for each account, region and operation; what comes beyond is refused."""
    server_error_share: Share = 0.0
    """Answered with status 500 or 503; the call has no effect."""
    reset_share: Share = 0.0
    """The connection is reset; the call has no effect."""
    lost_answer_share: Share = 0.0
    """The call takes effect; then the connection is reset."""
    garbage_share: Share = 0.0
    """Answered with an HTML page and status 200, as by a proxy; the call has no effect."""
    expire_credentials_after: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """How many calls an access key is good for."""
    deny: list[str] = []
    """Operations that the caller is not allowed to carry out."""
    deny_on: dict[str, list[str]] = {}
    """The same, only on what has this name: a repository, a cluster, a function, an account whose role is assumed, or
    that calls."""
    operations: list[str] | None = None
    """The operations that the shares apply to; all if not given."""

    def __post_init__(self) -> None:
        shares = self.server_error_share + self.reset_share + self.lost_answer_share + self.garbage_share
        if shares > 1:
            raise ValueError("the shares add up to more than 1")
        for operation in (*self.deny, *chain(*self.deny_on.values()), *(self.operations or ())):
            if operation not in KNOWN:
                raise ValueError(f"the sandbox knows no operation {operation}")


class Fault(Enum):
    """What happens to one call."""

    NONE = "none"
    SERVER_ERROR = "server error"
    RESET = "reset"
    LOST_ANSWER = "lost answer"
    GARBAGE = "garbage"


class _Bucket:
    """A token bucket that holds one second's worth of calls."""

    def __init__(self, rate: float) -> None:
        self.tokens = max(rate, 1.0)
        self.filled_at = time.monotonic()

    def take(self, rate: float) -> bool:
        now = time.monotonic()
        self.tokens = min(max(rate, 1.0), self.tokens + (now - self.filled_at) * rate)
        self.filled_at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Disturbance:
    """The state behind the faults of one life of a sandbox: what was drawn, counted and spent so far."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seed: int | None = None
        self._random = random.Random()  # noqa: S311 - a reproducible draw, no secret
        self._buckets: dict[tuple[str, str, str], _Bucket] = {}
        self._calls_by_key: defaultdict[str, int] = defaultdict(int)

    def demand_credentials(self, faults: Faults, access_key: str) -> None:
        """Count a call of this access key. Raises ExpiredTokenException when its calls are used up."""
        with self._lock:
            self._calls_by_key[access_key] += 1
            used = self._calls_by_key[access_key]
        if faults.expire_credentials_after is not None and used > faults.expire_credentials_after:
            raise ServiceError("ExpiredTokenException", "The security token included in the request is expired")

    def demand_capacity(self, faults: Faults, account: str, region: str, operation: str) -> None:
        """Spend one call of the rate. Raises ThrottlingException when there is none left."""
        if faults.throttle is None:
            return
        with self._lock:
            bucket = self._buckets.setdefault((account, region, operation), _Bucket(faults.throttle))
            if not bucket.take(faults.throttle):
                raise ServiceError("ThrottlingException", "Rate exceeded")

    def draw(self, faults: Faults, operation: str) -> Fault:
        """The random fault that hits this call, if any."""
        if faults.operations is not None and operation not in faults.operations:
            return Fault.NONE
        with self._lock:
            drawn = self._generator(faults.seed).random()
        for fault, share in (
            (Fault.SERVER_ERROR, faults.server_error_share),
            (Fault.RESET, faults.reset_share),
            (Fault.LOST_ANSWER, faults.lost_answer_share),
            (Fault.GARBAGE, faults.garbage_share),
        ):
            if drawn < share:
                return fault
            drawn -= share
        return Fault.NONE

    def server_error(self, faults: Faults) -> ServiceError:
        """One of the two errors of a server that is in trouble."""
        with self._lock:
            modelled = self._generator(faults.seed).random() < 0.5
        if modelled:
            return ServiceError("ServerException", "These errors are usually caused by a server-side issue.")
        return ServiceError("ServiceUnavailable", "The service is unavailable. Please try again.")

    def _generator(self, seed: int) -> random.Random:
        if seed != self._seed:
            self._seed = seed
            self._random.seed(seed)
        return self._random
