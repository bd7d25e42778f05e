"""AWS's protocols from the side of the server: parameters out of requests, answers and errors into responses."""

import base64
import enum
import json
import urllib.parse
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

import botocore.parsers
import botocore.serialize
from botocore.model import OperationModel, Shape
from botocore.validate import ParamValidator

from tests.aws.calls import Arrival, Call

CBOR = "smithy-rpc-v2-cbor"
_OF_THE_BODY = {"content-length", "content-type", "smithy-protocol", "accept"}
_TYPES = {
    "json": "application/x-amz-json-1.1",
    "rest-json": "application/json",
    "query": "text/xml",
    "ec2": "text/xml",
    "rest-xml": "application/xml",
    CBOR: "application/cbor",
}


class Missing(enum.Enum):
    """What stands for a parameter that a request did not give."""

    MISSING = 0


@dataclass(slots=True)
class Reply:
    """A response as it goes onto the wire; `cut` of its bytes when it is to break off."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: int | None = None


class Refusal(Exception):
    """An error of the service. A function that answers may raise it."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class NotInTheModel(Exception):
    """An answer that the service could not have given, by botocore's model."""


# Requests


def parameters_of(operation: OperationModel, protocol: str, arrival: Arrival, labels: Mapping[str, str]) -> Any:
    """The parameters of a call, as botocore's user wrote them."""
    shape = operation.input_shape
    if shape is None:
        return {}
    parser = botocore.parsers.create_parser(protocol if protocol != "query" else "json")
    if protocol == "query":
        given = _from_form(shape, arrival.form, "")
        return {} if given is Missing.MISSING else given
    if protocol == "rest-json":
        raw = json.loads(arrival.body) if arrival.body.strip() and "payload" not in shape.serialization else {}
        given = parser._parse_shape(_body_of(shape), raw)
        return {**given, **_located(shape, arrival, labels)}
    raw = parser._initial_body_parse(arrival.body) if protocol == CBOR else json.loads(arrival.body)
    return parser._parse_shape(shape, raw or {})


class _Part:
    """A structure reduced to some of its members, as the parser wants to see it."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        self.members = members
        self.type_name = "structure"
        self.is_document_type = False
        self.is_tagged_union = False
        self.serialization: dict[str, Any] = {}


def _body_of(shape: Shape) -> Any:
    return _Part({name: member for name, member in shape.members.items() if "location" not in member.serialization})


def _located(shape: Shape, arrival: Arrival, labels: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    query = arrival.query
    for name, member in shape.members.items():
        wire_name = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "uri" if wire_name in labels:
                found[name] = _scalar(member, labels[wire_name])
            case "querystring" if member.type_name == "list" and wire_name in query:
                found[name] = [_scalar(member.member, text) for text in query[wire_name]]
            case "querystring" if wire_name in query:
                found[name] = _scalar(member, query[wire_name][0])
            case "header" if wire_name.lower() in arrival.headers:
                found[name] = _scalar(member, arrival.headers[wire_name.lower()])
    return found


def _scalar(shape: Shape, text: str) -> Any:
    if shape.type_name in {"integer", "long"}:
        return int(text)
    if shape.type_name in {"float", "double"}:
        return float(text)
    return text.lower() == "true" if shape.type_name == "boolean" else text


def _from_form(shape: Shape, form: Mapping[str, str], prefix: str) -> Any:
    """A value of the query protocol: `Tags.member.1.Key=...`."""
    if shape.type_name == "structure":
        return _structure_from_form(shape, form, prefix)
    if shape.type_name == "list":
        inner = "" if shape.serialization.get("flattened") else f".{shape.member.serialization.get('name', 'member')}"
        return _numbered(lambda at: _from_form(shape.member, form, at), f"{prefix}{inner}")
    return _scalar(shape, form[prefix]) if prefix in form else Missing.MISSING


def _structure_from_form(shape: Shape, form: Mapping[str, str], prefix: str) -> Any:
    found = {}
    for name, member in shape.members.items():
        at = f"{prefix}.{name}" if prefix else name
        value = _from_form(member, form, at) if any(key == at or key.startswith(f"{at}.") for key in form) else None
        if value is not None and value is not Missing.MISSING:
            found[name] = value
    return found if found or not prefix else Missing.MISSING


def _numbered(read: Any, prefix: str) -> Any:
    found: list[Any] = []
    while (value := read(f"{prefix}.{len(found) + 1}")) is not Missing.MISSING:
        found.append(value)
    return found or Missing.MISSING


def request_for(call: Call, protocol: str, parameters: Mapping[str, Any]) -> Arrival:
    """The same call with other parameters, and maybe in another protocol."""
    serializer = botocore.serialize.create_serializer(protocol, include_validation=False)
    made = serializer.serialize_to_request(dict(parameters), call.model)
    body = made["body"]
    if isinstance(body, dict):
        body = urllib.parse.urlencode(body)
    query = urllib.parse.urlencode(made["query_string"] or {}, doseq=True)
    path = urllib.parse.quote(made["url_path"], safe="/%?=&~")
    kept = {name: text for name, text in call.arrival.headers.items() if name not in _OF_THE_BODY}
    return Arrival(
        made["method"],
        f"{path}?{query}" if query else path,
        {**kept, **{name.lower(): text for name, text in made["headers"].items()}},
        body.encode() if isinstance(body, str) else bytes(body),
    )


# Answers


def refusal_of(call: Call, reply: Reply) -> Refusal:
    """The error of a response that somebody else wrote."""
    said = output_of(call, reply).get("Error", {})
    return Refusal(said.get("Code", "Unknown"), said.get("Message", ""), reply.status)


def output_of(call: Call, reply: Reply) -> dict[str, Any]:
    """The members of a response that somebody else wrote."""
    parser = botocore.parsers.create_parser(call.protocol)
    headers = {name.lower(): text for name, text in reply.headers.items()}
    seen = parser.parse({"status_code": reply.status, "headers": headers, "body": reply.body}, call.model.output_shape)
    seen.pop("ResponseMetadata", None)
    return dict(seen)


def render(operation: OperationModel, protocol: str, output: Mapping[str, Any]) -> Reply:
    """The response that says this. Raises NotInTheModel."""
    shape = operation.output_shape
    if shape is None:
        if output:
            raise NotInTheModel(f"{operation.name} answers nothing, but was given {sorted(output)}")
        return _reply(200, protocol, _empty(operation, protocol))
    if wrong := _misfits(shape, output):
        raise NotInTheModel(f"{operation.service_model.service_name} {operation.name}: {'; '.join(wrong)}")
    if protocol in {"query", "ec2"}:
        return _reply(200, protocol, _xml_answer(operation, output))
    if protocol == "rest-json":
        return _rest_reply(operation, output)
    return _reply(200, protocol, _encoded(protocol, shape, output))


def _misfits(shape: Shape, output: Mapping[str, Any]) -> list[str]:
    problems = ParamValidator().validate(dict(output), shape)
    # Several models demand one item of a list that AWS answers empty, as CodeBuild's ListProjects.
    problems._errors = [
        (kind, name, more) for kind, name, more in problems._errors if kind != "invalid length" or more["param"] > 0
    ]
    return [problems.generate_report()] if problems.has_errors() else list(_outside_enums(shape, output, ""))


def _outside_enums(shape: Shape, value: Any, at: str) -> Any:
    """Strings that are none of those which the model lists."""
    if shape.type_name == "structure" and not shape.is_document_type:
        for name, inner in value.items():
            yield from _outside_enums(shape.members[name], inner, f"{at}.{name}".lstrip("."))
    elif shape.type_name == "list":
        for number, inner in enumerate(value):
            yield from _outside_enums(shape.member, inner, f"{at}[{number}]")
    elif shape.type_name == "map":
        for key, inner in value.items():
            yield from _outside_enums(shape.value, inner, f"{at}[{key!r}]")
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        yield f"{at} is {value!r}, none of {', '.join(shape.enum)}"


def _encoded(protocol: str, shape: Shape, output: Mapping[str, Any]) -> bytes:
    serializer = botocore.serialize.create_serializer(protocol, include_validation=False)
    if protocol == CBOR:
        return bytes(serializer._serialize_body_params(dict(output), shape))
    body: dict[str, Any] = {}
    serializer._serialize(body, dict(output), shape)
    return json.dumps(body).encode()


def _rest_reply(operation: OperationModel, output: Mapping[str, Any]) -> Reply:
    shape = operation.output_shape
    where = {name: member.serialization.get("location") for name, member in shape.members.items()}
    payload = shape.serialization.get("payload")
    if payload is None:
        inside = {name: value for name, value in output.items() if where[name] is None}
        body = _encoded("rest-json", shape, inside)
    elif isinstance(held := output.get(payload, b""), dict):
        body = _encoded("rest-json", shape.members[payload], held)
    else:
        body = held.encode() if isinstance(held, str) else bytes(held)
    reply = _reply(operation.http.get("responseCode", 200), "rest-json", body)
    for name, value in output.items():
        if where[name] == "header":
            reply.headers[shape.members[name].serialization.get("name", name)] = str(value)
        elif where[name] == "statusCode":
            reply.status = int(value)
    return reply


def _xml_answer(operation: OperationModel, output: Mapping[str, Any]) -> bytes:
    root = ET.Element(f"{operation.name}Response")
    wrapper = operation.output_shape.serialization.get("resultWrapper")
    _to_xml(ET.SubElement(root, wrapper) if wrapper else root, operation.output_shape, output)
    ET.SubElement(ET.SubElement(root, "ResponseMetadata"), "RequestId").text = str(uuid.uuid4())
    return bytes(ET.tostring(root))


def _to_xml(node: ET.Element, shape: Shape, value: Any) -> None:
    if shape.type_name == "structure":
        for name, inner in value.items():
            _member_to_xml(node, shape.members[name], shape.members[name].serialization.get("name", name), inner)
    elif shape.type_name == "list":
        for inner in value:
            _to_xml(ET.SubElement(node, shape.member.serialization.get("name", "member")), shape.member, inner)
    elif shape.type_name == "map":
        for key, inner in value.items():
            entry = ET.SubElement(node, "entry")
            _to_xml(ET.SubElement(entry, shape.key.serialization.get("name", "key")), shape.key, key)
            _to_xml(ET.SubElement(entry, shape.value.serialization.get("name", "value")), shape.value, inner)
    else:
        node.text = _text(shape, value)


def _member_to_xml(node: ET.Element, shape: Shape, name: str, value: Any) -> None:
    if shape.type_name == "list" and shape.serialization.get("flattened"):
        for inner in value:
            _to_xml(ET.SubElement(node, shape.member.serialization.get("name", name)), shape.member, inner)
    else:
        _to_xml(ET.SubElement(node, name), shape, value)


def _text(shape: Shape, value: Any) -> str:
    if shape.type_name == "timestamp":
        return str(botocore.serialize.QuerySerializer()._timestamp_iso8601(value))
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    return str(value).lower() if shape.type_name == "boolean" else str(value)


def _empty(operation: OperationModel, protocol: str) -> bytes:
    if protocol in {"query", "ec2"}:
        return f"<{operation.name}Response/>".encode()
    return b"" if protocol == "rest-json" else b"\xa0" if protocol == CBOR else b"{}"


# Errors


def error(protocol: str, refusal: Refusal) -> Reply:
    """A service's error in the words of its protocol."""
    code, message = refusal.code, refusal.message
    if protocol in {"query", "ec2", "rest-xml"}:
        return _reply(refusal.status, protocol, _xml_error(protocol, refusal))
    if protocol == CBOR:
        body = _cbor_strings({"__type": f"com.amazonaws#{code}", "message": message})
        return _reply(refusal.status, protocol, body)
    if protocol == "rest-json":
        reply = _reply(refusal.status, protocol, json.dumps({"message": message}).encode())
        reply.headers["x-amzn-ErrorType"] = code
        return reply
    return _reply(refusal.status, protocol, json.dumps({"__type": code, "message": message}).encode())


def _xml_error(protocol: str, refusal: Refusal) -> bytes:
    root = ET.Element("Response" if protocol == "ec2" else "ErrorResponse")
    held = ET.SubElement(ET.SubElement(root, "Errors") if protocol == "ec2" else root, "Error")
    ET.SubElement(held, "Type").text = "Sender" if refusal.status < 500 else "Receiver"
    ET.SubElement(held, "Code").text = refusal.code
    ET.SubElement(held, "Message").text = refusal.message
    ET.SubElement(root, "RequestID" if protocol == "ec2" else "RequestId").text = str(uuid.uuid4())
    return bytes(ET.tostring(root))


def _cbor_strings(members: Mapping[str, str]) -> bytes:
    serializer = botocore.serialize.create_serializer(CBOR, include_validation=False)
    body = bytearray([0xA0 + len(members)])
    for text in (text for pair in members.items() for text in pair):
        serializer._serialize_type_string(body, text, None, None)
    return bytes(body)


def _reply(status: int, protocol: str, body: bytes) -> Reply:
    headers = {"Content-Type": _TYPES[protocol], "x-amzn-RequestId": str(uuid.uuid4())}
    if protocol == CBOR:
        headers["smithy-protocol"] = "rpc-v2-cbor"
    return Reply(status, headers, body)
