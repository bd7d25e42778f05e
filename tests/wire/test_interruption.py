"""Ctrl-C, SIGTERM and SIGKILL, in real processes."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from aws_ecr_gc.sandbox import Sandbox
from tests.conftest import Finished, Shell
from tests.wire.builder import Builder
from tests.wire.policies import policy, policy_file


class Started:
    """A command in a process of its own."""

    def __init__(self, shell: Shell, *words: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "aws_ecr_gc", *words],
            env=shell.with_changes({}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def send(self, number: signal.Signals) -> None:
        os.kill(self._process.pid, number)

    def finished(self) -> Finished:
        out, err = self._process.communicate(timeout=60)
        return Finished(self._process.returncode, out, err)


def fill(sandbox: Sandbox, images: int) -> Builder:
    repo = Builder(sandbox)
    for number in range(images):
        repo.image(f"image-{number}", f"build-{number}")
    return repo


def interrupted_at(
    sandbox: Sandbox, shell: Shell, operation: str, *, call: int = 1, number: signal.Signals = signal.SIGINT
) -> Finished:
    """How a run ends that gets a signal while this call is under way."""

    def strike(_request: object) -> None:
        started.send(number)
        time.sleep(0.3)

    sandbox.before(operation, strike, call=call)
    started = Started(shell, "--repo", "testrepo", "--keep", "build=0")
    return started.finished()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_work_after_the_call_under_way_and_prints_what_was_done(
    sandbox: Sandbox, shell: Shell, number: signal.Signals
) -> None:
    repo = fill(sandbox, 250)
    finished = interrupted_at(sandbox, shell, "BatchDeleteImage", number=number)
    assert finished.exit == 130
    assert "Deleted (100)\n" in finished.out
    assert finished.out.endswith("Failures (0)\n")
    assert "stopping after the call under way" in finished.err
    assert "150 images were not attempted" in finished.err
    assert len(repo.names()) == 150


def test_a_signal_while_reading_deletes_nothing(sandbox: Sandbox, shell: Shell) -> None:
    repo = fill(sandbox, 5)
    finished = interrupted_at(sandbox, shell, "DescribeImages")
    assert (finished.exit, finished.out) == (130, "")
    assert "interrupted while reading; nothing was changed" in finished.err
    assert len(repo.names()) == 5


def test_a_second_ctrl_c_ends_at_once(sandbox: Sandbox, shell: Shell) -> None:
    fill(sandbox, 5)
    ended = threading.Event()

    def strike(_request: object) -> None:
        started.send(signal.SIGINT)
        time.sleep(0.3)
        started.send(signal.SIGINT)
        ended.wait(90)  # longer than `finished` waits: a program that waited for this call would fail there

    sandbox.before("DescribeImages", strike)
    started = Started(shell, "--repo", "testrepo", "--keep", "build=0")
    finished = started.finished()
    ended.set()
    assert (finished.exit, finished.out) == (130, "")


def test_children_of_an_index_deleted_before_a_kill_go_with_the_next_run(sandbox: Sandbox, shell: Shell) -> None:
    repo = Builder(sandbox)
    repo.image("child")
    repo.index("old", "build-1", children=["child"])
    repo.image("new", "build-2")
    sandbox.after("BatchDeleteImage", lambda _: started.send(signal.SIGKILL))
    started = Started(shell, "--repo", "testrepo", "--keep", "build=1")
    assert started.finished().exit == -signal.SIGKILL
    assert repo.names() == {"child", "new"}
    finished = shell("--repo", "testrepo", "--keep", "build=1")
    assert (finished.exit, repo.names()) == (0, {"new"})
    assert not [path for path in (shell.home / "state" / "aws-ecr-gc" / "pending").rglob("*") if path.is_file()]


@pytest.mark.parametrize("newer", [False, True])
@pytest.mark.parametrize("by_file", [False, True])
def test_what_a_killed_run_left_over_goes_also_after_a_run_that_had_to_retain_it(
    sandbox: Sandbox, shell: Shell, *, by_file: bool, newer: bool
) -> None:
    """With a newer image, the run that retains the child deletes something, and so writes its record anew."""
    newest = {"name": "builds", "match": {"prefix": "build-"}, "keep": {"newest": 1}}
    file = policy_file(shell.home / "policy.json", policy(newest, protect={"grace": "0"}))
    words = ("run", "-f", file, "--yes") if by_file else ("--repo", "testrepo", "--keep", "build=1")
    repo = Builder(sandbox)
    repo.image("child")
    repo.index("old", "build-1", children=["child"])
    repo.image("new", "build-2")
    repo.image("part")
    repo.index("archived", "release-1", children=["part"])
    sandbox.after("BatchDeleteImage", lambda _: started.send(signal.SIGKILL))
    started = Started(shell, *words)
    started.finished()
    repo.repository.archive(repo.digests["archived"])
    if newer:
        repo.image("newer", "build-3")
    newest_one = "newer" if newer else "new"
    assert shell(*words, "--cache-dir", str(shell.home / "empty")).exit == 0
    assert repo.names() == {"child", newest_one, "archived", "part"}
    assert shell(*words).exit == 0
    assert repo.names() == {newest_one, "archived", "part"}


def test_a_state_directory_that_cannot_be_written_is_said_and_stops_nothing(sandbox: Sandbox, shell: Shell) -> None:
    repo = fill(sandbox, 3)
    (shell.home / "file").write_text("no directory")
    finished = shell("--repo", "testrepo", "--keep", "build=1", "--state-dir", str(shell.home / "file"))
    assert finished.exit == 0
    warnings = finished.err.splitlines()
    assert len(warnings) == 2
    assert warnings[0] == (
        f"aws-ecr-gc: warning: {shell.home / 'file'}: the steps still to do can't be recorded: Not a directory; "
        "if this run is killed, children of deleted indexes may stay; set --state-dir"
    )
    assert warnings[1].startswith("aws-ecr-gc: warning: no journal is kept, so nothing can be put back: ")
    assert "[Errno" not in finished.err
    assert len(repo.names()) == 1


def test_a_record_that_cannot_be_understood_is_said_and_replaced(sandbox: Sandbox, shell: Shell) -> None:
    repo = fill(sandbox, 3)
    name = f"testrepo-{hashlib.sha256(b'testrepo').hexdigest()[:12]}.json"
    record = shell.home / "state/aws-ecr-gc/pending/123456789012/us-east-1" / name
    record.parent.mkdir(parents=True)
    record.write_text("{")
    finished = shell("--repo", "testrepo", "--keep", "build=1")
    assert "an interrupted run's steps can't be read" in finished.err
    assert (finished.exit, len(repo.names()), record.exists()) == (0, 1, False)


def test_closed_standard_output_ends_the_run_before_anything_is_deleted(sandbox: Sandbox, shell: Shell) -> None:
    repo = fill(sandbox, 3)
    reader, writer = os.pipe()
    os.close(reader)
    finished = subprocess.run(
        [sys.executable, "-m", "aws_ecr_gc", "--repo", "testrepo", "--keep", "build=0"],
        env=shell.with_changes({}),
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert finished.returncode == 1
    assert finished.stderr.endswith("\naws-ecr-gc: standard output can't be written: Broken pipe\n")
    assert len(repo.names()) == 3


def test_a_signal_during_the_look_is_followed_by_no_deletion(sandbox: Sandbox, shell: Shell) -> None:
    repo = fill(sandbox, 5)
    finished = interrupted_at(sandbox, shell, "DescribeImages", call=2)
    assert finished.exit == 130
    assert "Deleted (0)\nFailures (0)\n" in finished.out
    assert len(repo.names()) == 5


@pytest.mark.parametrize(
    ("redirection", "code"), [(">&-", 1), ("> /dev/full", 1), ("2>&-", 0), (">&- 2>&-", 1), ("2> /dev/full", 0)]
)
def test_closed_or_full_streams_end_in_an_exit_code_and_no_traceback(
    sandbox: Sandbox, shell: Shell, redirection: str, code: int
) -> None:
    fill(sandbox, 2)
    finished = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m aws_ecr_gc --repo testrepo --dry-run {redirection}"],
        env=shell.with_changes({}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == code, finished
    assert "Traceback" not in finished.stdout + finished.stderr


def test_ctrl_c_with_nobody_reading_standard_error_still_prints_what_was_done(sandbox: Sandbox, shell: Shell) -> None:
    fill(sandbox, 150)
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "aws_ecr_gc", "--repo", "testrepo", "--keep", "build=0"],
        env=shell.with_changes({}),
        stdout=subprocess.PIPE,
        stderr=writer,
        text=True,
    )
    os.close(writer)

    def strike(_request: object) -> None:
        os.close(reader)
        os.kill(process.pid, signal.SIGINT)
        time.sleep(0.3)

    sandbox.before("BatchDeleteImage", strike)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Deleted (100)\n" in out


def test_a_json_result_that_cannot_be_written_leaves_its_counts_behind(sandbox: Sandbox, shell: Shell) -> None:
    fill(sandbox, 3)
    finished = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m aws_ecr_gc --repo testrepo --keep build=1 --output json > /dev/full"],
        env=shell.with_changes({}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 1
    assert "2 of 2 images were deleted" in finished.stderr
    assert "standard output can't be written: No space left on device" in finished.stderr
