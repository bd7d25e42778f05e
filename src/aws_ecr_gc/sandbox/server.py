"""The HTTP side: a threading server on loopback."""

import os
import socket
import struct
import sys
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aws_ecr_gc.sandbox.exchange import Answer, Arrival

CONTENT_TYPES = {
    "json": "application/x-amz-json-1.1",
    "json-1.0": "application/x-amz-json-1.0",
    "rest-json": "application/json",
    "xml": "text/xml",
    "html": "text/html",
    "octets": "application/octet-stream",
}
SHUTDOWN_POLL_SECONDS = 0.02


class Server(ThreadingHTTPServer):
    """Hands every GET and POST to `answer`. Raises OSError when the port is taken."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, answer: Callable[[Arrival], Answer]) -> None:
        super().__init__(("127.0.0.1", port), _Conversation)
        self.answer = answer
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()

    def keep(self, connection: socket.socket) -> None:
        """Note a connection as open."""
        with self._lock:
            self._connections.add(connection)

    def forget(self, connection: socket.socket) -> None:
        """Note a connection as closed."""
        with self._lock:
            self._connections.discard(connection)

    def close(self) -> None:
        """Stop listening, and end the conversations that are still open."""
        self.server_close()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):  # the client hung up at the same moment
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report what went wrong in a conversation, unless it is that the client hung up."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.keep(self.connection)

    def finish(self) -> None:
        self.server.forget(self.connection)
        super().finish()

    def do_POST(self) -> None:
        """Answer one call."""
        length = int(self.headers.get("Content-Length") or 0)
        arrival = Arrival(
            target=self.headers.get("X-Amz-Target") or "",
            authorization=self.headers.get("Authorization") or "",
            body=self.rfile.read(length),
            method=self.command,
            path=self.path,
        )
        sent = self.server.answer(arrival)
        if sent.status == 0:
            self._reset()
        else:
            self._send(sent)

    def do_GET(self) -> None:
        """Answer a call of a service that is like REST, or a download."""
        self.do_POST()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing: `Sandbox.calls` is the log."""

    def _send(self, sent: Answer) -> None:
        error = f"x-amzn-ErrorType: {sent.error_code}\r\n" if sent.error_code else ""
        head = (
            f"HTTP/1.1 {sent.status} {self.responses[sent.status][0]}\r\n"
            f"x-amzn-RequestId: {uuid.uuid4()}\r\n"
            f"Date: {self.date_time_string()}\r\n"
            f"Content-Type: {CONTENT_TYPES[sent.kind]}\r\n"
            f"{error}"
            f"Content-Length: {len(sent.body) if sent.length is None else sent.length}\r\n\r\n"
        )
        # One send for head and body: two would wait for the client's delayed acknowledgement in between.
        self.wfile.write(head.encode("ascii") + sent.body)
        left = 0 if sent.length is None else sent.length - len(sent.body)
        for chunk in sent.more:
            self.wfile.write(chunk)
            left -= len(chunk)
        if left:
            self._reset()

    def _reset(self) -> None:
        # With no time to linger, closing sends RST instead of FIN; the descriptor is detached, because a socket
        # object that still has a file on it does not close.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.server.forget(self.connection)
        os.close(self.connection.detach())
        self.close_connection = True
