"""Lifecycle policies, simulated in memory. Run as a module: benchmarks.simulating COUNT; prints `Simulated`s as JSON.

Ten rules of every kind over the repository of `rows`, every fiftieth image an index of its two neighbours: one
evaluation, and a year of them.
"""

import gc
import json
import sys
import time
from collections.abc import Iterator

from msgspec.structs import replace

from aws_ecr_gc.inventory import INDEX_TYPES, Image
from aws_ecr_gc.lifecycle.reading import parse
from aws_ecr_gc.lifecycle.simulating import simulate
from aws_ecr_gc.lifecycle.values import LifecyclePolicy
from benchmarks.lifecycle import Simulated
from benchmarks.rows import NEWEST, image_rows

YEAR = 365
_EVERY = 50
_RULES: tuple[tuple[str, list[str], str, int], ...] = (
    ("tagged", ["release-*"], "imageCountMoreThan", 9999),
    ("tagged", ["main-0*", "v1.*"], "sinceImagePushed", 1700),
    ("tagged", ["build-*"], "imageCountMoreThan", 100),
    ("tagged", ["main-a*"], "imageCountMoreThan", 500),
    ("tagged", ["main-b*"], "sinceImagePushed", 900),
    ("tagged", ["*-c*e"], "sinceImagePushed", 400),
    ("tagged", ["v1.9*"], "sinceImagePulled", 30),
    ("untagged", [], "sinceImagePushed", 30),
    ("any", [], "imageCountMoreThan", 50_000),
    ("any", [], "sinceImageTransitioned", 90),
)


def main(count: int) -> None:
    gc.disable()  # as the command does
    images, policy = list(_images(count)), ten_rules()
    rows = []
    for days in (0, YEAR):
        started = time.process_time()
        made = simulate(images, policy, NEWEST + 86400.0, days=days)
        seconds = time.process_time() - started
        rows.append(Simulated(days + 1, seconds, len(made.gone), len(made.archived), len(made.failures)))
    print(json.dumps(rows))


def ten_rules() -> LifecyclePolicy:
    """The policy, as ECR would take it."""
    rules = []
    for priority, (status, patterns, count_type, number) in enumerate(_RULES, 1):
        selection: dict[str, object] = {"tagStatus": status, "countType": count_type, "countNumber": number}
        if patterns:
            selection["tagPatternList"] = patterns
        if count_type != "imageCountMoreThan":
            selection["countUnit"] = "days"
        if count_type == "sinceImageTransitioned":
            selection["storageClass"] = "archive"
        archives = count_type == "sinceImagePulled"
        action = {"type": "transition", "targetStorageClass": "archive"} if archives else {"type": "expire"}
        rules.append({"rulePriority": priority, "selection": selection, "action": action})
    return parse(json.dumps({"rules": rules}), "ten rules")


def _images(count: int) -> Iterator[Image]:
    neighbours: list[str] = []
    for at, row in enumerate(image_rows(count)):
        image = Image(
            row["imageDigest"],
            row["imagePushedAt"],
            tuple(row.get("imageTags", ())),
            row["imageManifestMediaType"],
            pulled_at=row.get("lastRecordedPullTime"),
        )
        if at % _EVERY == 0 and len(neighbours) > 1:
            image = replace(image, media_type=min(INDEX_TYPES), children=tuple(neighbours[-2:]))
        neighbours = [*neighbours[-1:], image.digest]
        yield image


if __name__ == "__main__":
    main(int(sys.argv[1]))
