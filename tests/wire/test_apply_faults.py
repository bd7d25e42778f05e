"""Whatever strikes an apply at whichever moment: nothing outside the plan is touched, the journal finishes it, and what
restore promised is back.

A bounded number here, 5,000 with `make test-full`; AWS_ECR_GC_APPLY_RUNS sets another, AWS_ECR_GC_FAULT_SEED the first.
"""

import os
from pathlib import Path

import pytest

from aws_ecr_gc.sandbox import Sandbox
from tests.conftest import FULL
from tests.wire.restoring import ActionRestoreCase, RestoreCase

_RUNS = int(os.environ.get("AWS_ECR_GC_APPLY_RUNS") or (5000 if FULL else 80))
_FIRST = int(os.environ.get("AWS_ECR_GC_FAULT_SEED") or 0)
_CHUNK = 5


@pytest.mark.parametrize("first", range(_FIRST, _FIRST + _RUNS // 2, _CHUNK))
@pytest.mark.parametrize("kind", [RestoreCase, ActionRestoreCase])
def test_nothing_outside_the_plan_is_touched_and_nothing_is_lost_that_restore_promises(
    sandbox: Sandbox, tmp_path: Path, first: int, kind: type[RestoreCase]
) -> None:
    for seed in range(first, first + _CHUNK):
        home = tmp_path / str(seed)
        home.mkdir()
        case = kind(seed, sandbox, home)
        try:
            case.run_disturbed()
            case.run_again()
            case.restore()
        except AssertionError as broken:
            raise AssertionError(f"seed {seed}: {broken}") from broken
