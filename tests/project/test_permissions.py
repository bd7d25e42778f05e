"""The table of permissions against the calls that the stand-in saw."""

import json

import pytest

from aws_ecr_gc.aws.permissions import PERMISSIONS
from aws_ecr_gc.sandbox import Sandbox
from tests.conftest import Shell
from tests.wire.builder import Builder


def granted(shell: Shell, *words: str) -> set[str]:
    finished = shell("iam-policy", *words)
    assert finished.exit == 0
    return {action for statement in json.loads(finished.out)["Statement"] for action in statement["Action"]}


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--dry-run",),
        ("--keep", "build=1", "--dry-run"),
        ("--keep", "build=1"),
        ("--delete-untagged",),
    ],
)
def test_the_policy_grants_what_the_run_calls_and_no_more(
    sandbox: Sandbox, shell: Shell, words: tuple[str, ...]
) -> None:
    repo = Builder(sandbox)
    for number in range(3):
        repo.image(f"child-{number}")
        repo.index(f"index-{number}", f"build-{number}", children=[f"child-{number}"])
    repo.image("loose")
    assert shell("--repo", "testrepo", *words).exit == 0
    assert granted(shell, "--repo", "testrepo", *words) == {
        PERMISSIONS[call.operation].action for call in sandbox.calls
    }


def test_the_policy_names_the_repository_in_the_regions_partition(shell: Shell) -> None:
    for region, partition in (("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")):
        finished = shell("iam-policy", "--repo", "a/b", "--region", region, "--registry-id", "123456789012")
        resource = json.loads(finished.out)["Statement"][0]["Resource"]
        assert resource == f"arn:{partition}:ecr:{region}:123456789012:repository/a/b"


_BY_TAG = """
version: 1
policies:
  - repositories: {resource_tags: {team: web}}
    rules: [{name: builds, match: {prefix: build}, keep: {newest: 1}}]
"""


@pytest.mark.parametrize("policy", ["by name", "by tag"])
@pytest.mark.parametrize("repositories", [(), ("testrepo",), ("testrepo", "other"), ("test*",), ("test*", "other")])
def test_a_policy_file_needs_what_its_run_calls_and_no_more(
    sandbox: Sandbox, shell: Shell, policy: str, repositories: tuple[str, ...]
) -> None:
    repo = Builder(sandbox)
    for number in range(3):
        repo.image(f"child-{number}")
        repo.index(f"index-{number}", f"build-{number}", children=[f"child-{number}"])
    sandbox.registry().repository("testrepo").settings.resource_tags["team"] = "web"
    sandbox.registry().create_repository("other")
    file = shell.home / "policy.yaml"
    file.write_text(_BY_TAG if policy == "by tag" else _BY_TAG.replace("resource_tags: {team: web}", "include: '*'"))
    words = ("-f", str(file), *(word for name in repositories for word in ("--repo", name)))
    assert shell("run", *words, "--yes").exit == 0
    assert granted(shell, *words) == {PERMISSIONS[call.operation].action for call in sandbox.calls}
    seen = len(sandbox.calls)
    assert shell("plan", *words).exit == 0
    called = {PERMISSIONS[call.operation].action for call in list(sandbox.calls)[seen:]}
    assert called <= granted(shell, *words, "--dry-run")


def test_where_a_glob_chooses_every_repository_may_be_listed(shell: Shell) -> None:
    file = shell.home / "policy.yaml"
    file.write_text(_BY_TAG)
    finished = shell("iam-policy", "-f", str(file), "--repo", "ci/*", "--registry-id", "123456789012")
    first, second, registry = json.loads(finished.out)["Statement"]
    assert first["Resource"] == "arn:aws:ecr:us-east-1:123456789012:repository/ci/*"
    assert (second["Action"], second["Resource"]) == (
        ["ecr:DescribeRepositories"],
        "arn:aws:ecr:us-east-1:123456789012:repository/*",
    )
    assert registry["Resource"] == "*"
    assert registry["Action"] == [
        "ecr:DescribePullThroughCacheRules",
        "ecr:DescribeRegistry",
        "ecr:DescribeRepositoryCreationTemplates",
    ]


def test_a_snapshot_needs_what_it_calls_and_no_more(sandbox: Sandbox, shell: Shell) -> None:
    repo = Builder(sandbox)
    repo.image("child")
    repo.index("index", "build-1", children=["child"])
    assert shell("snapshot", "--out", str(shell.home / "snapshot"), "--repo", "test*").exit == 0
    called = {PERMISSIONS[call.operation].action for call in sandbox.calls}
    assert granted(shell, "--for-snapshot", "--repo", "test*") == called
