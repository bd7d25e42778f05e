"""How AWS's services are spoken to: which operation a request is for and what it says, and how answers are written."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import count
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

import msgspec

from aws_ecr_gc.sandbox import model
from aws_ecr_gc.sandbox.errors import ServiceError, invalid_parameter
from aws_ecr_gc.sandbox.exchange import Answer, Arrival, Kind

Members = dict[str, Any]

_encode = msgspec.json.Encoder().encode


class Spoken(Protocol):
    """A protocol. `service` is botocore's name."""

    def operation(self, service: str, known: Iterable[str], arrival: Arrival) -> str:
        """The operation that is asked for, which need not be a known one."""

    def request(self, service: str, operation: str, arrival: Arrival) -> Members:
        """The members of the request. Raises ServiceError for what can't be read."""

    def answer(self, service: str, operation: str, members: Members) -> Answer:
        """The answer of a call that was carried out."""

    def refusal(self, service: str, error: ServiceError) -> Answer:
        """The answer of one that was not."""


class Json(NamedTuple):
    """The operation in a header, the members as JSON."""

    kind: Kind = "json"

    def operation(self, service: str, _known: Iterable[str], arrival: Arrival) -> str:
        """A name without its prefix is taken too."""
        return arrival.target.removeprefix(f"{model.target_prefix(service)}.")

    def request(self, _service: str, _operation: str, arrival: Arrival) -> Members:
        return _decoded(arrival.body)

    def answer(self, _service: str, _operation: str, members: Members) -> Answer:
        return Answer(200, _encode(members), self.kind)

    def refusal(self, _service: str, error: ServiceError) -> Answer:
        return Answer(error.status, _encode({"__type": error.code, "message": error.message}), self.kind)


class RestJson(NamedTuple):
    """The operation in method and path, the members there, in the query and as JSON."""

    def operation(self, service: str, known: Iterable[str], arrival: Arrival) -> str:
        path = urlsplit(arrival.path).path.rstrip("/")
        for operation in known:
            http = model.http(operation, service)
            if http["method"] == arrival.method and _path(http["requestUri"]).fullmatch(path):
                return operation
        return f"{arrival.method} {path}"

    def request(self, service: str, operation: str, arrival: Arrival) -> Members:
        asked = urlsplit(arrival.path)
        members = _decoded(arrival.body) if arrival.body else {}
        matched = _path(model.http(operation, service)["requestUri"]).fullmatch(asked.path.rstrip("/"))
        places = {
            "uri": {} if matched is None else {name: unquote(text) for name, text in matched.groupdict().items()},
            "querystring": dict(parse_qsl(asked.query)),
        }
        for name, member in model.shape(model.input_shape_name(operation, service), service)["members"].items():
            found = places.get(member.get("location", ""), {}).get(member.get("locationName", name))
            if found is not None:
                members[name] = _typed(name, found, member["shape"], service)
        return members

    def answer(self, _service: str, _operation: str, members: Members) -> Answer:
        return Answer(200, _encode(members), "rest-json")

    def refusal(self, _service: str, error: ServiceError) -> Answer:
        body = _encode({"Type": "User" if error.status < 500 else "Service", "Message": error.message})
        return Answer(error.status, body, "rest-json", error.code)


class Query(NamedTuple):
    """Operation and members in a form, answers in XML."""

    def operation(self, _service: str, _known: Iterable[str], arrival: Arrival) -> str:
        return _form(arrival).get("Action", "")

    def request(self, service: str, operation: str, arrival: Arrival) -> Members:
        return _structure(_form(arrival), "", model.input_shape_name(operation, service), service)

    def answer(self, service: str, operation: str, members: Members) -> Answer:
        text = "".join(_elements(members))
        return Answer(
            200,
            f'<{operation}Response xmlns="{model.xml_namespace(service)}"><{operation}Result>{text}</{operation}Result>'
            f"<ResponseMetadata/></{operation}Response>".encode(),
            "xml",
        )

    def refusal(self, service: str, error: ServiceError) -> Answer:
        said = {"Type": "Sender" if error.status < 500 else "Receiver", "Code": error.code, "Message": error.message}
        text = "".join(_elements({"Error": said}))
        body = f'<ErrorResponse xmlns="{model.xml_namespace(service)}">{text}</ErrorResponse>'
        return Answer(error.status, body.encode(), "xml")


def _decoded(body: bytes) -> Members:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise ServiceError("SerializationException", str(error)) from error


@cache
def _path(uri: str) -> re.Pattern[str]:
    """`/functions/{FunctionName}`; what stands for a name has no slash."""
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(uri.partition("?")[0].rstrip("/"))))


def _form(arrival: Arrival) -> dict[str, str]:
    return dict(parse_qsl(arrival.body.decode(errors="replace"), keep_blank_values=True))


def _structure(form: dict[str, str], prefix: str, shape: str, service: str) -> Members:
    """The members of a structure whose keys in the form begin so: texts, and lists of structures."""
    found: Members = {}
    for name, member in model.shape(shape, service)["members"].items():
        described = model.shape(member["shape"], service)
        if prefix + name in form:
            found[name] = _typed(name, form[prefix + name], member["shape"], service)
        elif described["type"] == "list":
            rows = list(_rows(form, f"{prefix}{name}.member.", described["member"]["shape"], service))
            if rows:
                found[name] = rows
    return found


def _rows(form: dict[str, str], prefix: str, shape: str, service: str) -> Iterator[Members]:
    for number in count(1):
        row = f"{prefix}{number}."
        if not any(key.startswith(row) for key in form):
            return
        yield _structure(form, row, shape, service)


_READ: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "boolean": {"true": True, "false": False}.__getitem__,
    "string": str,
}


def _typed(name: str, text: str, shape: str, service: str) -> Any:
    kind = model.shape(shape, service)["type"]
    try:
        return _READ.get(kind, str)(text)
    except (KeyError, ValueError) as error:
        raise invalid_parameter(name, f"Member must be of type {kind}") from error


def _elements(members: Members) -> Iterator[str]:
    for name, value in members.items():
        inner = "".join(_elements(value)) if isinstance(value, dict) else escape(_text(value))
        yield f"<{name}>{inner}</{name}>"


def _text(value: object) -> str:
    return datetime.fromtimestamp(value, UTC).isoformat() if isinstance(value, float) else str(value)
