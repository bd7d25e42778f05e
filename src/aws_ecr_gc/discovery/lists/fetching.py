"""What a URL answers: the one module with an HTTP client."""

import base64
import http.client
import queue
import ssl
import threading
import time
import zlib
from typing import Any
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit

from aws_ecr_gc.discovery.lists.mention import MOST_BYTES
from aws_ecr_gc.errors import SourceFailure, one_line

MOST_SECONDS = 30.0
_CHUNK = 1 << 16


def shown(url: str) -> str:
    """A URL for messages, without user, password and query: queries hold signatures."""
    bare, query, _ = url.partition("?")
    return one_line(bare) + ("?..." if query else "")


def fetch(url: str, *, seconds: float = MOST_SECONDS, most: int = MOST_BYTES) -> bytes:
    """What an http or https URL answers to GET, whole: with status 200, within the time, as long as it says it is.

    Proxies are those of the environment, authorities the system's or SSL_CERT_FILE's. A user and password in the URL
    are sent to its own host. Raises SourceFailure.
    """
    # A thread: neither the resolver nor an answer that drips keeps to a time limit. One that is given up ends a second
    # later, at its own limits, and does not keep the program from ending.
    answers: queue.SimpleQueue[bytes | SourceFailure] = queue.SimpleQueue()
    end = time.monotonic() + seconds + 1

    def run() -> None:
        answers.put(_fetched(url, end, most))

    threading.Thread(target=run, name="fetch", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise _failure(url, f"has not answered whole within {seconds:g} seconds") from None
    if isinstance(answer, SourceFailure):
        raise answer
    return answer


def _fetched(url: str, end: float, most: int) -> bytes | SourceFailure:
    try:
        with _opener().open(_request(url), timeout=end - time.monotonic()) as response:
            return _body(response, url, end, most)
    except SourceFailure as error:
        return error
    except HTTPError as error:
        with error:
            return _failure(url, f"answered {error.code} {error.reason}", "it must answer 200")
    except URLError as error:
        return _failure(url, str(error.reason))
    except (ValueError, http.client.InvalidURL):  # their texts can hold a password
        return _failure(url, "is no URL that can be asked, or leads to one that is not")
    except (OSError, http.client.HTTPException, zlib.error) as error:
        return _failure(url, f"{type(error).__name__}: {error}")


def _request(url: str) -> request.Request:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _failure(url, "is no URL of http or https", "give http://... or https://...")
    user, at, host = parts.netloc.rpartition("@")
    headers = {"Accept-Encoding": "identity", "User-Agent": "aws-ecr-gc"}
    made = request.Request(parts._replace(netloc=host, fragment="").geturl(), headers=headers)  # noqa: S310 - checked
    if at:
        token = base64.b64encode(unquote(user).encode()).decode()
        made.add_unredirected_header("Authorization", f"Basic {token}")
    return made


def _opener() -> request.OpenerDirector:
    """An opener of http and https alone: urllib's own opens file: and ftp: as well."""
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler(),
        request.HTTPHandler(),
        request.HTTPSHandler(context=ssl.create_default_context()),
        request.HTTPDefaultErrorHandler(),
        _Redirects(),
        request.HTTPErrorProcessor(),
        request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


class _Redirects(request.HTTPRedirectHandler):
    def redirect_request(  # noqa: PLR0917 - urllib's signature
        self, req: request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> request.Request | None:
        scheme = urlsplit(newurl).scheme
        if scheme != "https" and (scheme != "http" or req.type == "https"):
            fp.close()
            raise _failure(newurl, f"is where {shown(req.full_url)} leads, and is no URL of {req.type}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _body(response: Any, url: str, end: float, most: int) -> bytes:
    if response.status != 200:
        raise _failure(url, f"answered {response.status} {response.reason}", "it must answer 200")
    length = None if response.chunked else response.headers.get("Content-Length")
    if length is None and not response.chunked:
        raise _failure(url, "answers without saying how long it is: one that was cut off would look the same")
    encoding = (response.headers.get("Content-Encoding") or "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise _failure(url, f"answers in the encoding {encoding}, which was not asked for")
    body = _read(response, url, end, most)
    if length is not None and str(len(body)) != length.strip():
        raise _failure(url, f"was cut off: {len(body)} of {length} bytes came")
    return body if encoding == "identity" else _unpacked(body, url, most)


def _read(response: Any, url: str, end: float, most: int) -> bytes:
    body = bytearray()
    while chunk := response.read1(_CHUNK):
        body += chunk
        if len(body) > most:
            raise _failure(url, f"answers more than {most} bytes", "let it answer only what names images")
        if time.monotonic() > end:
            raise _failure(url, "takes too long")
    return bytes(body)


def _unpacked(body: bytes, url: str, most: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    unpacked = unpacker.decompress(body, most + 1)
    if len(unpacked) > most:
        raise _failure(url, f"answers more than {most} bytes", "let it answer only what names images")
    if not unpacker.eof or unpacker.unused_data:
        raise _failure(url, "was cut off: its gzip has no end")
    return unpacked


def _failure(url: str, reason: str, mend: str = "check the URL and its server") -> SourceFailure:
    return SourceFailure(f"{shown(url)}: {one_line(reason)}; {mend}")
