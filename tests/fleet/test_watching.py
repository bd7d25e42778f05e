"""What an operator sees: numbers in files, lines as JSON, progress on a terminal."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aws_ecr_gc.app.console import Console
from aws_ecr_gc.report.metrics import MEASURES
from aws_ecr_gc.sandbox import Faults, Sandbox
from tests.conftest import Shell
from tests.fleet.test_reach import EVERYWHERE, FIRST, PLACES, Fleet
from tests.wire.policies import BUILDS, policy, policy_file
from tests.wire.test_run import fill

_LINE = re.compile(r'(aws_ecr_gc_last_run_[a-z_]+)(?:\{account="([0-9]*)",region="([a-z0-9-]+)"\})? ([0-9.]+)')


@pytest.fixture
def fleet(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> Fleet:
    return Fleet(sandbox, shell, tmp_path)


def numbers(path: Path) -> dict[tuple[str, ...], float]:
    found = {}
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            match = _LINE.fullmatch(line)
            assert match is not None, line
            found[tuple(part or "" for part in match.groups()[:3])] = float(match[4])
    return found


def test_each_place_has_its_numbers_for_prometheus_and_for_cloudwatch(fleet: Fleet) -> None:
    fleet.sandbox.faults = Faults(deny_on={"lib": ["DescribeImages"]})
    prometheus, embedded = fleet.folder / "gc.prom", fleet.folder / "gc.emf"
    finished = fleet(
        "run", "-f", fleet.policy, "--yes", *EVERYWHERE, "--metrics-file", str(prometheus), "--emf-file", str(embedded)
    )
    assert finished.exit == 3
    found = numbers(prometheus)
    lines = [json.loads(line) for line in embedded.read_text().splitlines()]
    assert [(line["Account"], line["Region"]) for line in lines] == PLACES
    for line in lines:
        where = (line["Account"], line["Region"])
        for measure in MEASURES:
            value = found[f"aws_ecr_gc_last_run_{measure.prometheus}", *where]
            assert value == pytest.approx(line[measure.cloudwatch], abs=0.001)
        assert (line["ImagesDone"], line["ImagesPlanned"], line["ExitCode"]) == (2, 2, 3)
        declared = {each["Name"] for each in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
        assert declared == {*(measure.cloudwatch for measure in MEASURES), "ExitCode"}
    assert found["aws_ecr_gc_last_run_exit_code", "", ""] == 3
    assert found["aws_ecr_gc_last_run_timestamp_seconds", "", ""] > 1_500_000_000


def test_one_registry_has_numbers_too(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    for name in ("ci/a", "ci/b"):
        fill(sandbox, name)
    path = tmp_path / "gc.prom"
    words = ("--metrics-file", str(path))
    finished = shell("run", "-f", policy_file(tmp_path / "p.json", policy(BUILDS)), "--yes", *words)
    assert finished.exit == 0
    found = numbers(path)
    where = ("123456789012", "us-east-1")
    assert found["aws_ecr_gc_last_run_done_images", *where] == 4
    assert found["aws_ecr_gc_last_run_calls", *where] == len(sandbox.calls)


def test_a_file_that_can_not_be_written_changes_nothing_but_a_warning(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    fill(sandbox, "ci/a")
    words = ("--metrics-file", "/dev/null/gc.prom", "--emf-file", str(tmp_path))
    finished = shell("plan", "-f", policy_file(tmp_path / "p.json", policy(BUILDS)), *words)
    assert finished.exit == 0
    assert "warning: --metrics-file /dev/null/gc.prom: can't be written" in finished.err
    assert "warning: --emf-file" in finished.err


def test_lines_for_cloudwatch_may_go_to_standard_error(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    """As on Lambda. Standard error is a file here, and no line takes another's place."""
    fill(sandbox, "ci/a")
    words = ("plan", "-f", policy_file(tmp_path / "p.json", policy(BUILDS)), "--emf-file", "/dev/stderr")
    errors = tmp_path / "err"
    with errors.open("w") as err:
        command = [sys.executable, "-m", "aws_ecr_gc", *words]
        subprocess.run(command, env=shell.with_changes({}), stdout=subprocess.DEVNULL, stderr=err, check=True)
        err.write("the end\n")
    *_, line, end = errors.read_text().splitlines()
    assert json.loads(line)["Images"] == 4
    assert end == "the end"


def test_every_metric_is_in_the_documentation() -> None:
    text = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    for measure in MEASURES:
        names = (
            f"| `{measure.prometheus}` | {measure.cloudwatch} | {measure.unit} | `{measure.otel}` | `{measure.ucum}` |"
        )
        assert f"{names} {measure.meaning} |" in text


def logged(err: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in err.splitlines()]


def test_standard_error_is_json_lines_where_that_is_asked_for(fleet: Fleet) -> None:
    fleet.sandbox.faults = Faults(deny_on={FIRST: ["AssumeRole"]})
    finished = fleet("plan", "-f", fleet.policy, *EVERYWHERE, "--log-format", "json")
    lines = logged(finished.err)
    assert all(set(line) == {"time", "level", "message"} for line in lines)
    assert any("sts:AssumeRole" in line["message"] for line in lines)
    assert lines[-1]["level"] == "info"
    assert "calls" in lines[-1]["message"]


def test_what_ends_a_command_is_json_too(fleet: Fleet) -> None:
    finished = fleet("plan", "-f", "/nowhere.yaml", "--log-format", "json")
    (line,) = logged(finished.err)
    assert (finished.exit, line["level"]) == (2, "error")
    assert "/nowhere.yaml" in line["message"]
    assert fleet("plan", "-f", "/nowhere.yaml").err.startswith("aws-ecr-gc: ")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_and_not_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("CI", raising=False)
    for err, expected in ((Terminal(), "\r\x1b[K3 of 7"), (io.StringIO(), "")):
        Console(io.StringIO(), err, lambda: False).show("3 of 7")
        assert err.getvalue() == expected
