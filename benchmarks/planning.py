"""Planning alone, in memory. Run as a module: benchmarks.planning COUNT PREFIX=N...; prints JSON for `Planned`."""

import json
import sys
import time
from collections.abc import Iterator
from resource import RUSAGE_SELF, getrusage

from aws_ecr_gc.inventory import Image, Inventory
from aws_ecr_gc.policy import KeepNewest, Policy, make_plan
from aws_ecr_gc.reference import Registry, Repository
from benchmarks.measuring import PEAK_UNIT
from benchmarks.rows import NEWEST, image_rows


def main(count: int, keeps: list[str]) -> None:
    images = {image.digest: image for image in _images(count)}
    inventory = Inventory(Repository(Registry("123456789012", "us-east-1", "aws"), "bench"), NEWEST, images)
    rules = [KeepNewest(prefix, int(number)) for prefix, _, number in (keep.partition("=") for keep in keeps)]
    policy = Policy(tuple(rules), delete_untagged=True)
    before, started = _peak(), time.perf_counter()
    plan = make_plan(inventory, policy, NEWEST + 86400)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "bytes_an_image": (_peak() - before) / count, "steps": len(plan.steps)}))


def _images(count: int) -> Iterator[Image]:
    media_type = "application/vnd.docker.distribution.manifest.v2+json"
    for row in image_rows(count):
        yield Image(row["imageDigest"], row["imagePushedAt"], tuple(row.get("imageTags", ())), media_type)


def _peak() -> int:
    return getrusage(RUSAGE_SELF).ru_maxrss * PEAK_UNIT


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
