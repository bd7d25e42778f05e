"""Only the reading of what is in use. Run as a module: benchmarks.discovering; prints a `Read` as JSON."""

import json
import time

from aws_ecr_gc.aws.session import Session
from aws_ecr_gc.discovery.reading import Discovery
from aws_ecr_gc.discovery.settings import Settings
from benchmarks.in_use import Read


def main() -> None:
    discovery = Discovery(Settings(("ecs", "lambda")), lambda: Session(None, "us-east-1"), stdin=bytes)
    started = time.monotonic()
    found = discovery.read(time.time())
    seconds = time.monotonic() - started
    assert not found.unread, found.unread  # noqa: S101 - the figures would mean nothing
    print(json.dumps(Read(seconds, sum(map(len, found.uses.values())))))


if __name__ == "__main__":
    main()
