"""The command lines that are measured against each other."""

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent

KEEP = ("build=8", "release=4")
PRODUCT = "aws-ecr-gc"
BOTO3 = "plain boto3"
FLOOR = "floor"

FEW = "few to delete"
TEN_RULES = "ten rules"
PLANNED = {FEW: KEEP, "most to delete": (*KEEP, "main=100", "v1=100"), TEN_RULES: ()}
"""The policies that are planned with alone, as `planning` takes them: prefixes, or none for the one of ten rules."""


def product(url: str) -> list[str]:
    """The dry run, as it is typed."""
    keeps = [word for keep in KEEP for word in ("--keep", keep)]
    policy = [*keeps, "--delete-untagged"]
    return [*program(), "--repo", "bench", "--region", "us-east-1", *policy, "--dry-run", "--endpoint-url", url]


def program() -> list[str]:
    """The installed command."""
    return [str(Path(sys.executable).with_name("aws-ecr-gc"))]


def plain_boto3(url: str) -> list[str]:
    """The script that does the same."""
    return [sys.executable, str(_HERE / "plain_boto3.py"), url]


def floor(url: str) -> list[str]:
    """The client that fetches and throws away."""
    return [sys.executable, str(_HERE / "floor.py"), url]


def listing(url: str) -> list[str]:
    """The product's reading alone."""
    return [sys.executable, "-m", "benchmarks.listing", url]


def planning(images: int, policy: str) -> list[str]:
    """The product's planning alone, under one of the policies `PLANNED`."""
    return [sys.executable, "-m", "benchmarks.planning", str(images), *PLANNED[policy]]
