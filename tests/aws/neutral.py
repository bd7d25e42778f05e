"""The neutral voice: moto's server in a process of its own."""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from queue import Empty, LifoQueue

from tests.aws.calls import Arrival
from tests.aws.wire import Reply

_ENVIRONMENT = {
    "MOTO_LAMBDA_STUB_ECR": "FALSE",
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "FALSE",
}
_CONFIGURATION = {
    "batch": {"use_docker": False},
    "lambda": {"use_docker": False},
    "stepfunctions": {"execute_state_machine": False},
}
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"}
_SECONDS = 60


class Moto:
    """Starts with the first call; connections are kept, so that a call costs what moto takes for it."""

    def __init__(self, *, runs_state_machines: bool = False) -> None:
        self._configuration = {**_CONFIGURATION, "stepfunctions": {"execute_state_machine": runs_state_machines}}
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._port = 0
        self._idle: LifoQueue[http.client.HTTPConnection] = LifoQueue()
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - open for as long as the process lives
        self._used = False

    @property
    def url(self) -> str:
        """Where it answers, for who is to call it directly."""
        self._start()
        self._used = True
        return f"http://127.0.0.1:{self._port}"

    def send(self, arrival: Arrival) -> Reply:
        """Hand a request on unchanged, and what moto says back."""
        self._start()
        self._used = True
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_SECONDS)
        try:
            reply = _exchange(connection, arrival)
        except BaseException:
            connection.close()
            raise
        self._idle.put(connection)
        return reply

    def reset(self) -> None:
        """Forget all resources of all accounts."""
        if self._used:
            self.send(Arrival("POST", "/moto-api/reset", {}, b""))
            self._used = False

    def log(self, lines: int = 20) -> str:
        """The end of moto's log: the traceback of what it cannot do."""
        self._log.seek(0)
        return "".join(self._log.readlines()[-lines:])

    def close(self) -> None:
        """End the process, by its own id."""
        while not self._idle.empty():
            self._idle.get().close()
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._log.close()

    def _start(self) -> None:
        with self._lock:
            if self._process is not None:
                return
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "tests.aws.motochild"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                text=True,
                start_new_session=True,  # Ctrl-C is for the tests; the end of its standard input ends it
                cwd=Path(__file__).parents[2],
                env={
                    **{name: text for name, text in os.environ.items() if not name.startswith("AWS_")},
                    **_ENVIRONMENT,
                },
            )
            assert self._process.stdout is not None
            said = self._process.stdout.readline()
            if not said:
                self._log.seek(0)
                raise RuntimeError(f"moto's server did not start: {self._log.read()}")
            self._port = int(said)
            self._configure()

    def _configure(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_SECONDS)
        _exchange(connection, Arrival("POST", "/moto-api/config", {}, json.dumps(self._configuration).encode()))
        self._idle.put(connection)


def _exchange(connection: http.client.HTTPConnection, arrival: Arrival) -> Reply:
    headers = {name: text for name, text in arrival.headers.items() if name not in _HOP_BY_HOP}
    connection.request(arrival.method, arrival.target, arrival.body, headers)
    answer = connection.getresponse()
    body = answer.read()
    return Reply(answer.status, {k: v for k, v in answer.getheaders() if k.lower() not in _HOP_BY_HOP}, body)
