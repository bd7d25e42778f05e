"""Plain downloads from the URLs that AWS gives out."""

import functools
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from botocore import exceptions as boto
from botocore.awsrequest import AWSPreparedRequest
from botocore.httpsession import URLLib3Session
from botocore.response import StreamingBody
from botocore.utils import get_environ_proxies

from aws_ecr_gc.errors import Passing, one_line

_CHUNK = 1 << 16


class Web:
    """Plain downloads, with botocore's own HTTP client: its proxies, and the authorities of the AWS configuration."""

    def __init__(self, verify: str | bool, connections: int) -> None:
        self._verify = verify
        self._connections = connections
        self._session_by = functools.lru_cache(None)(self._session)

    def download(self, url: str) -> Iterator[bytes]:
        """What a URL answers to GET, whole, or as far as it comes. It is asked when the first of it is wanted.

        Raises Passing for whatever is no 200, and where the answer breaks off: the URL may have expired. No message
        holds the URL, for it is signed.
        """
        host = one_line(urlsplit(url).hostname)
        proxies = tuple(sorted(get_environ_proxies(url).items()))
        request = AWSPreparedRequest("GET", url, {"Accept-Encoding": "identity"}, None, stream_output=True)
        try:
            answer = self._session_by(proxies).send(request)
        except boto.BotoCoreError as error:
            raise _no_download(host, error) from error
        if answer.status_code != 200:
            answer.raw.release_conn()
            raise Passing(f"the download from {host} was answered {answer.status_code}", f"Http{answer.status_code}")

        try:
            yield from StreamingBody(answer.raw, answer.headers.get("Content-Length")).iter_chunks(_CHUNK)
        except boto.BotoCoreError as error:
            raise _no_download(host, error) from error
        finally:
            answer.raw.close()

    def close(self) -> None:
        """Give the connections back."""
        self._session_by.cache_clear()

    def _session(self, proxies: tuple[tuple[str, str], ...]) -> Any:
        return URLLib3Session(
            verify=self._verify, proxies=dict(proxies), max_pool_connections=self._connections, timeout=60
        )


def _no_download(host: str, error: Exception) -> Passing:
    return Passing(f"the download from {host} broke off: {type(error).__name__}", type(error).__name__)
