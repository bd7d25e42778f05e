"""Workloads are read in many accounts and regions, and yet few connections are held."""

from contextlib import suppress
from pathlib import Path

import pytest

from tests.discovery.conftest import Discover

REGIONS = ("us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-west-2", "eu-central-1", "eu-north-1")


def connections() -> int:
    """Those that this process has open."""
    found = 0
    for each in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since
            found += str(each.readlink()).startswith("socket:")
    return found


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted as on Linux")
def test_places_that_were_read_hold_no_connections(discovery: Discover) -> None:
    held: list[int] = []

    def note(_: str) -> None:
        held.append(connections())  # what is open when a source is through

    found = discovery("ecs", "lambda", regions=REGIONS, progress=note, at_once=1)
    assert not found.read(0.0).unread
    assert len(held) >= 2 * len(REGIONS)
    assert max(held) - min(held) < len(REGIONS)
