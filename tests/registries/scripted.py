"""A server that says bytes, each connection by its script, for what no HTTP library would say."""

import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import Any, Self

BODY = b'{"repositories":[]}'


def answer(body: bytes = BODY, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """The answer as AWS gives it, and more headers."""
    lines = [b"HTTP/1.1 " + status, b"Content-Type: application/x-amz-json-1.1", *headers]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])


Said = bytes | Sequence[bytes] | Callable[[Any], None]
"""What is said to a request: in one piece, or in several, or whatever is done with the socket."""


class Scripted:
    """Says to each request on a connection what its script holds next, and hangs up at its end.

    The last script is that of all connections that follow.
    """

    def __init__(self, *scripts: Sequence[Said], tls: tuple[str, str] | None = None) -> None:
        self._scripts = scripts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._context = None
        if tls is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*tls)
        self.url = f"http{'' if tls is None else 's'}://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = 0
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.lines: list[str] = []

    def __enter__(self) -> Self:
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                script = self._scripts[min(self.connections, len(self._scripts) - 1)]
                self.connections += 1
                Thread(target=self._converse, args=(sock, script), daemon=True).start()

    def _converse(self, sock: socket.socket, script: Sequence[Said]) -> None:
        with suppress(OSError), sock:
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True)
            reading = sock.makefile("rb")
            for said in script:
                if not self._request(reading):
                    break
                if callable(said):
                    said(sock)
                    continue
                for piece in [said] if isinstance(said, bytes) else said:
                    sock.sendall(piece)
            reading.close()
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _request(self, reading: Any) -> bool:
        line = reading.readline().decode()
        headers: dict[str, str] = {}
        while (header := reading.readline().decode().rstrip("\r\n")) != "":
            name, _, value = header.partition(": ")
            headers[name.lower()] = value
        if not line:
            return False
        self.lines.append(line.rstrip())
        self.requests.append((headers, reading.read(int(headers.get("content-length", 0)))))
        return True
