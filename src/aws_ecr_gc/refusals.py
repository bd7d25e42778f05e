"""What was found out about a registry, on disk: that it takes a whole image where a tag is to be removed.

So a job that runs every night does not find it out every night.
"""

from pathlib import Path

from aws_ecr_gc.files import write_whole
from aws_ecr_gc.reference import Registry


def _path(state: Path, registry: Registry) -> Path:
    return state / "takes-whole-images" / (registry.account or "unknown") / registry.region


def takes_whole(state: Path, registry: Registry) -> Path | None:
    """The file that says so of a registry, if there is one."""
    path = _path(state, registry)
    return path if path.exists() else None


def remember(state: Path, registry: Registry) -> None:
    """Write it down. Raises OSError."""
    write_whole(_path(state, registry), b"")
