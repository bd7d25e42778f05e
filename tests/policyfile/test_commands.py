"""`policy check`, `policy schema` and `policy from-flags`."""

import json
from pathlib import Path

import jsonschema
import pytest

from aws_ecr_gc.cli.policy import run
from aws_ecr_gc.errors import Exit, Misuse
from aws_ecr_gc.policy.rules import original_policy
from aws_ecr_gc.policyfile import parse

RIGHT = "version: 1\npolicies: [{rules: [{name: a, match: {any: true}, keep: none}]}]"


def test_check_says_what_it_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(RIGHT)
    assert run(["check", str(path)]) == Exit.DONE
    assert capsys.readouterr() == (f"{path}: 1 policy, 1 rule: no mistakes\n", "")
    (tmp_path / "own.yaml").write_text(
        f"{RIGHT.replace('{rules', '{repositories: {include: x}, rules')}\nextends: p.yaml"
    )
    assert run(["check", str(tmp_path / "own.yaml")]) == Exit.DONE
    assert capsys.readouterr().out == f"{tmp_path}/own.yaml: 2 policies, 2 rules: no mistakes\n"


def test_check_shows_mistakes_as_its_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p.yaml"
    path.write_text('version: 1\n"\\e[31m": 1\npolicies: []')
    assert run(["check", str(path)]) == Exit.FOUND
    shown = capsys.readouterr()
    assert shown.err == ""
    assert [line.removeprefix(f"{path}:") for line in shown.out.splitlines()] == [
        (
            r'2:1: ["\u001b[31m"]: is no key that is known here; '
            "there are version, policies, extends, protect, guards, in_use, targets"
        ),
        (
            "3:11: policies: is an empty list; write one such as [{rules: [{name: builds, match: {prefix: build-}, "
            "keep: {newest: 8}}]}]"
        ),
    ]


def test_check_shows_mistakes_as_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(RIGHT)
    assert run(["check", str(path), "--output", "json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out) == {"mistakes": []}
    path.write_text(RIGHT.replace("any", "anyy"))
    assert run(["check", "-output=json", str(path)]) == Exit.FOUND
    assert json.loads(capsys.readouterr().out) == {
        "mistakes": [
            {
                "file": str(path),
                "line": 2,
                "column": 39,
                "path": "policies[0].rules[0].match.anyy",
                "reason": "is no key that is known here",
                "mend": "did you mean any?",
            }
        ]
    }


@pytest.mark.parametrize("words", [["check"], ["check", "/nowhere/p.yaml"], ["check", "a", "b"], ["schema", "x"]])
def test_what_can_t_be_looked_at_is_misuse(words: list[str]) -> None:
    with pytest.raises(Misuse):
        run(words)


def test_schema_prints_what_the_package_ships(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == Exit.DONE
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"] == "A policy file of aws-ecr-gc"
    for definition in schema["$defs"].values():
        assert definition["description"]
        for name, member in definition["properties"].items():
            assert member.get("description"), name


def test_from_flags_prints_a_file_that_means_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--keep", "build=8", "-keep=release=0", "--delete-untagged", "--grace", "90m", "--repo", "ci/app"]
    assert run(["from-flags", *words]) == Exit.DONE
    shown = capsys.readouterr().out
    assert (
        shown
        == """\
version: 1
policies:
- repositories:
    include: [ci/app]
  rules:
  - name: keep build=8
    match: {prefix: build}
    keep: {newest: 8}
  - name: keep release=0
    match: {prefix: release}
    keep: none
  - name: delete-untagged
    match: {untagged: true}
    keep: {younger_than: 1h30m}
  protect: {grace: '0'}
  action: delete
  signatures: leave
  guards: {keep_at_least: 0, keep_tagged: 0}
"""
    )
    policy = parse(shown.encode(), Path("p.yaml")).policy_for("ci/app", dict)
    meant = original_policy({"build": 8, "release": 0}, delete_untagged=True, grace=5400.0)
    assert policy is not None
    assert (policy.rules, policy.grace, policy.signatures) == (meant.rules, meant.grace, meant.signatures)
    assert (policy.guards, policy.protect_tags) == (meant.guards, meant.protect_tags)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--repo", "x/y"],
        ["--keep", "a=1", "--keep", "a=2"],
        ["--keep", "a=1", "--repo="],
        ["--keep", f"{'a' * 200}=1"],
        ["--keep", "a"],
    ],
)
def test_from_flags_refuses_what_no_file_stands_for(words: list[str]) -> None:
    with pytest.raises(Misuse):
        run(["from-flags", *words])
