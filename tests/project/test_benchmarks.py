"""The benchmarks run. What they measure is for people to read: nothing here depends on a time."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_quick_benchmarks_print_a_row_for_everything_that_is_measured() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    for row in (
        "1,000 images: floor",
        "1,000 images: plain boto3",
        "1,000 images: aws-ecr-gc",
        "planning alone",
        "1,000 images, few to delete",
        "1,000 images, most to delete",
        "1,000 images, ten rules",
        "10,000 images, ten rules",
        "CPU / boto3",
        "at 50 ms a call",
        "start to the first call",
        "--help: wall / bare Python",
        "--version: botocore imported",
        "usage error: wall",
        "bytes an image listed",
        "bytes an image planned",
        "dry run of 1,000: calls",
        "planning 100,000 with ten rules: CPU / by prefix alone",
        "planning 1,000,000 with ten rules: peak MB",
        "listing, 32 at once: bare client",
        "throttled at 20 a second, --max-rps 100: share refused",
        "10,000 deletions at 50 ms, 16 at once: wall / bare client",
        "1,000,000 images, 5% to go: bytes an image in flight",
        "1,000,000 images, all to go: bytes an image in flight",
        "1,000,000 images, 8 at once, all deleted",
        "20 services, 2 clusters, 40 versions",
        "what is in use: calls / fewest calls",
        "simulating a lifecycle policy of ten rules",
        "simulating 100,000, 366 times: CPU s",
        "dry run without a source: what reads sources imported",
    ):
        assert row in finished.stdout, row


def test_places_are_measured_by_themselves() -> None:
    command = [sys.executable, "-m", "benchmarks.places", "2"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert "2 accounts, 4 accounts and regions, 8 repositories" in finished.stdout


def test_the_process_that_measures_loads_nothing_that_is_measured() -> None:
    """A child's peak memory begins at that of the process it was forked from."""
    probe = "import sys, benchmarks.__main__; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tops = {name.partition(".")[0] for name in loaded.split()}
    assert "benchmarks" in tops
    assert not tops & {"aws_ecr_gc", "botocore", "boto3", "msgspec"}
