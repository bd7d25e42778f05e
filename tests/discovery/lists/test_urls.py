"""Lists at URLs, from a real server."""

import gzip
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from aws_ecr_gc.discovery.lists.fetching import fetch, shown
from aws_ecr_gc.errors import Exit, SourceFailure

_LIST = b"123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1\n"


class Served:
    """A server on loopback. `asked` are the paths with the headers of the requests; `ended` lets what hangs go on."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.ended = threading.Event()
        served = self

        class Answers(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                served.asked.append((self.path, dict(self.headers)))
                _ANSWERS[self.path.partition("?")[0]](self, served)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


def _send(answers: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    answers.send_response(status)
    for name, value in {"Content_Length": str(len(body)), **headers}.items():
        if value:
            answers.send_header(name.replace("_", "-"), value)
    answers.end_headers()
    answers.wfile.write(body)
    answers.wfile.flush()


def _cut(answers: BaseHTTPRequestHandler, **headers: str) -> None:
    _send(answers, 200, _LIST, **headers)
    answers.close_connection = True


def _hang(answers: BaseHTTPRequestHandler, served: Served) -> None:
    served.ended.wait(60)
    answers.close_connection = True


def _drip(answers: BaseHTTPRequestHandler, served: Served) -> None:
    _send(answers, 200, Content_Length="1000000")
    while not served.ended.wait(0.05):
        answers.wfile.write(b"#")


def _chunked(answers: BaseHTTPRequestHandler, end: bytes) -> None:
    body = b"%x\r\n%s\r\n%s" % (len(_LIST), _LIST, end)
    _send(answers, 200, body, Content_Length="", Transfer_Encoding="chunked")
    answers.close_connection = True


_PACKED = gzip.compress(_LIST)
_ANSWERS: dict[str, Callable[[BaseHTTPRequestHandler, Served], None]] = {
    "/list": lambda answers, _: _send(answers, 200, _LIST),
    "/large": lambda answers, _: _send(answers, 200, b"#" * 300_000),
    "/empty": lambda answers, _: _send(answers, 200),
    "/missing": lambda answers, _: _send(answers, 404, _LIST),
    "/broken": lambda answers, _: _send(answers, 500, _LIST),
    "/partial": lambda answers, _: _send(answers, 206, _LIST),
    "/nothing": lambda answers, _: _send(answers, 204),
    "/gzip": lambda answers, _: _send(answers, 200, _PACKED, Content_Encoding="gzip"),
    "/half-gzip": lambda answers, _: _send(answers, 200, _PACKED[:-9], Content_Encoding="gzip"),
    "/bomb": lambda answers, _: _send(answers, 200, gzip.compress(bytes(1 << 21)), Content_Encoding="gzip"),
    "/no-gzip": lambda answers, _: _send(answers, 200, _LIST, Content_Encoding="gzip"),
    "/brotli": lambda answers, _: _send(answers, 200, _LIST, Content_Encoding="br"),
    "/cut": lambda answers, _: _cut(answers, Content_Length="1000"),
    "/unmeasured": lambda answers, _: _cut(answers, Content_Length="", Connection="close"),
    "/chunked": lambda answers, _: _chunked(answers, b"0\r\n\r\n"),
    "/cut-chunks": lambda answers, _: _chunked(answers, b""),
    "/moved": lambda answers, _: _send(answers, 302, Location="/list"),
    "/circle": lambda answers, _: _send(answers, 302, Location="/circle"),
    "/to-file": lambda answers, _: _send(answers, 302, Location="file:///etc/passwd"),
    "/to-ftp": lambda answers, _: _send(answers, 302, Location="ftp://127.0.0.1/x"),
    "/to-user": lambda answers, _: _send(answers, 302, Location="http://me:secret@127.0.0.1:1/x"),
    "/hang": _hang,
    "/drip": _drip,
}


@pytest.fixture
def served() -> Iterator[Served]:
    server = Served()
    thread = threading.Thread(target=server.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.ended.set()
    server.server.shutdown()
    thread.join()
    server.server.server_close()


def _failure(url: str, seconds: float = 30) -> str:
    with pytest.raises(SourceFailure) as failed:
        fetch(url, seconds=seconds, most=1 << 20)
    assert failed.value.exit is Exit.AWS
    assert "\n" not in str(failed.value)
    return str(failed.value)


@pytest.mark.parametrize("path", ["/list", "/list?version=1#part", "/gzip", "/chunked", "/moved"])
def test_a_list_is_fetched_however_it_is_sent(path: str, served: Served) -> None:
    assert fetch(served.url + path) == _LIST


def test_large_and_empty_answers_are_whole_too(served: Served) -> None:
    assert fetch(f"{served.url}/large") == b"#" * 300_000
    assert fetch(f"{served.url}/empty") == b""


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/missing", "answered 404 Not Found; it must answer 200"),
        ("/broken", "answered 500 Internal Server Error"),
        ("/partial", "answered 206"),
        ("/nothing", "answered 204"),
        ("/cut", "was cut off: 49 of 1000 bytes came"),
        ("/cut-chunks", "IncompleteRead"),
        ("/half-gzip", "was cut off: its gzip has no end"),
        ("/no-gzip", "incorrect header check"),
        ("/bomb", "answers more than 1048576 bytes"),
        ("/brotli", "answers in the encoding br"),
        ("/unmeasured", "answers without saying how long it is"),
        ("/circle", "answered 302"),
        ("/to-file", "file:"),
        ("/to-ftp", "is no URL of http"),
    ],
)
def test_what_is_no_whole_answer_is_refused(path: str, reason: str, served: Served) -> None:
    message = _failure(served.url + path)
    assert reason in message
    assert message.startswith(("http://127.0.0.1:", "ftp://127.0.0.1/x: "))


@pytest.mark.parametrize("path", ["/hang", "/drip"])
def test_an_answer_that_takes_too_long_is_given_up(path: str, served: Served) -> None:
    assert "has not answered whole within 0.5 seconds" in _failure(served.url + path, seconds=0.5)


def test_a_server_that_is_not_there_is_told() -> None:
    assert _failure("http://127.0.0.1:1/list").startswith("http://127.0.0.1:1/list: [Errno 111] Connection refused; ")


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://x/y", "x", "http://", "http://[", "http://a b/", "http://a:b/"]
)
def test_what_is_no_url_of_http_is_refused(url: str) -> None:
    assert "is no URL" in _failure(url)


def test_a_user_and_password_are_sent_and_never_shown(served: Served) -> None:
    url = served.url.replace("//", "//me:sec%40ret@")
    assert fetch(f"{url}/moved") == _LIST
    assert [headers.get("Authorization") for _, headers in served.asked] == ["Basic bWU6c2VjQHJldA==", None]
    message = _failure(f"{url}/missing?X-Amz-Signature=token")
    assert message.startswith(f"{served.url}/missing?...: ")
    assert "secret" not in _failure(f"{served.url}/to-user")


def test_nothing_of_aws_is_sent(served: Served) -> None:
    fetch(f"{served.url}/list")
    assert {name.lower() for name in served.asked[0][1]} == {"host", "user-agent", "accept-encoding", "connection"}


def test_a_url_is_shown_without_user_and_query() -> None:
    assert shown("https://a:b@example.com/x?y=z") == "https://example.com/x?..."
    assert shown("https://example.com/x") == "https://example.com/x"
