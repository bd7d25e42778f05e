"""The templates of `deploy/`: sound by AWS's own linter, and what they allow is what the program calls."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from aws_ecr_gc.app.permissions import fleet_policy
from aws_ecr_gc.aws import objects
from aws_ecr_gc.aws.permissions import Need, actions_for
from aws_ecr_gc.config import Connection
from aws_ecr_gc.discovery.sources import SOURCES
from aws_ecr_gc.errors import Error
from aws_ecr_gc.journal import s3
from tests.machines.machines import ROOT, definition
from tests.wire.policies import BUILDS, policy

LINTER = ROOT / ".venv-cfn-lint/bin/cfn-lint"
TEMPLATES = [ROOT / "deploy/fleet.yaml", ROOT / "deploy/member-role.yaml"]


class _Loader(yaml.SafeLoader):
    """CloudFormation's short forms as what they stand for."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return {suffix: loader.construct_scalar(node)}
    assert isinstance(node, yaml.SequenceNode)
    return {suffix: loader.construct_sequence(node, deep=True)}


_Loader.add_multi_constructor("!", _short_form)


def template(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(path.read_text(), _Loader)  # noqa: S506 - a safe loader that knows short forms
    return found


def statements(path: Path, resource: str) -> list[dict[str, Any]]:
    properties = template(path)["Resources"][resource]["Properties"]
    documents = [each["PolicyDocument"] for each in properties.get("Policies", [properties])]
    return [statement for document in documents for statement in document["Statement"]]


def actions(path: Path, resource: str) -> set[str]:
    return {action for statement in statements(path, resource) for action in _actions(statement)}


def _actions(statement: dict[str, Any]) -> set[str]:
    stated = statement["Action"]
    return {stated} if isinstance(stated, str) else set(stated)


@pytest.mark.skipif(not LINTER.exists(), reason="needs cfn-lint: make .venv-cfn-lint/ready")
@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_the_linter_has_nothing_to_say(path: Path) -> None:
    found = subprocess.run([LINTER, "--template", path], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, ""), found.stdout + found.stderr


def test_the_role_in_each_account_allows_what_is_called_and_no_more() -> None:
    path = ROOT / "deploy/member-role.yaml"
    reading = set(actions_for({Need.READ, Need.DECIDE, Need.NAMES, Need.TAGS, Need.REPLICATION, Need.CACHES}))
    workloads = {action for source in SOURCES.values() for action in source.actions}
    assert actions(path, "Reading") == reading | workloads | {"account:ListRegions"}
    assert actions(path, "Deletion") == set(actions_for({Need.DELETE, Need.ARCHIVE, Need.UNTAG}))


def test_the_functions_may_enter_accounts_and_find_them_and_write_to_the_bucket_and_no_more(tmp_path: Path) -> None:
    path = ROOT / "deploy/fleet.yaml"
    kept = {*objects.PERMISSIONS.values(), *s3.PERMISSIONS.values()}
    finding: set[str] = set()
    for more in ({}, {"units": ["ou-ab12-34567890"], "account_tags": {"stage": "*"}, "session_tags": {"by": "gc"}}):
        file = tmp_path / "policy.json"
        targets = {"organization": True, "role": "aws-ecr-gc", **more}
        file.write_text(json.dumps({"version": 1, "targets": targets, "policies": [policy(BUILDS)]}))
        for statement in fleet_policy(file, Connection(region="us-east-1"))["Statement"]:  # type: ignore[attr-defined]  # JSON
            finding |= _actions(statement)
    assert actions(path, "FleetRole") == kept | finding
    assert actions(path, "PairRole") == kept | {each for each in finding if each.startswith("sts:")}


def test_only_lists_of_a_whole_account_are_allowed_on_everything() -> None:
    """What has to do with S3 and roles names what it is allowed on."""
    for resource in ("PairRole", "FleetRole", "MachineRole"):
        for statement in statements(ROOT / "deploy/fleet.yaml", resource):
            if statement["Resource"] == "*":
                assert statement["Sid"] == "FindAccounts"


def test_the_doors_that_the_template_names_are_there() -> None:
    named = re.findall(r"Handler: (\S+)\.(\w+)", (ROOT / "deploy/fleet.yaml").read_text())
    assert len(named) == 2
    for module, door in named:
        source = (ROOT / "src" / f"{module.replace('.', '/')}.py").read_text()
        assert f"\ndef {door}(event: object, context: Context)" in source


def test_names_that_cloudformation_puts_in_are_those_of_the_state_machine() -> None:
    stated = template(ROOT / "deploy/fleet.yaml")["Resources"]["Fleet"]["Properties"]["DefinitionSubstitutions"]
    assert set(re.findall(r"\$\{(\w+)\}", (ROOT / "deploy/fleet.asl.json").read_text())) == set(stated)


def test_errors_that_need_no_other_attempt_are_errors_of_the_program() -> None:
    names = {"Unfinished"} | _names(Error)
    retried = re.findall(r'"ErrorEquals": (\[[^\]]*\])', json.dumps(definition()))
    for each in retried:
        assert set(json.loads(each)) - {"States.ALL"} <= names


def _names(error: type[Error]) -> set[str]:
    return {error.__name__, *(name for each in error.__subclasses__() for name in _names(each))}
