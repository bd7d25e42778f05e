"""Where threads take memory from."""

import sys

_M_ARENA_MAX = -8
"""Source: mallopt(3)."""


def share_one_heap() -> None:
    """Have the threads that are begun from now on share one heap. Does nothing where the C library isn't glibc.

    glibc gives each thread its own, and each of these keeps what was once taken: of eight threads, each what its
    largest plan took, though one at a time is made. Under the interpreter lock they seldom meet in one.
    """
    if sys.platform != "linux":
        return
    try:
        import ctypes  # noqa: PLC0415 - start-up: one repository has one thread

        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    except (ImportError, OSError):  # a Python without libffi, or linked statically
        return
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
