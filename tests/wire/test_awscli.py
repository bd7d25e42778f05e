"""The real AWS CLI drives the stand-in, before and after a run of ours."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from aws_ecr_gc.sandbox import Sandbox
from aws_ecr_gc.sandbox.manifests import OCI_IMAGE, write
from tests.conftest import Shell
from tests.sandbox.wire import key_of

AWS = Path(__file__).parents[2] / ".venv-awscli/bin/aws"

pytestmark = pytest.mark.skipif(not AWS.exists(), reason="no AWS CLI: run `make .venv-awscli/ready`")


def aws(shell: Shell, *words: str) -> Any:
    """The answer of `aws ecr WORDS`."""
    finished = subprocess.run(
        [AWS, "ecr", *words, "--output", "json"],
        env=shell.with_changes({}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout) if finished.stdout else None


def test_what_the_aws_cli_pushed_is_collected_and_the_aws_cli_sees_it(sandbox: Sandbox, shell: Shell) -> None:
    created = aws(shell, "create-repository", "--repository-name", "testrepo")
    assert created["repository"]["repositoryUri"] == "123456789012.dkr.ecr.us-east-1.amazonaws.com/testrepo"
    for number in range(3):
        manifest = shell.home / f"manifest-{number}.json"
        manifest.write_bytes(write(f"image-{number}", OCI_IMAGE))
        aws(
            shell,
            "put-image",
            "--repository-name",
            "testrepo",
            "--image-tag",
            f"build-{number}",
            "--image-manifest",
            manifest.as_uri(),
        )
        sandbox.clock.advance(60)
    finished = shell("--repo", "testrepo", "--keep", "build=1")
    assert finished.exit == 0
    assert "Deleted (2)\n" in finished.out
    left = aws(shell, "describe-images", "--repository-name", "testrepo")["imageDetails"]
    assert [image["imageTags"] for image in left] == [["build-2"]]
    listed = aws(shell, "list-images", "--repository-name", "testrepo")["imageIds"]
    assert listed == [{"imageDigest": left[0]["imageDigest"], "imageTag": "build-2"}]
    got = aws(shell, "batch-get-image", "--repository-name", "testrepo", "--image-ids", "imageTag=build-2")
    assert got["images"][0]["imageManifest"] == (shell.home / "manifest-2.json").read_text()


def test_the_call_that_doctor_prints_excludes_the_role(sandbox: Sandbox, shell: Shell) -> None:
    session = key_of(sandbox, "arn:aws:iam::123456789012:role/gc")
    environment = {"AWS_ACCESS_KEY_ID": session, "AWS_ENDPOINT_URL_STS": sandbox.url}
    finished = shell("doctor", **environment)
    assert finished.exit == 6
    (call,) = re.findall(r"aws ecr (register-pull-time-update-exclusion .*)", finished.out)
    assert aws(shell, *call.split())["principalArn"] == "arn:aws:iam::123456789012:role/gc"
    assert shell("doctor", **environment).exit == 0
