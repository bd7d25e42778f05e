"""The steps still to do, on disk before the first deletion, so that a killed run's successor can finish.

An index's children are untagged once it is gone, and no rule may ask for untagged images: without this record they
would stay forever. One file for each repository under the state directory.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from aws_ecr_gc.files import write_whole
from aws_ecr_gc.plan import Leftover, Step
from aws_ecr_gc.reference import Repository

_VERSION = 1


class _Record(Struct):
    version: int
    steps: list[Leftover]


def path_for(state: Path, repository: Repository) -> Path:
    """Where the record of a repository lies."""
    registry = repository.registry
    # A name may be longer than a file's may be, and `a` must not be a directory because there is an `a/b`.
    name = f"{repository.name.replace('/', '_')[:100]}-{hashlib.sha256(repository.name.encode()).hexdigest()[:12]}.json"
    return Path(state, "pending", registry.account or "unknown", registry.region, name)


def write(path: Path, steps: Iterable[Step], kept: Iterable[Leftover] = ()) -> None:
    """Record the steps and what is kept of an earlier record, or remove the file if there are none. Raises OSError."""
    kept = list(kept)
    said = {each.digest for each in kept}
    fresh = (step for step in steps if step.digest not in said)
    pending = [*kept, *(Leftover(step.digest, step.tags, step.pushed_at, step.after) for step in fresh)]
    if pending:
        write_whole(path, msgspec.json.encode(_Record(_VERSION, pending)))
    else:
        path.unlink(missing_ok=True)


def read(path: Path) -> tuple[Leftover, ...]:
    """What an interrupted run left over: the images that were to follow others. The rest is decided anew.

    Raises OSError, or ValueError for a file that is no such record.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ()
    try:
        record = msgspec.json.decode(content, type=_Record)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error
    if record.version != _VERSION:
        raise ValueError(f"version {record.version} of the record is not known")
    return tuple(step for step in record.steps if step.after)
