"""What becomes of memory that was let go of."""

import sys

_M_MMAP_THRESHOLD = -3
"""Source: mallopt(3)."""
_LARGE = 1 << 17
"""Bytes; glibc's own threshold, until it raises it."""


def give_back_large_blocks() -> None:
    """Have large blocks go back to the system as soon as they are free. Does nothing where the C library isn't glibc.

    Once a large block was freed, glibc has those of its size come out of the heap that it keeps for each thread; so
    each of many threads would keep what the largest plan once took, though one at a time is made.
    """
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415 - start-up: one repository has one thread

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
