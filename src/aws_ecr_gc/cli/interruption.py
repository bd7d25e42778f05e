"""Ctrl-C and SIGTERM: the first ends the work after the call under way, the second ends the program at once."""

import os
import signal
from contextlib import suppress
from types import FrameType

from aws_ecr_gc.errors import Exit
from aws_ecr_gc.report.logs import TEXT, log_line


class Interruption:
    """Listens from its creation on; `came()` tells whether the work should end."""

    def __init__(self, form: str = TEXT) -> None:
        self._came = False
        self._notice = f"{log_line(_NOTICE, form)}\n".encode()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._receive)

    def came(self) -> bool:
        return self._came

    def _receive(self, _number: int, _frame: FrameType | None) -> None:
        if self._came:
            os._exit(Exit.INTERRUPTED)
        self._came = True
        # Not sys.stderr: this may run in the middle of one of its writes.
        with suppress(OSError):
            os.write(_STANDARD_ERROR, self._notice)


_STANDARD_ERROR = 2
_NOTICE = "stopping after the call under way; once more to end at once"
