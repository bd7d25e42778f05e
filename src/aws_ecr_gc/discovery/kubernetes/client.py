"""The one module that imports the Kubernetes client library, which the extra `aws-ecr-gc[kubernetes]` installs.

The library decides about kubeconfig files, contexts, credential plug-ins, certificates, proxies and in-cluster
configuration. Its exceptions, and those of the HTTP client below it, end here. The requests are made without its
generated API classes: those decode every member of every object.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import urllib3
from urllib3.exceptions import HTTPError, InsecureRequestWarning, SSLError
from urllib3.exceptions import TimeoutError as TimedOut

from aws_ecr_gc import __version__
from aws_ecr_gc.errors import Error, Misuse, SourceFailure, one_line

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")

_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS = 75.0
"""An API server itself gives up after 60 seconds, and says so."""
_PAUSES = (0.5, 1.0, 2.0)
"""Seconds before each further attempt."""
_BUSY = frozenset({429, 500, 502, 503, 504})

_library = threading.Lock()
"""The library writes certificates to files that all its configurations share, with no care for threads."""


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    body: bytes


class Server:
    """The API of one cluster. Shares nothing with others but `_library`."""

    def __init__(self, configuration: Any, pool: Any, token: Callable[[], str] | None = None) -> None:
        """`pool` is urllib3's; `token` is asked for before every request, and the configuration where it is None."""
        self._configuration = configuration
        self._base = str(configuration.host).rstrip("/")
        self._pool: urllib3.PoolManager = pool
        self._token = token
        self.host = one_line(self._base)
        self.silence = _SILENCE_SECONDS

    def get(self, path: str, query: dict[str, str] | None = None) -> Answer:
        """The answer to a GET, after some attempts where the server is busy or a connection breaks.

        Raises SourceFailure if there is none: the server can't be reached, is not who it should be, or says nothing
        for `silence` seconds.
        """
        for pause in (*_PAUSES, None):
            try:
                answer = self._once(path, query or {})
            except (TimedOut, SSLError) as error:
                raise self._unreachable(error) from error
            except (HTTPError, ValueError, OSError) as error:
                if pause is None:
                    raise self._unreachable(error) from error
            else:
                if answer.status not in _BUSY or pause is None:
                    return answer
            time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _once(self, path: str, query: dict[str, str]) -> Answer:
        response = self._pool.request(
            "GET",
            self._base + path,
            fields=query,
            headers=self._headers(),
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=self.silence),
            retries=False,
            redirect=False,
        )
        return Answer(response.status, response.data)

    def _headers(self) -> dict[str, str]:
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": f"aws-ecr-gc/{__version__}",
        }
        if self._token is not None:
            return {**headers, "Authorization": f"Bearer {self._token()}"}
        with _wrapped(SourceFailure, f"{self.host}: the credentials can't be renewed"):
            settings = self._configuration.auth_settings().values()
        for each in settings:
            value = str(each["value"]).strip()
            if not value.isprintable():  # the HTTP client would show it
                raise SourceFailure(f"{self.host}: the token holds a line break or another control character")
            headers[each["key"]] = value
        return headers

    def _unreachable(self, error: Exception) -> Error:
        return SourceFailure(f"{self.host} can't be reached: {one_line(error)}", type(error).__name__)


def of_context(context: str | None, kubeconfig: str | None) -> tuple[str, Server]:
    """The name and the server of a context, or of the current one. Raises Misuse, or SourceFailure."""
    library = _import()
    files = kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
    configuration = library.configuration()
    with _wrapped(Misuse, f"kubeconfig {files}" + (f", context {context}" if context else "")):
        name = context or library.config.list_kube_config_contexts(files)[1]["name"]
        library.config.load_kube_config(files, name, configuration)
    return name, _server(library, configuration)


def in_cluster(account: Path) -> Server:
    """The server of the cluster that the program runs in. Raises Misuse."""
    library = _import()
    configuration = library.configuration()
    with _wrapped(Misuse, "in-cluster configuration: this is no pod with a service account"):
        library.in_cluster(str(account / "token"), str(account / "ca.crt")).load_and_set(configuration)
    return _server(library, configuration)


def of_endpoint(endpoint: str, authority: str, token: Callable[[], str]) -> Server:
    """The server at an address, which has a certificate of this authority."""
    library = _import()
    configuration = library.configuration()
    cluster = {"server": endpoint, "certificate-authority-data": authority}
    contents = {
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it"}}],
        "clusters": [{"name": "it", "cluster": cluster}],
    }
    with _wrapped(SourceFailure, endpoint):
        library.config.load_kube_config_from_dict(contents, client_configuration=configuration, persist_config=False)
    return _server(library, configuration, token)


class _Library(NamedTuple):
    config: Any
    configuration: Any
    in_cluster: Any
    transport: Any


def _import() -> _Library:
    try:
        from kubernetes import config  # noqa: PLC0415 - an extra, and a quarter of a second
        from kubernetes.client import Configuration  # noqa: PLC0415
        from kubernetes.client.rest import RESTClientObject  # noqa: PLC0415
        from kubernetes.config.incluster_config import InClusterConfigLoader  # noqa: PLC0415
    except ImportError as error:
        raise Misuse(
            f"Kubernetes: the client library is missing ({one_line(error)}): pip install 'aws-ecr-gc[kubernetes]'"
        ) from error
    return _Library(config, Configuration, InClusterConfigLoader, RESTClientObject)


def _server(library: _Library, configuration: Any, token: Callable[[], str] | None = None) -> Server:
    if not configuration.verify_ssl:
        urllib3.disable_warnings(InsecureRequestWarning)  # the kubeconfig asks for it
    return Server(configuration, library.transport(configuration).pool_manager, token)


@contextmanager
def _wrapped(kind: type[Error], what: str) -> Iterator[None]:
    """One thread at a time in the library; what it raises or only logs, as errors of this kind."""
    said: list[str] = []
    collector = _Collector(said)
    try:
        with _library:
            logging.getLogger().addHandler(collector)
            try:
                yield
            finally:
                logging.getLogger().removeHandler(collector)
    except Exception as error:
        raise kind(f"{what}: {one_line(error) or type(error).__name__}") from error
    if said:
        raise kind(f"{what}: {one_line('; '.join(said))}")


class _Collector(logging.Handler):
    """What is logged as an error in this thread: all that the library does about a credential plug-in that fails."""

    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._said = said
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self._said.append(record.getMessage())
