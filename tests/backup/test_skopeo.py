"""skopeo reads a backup: somebody else's word on what an OCI image layout is."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from aws_ecr_gc.sandbox import Sandbox
from aws_ecr_gc.sandbox.manifests import DOCKER_IMAGE, layer, write
from tests.conftest import Shell
from tests.restore.conftest import repo as _repo
from tests.restore.conftest import run
from tests.restore.conftest import shell as _shell
from tests.wire.builder import Builder

pytestmark = pytest.mark.skipif(shutil.which("skopeo") is None, reason="no skopeo: run `make skopeo`")
repo, shell = _repo, _shell


def skopeo(*words: str) -> str:
    finished = subprocess.run(["skopeo", "--insecure-policy", *words], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_skopeo_reads_what_was_copied(repo: Builder, shell: Shell, tmp_path: Path) -> None:
    run(shell, "--backup", str(tmp_path / "backups"))
    layout = f"oci:{tmp_path}/backups/123456789012/us-east-1/testrepo"
    raw = json.loads(skopeo("inspect", "--raw", f"{layout}:build-1"))
    assert [each["digest"] for each in raw["manifests"]] == [repo.digests["child-1"]]
    inspected = json.loads(skopeo("inspect", f"{layout}:also-build-1"))
    assert inspected["Layers"] == [layer("base", 1000, "").digest]
    assert inspected["Labels"] == {"dev.aws-ecr-gc.sandbox.name": "child-1"}
    skopeo("copy", "--all", "--preserve-digests", f"{layout}:build-1", f"oci:{tmp_path}/copy:build-1")
    (copied,) = json.loads((tmp_path / "copy/index.json").read_text())["manifests"]
    assert copied["digest"] == repo.digests["index-1"], "to the byte"
    blobs = {path.name for path in (tmp_path / "copy/blobs/sha256").iterdir()}
    assert layer("base", 1000, "").digest.removeprefix("sha256:") in blobs


def test_skopeo_reads_dockers_images_too(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    made = Builder(sandbox)
    manifest = write("docker", DOCKER_IMAGE, layers=[layer("own", 70_000, DOCKER_IMAGE)])
    digest = made.repository.put(manifest, DOCKER_IMAGE, "build-0", pushed_at=1_480_000_000.0)
    for number in range(1, 3):
        made.image(f"image-{number}", f"build-{number}")
    run(shell, "--backup", str(tmp_path / "backups"))
    layout = f"oci:{tmp_path}/backups/123456789012/us-east-1/testrepo:build-0"
    assert json.loads(skopeo("inspect", layout))["Layers"] == [layer("own", 70_000, DOCKER_IMAGE).digest]
    skopeo("copy", layout, f"dir:{tmp_path}/copy")
    copied = tmp_path / "copy"
    assert (copied / "manifest.json").read_bytes() == manifest
    assert (copied / layer("own", 70_000, DOCKER_IMAGE).digest.removeprefix("sha256:")).stat().st_size == 70_000
    assert digest.startswith("sha256:")
