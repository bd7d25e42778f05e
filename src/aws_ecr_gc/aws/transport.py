"""A leaner way over botocore's own connections, for the plain calls that make up a run (docs/adr/0015).

botocore makes the connections: TLS, authorities, client certificates and time-outs are as it sets them. What is said
over them is written and read here, and what went wrong leaves as botocore's own exception, so that its retries decide
as ever. Whatever is not plain goes through its own transport: proxies, streams, other methods and other URLs.
"""

import re
import select
import socket
import ssl
import weakref
from collections import deque
from collections.abc import Iterator, Mapping
from http.client import HTTPException, HTTPResponse
from io import BufferedReader, RawIOBase
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from botocore import exceptions as boto
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.context import get_context
from botocore.httpsession import NewConnectionError, URLLib3ConnectTimeoutError, URLLib3Session, URLLib3SSLError
from botocore.useragent import UserAgentString

_READ = 1 << 18
_LONGEST_HEAD = 1 << 16
_JOINED = 1 << 16
"""Bodies up to this size go out together with the headers, in one packet where they fit."""
_ELSEWHERE = frozenset({"transfer-encoding", "expect", "host", "accept-encoding"})
"""Headers of a request that this module does not know to heed."""
_FOLD = re.compile(r"\r?\n[ \t]+")
"""Where a header goes on in the next line."""


def ride(client: Any, connections: int) -> bool:
    """Let a client of botocore send its plain calls this way. False where its inside is not as it is known to be."""
    _keep_user_agent(client)
    _write_ids_fast(client)
    endpoint: Any = getattr(client, "_endpoint", None)
    session = getattr(endpoint, "http_session", None)
    if type(session) is not URLLib3Session or not all(hasattr(session, name) for name in _USED):
        return False
    endpoint.http_session = Lean(session, client.meta.endpoint_url, connections)
    return True


def _keep_user_agent(client: Any) -> None:
    """Let a client put its User-Agent together once for each set of features, not twice for every call."""
    creator: Any = getattr(client, "_user_agent_creator", None)
    if type(creator) is not UserAgentString:
        return
    make = creator.to_string
    known: dict[frozenset[str], str] = {}

    def to_string() -> str:
        features = frozenset(getattr(get_context(), "features", ()))
        if features not in known:
            known[features] = make()
        return known[features]

    creator.to_string = to_string


def _write_ids_fast(client: Any) -> None:
    """Let a client write a hundred image ids without botocore's look at each; a single one stands for them there."""
    whole = getattr(client, "_serializer", None)
    if hasattr(whole, "serialize_to_request"):
        client._serializer = _Serializer(whole)  # noqa: SLF001 - see `ride`


class _Serializer:
    def __init__(self, whole: Any) -> None:
        self._whole = whole

    def serialize_to_request(self, parameters: dict[str, Any], operation_model: Any) -> Any:
        ids = parameters.get("imageIds")
        if type(ids) is list and len(ids) > 1 and all(map(_is_plain_id, ids)):
            made = self._whole.serialize_to_request({**parameters, "imageIds": ids[:1]}, operation_model)
            try:
                made["body"] = msgspec.json.encode({**msgspec.json.decode(made["body"]), "imageIds": ids})
            except (KeyError, TypeError, ValueError):
                pass  # another protocol, or half a character
            else:
                return made
        return self._whole.serialize_to_request(parameters, operation_model)


def _is_plain_id(each: object) -> bool:
    return (
        type(each) is dict
        and each.keys() <= {"imageDigest", "imageTag"}
        and all(type(value) is str for value in each.values())
    )


_USED = ("_proxy_config", "_get_connection_manager", "_setup_ssl_cert", "_verify")


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes
    lasts: bool
    """Whether the connection can be used again."""


class _Body:
    """What `AWSResponse` reads from."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        """All of it."""
        yield self._content


class Lean:
    """In place of botocore's `URLLib3Session`, in front of it. For several threads."""

    def __init__(self, session: URLLib3Session, url: str, connections: int) -> None:
        self._session = session
        self._idle: deque[Any] = deque()
        self._most = connections
        weakref.finalize(self, _close, self._idle)  # as urllib3 does it with a pool that nobody closed
        self._url = url if url.endswith("/") else f"{url}/"
        self._head = self._head_for(urlsplit(self._url))

    def _head_for(self, place: Any) -> bytes | None:
        """The lines that begin every request; None where requests are not plain."""
        usual = {"http": 80, "https": 443}.get(place.scheme)
        if place.path != "/" or place.query or place.fragment or place.username is not None or not place.hostname:
            return None
        if usual is None or ":" in place.hostname or not place.hostname.isascii():
            return None
        if self._session._proxy_config.proxy_url_for(self._url) is not None:  # noqa: SLF001 - see `ride`
            return None
        port = f":{place.port}" if place.port not in (None, usual) else ""
        return f"POST / HTTP/1.1\r\nHost: {place.hostname}{port}\r\nAccept-Encoding: identity\r\n".encode()

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """As `URLLib3Session.send`, with its exceptions."""
        message = self._message(request)
        if message is None:
            return self._session.send(request)
        try:
            answer = self._exchange(*message)
        except (ssl.SSLError, ssl.CertificateError, URLLib3SSLError) as error:
            raise boto.SSLError(endpoint_url=request.url, error=error) from error
        except (NewConnectionError, socket.gaierror) as error:
            raise boto.EndpointConnectionError(endpoint_url=request.url, error=error) from error
        except URLLib3ConnectTimeoutError as error:
            raise boto.ConnectTimeoutError(endpoint_url=request.url, error=error) from error
        except TimeoutError as error:
            raise boto.ReadTimeoutError(endpoint_url=request.url, error=error) from error
        except (OSError, HTTPException) as error:
            raise boto.ConnectionClosedError(error=error, request=request, endpoint_url=request.url) from error
        except Exception as error:  # as in botocore's own: what nobody thought of is no answer
            raise boto.HTTPClientError(error=error) from error
        return AWSResponse(request.url, answer.status, answer.headers, _Body(answer.body))

    def close(self) -> None:
        """Give the connections back; a later call opens new ones."""
        _close(self._idle)
        self._session.close()

    def _message(self, request: AWSPreparedRequest) -> tuple[bytes, bytes] | None:
        """Headers and body; None for what is not plain."""
        body = b"" if request.body is None else request.body
        if request.method != "POST" or request.url != self._url or request.stream_output or type(body) is not bytes:
            return None
        if self._head is None or (getattr(request, "context", None) or {}).get("read_timeout") is not None:
            return None
        parts = [self._head]
        for name, value in request.headers.items():
            if name.lower() in _ELSEWHERE:
                return None
            parts.append(b"%b: %b\r\n" % (name.encode(), value if type(value) is bytes else str(value).encode()))
        parts.append(b"\r\n")
        head = b"".join(parts)
        lines = len(parts) + 2  # the first part holds three
        if head.count(b"\n") != lines or head.count(b"\r") != lines:
            return None
        return head, body

    def _exchange(self, head: bytes, body: bytes) -> _Answer:
        connection = self._connection()
        try:
            sock = connection.sock
            try:
                if len(body) <= _JOINED:
                    sock.sendall(head + body)
                else:
                    sock.sendall(head)
                    sock.sendall(body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # an answer may have come before all was sent: urllib3 reads it too
            answer = _read(sock)
        except BaseException:  # also Ctrl-C: what is half said on it would be taken for the next answer
            connection.close()
            raise
        if answer.lasts and not getattr(sock, "pending", int)():  # what TLS has read already belongs to no answer
            self._keep(connection)
        else:
            connection.close()
        return answer

    def _keep(self, connection: Any) -> None:
        self._idle.append(connection)
        while len(self._idle) > self._most:
            try:
                self._idle.popleft().close()
            except IndexError:  # other threads took them meanwhile
                return

    def _connection(self) -> Any:
        """One that is idle and still open, the youngest first, or a new one."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return self._new()
            if not has_more(connection.sock):
                return connection
            connection.close()  # the other end closed it, or said something unasked

    def _new(self) -> Any:
        """A connection as botocore's own transport makes it."""
        session = self._session
        pool = session._get_connection_manager(self._url).connection_from_url(self._url)  # noqa: SLF001 - see `ride`
        session._setup_ssl_cert(pool, self._url, session._verify)  # noqa: SLF001 - the same
        connection = pool._new_conn()  # noqa: SLF001 - the same
        try:
            connection.timeout = pool.timeout.connect_timeout
            connection.connect()
            connection.sock.settimeout(pool.timeout.read_timeout)
        except BaseException:  # also Ctrl-C: what is half said on it would be taken for the next answer
            connection.close()
            raise
        return connection


def has_more(sock: socket.socket, seconds: float = 0.0) -> bool:
    """Whether something waits to be read, or the end; without a wait, unless told for how long."""
    waiting = select.poll()
    waiting.register(sock, select.POLLIN)
    return bool(waiting.poll(seconds * 1000))


def _close(idle: deque[Any]) -> None:
    while idle:
        idle.pop().close()


def _read(sock: socket.socket) -> _Answer:
    """The answer to a POST. Raises OSError and HTTPException."""
    received = b""
    while (end := received.find(b"\r\n\r\n")) < 0:
        more = sock.recv(_READ)
        if not more or len(received) > _LONGEST_HEAD:
            return _read_slowly(received, sock, ended=not more)
        received += more
    headers = _plain(received[:end])
    if headers is None:
        return _read_slowly(received, sock)
    left = int(headers["content-length"]) - (len(received) - end - 4)
    if left < 0:
        return _read_slowly(received, sock)
    parts = [received[end + 4 :]]
    while left:
        part = sock.recv(min(left, _READ))
        if not part:
            break  # as botocore's own: who decodes it finds out
        parts.append(part)
        left -= len(part)
    lasts = not left and headers.get("connection", "").lower() != "close"
    return _Answer(int(received[9:12]), headers, b"".join(parts), lasts)


def _plain(head: bytes) -> dict[str, str] | None:
    """The headers by their names in small letters, where the answer is as AWS's are; else None."""
    first, *lines = head.split(b"\r\n")
    if not first.startswith(b"HTTP/1.1 ") or not first[9:12].isdigit() or first[12:13] not in (b" ", b""):
        return None
    if first[9:10] < b"2" or first[9:12] in (b"204", b"304"):
        return None
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.decode("latin-1").partition(":")
        name = name.lower()
        if not colon or name in headers or not name.isascii() or name != name.strip():
            return None
        headers[name] = value.strip()
    if "transfer-encoding" in headers or not headers.get("content-length", "").isdecimal():
        return None
    return headers


class _Again(RawIOBase):
    """What was received already, and then the rest, as it is wanted: what is left over shows in `received`."""

    def __init__(self, received: bytes, sock: socket.socket, *, ended: bool) -> None:
        self.received = received
        self._sock = sock
        self._ended = ended

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self.received and not self._ended:
            self.received = self._sock.recv(_READ)
        some = self.received[: len(buffer)]
        self.received = self.received[len(some) :]
        buffer[: len(some)] = some
        return len(some)

    def makefile(self, _: str) -> BufferedReader:
        """It is all of a socket that `HTTPResponse` asks for."""
        return BufferedReader(self, 1)


def _read_slowly(received: bytes, sock: socket.socket, *, ended: bool = False) -> _Answer:
    """The answer, whatever its form, by the standard library."""
    again = _Again(received, sock, ended=ended)
    response = HTTPResponse(again, method="POST")  # type: ignore[arg-type]  # see `makefile`
    response.begin()
    body = response.read()
    several = ((name, ", ".join(response.headers.get_all(name, ()))) for name in response.headers)
    headers = {name.lower(): _FOLD.sub(" ", value) for name, value in several}
    return _Answer(response.status, headers, body, lasts=not response.will_close and not again.received)
