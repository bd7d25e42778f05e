"""The process that a fault run starts, and may kill: one command line, its output into a file."""

import contextlib
import os
import resource
import signal
import sys
from pathlib import Path

from aws_ecr_gc.app import collect  # noqa: F401 - loaded once by the fork server, so that each run starts fast
from aws_ecr_gc.cli.main import main


def run(words: list[str], environment: dict[str, str], out: Path, room: int | None = None) -> None:
    """Run the command line and exit with its code; with `room`, no file may get longer than so many bytes."""
    os.environ.clear()
    os.environ.update(environment)
    if room is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    with (
        out.open("w") as stdout,
        out.with_suffix(".err").open("w") as stderr,
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
    ):
        code = main(words)
    sys.exit(code)
