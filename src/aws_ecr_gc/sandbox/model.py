"""AWS's service models as botocore ships them. The one module of the stand-in that knows botocore.

Services are called by botocore's names; without one, ECR is meant.
"""

from functools import cache
from typing import Any

from botocore.loaders import Loader

Shape = dict[str, Any]


@cache
def _model(service: str) -> dict[str, Any]:
    model: dict[str, Any] = Loader().load_service_model(service, "service-2")
    return model


def shape(name: str, service: str = "ecr") -> Shape:
    """A shape by its name, as it stands in the model's JSON."""
    found: Shape = _model(service)["shapes"][name]
    return found


def target_prefix(service: str = "ecr") -> str:
    """What stands before the operation's name in the `X-Amz-Target` header."""
    prefix: str = _model(service)["metadata"]["targetPrefix"]
    return prefix


def xml_namespace(service: str) -> str:
    """What the answers of a service that speaks XML declare."""
    namespace: str = _model(service)["metadata"]["xmlNamespace"]
    return namespace


def http(operation: str, service: str) -> dict[str, Any]:
    """The `method` and the `requestUri` of an operation."""
    found: dict[str, Any] = _model(service)["operations"][operation]["http"]
    return found


def input_shape_name(operation: str, service: str = "ecr") -> str:
    """The name of the structure that an operation takes."""
    name: str = _model(service)["operations"][operation]["input"]["shape"]
    return name


def output_shape_name(operation: str, service: str = "ecr") -> str:
    """The name of the structure that an operation answers with."""
    name: str = _model(service)["operations"][operation]["output"]["shape"]
    return name
