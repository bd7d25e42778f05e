"""Ctrl-C, SIGTERM and SIGKILL, in real processes."""

import os
import signal
import subprocess
import sys
import time

import pytest

from aws_ecr_gc.sandbox import Faults, Sandbox
from tests.conftest import Finished, Shell
from tests.wire.builder import Builder


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_work_after_the_call_under_way_and_prints_what_was_done(
    sandbox: Sandbox, shell: Shell, number: signal.Signals
) -> None:
    repo = fill(sandbox, 250)

    def strike(_request: object) -> None:
        started.send(number)
        time.sleep(0.3)

    sandbox.before("BatchDeleteImage", strike)
    started = Started(shell, "--repo", "testrepo", "--keep", "build=0")
    finished = started.finished()
    assert finished.exit == 130
    assert "Deleted (100)\n" in finished.out
    assert finished.out.endswith("Failures (0)\n")
    assert "stopping after the call under way" in finished.err
    assert "150 images were not attempted" in finished.err
    assert len(repo.names()) == 150


def test_a_signal_while_reading_deletes_nothing(sandbox: Sandbox, shell: Shell) -> None:
    repo = fill(sandbox, 5)

    def strike(_request: object) -> None:
        started.send(signal.SIGINT)
        time.sleep(0.3)

    sandbox.before("DescribeImages", strike)
    started = Started(shell, "--repo", "testrepo", "--keep", "build=0")
    finished = started.finished()
    assert (finished.exit, finished.out) == (130, "")
    assert "interrupted while reading; nothing was deleted" in finished.err
    assert len(repo.names()) == 5


def test_a_second_ctrl_c_ends_at_once(sandbox: Sandbox, shell: Shell) -> None:
    fill(sandbox, 5)
    sandbox.faults = Faults(latency=0)

    def strike(_request: object) -> None:
        started.send(signal.SIGINT)
        time.sleep(0.3)
        started.send(signal.SIGINT)
        time.sleep(20)

    sandbox.before("DescribeImages", strike)
    begun = time.monotonic()
    started = Started(shell, "--repo", "testrepo", "--keep", "build=0")
    finished = started.finished()
    assert (finished.exit, finished.out) == (130, "")
    assert time.monotonic() - begun < 15, "it waited for the call"


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
    assert not [path for path in (shell.home / "state").rglob("*") if path.is_file()]


def test_a_state_directory_that_cannot_be_written_is_said_and_stops_nothing(sandbox: Sandbox, shell: Shell) -> None:
    repo = fill(sandbox, 3)
    (shell.home / "file").write_text("no directory")
    finished = shell("--repo", "testrepo", "--keep", "build=1", "--state-dir", str(shell.home / "file"))
    assert finished.exit == 0
    assert finished.err.count("the steps still to do can't be recorded") == 2
    assert len(repo.names()) == 1


def test_a_record_that_cannot_be_understood_is_said_and_replaced(sandbox: Sandbox, shell: Shell) -> None:
    repo = fill(sandbox, 3)
    record = shell.home / "state/aws-ecr-gc/pending/123456789012/us-east-1/testrepo.json"
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
    assert (finished.returncode, finished.stderr) == (1, "aws-ecr-gc: standard output was closed\n")
    assert len(repo.names()) == 3
