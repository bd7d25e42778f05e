"""Running a preview of a lifecycle policy to its end."""

import time
from collections.abc import Callable

from msgspec import Struct

from aws_ecr_gc.errors import AwsFailure
from aws_ecr_gc.lifecycle.writing import same
from aws_ecr_gc.ports import LifecyclePort, Preview

_IN_PROGRESS = "IN_PROGRESS"
_GLANCE = 0.2
"""Seconds after which an interruption is seen."""


class Patience(Struct, frozen=True):
    """How long to wait for a preview, and how long between two looks, in seconds; ECR's own waiter: 5 and 100."""

    timeout: float = 100.0
    interval: float = 5.0


def run_preview(port: LifecyclePort, text: str, patience: Patience, waiting: Callable[[str], None]) -> Preview:
    """Begin a preview of this policy and wait for its end. `waiting` is told what for; what it raises ends the wait.

    One that somebody else began is waited for first. Raises AwsFailure where the preview fails, expires, is another's
    in the end, or takes longer than that.
    """
    deadline = time.monotonic() + patience.timeout
    while not port.start_preview(text):
        _wait(patience, deadline, waiting, "another preview is under way")
    while (preview := port.preview()).status == _IN_PROGRESS:
        _wait(patience, deadline, waiting, "the preview is under way")
    if preview.status != "COMPLETE":
        raise AwsFailure(
            f"StartLifecyclePolicyPreview: the preview ended as {preview.status}; run it again", preview.status
        )
    if preview.text and not same(preview.text, text):
        raise AwsFailure(
            "GetLifecyclePolicyPreview: somebody else began another preview meanwhile; run it again", "Replaced"
        )
    return preview


def _wait(patience: Patience, deadline: float, waiting: Callable[[str], None], reason: str) -> None:
    if time.monotonic() + patience.interval > deadline:
        raise AwsFailure(
            f"GetLifecyclePolicyPreview: {reason} after {patience.timeout:g} seconds; wait longer with --timeout",
            "TimedOut",
        )
    end = time.monotonic() + patience.interval
    while (left := end - time.monotonic()) > 0:
        waiting(reason)
        time.sleep(min(left, _GLANCE))
