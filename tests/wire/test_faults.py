"""Whatever strikes at whichever moment: nothing outside the plan is deleted, and running again finishes the work.

A bounded number here, 2,000 with `make test-full`; AWS_ECR_GC_FAULT_RUNS sets another, AWS_ECR_GC_FAULT_SEED the first.
"""

import os
from pathlib import Path

import pytest

from aws_ecr_gc.sandbox import Sandbox
from aws_ecr_gc.sandbox.errors import ServiceError
from tests.conftest import FULL, Shell
from tests.wire.builder import Builder
from tests.wire.fault_case import FaultCase

_RUNS = int(os.environ.get("AWS_ECR_GC_FAULT_RUNS") or (2000 if FULL else 200))
_FIRST = int(os.environ.get("AWS_ECR_GC_FAULT_SEED") or 0)
_CHUNK = 5


@pytest.mark.parametrize("first", range(_FIRST, _FIRST + _RUNS, _CHUNK))
def test_nothing_outside_the_plan_is_deleted_and_a_rerun_finishes_the_work(
    sandbox: Sandbox, tmp_path: Path, first: int
) -> None:
    for seed in range(first, first + _CHUNK):
        home = tmp_path / str(seed)
        home.mkdir()
        case = FaultCase(seed, sandbox, home)
        try:
            case.run_disturbed()
            case.run_again()
        except AssertionError as broken:
            raise AssertionError(f"seed {seed}: {broken}") from broken


def test_what_was_left_over_stays_on_record_however_often_its_deletion_fails(sandbox: Sandbox, shell: Shell) -> None:
    repo = Builder(sandbox)
    repo.image("child")
    repo.index("old", "build-1", children=["child"])
    repo.image("new", "build-2")
    words = ("--repo", "testrepo", "--keep", "build=1")

    def fail(_: object) -> None:
        raise ServiceError("InternalFailure", "not now")

    for call in (2, 3):
        sandbox.before("BatchDeleteImage", fail, call=call)
    assert [shell(*words).exit for _ in range(3)] == [5, 5, 0]
    assert repo.names() == {"new"}
