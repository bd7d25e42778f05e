"""Sending what OpenTelemetry is told of a run: what its library raises or only logs ends here."""

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from aws_ecr_gc.errors import Misuse, one_line
from aws_ecr_gc.report.metrics import PlaceNumbers

PATIENCE = 15.0
"""Seconds that a run waits for its collector, at most; the library gives up after 10 unless it is told otherwise."""
_TRANSIENT = re.compile("Transient error (.+) encountered while exporting")
_PROTOCOL = "http/protobuf"


def demand() -> None:
    """Raise Misuse where nothing can be sent for want of the library, or for what the environment says."""
    stated = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or _PROTOCOL
    if stated != _PROTOCOL:
        raise Misuse(f"--otel: OTEL_EXPORTER_OTLP_PROTOCOL is {one_line(stated)}, and only {_PROTOCOL} is spoken here")
    try:
        from aws_ecr_gc.app import otlp  # noqa: F401, PLC0415 - an extra, and a quarter of a second
    except ImportError as error:
        raise Misuse(
            f"--otel: the OpenTelemetry library is missing ({one_line(error)}): pip install 'aws-ecr-gc[otel]'"
        ) from error


def send(
    command: str, places: Sequence[PlaceNumbers], ended_at: float, exit_code: int, *, patience: float = PATIENCE
) -> list[str]:
    """Send the numbers and the trace of a run; what went wrong with that, if anything did."""
    from aws_ecr_gc.app.otlp import Told  # noqa: PLC0415 - start-up: only where it is asked for, and the extra is there

    told = Told(command, places, ended_at, exit_code)
    signals = [_Signal("metrics", told.metrics, patience), _Signal("traces", told.traces, patience)]
    wanted = [each for each in signals if os.environ.get(f"OTEL_{each.name.upper()}_EXPORTER") != "none"]
    for each in wanted:
        each.start()
    until = time.monotonic() + patience
    for each in wanted:
        each.join(max(0.0, until - time.monotonic()))
    return [each.trouble for each in wanted if each.trouble is not None]


class _Signal(threading.Thread):
    """Sends one of the two. A collector that says nothing holds up neither the run for long nor the process's end."""

    def __init__(self, name: str, export: Callable[[], bool], patience: float) -> None:
        super().__init__(name=name, daemon=True)
        self._export = export
        self._kept = f"no {name} were sent to {_endpoint(name)}"
        self.trouble: str | None = f"{self._kept}: no answer within {patience:g} s"
        """Why it was not sent."""

    def run(self) -> None:
        said: list[str] = []
        try:
            with _heard(said):
                sent = self._export()
        except Exception as error:  # noqa: BLE001 - whatever a library raises, the run itself has ended
            sent, said = False, [one_line(error) or type(error).__name__]
        self.trouble = None if sent else f"{self._kept}: {_reason(said)}"


def _endpoint(signal: str) -> str:
    """Where the library sends it."""
    own = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT")
    return one_line(own or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or "http://localhost:4318")


def _reason(said: Sequence[str]) -> str:
    """Of what the library said the first, which is about the first try; later ones only say that it gave up."""
    first = next(iter(said), "they were not taken")
    transient = _TRANSIENT.match(first)
    return first if transient is None else transient[1]


class _Ear(logging.Handler):
    """What the library logs in one thread: all that it says of why something was not sent."""

    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._said = said
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self._said.append(one_line(record.getMessage()))


@contextmanager
def _heard(said: list[str]) -> Iterator[None]:
    """A block in which what the library logs goes there, and not to standard error."""
    logger, ear = logging.getLogger("opentelemetry"), _Ear(said)
    logger.propagate = False
    logger.addHandler(ear)
    try:
        yield
    finally:
        logger.removeHandler(ear)
