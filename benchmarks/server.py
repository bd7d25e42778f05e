"""A registry that has its pages ready as bytes, so that the client is the bottleneck. Runs in a process of its own.

It answers DescribeImages whatever the credentials. A GET is answered with the calls since the GET before.
"""

import argparse
import json
import socket
import threading
import time
from collections.abc import Iterator

from benchmarks.rows import image_rows

PAGE = 1000


def main() -> None:
    """Print the port, then serve until killed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.server", description=__doc__)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that every call takes")
    asked = parser.parse_args()
    registry = _Registry(list(_pages(asked.images)), asked.latency)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=registry.serve, args=[connection], daemon=True).start()


def _pages(images: int) -> Iterator[bytes]:
    rows = list(image_rows(images))
    for start in range(0, max(images, 1), PAGE):
        page: dict[str, object] = {"imageDetails": rows[start : start + PAGE]}
        if start + PAGE < images:
            page["nextToken"] = str(start // PAGE + 1)
        yield _answer("200 OK", page)


def _answer(status: str, content: object) -> bytes:
    body = json.dumps(content, separators=(",", ":")).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class _Registry:
    """The pages, and what was asked for since anybody last wanted to know."""

    def __init__(self, pages: list[bytes], latency: float) -> None:
        self._pages = pages
        self._latency = latency
        self._calls = 0
        self._first: float | None = None

    def serve(self, connection: socket.socket) -> None:
        """Answer what comes over one connection until the client closes it."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, connection.makefile("rb") as stream:
            while request := stream.readline():
                length = 0
                while (line := stream.readline()) not in {b"\r\n", b""}:
                    name, _, value = line.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                body = stream.read(length)
                connection.sendall(self._seen() if request.startswith(b"GET ") else self._page(body))

    def _seen(self) -> bytes:
        answer = _answer("200 OK", {"calls": self._calls, "first": self._first})
        self._calls, self._first = 0, None
        return answer

    def _page(self, body: bytes) -> bytes:
        if self._first is None:
            self._first = time.monotonic()
        self._calls += 1
        time.sleep(self._latency)
        asked = json.loads(body)
        if asked.get("maxResults") != PAGE:
            return _answer("400 Bad Request", {"__type": "InvalidParameterException", "message": f"{PAGE} a page only"})
        return self._pages[int(asked.get("nextToken", 0))]


if __name__ == "__main__":
    main()
