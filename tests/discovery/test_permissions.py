"""The table of sources says what each may do: every call that a source's code names, and no other."""

import ast
from importlib import import_module
from pathlib import Path

import botocore.session
import pytest

import aws_ecr_gc.discovery.aws
from aws_ecr_gc.discovery.reader import strings
from aws_ecr_gc.discovery.sources import SOURCES

_FOLDER = Path(aws_ecr_gc.discovery.aws.__file__).parent
_MODELS = botocore.session.Session()
_NEEDS_NONE = {"sts:GetCallerIdentity"}  # IAM reference: it needs no permission


def files_of(module: str) -> list[Path]:
    """A module's file, or all of a package."""
    path = _FOLDER / module.rpartition(".")[2]
    return sorted(path.glob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def actions_named_in(source: str) -> set[str]:
    """The IAM actions of all operations of the source's services whose names stand in its code, or in its tables."""
    texts = {
        node.value
        for path in files_of(SOURCES[source].module)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    texts |= set(strings(list(vars(import_module(SOURCES[source].module)).values())))
    named = set()
    for service in SOURCES[source].services:
        model = _MODELS.get_service_model(service)
        named |= {f"{model.signing_name}:{operation}" for operation in texts & set(model.operation_names)}
    return named


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_declares_the_action_of_each_of_its_calls_and_no_more(source: str) -> None:
    assert actions_named_in(source) - _NEEDS_NONE == set(SOURCES[source].actions)


@pytest.mark.parametrize("source", SOURCES)
def test_the_actions_of_a_source_are_sorted_and_only_read(source: str) -> None:
    actions = SOURCES[source].actions
    assert list(actions) == sorted(set(actions))
    assert all(action.partition(":")[2].startswith(("BatchGet", "Describe", "Get", "List")) for action in actions)
