"""Only the reading of a repository, for its peak memory. Run as a module: benchmarks.listing URL."""

import sys
import time

from aws_ecr_gc.registries.ecr import open_repository
from aws_ecr_gc.registries.reading import list_images


def main(url: str) -> None:
    port = open_repository("bench", region="us-east-1", registry_id=None, profile=None, endpoint_url=url)
    inventory = list_images(port, time.time(), lambda _: None)
    print(len(inventory.images))


if __name__ == "__main__":
    main(sys.argv[1])
