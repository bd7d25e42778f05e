"""A line that says how far the work is: on a terminal only, never in a CI log."""

import os
from contextlib import suppress
from typing import TextIO


class Progress:
    """One line, written over and over; it is gone when the work is done."""

    def __init__(self, stream: TextIO, *, shown: bool = True) -> None:
        self._stream = stream
        self.is_shown = shown and stream.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"

    def show(self, text: str) -> None:
        """Replace the line."""
        if self.is_shown:
            with suppress(OSError):  # a terminal that went away
                self._stream.write(f"\r\x1b[K{text}")
                self._stream.flush()

    def clear(self) -> None:
        """Remove the line, so that what is written next stands alone."""
        self.show("")
