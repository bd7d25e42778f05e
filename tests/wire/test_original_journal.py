"""The original's command line keeps a journal where it can, warns where it can't, and deletes all the same."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aws_ecr_gc.sandbox import Faults, Sandbox
from tests.conftest import Shell
from tests.wire.builder import Builder


@pytest.fixture
def repo(sandbox: Sandbox, shell: Shell) -> Builder:
    shell.environment["AWS_ENDPOINT_URL"] = sandbox.url
    built = Builder(sandbox)
    for number in range(4):
        built.image(f"image {number}", f"build-{number}")
    return built


JOB = ("--repo", "testrepo", "--keep", "build=1")


def journals(shell: Shell) -> list[Path]:
    return sorted((shell.home / "state" / "aws-ecr-gc" / "journals").glob("*.jsonl"))


def test_what_it_deletes_can_be_put_back(shell: Shell, repo: Builder) -> None:
    before = {digest: image.tags for digest, image in repo.repository.images.items()}
    done = shell(*JOB)
    assert done.exit == 0
    assert repo.names() == {"image 3"}
    (path,) = journals(shell)
    assert shell("restore", str(path)).exit == 0
    assert {digest: image.tags for digest, image in repo.repository.images.items()} == before


def test_a_dry_run_and_a_run_that_finds_nothing_keep_none(shell: Shell, repo: Builder) -> None:
    assert shell(*JOB, "--dry-run").exit == 0
    assert shell("--repo", "testrepo", "--keep", "build=9").exit == 0
    assert not journals(shell)
    assert len(repo.names()) == 4


@pytest.mark.parametrize("place", ["below-a-file", "s3://no-such-bucket/x"])
def test_where_no_journal_can_be_kept_a_warning_says_so(shell: Shell, repo: Builder, place: str) -> None:
    (shell.home / "file").write_text("")
    where = str(shell.home / "file" / "journals") if place == "below-a-file" else place
    done = shell(*JOB, "--journal", where)
    assert done.exit == 0
    assert repo.names() == {"image 3"}
    assert "warning: no journal is kept, so nothing can be put back: journal " in done.err
    assert "nothing was deleted" not in done.err
    assert done.out.endswith("Failures (0)\n")


def test_none_is_kept_where_none_is_wanted(sandbox: Sandbox, shell: Shell, repo: Builder) -> None:
    done = shell(*JOB, "--journal", "none")
    assert (done.exit, done.err) == (0, "")
    assert repo.names() == {"image 3"}
    assert "BatchGetImage" not in {call.operation for call in sandbox.calls}


def test_manifests_that_can_not_be_read_are_left_out_of_it(sandbox: Sandbox, shell: Shell, repo: Builder) -> None:
    sandbox.faults = Faults(deny=["BatchGetImage"])
    done = shell(*JOB)
    assert done.exit == 0
    assert repo.names() == {"image 3"}
    assert "warning: the journal is kept without manifests, so nothing can be put back: access denied" in done.err
    (path,) = journals(shell)
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert [record["record"] for record in records] == ["begin", "steps", "about", "answered", "outcomes", "end"]
    assert all(image["manifest"] is None for image in records[2]["images"])


@pytest.mark.parametrize("room", [2500, 4500, 6000])
def test_where_the_disk_fills_up_on_the_way_the_work_goes_on(
    sandbox: Sandbox, shell: Shell, repo: Builder, room: int
) -> None:
    limit = (
        f"signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))"
    )
    words = ["-m", "aws_ecr_gc", *JOB]
    limited = f"import resource, signal, os, sys; {limit}; os.execv(sys.executable, [sys.executable, *{words}])"
    environment = shell.with_changes({"PYTHONDONTWRITEBYTECODE": "1"})
    done = subprocess.run([sys.executable, "-c", limited], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert repo.names() == {"image 3"}
    assert sum(call.operation == "BatchDeleteImage" for call in sandbox.calls) == 1
    assert "warning: " in done.stderr or room == 6000


def test_where_a_run_is_cut_off_its_last_line_names_the_journal(sandbox: Sandbox, shell: Shell, repo: Builder) -> None:
    sandbox.after("DescribeImages", lambda _: setattr(sandbox, "faults", Faults(reset_share=1.0)), call=2)
    done = shell(*JOB)
    assert done.exit == 5
    (path,) = journals(shell)
    assert f"journal: {path}" in done.err
    sandbox.faults = Faults()
    assert shell("apply", "--resume", str(path), "--yes").exit == 0
    assert repo.names() == {"image 3"}


def test_a_warning_says_that_no_tagged_image_will_be_left(shell: Shell, repo: Builder) -> None:
    repo.image("untagged")
    done = shell("--repo", "testrepo", "--keep", "build=0", "--dry-run")
    assert "warning: no tagged image of the repository will be left" in done.err
    assert "warning" not in shell("--repo", "testrepo", "--keep", "build=1", "--dry-run").err


def test_it_is_said_beforehand_what_is_read_and_why(sandbox: Sandbox, shell: Shell, repo: Builder) -> None:
    repo.image("child")
    repo.index("index", "build-8", children=["child"])
    repo.image("signature", subject="index")
    repo.image("newest", "build-9")
    said = shell(*JOB).err.splitlines()
    assert said[0] == (
        "aws-ecr-gc: repository testrepo: 1 manifest will be read, to know which images these indexes list; "
        "that counts as a pull"
    )
    assert "at most 1 manifest will be read, to see whether they are gone before what refers to them goes" in said[-1]
    reads = [len(call.request["imageIds"]) for call in sandbox.calls if call.operation == "BatchGetImage"]
    assert reads[0] == 1
    quiet = shell(*JOB)
    assert quiet.err == ""
