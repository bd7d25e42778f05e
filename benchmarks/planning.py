"""Planning alone, in memory. Run as a module: benchmarks.planning COUNT [PREFIX=N...]; prints a `Planned` as JSON.

Without prefixes, the policy is the one of ten rules.
"""

import json
import sys
import time
from collections.abc import Iterator
from resource import RUSAGE_SELF, getrusage

from aws_ecr_gc.inventory import Image, Inventory
from aws_ecr_gc.policy import make_plan
from aws_ecr_gc.reference import Registry, Repository
from benchmarks.measuring import PEAK_UNIT, Planned
from benchmarks.policies import by_prefix, ten_rules
from benchmarks.rows import NEWEST, image_rows


def main(count: int, keeps: list[str]) -> None:
    policy = by_prefix(keeps) if keeps else ten_rules()
    images = {image.digest: image for image in _images(count)}
    inventory = Inventory(Repository(Registry("123456789012", "us-east-1", "aws"), "bench"), NEWEST, images)
    before, started = _peak(), time.process_time()
    plan = make_plan(inventory, policy, NEWEST + 86400)
    planned = time.process_time()
    for decision in plan.decisions:
        assert decision.reasons  # noqa: S101 - so that each is made out
    read = time.process_time()
    peak = _peak()
    print(json.dumps(Planned(planned - started, read - planned, peak - before, peak, len(plan.steps))))


def _images(count: int) -> Iterator[Image]:
    for row in image_rows(count):
        yield Image(
            row["imageDigest"],
            row["imagePushedAt"],
            tuple(row.get("imageTags", ())),
            row["imageManifestMediaType"],
            pulled_at=row.get("lastRecordedPullTime"),
        )


def _peak() -> int:
    return getrusage(RUSAGE_SELF).ru_maxrss * PEAK_UNIT


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
