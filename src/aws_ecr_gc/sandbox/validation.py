"""Checks requests against the service model: required members, types, lengths, ranges, patterns, enumerations.

Each shape is compiled once into a function that raises `InvalidParameterException` for the first constraint that is
not met, in ECR's words.
"""

import base64
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from aws_ecr_gc.sandbox import model
from aws_ecr_gc.sandbox.errors import invalid_parameter

Check = Callable[[str, Any], None]
"""Called with the path of a value within the request, and the value."""


def input_check(operation: str, service: str = "ecr") -> Check:
    """The check for an operation's request; its path is empty at the top."""
    return _check_for(model.input_shape_name(operation, service), service)


@cache
def _check_for(shape_name: str, service: str) -> Check:
    shape = model.shape(shape_name, service)
    return _COMPILERS[shape["type"]](shape, service)


def _structure(shape: model.Shape, service: str) -> Check:
    required = shape.get("required", [])
    members = {name: _check_for(member["shape"], service) for name, member in shape["members"].items()}

    def check(path: str, value: Any) -> None:
        _demand_type(path, value, dict, "a structure")
        prefix = f"{path}." if path else ""
        for name in required:
            if value.get(name) is None:
                raise invalid_parameter(prefix + name, "Member must not be null")
        for name, member in value.items():
            if member is not None and name in members:
                members[name](prefix + name, member)

    return check


def _list(shape: model.Shape, service: str) -> Check:
    member_check = _check_for(shape["member"]["shape"], service)

    def check(path: str, value: Any) -> None:
        _demand_type(path, value, list, "a list")
        _demand_bounds(path, len(value), shape, "length")
        for number, member in enumerate(value, start=1):
            member_check(f"{path}.{number}.member", member)

    return check


def _string(shape: model.Shape, _service: str) -> Check:
    pattern, enum = shape.get("pattern"), shape.get("enum")
    matches = _compiled(pattern) if pattern else None

    def check(path: str, value: Any) -> None:
        _demand_type(path, value, str, "a string")
        _demand_bounds(path, len(value), shape, "length")
        if matches and not matches(value):
            raise invalid_parameter(path, f"must satisfy regular expression '{pattern}'")
        if enum and value not in enum:
            raise invalid_parameter(path, f"Member must satisfy enum value set: [{', '.join(enum)}]")

    return check


def _compiled(pattern: str) -> Callable[[str], object] | None:
    """None for a pattern that only Java understands, as with `\\p{L}`: what it refuses is taken."""
    try:
        return re.compile(pattern).fullmatch
    except re.error:
        return None


def _integer(shape: model.Shape, _service: str) -> Check:
    def check(path: str, value: Any) -> None:
        # bool is a subclass of int, but JSON's true is no number.
        _demand_type(path, None if isinstance(value, bool) else value, int, "an integer")
        _demand_bounds(path, value, shape, "value")

    return check


def _blob(shape: model.Shape, _service: str) -> Check:
    def check(path: str, value: Any) -> None:
        _demand_type(path, value, str, "a string")
        try:
            size = len(base64.b64decode(value, validate=True))
        except ValueError as error:
            raise invalid_parameter(path, "Member must be Base64") from error
        _demand_bounds(path, size, shape, "length")

    return check


def _boolean(_shape: model.Shape, _service: str) -> Check:
    def check(path: str, value: Any) -> None:
        _demand_type(path, value, bool, "a boolean")

    return check


_COMPILERS: dict[str, Callable[[model.Shape, str], Check]] = {
    "structure": _structure,
    "list": _list,
    "string": _string,
    "integer": _integer,
    "long": _integer,
    "blob": _blob,
    "boolean": _boolean,
}


def _demand_type(path: str, value: Any, wanted: type, name: str) -> None:
    if not isinstance(value, wanted):
        raise invalid_parameter(path, f"Member must be {name}")


def _demand_bounds(path: str, value: int, shape: model.Shape, measure: str) -> None:
    if "max" in shape and value > shape["max"]:
        raise invalid_parameter(path, f"Member must have {measure} less than or equal to {shape['max']}")
    if "min" in shape and value < shape["min"]:
        raise invalid_parameter(path, f"Member must have {measure} greater than or equal to {shape['min']}")
