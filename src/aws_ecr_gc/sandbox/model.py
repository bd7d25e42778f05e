"""ECR's service model as botocore ships it. The one module of the stand-in that knows botocore."""

from functools import cache
from typing import Any

from botocore.loaders import Loader

Shape = dict[str, Any]


@cache
def _model() -> dict[str, Any]:
    model: dict[str, Any] = Loader().load_service_model("ecr", "service-2")
    return model


def shape(name: str) -> Shape:
    """A shape by its name, as it stands in the model's JSON."""
    found: Shape = _model()["shapes"][name]
    return found


def target_prefix() -> str:
    """What stands before the operation's name in the `X-Amz-Target` header."""
    prefix: str = _model()["metadata"]["targetPrefix"]
    return prefix


def input_shape_name(operation: str) -> str:
    """The name of the structure that an operation takes."""
    name: str = _model()["operations"][operation]["input"]["shape"]
    return name


def output_shape_name(operation: str) -> str:
    """The name of the structure that an operation answers with."""
    name: str = _model()["operations"][operation]["output"]["shape"]
    return name
