"""Faults that a test asks the cloud for."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.aws.calls import Call
from tests.aws.wire import Refusal

When = Callable[[Call], bool]


def always(call: Call) -> bool:  # noqa: ARG001 - it takes what every predicate takes
    """The predicate of a fault that is limited to nothing."""
    return True


class Effect(NamedTuple):
    """What a fault does: refuse, answer rubbish, wait for so many seconds, or break the answer off."""

    refuse: Callable[[Call], Refusal] | None = None
    garbage: bytes | None = None
    seconds: float = 0
    cut: bool = False


@dataclass(slots=True)
class _Fault:
    service: str
    operation: str
    effect: Effect
    when: When
    nth: int | None
    met: int = 0

    def strikes(self, call: Call) -> bool:
        """Whether this call is one of its own; counts those that could be."""
        if self.service != call.service or self.operation not in {"*", call.operation} or not self.when(call):
            return False
        self.met += 1
        return self.nth is None or self.met == self.nth


@dataclass(slots=True)
class Faults:
    """All faults that are in force."""

    _held: list[_Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, service: str, operation: str, effect: Effect, when: When, nth: int | None) -> None:
        """Put a fault in force."""
        with self._lock:
            self._held.append(_Fault(service, operation, effect, when, nth))

    def strike(self, call: Call) -> Effect | None:
        """The effect of the first fault that strikes; all count the call."""
        with self._lock:
            struck = [fault.effect for fault in self._held if fault.strikes(call)]
        return struck[0] if struck else None

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._held.clear()


_DENIED = {"query": "AccessDenied", "ec2": "UnauthorizedOperation", "rest-xml": "AccessDenied"}
_THROTTLED = {
    "lambda": ("TooManyRequestsException", 429),
    "eks": ("ThrottlingException", 429),
    "bedrock-agentcore-control": ("ThrottlingException", 429),
    "emr-serverless": ("ThrottlingException", 429),
    "scheduler": ("ThrottlingException", 429),
    "inspector2": ("ThrottlingException", 429),
    "batch": ("TooManyRequestsException", 429),
    "imagebuilder": ("CallRateLimitExceededException", 429),
    "organizations": ("TooManyRequestsException", 400),
    "cloudformation": ("Throttling", 400),
    "sts": ("Throttling", 400),
    "iam": ("Throttling", 400),
    "ec2": ("RequestLimitExceeded", 503),
}


def denial(call: Call, resource: str, message: str | None) -> Refusal:
    """IAM's refusal, in AWS's wording."""
    said = message or (
        f"User: arn:aws:sts::{call.account}:assumed-role/gc/session is not authorized to perform: {call.action} "
        f"on resource: {resource} because no identity-based policy allows the {call.action} action"
    )
    return Refusal(_DENIED.get(call.protocol, "AccessDeniedException"), said, 403)


def throttling(call: Call) -> Refusal:
    """The refusal of a call that came too soon, as this service says it."""
    code, status = _THROTTLED.get(call.service, ("ThrottlingException", 400))
    return Refusal(code, "Rate exceeded", status)
