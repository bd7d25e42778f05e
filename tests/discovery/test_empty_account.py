"""An account in which nothing runs."""

import pytest

from aws_ecr_gc.discovery.sources import SOURCES
from tests.discovery.worlds import Reading


@pytest.mark.parametrize("source", [source for source in SOURCES if source not in {"ecs", "eks"}])
def test_an_account_without_workloads_is_read_whole_and_uses_nothing(read: Reading, source: str) -> None:
    assert read(source) == set()
