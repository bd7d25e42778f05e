"""Whatever runs when the collector deletes can be started afterwards, whatever strikes in between.

A bounded number here, 2,000 with `make test-full`; AWS_ECR_GC_IN_USE_RUNS sets another, AWS_ECR_GC_FAULT_SEED the
first.
"""

import os
from pathlib import Path

import pytest

from aws_ecr_gc.sandbox import Sandbox
from tests.conftest import FULL
from tests.wire.in_use_case import InUseCase

_RUNS = int(os.environ.get("AWS_ECR_GC_IN_USE_RUNS") or (2000 if FULL else 24))
_FIRST = int(os.environ.get("AWS_ECR_GC_FAULT_SEED") or 0)


@pytest.mark.parametrize("seed", range(_FIRST, _FIRST + _RUNS))
def test_every_workload_starts_after_a_run_under_protection(sandbox: Sandbox, tmp_path: Path, seed: int) -> None:
    case = InUseCase(seed, sandbox, tmp_path)
    case.run_disturbed()
    case.run_again()
