"""Start-up stays lean: what needs no AWS loads no botocore."""

import json
import subprocess
import sys

import pytest

from aws_ecr_gc.sandbox import Sandbox
from tests.conftest import Shell

_PROBE = """
import json, sys
from aws_ecr_gc.cli.main import main
try:
    main({words!r})
except SystemExit:
    pass
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def loaded_by(shell: Shell, *words: str, **environment: str | None) -> set[str]:
    probe = subprocess.run(
        [sys.executable, "-c", _PROBE.format(words=list(words))],
        env=shell.with_changes(environment),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(probe.stderr.splitlines()[-1]))


_NO_RUN = [
    ("--help",),
    ("--version",),
    (),
    ("--repo", "x", "--nonsense"),
    ("--keep", "x"),
    ("nonsense",),
    ("--repo", "Nope"),
    ("--repo", "xx", "--keep", "a=1", "--keep", "a=2"),
]


@pytest.mark.parametrize("words", _NO_RUN)
def test_help_version_and_usage_errors_load_neither_botocore_nor_msgspec(shell: Shell, words: tuple[str, ...]) -> None:
    assert not loaded_by(shell, *words) & {"botocore", "msgspec", "yaml", "http.server"}


def test_a_run_loads_neither_boto3_nor_yaml_nor_the_stand_in(sandbox: Sandbox, shell: Shell) -> None:
    sandbox.registry().create_repository("testrepo")
    loaded = loaded_by(shell, "--repo", "testrepo", "--dry-run")
    assert "botocore" in loaded
    assert not loaded & {"boto3", "yaml", "aws_ecr_gc.sandbox", "http.server"}


def test_one_repository_without_a_source_loads_neither_thread_pools_nor_what_reads_sources(
    sandbox: Sandbox, shell: Shell
) -> None:
    sandbox.registry().create_repository("testrepo")
    loaded = loaded_by(shell, "--repo", "testrepo", "--keep", "build=1", "--dry-run")
    assert not loaded & {"concurrent.futures.thread", "aws_ecr_gc.discovery.reading", "aws_ecr_gc.app.workloads"}


def test_only_who_asks_for_opentelemetry_loads_its_library(sandbox: Sandbox, shell: Shell) -> None:
    sandbox.registry().create_repository("testrepo")
    words = ("plan", "--repo", "testrepo", "--keep", "build=1")
    library = {"opentelemetry", "google.protobuf"}
    assert not loaded_by(shell, *words) & {*library, "requests"}
    assert loaded_by(shell, *words, "--otel", OTEL_METRICS_EXPORTER="none", OTEL_TRACES_EXPORTER="none") >= library
