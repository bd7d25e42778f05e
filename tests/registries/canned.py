"""A server that gives one answer to everything, for answers that the stand-in would never give."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Self


class _OneAnswer(BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        canned = self.server.canned
        self.send_response(canned.status)
        self.send_header("Content-Length", str(len(canned.body)))
        self.end_headers()
        self.wfile.write(canned.body)

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a client that keeps its connection must not keep the server

    def __init__(self, canned: "Canned") -> None:
        super().__init__(("127.0.0.1", 0), _OneAnswer)
        self.canned = canned


class Canned:
    """The server, from entering the context to leaving it. `status` and `body` are its answer."""

    def __init__(self) -> None:
        self.status = 200
        self.body = b""
        self._server = _Server(self)
        self._thread = Thread(target=self._server.serve_forever)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
