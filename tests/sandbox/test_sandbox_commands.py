"""The stand-in on the command line, as a program of its own."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest

from aws_ecr_gc.sandbox import Sandbox, load_scenario


@contextmanager
def _program(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-W", "error", "-m", "aws_ecr_gc", "sandbox", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        try:
            yield program
        finally:
            program.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_it_says_how_to_reach_it_serves_and_stops(tmp_path: Path, number: signal.Signals, code: int) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("repositories: [{name: from-the-file}]")
    with _program("--port", "0", "--scenario", str(scenario)) as program:
        assert program.stdout is not None
        shown = "".join(iter(program.stdout.readline, "\n")) + "".join(program.stdout.readline() for _ in range(5))
        exports = dict(word.split("=", 1) for word in shown.split() if "=" in word)
        ecr = boto3.client(
            "ecr",
            endpoint_url=exports["AWS_ENDPOINT_URL"],
            region_name=exports["AWS_DEFAULT_REGION"],
            aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
        )
        (row,) = ecr.describe_repositories()["repositories"]
        ecr.close()
        assert row["repositoryName"] == "from-the-file"
        program.send_signal(number)
        assert program.wait(10) == code
        assert program.stderr is not None
        assert program.stderr.read() == ("aws-ecr-gc: interrupted\n" if code else "")


def _complaint(*arguments: str) -> str:
    with _program(*arguments) as program:
        out, err = program.communicate(timeout=10)
    assert (program.returncode, out) == (2, "")
    return err


def test_a_port_that_is_taken_is_told_in_one_line() -> None:
    with Sandbox() as sandbox:
        port = sandbox.url.rpartition(":")[2]
        assert _complaint("--port", port) == f"aws-ecr-gc: port {port}: Address already in use\n"


@pytest.mark.parametrize("words", [("--port", "70000"), ("-port", "abc"), ("--nope",), ("word",), ("--scenario=",)])
def test_what_was_typed_wrong_is_told_in_one_line(words: tuple[str, ...]) -> None:
    assert _complaint(*words).count("\n") == 1


def test_a_scenario_that_is_wrong_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("repositories: [{}]")

    assert _complaint("--scenario", str(path)) == (
        f"aws-ecr-gc: {path}: Object missing required field `name` - at `$.repositories[0]`\n"
    )


def test_the_clock_of_one_that_runs_is_put_forward_and_it_tells_what_policies_did() -> None:
    scenario = load_scenario(str(Path(__file__).parents[2] / "docs/scenarios/lifecycle.yaml"))
    with Sandbox(scenario) as sandbox:
        with _program("--port", sandbox.url.rpartition(":")[2], "--advance", "2d") as program:
            out, err = program.communicate()
        assert (program.returncode, err) == (0, "")
        lines = out.splitlines()
        assert lines[0] == "2024-06-02 12:00:00: expire app sha256:63deeb062... [build-0000000] by rule 1"
        assert lines[4].startswith("failed 2 times, last 2024-06-03 12:00:00: expire app sha256:")
        assert lines[-1].startswith("It is 2024-06-03 12:00:0")
        assert len(sandbox.deletions) == 4


@pytest.mark.parametrize(
    "words", [("--advance", "soon"), ("--advance", "2d", "--port", "1"), ("--advance", "2d", "--scenario", "x")]
)
def test_where_no_clock_can_be_put_forward_a_line_says_so(words: tuple[str, ...]) -> None:
    with _program(*words) as program:
        out, err = program.communicate()
    assert (program.returncode, out, err.count("\n")) == (2, "", 1)
