"""Ctrl-C and SIGTERM: the first ends the work after the call under way, the second ends the program at once."""

import os
import signal
import sys
from types import FrameType

from aws_ecr_gc.errors import Exit


class Interruption:
    """Listens from its creation on; `came()` tells whether the work should end."""

    def __init__(self) -> None:
        self._came = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._receive)

    def came(self) -> bool:
        return self._came

    def _receive(self, _number: int, _frame: FrameType | None) -> None:
        if self._came:
            os._exit(Exit.INTERRUPTED)
        self._came = True
        # Not sys.stderr: a handler may run in the middle of one of its writes.
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, _NOTICE)


_NOTICE = b"aws-ecr-gc: stopping after the call under way; once more to end at once\n"
