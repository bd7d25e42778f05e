"""Reading scenario files, and the scenarios that ship with the package."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from aws_ecr_gc.sandbox.errors import ScenarioError
from aws_ecr_gc.sandbox.life import life_of
from aws_ecr_gc.sandbox.scenario import Scenario


def load_scenario(path: Path | str) -> Scenario:
    """Read a scenario from a YAML or (by its suffix .json) JSON file. Raises ScenarioError.

    The scenario is built once for trial, so that a name that means nothing is told with the name of the file.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
        document = msgspec.json.decode(content) if path.suffix == ".json" else _read_yaml(content)
        scenario = msgspec.convert(document, Scenario)
        life_of(scenario)
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror}") from error
    except (msgspec.DecodeError, ScenarioError, ValueError) as error:
        reason = " ".join(str(error).split())
        # msgspec names no place where the place is the document itself.
        at_top = isinstance(error, msgspec.ValidationError) and " - at `" not in reason
        raise ScenarioError(f"{path}: {reason}{' - at `$`' if at_top else ''}") from error
    return scenario


def bundled_scenario(name: str) -> Scenario:
    """A scenario that ships with the package: `testrepo` or `multiarch`. Raises FileNotFoundError."""
    content = files("aws_ecr_gc.sandbox").joinpath("scenarios", f"{name}.json").read_bytes()
    return msgspec.json.decode(content, type=Scenario)


def _read_yaml(content: bytes) -> Any:
    from aws_ecr_gc.sandbox.yaml_documents import read  # noqa: PLC0415 - PyYAML only where YAML is read

    return read(content)
