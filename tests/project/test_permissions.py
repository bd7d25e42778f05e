"""The table of permissions against the calls that the stand-in saw."""

import json

import pytest

from aws_ecr_gc.aws.permissions import PERMISSIONS
from aws_ecr_gc.sandbox import Sandbox
from tests.conftest import Shell
from tests.wire.builder import Builder


def granted(shell: Shell, *words: str) -> set[str]:
    finished = shell("iam-policy", "--repo", "testrepo", *words)
    assert finished.exit == 0
    return set(json.loads(finished.out)["Statement"][0]["Action"])


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
    assert granted(shell, *words) == {PERMISSIONS[call.operation].action for call in sandbox.calls}


def test_the_policy_names_the_repository_in_the_regions_partition(shell: Shell) -> None:
    for region, partition in (("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")):
        finished = shell("iam-policy", "--repo", "a/b", "--region", region, "--registry-id", "123456789012")
        resource = json.loads(finished.out)["Statement"][0]["Resource"]
        assert resource == f"arn:{partition}:ecr:{region}:123456789012:repository/a/b"
