"""The real AWS CLI drives the stand-in, before and after a run of ours."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from aws_ecr_gc.sandbox import Sandbox
from aws_ecr_gc.sandbox.blobs import config_content
from aws_ecr_gc.sandbox.manifests import OCI_IMAGE, digest_of, write
from tests.conftest import Shell
from tests.sandbox.wire import key_of
from tests.wire.builder import Builder

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


def upload(shell: Shell, content: bytes) -> str:
    """Upload a layer in one part; its digest."""
    to = ("--repository-name", "testrepo", "--upload-id")
    begun = aws(shell, "initiate-layer-upload", *to[:2])["uploadId"]
    part = shell.home / "part"
    part.write_bytes(content)
    bounds = ("--part-first-byte", "0", "--part-last-byte", str(len(content) - 1))
    aws(shell, "upload-layer-part", *to, begun, *bounds, "--layer-part-blob", f"fileb://{part}")
    done = aws(shell, "complete-layer-upload", *to, begun, "--layer-digests", digest_of(content))
    return str(done["layerDigest"])


def test_what_the_aws_cli_pushed_is_collected_and_the_aws_cli_sees_it(sandbox: Sandbox, shell: Shell) -> None:
    created = aws(shell, "create-repository", "--repository-name", "testrepo")
    assert created["repository"]["repositoryUri"] == "123456789012.dkr.ecr.us-east-1.amazonaws.com/testrepo"
    for number in range(3):
        manifest = shell.home / f"manifest-{number}.json"
        manifest.write_bytes(write(f"image-{number}", OCI_IMAGE))
        upload(shell, config_content(f"image-{number}"))
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


def test_the_aws_cli_finds_and_downloads_what_was_put_back(sandbox: Sandbox, shell: Shell) -> None:
    repo = Builder(sandbox)
    for number in range(2):
        repo.image(f"image-{number}", f"build-{number}")
    shell.environment["AWS_ENDPOINT_URL"] = sandbox.url
    plan, journals = str(shell.home / "plan.json"), shell.home / "journals"
    assert shell("plan", "--repo", "testrepo", "--keep", "build=1", "--out", plan).exit == 0
    assert shell("apply", plan, "--yes", "--journal", str(journals)).exit == 0
    (journal,) = journals.iterdir()
    assert shell("restore", str(journal)).exit == 0
    named = ("--repository-name", "testrepo")
    (got,) = aws(shell, "batch-get-image", *named, "--image-ids", "imageTag=build-0")["images"]
    assert got["imageId"]["imageDigest"] == repo.digests["image-0"]
    config = json.loads(got["imageManifest"])["config"]["digest"]
    (there,) = aws(shell, "batch-check-layer-availability", *named, "--layer-digests", config)["layers"]
    assert there["layerAvailability"] == "AVAILABLE"
    url = aws(shell, "get-download-url-for-layer", *named, "--layer-digest", config)["downloadUrl"]
    with urlopen(url) as response:  # noqa: S310 - the stand-in's own
        assert digest_of(response.read()) == config


def test_the_call_that_doctor_prints_excludes_the_role(sandbox: Sandbox, shell: Shell) -> None:
    session = key_of(sandbox, "arn:aws:iam::123456789012:role/gc")
    environment = {"AWS_ACCESS_KEY_ID": session, "AWS_ENDPOINT_URL_STS": sandbox.url}
    finished = shell("doctor", **environment)
    assert finished.exit == 6
    (call,) = re.findall(r"aws ecr (register-pull-time-update-exclusion .*)", finished.out)
    assert aws(shell, *call.split())["principalArn"] == "arn:aws:iam::123456789012:role/gc"
    assert shell("doctor", **environment).exit == 0
