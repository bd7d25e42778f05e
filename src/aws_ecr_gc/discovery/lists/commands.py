"""The output of a user's command."""

import contextlib
import os
import selectors
import shlex
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence

from aws_ecr_gc.discovery.lists.mention import MOST_BYTES
from aws_ecr_gc.errors import SourceFailure, one_line

MOST_SECONDS = 60.0
_SHOWN_OF_STDERR = 1 << 12


def output_of(words: Sequence[str], *, seconds: float = MOST_SECONDS, most: int = MOST_BYTES) -> bytes:
    """What a command writes to its standard output, whole: it must end within the time, and with 0.

    No shell is between. Standard input is empty. Whatever the command started is killed with it if it takes too long,
    writes too much, or the program is interrupted meanwhile. Raises SourceFailure.
    """
    name = one_line(shlex.join(words))
    try:
        # S603: to run what the user wrote is the purpose; a new session, so that all of it can be killed
        process = subprocess.Popen(  # noqa: S603
            list(words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError, IndexError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SourceFailure(f"{name}: can't be run: {reason}; check the command") from error
    with process:
        try:
            output, said = _communicate(process, name, time.monotonic() + seconds, most)
        except subprocess.TimeoutExpired as error:
            reason = f"has not ended within {seconds:g} seconds, and was killed"
            raise SourceFailure(f"{name}: {reason}; give a faster command, or its output in a file") from error
        finally:
            _kill(process)
    _check(process.returncode, said, name)
    return output


def _communicate(process: "subprocess.Popen[bytes]", name: str, end: float, most: int) -> tuple[bytes, bytes]:
    """Both outputs to their ends, of the one for errors only the beginning, and then the command's own end."""
    output, said = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        for pipe, read in ((process.stdout, output), (process.stderr, said)):
            if pipe is not None:
                selector.register(pipe, selectors.EVENT_READ, read)
        while selector.get_map():
            for key in _ready(selector, process, end):
                chunk = os.read(key.fd, 1 << 16)
                if not chunk:
                    selector.unregister(key.fileobj)
                key.data.extend(chunk)
            if len(output) > most:
                raise SourceFailure(f"{name}: writes more than {most} bytes; let it write only what names images")
            del said[_SHOWN_OF_STDERR:]
    process.wait(max(0.0, end - time.monotonic()))
    return bytes(output), bytes(said)


def _ready(
    selector: selectors.BaseSelector, process: "subprocess.Popen[bytes]", end: float
) -> Iterable[selectors.SelectorKey]:
    left = end - time.monotonic()
    if left <= 0:
        raise subprocess.TimeoutExpired(process.args, 0)
    return [key for key, _ in selector.select(left)]


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill the command's process group, unless the command has ended: its number may be another's then."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _check(code: int, said: bytes, name: str) -> None:
    if code == 0:
        return
    ended = f"ended with {code}" if code > 0 else f"was ended by {_signal(-code)}"
    line = one_line(said.decode("utf-8", "replace"))
    raise SourceFailure(f"{name}: {ended}{f': {line}' if line else ''}; run it by hand to see why")


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
