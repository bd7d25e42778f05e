"""A stand-in of the Kubernetes API: lists with continue tokens, who may read them, and what can go wrong on the way.

That its answers have the shape of the real server's is checked by test_real_api_server.py.
"""

import base64
import json
import ssl
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

from tests.discovery.kubernetes.manifests import Manifest

_SERVED = {
    "v1": ("PodTemplate", "ReplicationController", "Pod"),
    "apps/v1": ("Deployment", "StatefulSet", "DaemonSet", "ControllerRevision", "ReplicaSet"),
    "batch/v1": ("CronJob", "Job"),
    "batch/v1beta1": (),
}
_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


class Request(NamedTuple):
    """What came."""

    path: str
    query: Mapping[str, str]
    authorization: str | None

    @property
    def plural(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


class Reply(NamedTuple):
    """What goes. It breaks off after `cut` bytes; a negative status says nothing until the stand-in is closed."""

    status: int
    body: bytes
    kind: str = "application/json"
    cut: int | None = None
    location: str | None = None


SILENCE = Reply(-1, b"")


class Standin:
    """An API server; `served` are the kinds by API version."""

    def __init__(self, certificate: tuple[Path, Path] | None = None, served: Mapping[str, Any] = _SERVED) -> None:
        """`certificate` and its key make it speak TLS."""
        self.served = served
        self.requests: list[Request] = []
        self.tokens: frozenset[str] | None = None
        self._objects: dict[str, list[Manifest]] = {}
        self._denied: set[str] = set()
        self._faults: dict[tuple[str, int], Reply] = {}
        self._asked: dict[str, int] = {}
        self._lock = threading.Lock()
        self.over = threading.Event()
        self._server = _Server(self)
        self._scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self._scheme = "https"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    # What a test arranges

    def add(self, *manifests: Manifest) -> None:
        """Create objects."""
        for manifest in manifests:
            plural = f"{manifest['kind'].lower()}s"
            self._objects.setdefault(plural, []).append(manifest)

    def deny(self, *plurals: str) -> None:
        """Let nobody read these."""
        self._denied.update(plurals)

    def spoil(self, plural: str, reply: Reply, *, nth: int = 1) -> None:
        """Answer the nth request of a list, or of any other path by its last part, with this."""
        self._faults[plural, nth] = reply

    def expire(self, plural: str, *, nth: int) -> None:
        """Let the continue token of the nth request of a list be too old."""
        self.spoil(plural, _failure(410, "Expired", _TOO_OLD, continues="e30"), nth=nth)

    # What a test may ask

    def named(self, plural: str) -> list[Request]:
        """The requests of one list."""
        return [request for request in self.requests if request.plural == plural]

    # The API

    def answer(self, request: Request) -> Reply:
        """The answer to a GET."""
        with self._lock:
            self.requests.append(request)
            self._asked[request.plural] = self._asked.get(request.plural, 0) + 1
            fault = self._faults.get((request.plural, self._asked[request.plural]))
        if fault is not None:
            return fault
        if self.tokens is not None and request.authorization not in {f"Bearer {token}" for token in self.tokens}:
            return _failure(401, "Unauthorized", "Unauthorized")
        prefix, _, rest = request.path.removeprefix("/").partition("/")
        if prefix == "apis" and not rest:
            return self._groups()
        version, _, plural = rest.rpartition("/") if prefix == "api" or rest.count("/") == 2 else (rest, "", "")
        kinds = {f"{kind.lower()}s": kind for kind in self.served.get(version, ())}
        if prefix not in {"api", "apis"} or version not in self.served or (plural and plural not in kinds):
            return Reply(404, b"404 page not found\n", "text/plain; charset=utf-8")
        if not plural:
            return self._resources(version, kinds)
        return self._list(request, version, kinds[plural])

    def _groups(self) -> Reply:
        groups: dict[str, list[Manifest]] = {}
        for version in self.served:
            if "/" in version:
                group, _, number = version.partition("/")
                groups.setdefault(group, []).append({"groupVersion": version, "version": number})
        described = [{"name": name, "versions": each, "preferredVersion": each[0]} for name, each in groups.items()]
        return _json(200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": described})

    def _resources(self, version: str, kinds: Mapping[str, str]) -> Reply:
        listed = [
            {"name": name, "singularName": "", "namespaced": True, "kind": kind, "verbs": ["list"]}
            for plural, kind in kinds.items()
            for name in (plural, f"{plural}/status")
        ]
        return _json(200, {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": listed})

    def _list(self, request: Request, version: str, kind: str) -> Reply:
        plural, group = f"{kind.lower()}s", version.rpartition("/")[0]
        if plural in self._denied:
            where = f"{plural}.{group} is forbidden" if group else f"{plural} is forbidden"
            message = f'{where}: User "gc" cannot list resource "{plural}" in API group "{group}" at the cluster scope'
            return _failure(403, "Forbidden", message, kind=plural, group=group)
        objects = self._objects.get(plural, [])
        token = request.query.get("continue")
        start = int(base64.urlsafe_b64decode(token)) if token else 0
        end = start + int(request.query.get("limit") or len(objects) or 1)
        metadata: Manifest = {"resourceVersion": "7"}
        if end < len(objects):
            metadata["continue"] = base64.urlsafe_b64encode(str(end).encode()).decode()
            metadata["remainingItemCount"] = len(objects) - end
        items = [{name: each[name] for name in each if name not in {"kind", "apiVersion"}} for each in objects]
        return _json(
            200, {"kind": f"{kind}List", "apiVersion": version, "metadata": metadata, "items": items[start:end]}
        )


def _json(status: int, document: Manifest) -> Reply:
    return Reply(status, json.dumps(document).encode())


def _failure(status: int, reason: str, message: str, *, continues: str | None = None, **details: str) -> Reply:
    metadata = {} if continues is None else {"continue": continues}
    document = {"kind": "Status", "apiVersion": "v1", "metadata": metadata, "status": "Failure", "message": message}
    described = {"details": {name: each for name, each in details.items() if each}} if details else {}
    return _json(status, {**document, "reason": reason, **described, "code": status})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, standin: Standin) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.standin = standin

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing when a client hangs up, or does not trust the certificate."""


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """Answer."""
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        reply = self.server.standin.answer(Request(parts.path, query, self.headers.get("Authorization")))
        if reply.status < 0:
            self.server.standin.over.wait()
            self.close_connection = True
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(reply.body)))
        if reply.location is not None:
            self.send_header("Location", reply.location)
        self.end_headers()
        self.wfile.write(reply.body[: reply.cut])
        self.close_connection = reply.cut is not None

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing: `Standin.requests` is the log."""
