"""Whatever strikes a restore at whichever moment: what its journal promised is back, and no tag is taken away.

A bounded number here, 5,000 with `make test-full`; AWS_ECR_GC_RESTORE_RUNS sets another, AWS_ECR_GC_FAULT_SEED the
first.
"""

import os
from pathlib import Path

import pytest

from aws_ecr_gc.sandbox import Sandbox
from tests.conftest import FULL
from tests.wire.restoring import RestoreCase

_RUNS = int(os.environ.get("AWS_ECR_GC_RESTORE_RUNS") or (5000 if FULL else 40))
_FIRST = int(os.environ.get("AWS_ECR_GC_FAULT_SEED") or 0)
_CHUNK = 5


@pytest.mark.parametrize("first", range(_FIRST, _FIRST + _RUNS, _CHUNK))
def test_what_a_journal_promises_is_back_whatever_strikes(sandbox: Sandbox, tmp_path: Path, first: int) -> None:
    for seed in range(first, first + _CHUNK):
        home = tmp_path / str(seed)
        home.mkdir()
        case = RestoreCase(seed, sandbox, home)
        try:
            case.run_disturbed()
            case.run_again()
            case.restore()
        except AssertionError as broken:
            raise AssertionError(f"seed {seed}: {broken}") from broken
