"""What arrives at the test's cloud, and which call of which service that is, by botocore's own models."""

import functools
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import botocore.session
from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel, ServiceModel

ACCOUNT = "123456789012"
"""The account of every access key that no AssumeRole handed out."""

SESSION = botocore.session.Session()
"""One session for all models and clients of the tests, because reading a model takes longer than most calls."""

_BY_SIGNING_NAME = {"states": "stepfunctions", "bedrock-agentcore": "bedrock-agentcore-control"}
_FORWARD_ONLY = frozenset({"ec2", "s3"})
"""Services whose models are large and that nothing is answered for: their calls go to moto as they came."""


class Arrival(NamedTuple):
    """A request as it stood on the wire; the names of the headers are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The path, still quoted."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, list[str]]:
        """The query string."""
        return urllib.parse.parse_qs(self.target.partition("?")[2], keep_blank_values=True)

    @property
    def form(self) -> dict[str, str]:
        """The body of the query protocol, or nothing."""
        if not self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return {}
        return dict(urllib.parse.parse_qsl(self.body.decode(), keep_blank_values=True))


class Scope(NamedTuple):
    """The credential scope of the Authorization header."""

    access_key: str
    region: str
    signing_name: str


@dataclass(frozen=True, slots=True)
class Call:
    """One call: what a test may assert on, and what the functions that answer may look at."""

    service: str
    operation: str
    account: str
    region: str
    parameters: dict[str, Any] = field(default_factory=dict)
    protocol: str = field(default="json", repr=False)
    model: Any = field(default=None, repr=False, compare=False)
    arrival: Arrival = field(default=Arrival("POST", "/", {}, b""), repr=False, compare=False)

    @property
    def action(self) -> str:
        """The action as IAM writes it, such as `ecs:ListTasks`."""
        prefix = self.service if self.model is None else self.model.service_model.signing_name
        return f"{prefix}:{self.operation}"

    def __str__(self) -> str:
        return f"{self.service} {self.operation} ({self.account}, {self.region})"


def scope_of(arrival: Arrival) -> Scope | None:
    """Who signed the request for what; None when it is not signed."""
    found = re.search(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request", arrival.headers.get("authorization", ""))
    return Scope(*found.groups()) if found else None


def service_of(arrival: Arrival, scope: Scope | None) -> str:
    """botocore's name of the service. Only STS has calls without a signature."""
    if scope is None:
        return "sts" if "Action" in arrival.form else "unknown"
    return _BY_SIGNING_NAME.get(scope.signing_name, scope.signing_name)


@functools.cache
def service_model(service: str) -> ServiceModel | None:
    """The model of a service, unless its calls are only forwarded."""
    if service in _FORWARD_ONLY:
        return None
    try:
        return SESSION.get_service_model(service)
    except UnknownServiceError:
        return None


def operation_model(service: str, operation: str) -> OperationModel:
    """The model of an operation. Raises ValueError when botocore knows no such thing."""
    model = service_model(service)
    if model is None or operation not in model.operation_names:
        raise ValueError(f"botocore has no model of {service} {operation} (or it is only forwarded)")
    return model.operation_model(operation)


def protocol_of(arrival: Arrival, service: str) -> str:
    """The protocol that this request speaks; a service may have several."""
    if arrival.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return "smithy-rpc-v2-cbor"
    if "x-amz-target" in arrival.headers:
        return "json"
    model = service_model(service)
    return str(model.resolved_protocol) if model else "ec2" if service == "ec2" else "rest-xml"


def operation_of(arrival: Arrival, service: str, protocol: str) -> tuple[str, dict[str, str]]:
    """The name of the operation, "?" when there is none, and the labels of its path."""
    if protocol == "smithy-rpc-v2-cbor":
        return arrival.path.rpartition("/operation/")[2], {}
    if protocol == "json":
        return arrival.headers["x-amz-target"].rpartition(".")[2], {}
    if protocol in {"query", "ec2"}:
        return arrival.form.get("Action", "?"), {}
    for route in _routes(service):
        if (found := route.match(arrival)) is not None:
            return route.operation, {name: urllib.parse.unquote(text) for name, text in found.items()}
    return "?", {}


class _Route(NamedTuple):
    operation: str
    method: str
    path: re.Pattern[str]
    labels: tuple[str, ...]
    query: frozenset[str]
    breadth: tuple[int, int]

    def match(self, arrival: Arrival) -> dict[str, str] | None:
        found = self.path.fullmatch(arrival.path.rstrip("/")) if self.method == arrival.method else None
        if found is None or not self.query <= arrival.query.keys():
            return None
        return dict(zip(self.labels, found.groups(), strict=True))


@functools.cache
def _routes(service: str) -> list[_Route]:
    """The routes of a REST service, the narrowest first."""
    model = service_model(service)
    routes = [_route(model.operation_model(name)) for name in model.operation_names] if model else []
    return sorted(routes, key=lambda route: route.breadth)


def _route(operation: OperationModel) -> _Route:
    path, _, query = operation.http["requestUri"].partition("?")
    parts = re.split(r"\{([^}]+)\}", path.rstrip("/"))
    pattern = "".join(
        re.escape(part) if number % 2 == 0 else "(.+)" if part.endswith("+") else "([^/]+)"
        for number, part in enumerate(parts)
    )
    labels = tuple(part.rstrip("+") for part in parts[1::2])
    greedy = sum(part.endswith("+") for part in parts[1::2])
    return _Route(
        operation.name,
        operation.http["method"],
        re.compile(pattern),
        labels,
        frozenset(urllib.parse.parse_qs(query, keep_blank_values=True)),
        (greedy, len(labels)),
    )
