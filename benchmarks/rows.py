"""A repository of any size, the same one every time: rows as DescribeImages answers them."""

import random
from collections.abc import Iterator
from typing import Any

NEWEST = 1_750_000_000
"""In epoch seconds. Far older than the grace for untagged images."""

_FIVE_YEARS = 5 * 365 * 86400


def image_rows(count: int) -> Iterator[dict[str, Any]]:
    """Images in no order of time, as ECR lists them. Some 4 in 100 are to be deleted under `contenders.KEEP`."""
    numbers = random.Random(count)
    for at in range(count):
        row: dict[str, Any] = {
            "registryId": "123456789012",
            "repositoryName": "bench",
            "imageDigest": f"sha256:{numbers.getrandbits(256):064x}",
            "imageSizeInBytes": numbers.randrange(5_000_000, 900_000_000),
            "imagePushedAt": float(NEWEST - numbers.randrange(_FIVE_YEARS)),
            "imageManifestMediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "artifactMediaType": "application/vnd.docker.container.image.v1+json",
        }
        tags = _tags(at, numbers.getrandbits(40))
        if tags:
            row["imageTags"] = tags
        if at % 2:
            row["lastRecordedPullTime"] = float(NEWEST + numbers.randrange(86400))
        yield row


def _tags(at: int, commit: int) -> list[str]:
    if at % 50 == 0:
        return []
    if at % 50 == 1:
        return [f"build-{commit:010x}"]
    if at % 500 == 2:
        return [f"release-{commit:010x}"]
    tags = [f"main-{commit:010x}"]
    return [*tags, f"v1.{at // 100}.{at % 100}"] if at % 3 == 0 else tags
