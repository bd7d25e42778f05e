"""The cloud of the tests: every AWS call arrives here on the wire, and is answered, spoiled, or handed on to moto."""

import socket
import threading
import time
import traceback
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.aws import gaps, wire
from tests.aws.calls import (
    ACCOUNT,
    Arrival,
    Call,
    operation_model,
    operation_of,
    protocol_of,
    scope_of,
    service_model,
    service_of,
)
from tests.aws.faults import Effect, Faults, When, always, denial, throttling
from tests.aws.neutral import Moto
from tests.aws.paging import PAGES, Pages, Paging, demand_limits, members_of
from tests.aws.wire import CBOR, Refusal, Reply, request_for

Answering = Callable[[Call], dict[str, Any] | None]
Amending = Callable[[Call, dict[str, Any]], dict[str, Any]]

ACCESS_KEY = "AKIDEXAMPLE"
_GARBAGE = b"<html><body>502 Bad Gateway</body></html>"
_POLL_SECONDS = 0.02
_QUIET_SECONDS = 10


class Cloud:
    """What a test arranges, and what it may ask afterwards.

    A call goes through, in this order: faults, AWS's limits, the answers a test registered, the answers for what moto
    lacks (`gaps`), moto; then through amendments and pages.
    """

    def __init__(self) -> None:
        self.moto = Moto()
        self.problems: list[str] = []
        self.most_at_once = 0
        self._calls: list[Call] = []
        self._under_way = 0
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._faults = Faults()
        self._answers: dict[tuple[str, str], Answering] = {}
        self._amendments: dict[tuple[str, str], Amending] = {}
        self._paging: dict[tuple[str, str], Paging] = {}
        self._pages = Pages()
        self._accounts: dict[str, str] = {}
        self._server = _Server(self.handle)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.close()
        self._thread.join()
        self.moto.close()

    @property
    def url(self) -> str:
        """What AWS_ENDPOINT_URL is to be."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    # What was called

    @property
    def calls(self) -> list[Call]:
        """Every call so far, in the order of arrival."""
        with self._lock:
            return list(self._calls)

    def named(self, service: str, operation: str = "*") -> list[Call]:
        """The calls of one operation."""
        return [call for call in self.calls if call.service == service and operation in {"*", call.operation}]

    def check(self) -> None:
        """Raise AssertionError if an answer was impossible, or nobody could answer."""
        with self._lock:
            problems, self.problems = self.problems, []
        assert not problems, "\n".join([*problems, "The end of moto's log:", self.moto.log()])

    # What is arranged

    def answer(self, service: str, operation: str, function: Answering) -> None:
        """Let `function(call)` give the members of the answer, raise Refusal, or leave the call to others by None."""
        operation_model(service, operation)
        self._answers[service, operation] = function

    def amend(self, service: str, operation: str, function: Amending) -> None:
        """Let `function(call, output)` change the answer that somebody else gave."""
        operation_model(service, operation)
        self._amendments[service, operation] = function

    def paginate(
        self, service: str, operation: str, member: str | None = None, size_limit: int = 100, *, hollow: bool = False
    ) -> None:
        """Serve pages of at most so many; with an empty page before each when `hollow`."""
        size = PAGES.get((service, operation))
        default, most = (min(size.default, size_limit), min(size.most, size_limit)) if size else (size_limit,) * 2
        members = members_of(operation_model(service, operation), member)
        self._paging[service, operation] = Paging(members, default, most, hollow)

    def deny(
        self,
        service: str,
        operation: str = "*",
        when: When = always,
        message: str | None = None,
        *,
        nth: int | None = None,
        resource: str = "*",
    ) -> None:
        """Refuse as IAM does."""
        self._faults.add(service, operation, Effect(lambda call: denial(call, resource, message)), when, nth)

    def fail(
        self,
        service: str,
        operation: str = "*",
        when: When = always,
        *,
        status: int = 500,
        code: str = "InternalFailure",
        message: str = "We encountered an internal error. Please try again.",
        nth: int | None = None,
    ) -> None:
        """Refuse with an error of the test's choice."""
        self._faults.add(service, operation, Effect(lambda _: Refusal(code, message, status)), when, nth)

    def throttle(self, service: str, operation: str = "*", when: When = always, *, nth: int | None = None) -> None:
        """Refuse as a service does that is called too often."""
        self._faults.add(service, operation, Effect(throttling), when, nth)

    def cut(self, service: str, operation: str = "*", when: When = always, *, nth: int | None = None) -> None:
        """Break the answer off half way, and hang up. botocore takes JSON cut off like this for an empty answer."""
        self._faults.add(service, operation, Effect(cut=True), when, nth)

    def hang(
        self, service: str, operation: str = "*", when: When = always, *, seconds: float, nth: int | None = None
    ) -> None:
        """Answer after so many seconds, or when the test is over."""
        self._faults.add(service, operation, Effect(seconds=seconds), when, nth)

    def garbage(
        self, service: str, operation: str = "*", when: When = always, *, body: bytes = _GARBAGE, nth: int | None = None
    ) -> None:
        """Answer 200 with something that is no answer."""
        self._faults.add(service, operation, Effect(garbage=body), when, nth)

    def mend(self) -> None:
        """Take all faults back."""
        self._faults.clear()

    def know(self, access_key: str, account: str) -> None:
        """Let calls with this access key be that account's, in moto too."""
        with self._lock:
            self._accounts[access_key] = account

    def reset(self) -> None:
        """Forget everything, here and in moto, once nothing is under way."""
        self._over.set()
        until = time.monotonic() + _QUIET_SECONDS
        while self._under_way and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
        self.mend()
        self._pages.clear()
        for table in (self._answers, self._amendments, self._paging, self._accounts):
            table.clear()
        with self._lock:
            self._calls.clear()
            self.problems.clear()
            self.most_at_once = 0
        self.moto.reset()
        self._over.clear()

    # What happens to a call

    def handle(self, arrival: Arrival) -> Reply:
        """Answer a request; what goes wrong here is a problem of the test, told by `check`."""
        protocol = "json"
        try:
            call = self._recognise(arrival)
            protocol = call.protocol
            with self._noted(call):
                return self._suffer(call)
        except Exception as wrong:  # noqa: BLE001 - whatever it is, the test is to hear of it
            said = traceback.format_exc() if not isinstance(wrong, wire.NotInTheModel) else str(wrong)
            with self._lock:
                self.problems.append(said)
            return wire.error(protocol, Refusal("TestIsWrong", f"{type(wrong).__name__}: {wrong}", 500))

    def _recognise(self, arrival: Arrival) -> Call:
        scope = scope_of(arrival)
        service = service_of(arrival, scope)
        protocol = protocol_of(arrival, service)
        operation, labels = operation_of(arrival, service, protocol)
        with self._lock:
            account = self._accounts.get(scope.access_key, ACCOUNT) if scope else ACCOUNT
        region = scope.region if scope else "us-east-1"
        model = service_model(service)
        if model is None or operation not in model.operation_names:
            return Call(service, operation, account, region, dict(arrival.form), protocol, None, arrival)
        found = model.operation_model(operation)
        parameters = wire.parameters_of(found, protocol, arrival, labels)
        return Call(service, operation, account, region, parameters, protocol, found, arrival)

    @contextmanager
    def _noted(self, call: Call) -> Iterator[None]:
        with self._lock:
            self._calls.append(call)
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    def _suffer(self, call: Call) -> Reply:
        effect = self._faults.strike(call) or Effect()
        if effect.refuse is not None:
            return wire.error(call.protocol, effect.refuse(call))
        if effect.garbage is not None:
            return Reply(200, {"Content-Type": "text/html"}, effect.garbage)
        if effect.seconds:
            self._over.wait(effect.seconds)
        reply = self._reply(call)
        if effect.cut:
            reply.cut = len(reply.body) // 2
        return reply

    def _reply(self, call: Call) -> Reply:
        if call.model is None:
            return self._forward(call)
        try:
            demand_limits(call)
            paging = self._paging_of(call)
            if paging is not None:
                output = self._pages.page(call, paging, lambda asked: self._output(_asking(call, asked)))
            elif self._is_ours(call):
                output = self._output(call)
            elif call.protocol == CBOR:
                output = self._output(_asking(call, call.parameters))
            else:
                return self._forward(call)
        except Refusal as refused:
            return wire.error(call.protocol, refused)
        return wire.render(call.model, call.protocol, output)

    def _paging_of(self, call: Call) -> Paging | None:
        key = (call.service, call.operation)
        if key not in self._paging and (size := PAGES.get(key)):
            return Paging(members_of(call.model), size.default, size.most)
        return self._paging.get(key)

    def _is_ours(self, call: Call) -> bool:
        key = (call.service, call.operation)
        return key in self._answers or key in self._amendments or key in gaps.ANSWERS

    def _output(self, call: Call) -> dict[str, Any]:
        key = (call.service, call.operation)
        output = None
        for table in (self._answers, gaps.ANSWERS):
            if output is None and key in table:
                output = table[key](call)
        if output is None:
            output = self._from_moto(call)
        amend = self._amendments.get(key)
        return amend(call, output) if amend else output

    def _from_moto(self, call: Call) -> dict[str, Any]:
        reply = self._forward(call)
        if reply.status >= 300:
            raise wire.refusal_of(call, reply)
        return wire.output_of(call, reply)

    def _forward(self, call: Call) -> Reply:
        # moto would find the account of an assumed role by itself, but not that of a key from `know`.
        headers = {**call.arrival.headers, "x-moto-account-id": call.account}
        reply = self.moto.send(call.arrival._replace(headers=headers))
        if reply.status in {404, 500, 501} and not _is_an_answer(reply):
            raise NotImplementedError(
                f"moto cannot answer {call}, it says {reply.status}: register an answer, or add it to tests/aws/gaps.py"
            )
        if call.service in {"sts", "iam"} and call.model is not None and reply.status == 200:
            self._learn(call, wire.output_of(call, reply))
        return reply

    def _learn(self, call: Call, output: dict[str, Any]) -> None:
        """Remember whose key was handed out."""
        if "Credentials" in output and "RoleArn" in call.parameters:
            self.know(output["Credentials"]["AccessKeyId"], call.parameters["RoleArn"].split(":")[4])
        elif "AccessKey" in output:
            self.know(output["AccessKey"]["AccessKeyId"], call.account)


def _asking(call: Call, parameters: dict[str, Any]) -> Call:
    """The same call with other parameters; in JSON where it came in CBOR, which moto's CodeBuild does not speak."""
    protocol = "json" if call.protocol == CBOR else call.protocol
    return replace(call, parameters=parameters, protocol=protocol, arrival=request_for(call, protocol, parameters))


def _is_an_answer(reply: Reply) -> bool:
    """Whether this is an error of the service's, and not the page of a web server."""
    kind = next((text for name, text in reply.headers.items() if name.lower() == "content-type"), "")
    return not kind.startswith("text/html") or b"<Error" in reply.body or reply.body.startswith(b"{")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, answer: Callable[[Arrival], Reply]) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.answer = answer
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def keep(self, connection: socket.socket, *, is_open: bool) -> None:
        """Note a connection as open or closed."""
        with self._lock:
            (self._open.add if is_open else self._open.discard)(connection)

    def close(self) -> None:
        """Stop listening, and hang up on everybody."""
        self.server_close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):  # the client hung up at the same moment
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing when a client hangs up; anything else `Cloud.handle` has caught."""


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.keep(self.connection, is_open=True)

    def finish(self) -> None:
        self.server.keep(self.connection, is_open=False)
        super().finish()

    def _answer(self) -> None:
        headers = {name.lower(): text for name, text in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length") or 0))
        target = self.path if self.path.startswith("/") else urllib.parse.urlsplit(self.path).path
        self._send(self.server.answer(Arrival(self.command, target, headers, body)))

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _answer  # noqa: N815 - as the base class has it

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing: `Cloud.calls` is the log."""

    def _send(self, reply: Reply) -> None:
        head = [f"HTTP/1.1 {reply.status} {self.responses.get(reply.status, ('Unknown',))[0]}"]
        head += [f"{name}: {text}" for name, text in reply.headers.items()]
        head += [f"Date: {self.date_time_string()}", f"Content-Length: {len(reply.body)}", "", ""]
        body = b"" if self.command == "HEAD" else reply.body[: reply.cut]
        self.wfile.write("\r\n".join(head).encode("latin-1") + body)
        if reply.cut is not None:
            self.close_connection = True
