"""`snapshot`: what repositories hold, in one file."""

from collections.abc import Iterator
from pathlib import Path

from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.live import Live
from aws_ecr_gc.app.sources import LiveSource, open_live
from aws_ecr_gc.config import Connection, Directories
from aws_ecr_gc.errors import AwsFailure, Exit
from aws_ecr_gc.inventory import unread_indexes
from aws_ecr_gc.report import text
from aws_ecr_gc.snapshots import RepositorySnapshot, write


def save(
    path: Path,
    patterns: tuple[str, ...],
    connection: Connection,
    directories: Directories,
    *,
    now: float,
    console: Console,
) -> Exit:
    """Write a snapshot. It holds every repository whole; where one can't be read there is no file, and an error."""
    with open_live(connection, Live(directories, now, console)) as source:
        names = source.names(patterns)
        written = write(path, source.registry.registry, _read(source, names))
    repositories = text.repositories(written.repositories)
    console.print([f"{path}: {text.images(written.images)} of {repositories}, {text.size(written.size)}"])
    return Exit.DONE


def _read(source: LiveSource, names: list[str]) -> Iterator[RepositorySnapshot]:
    for name in names:
        try:
            read = RepositorySnapshot(source.inventory(name, unread_indexes), dict(source.resource_tags(name)))
        except AwsFailure as error:
            raise AwsFailure(f"repository {name}: {error}; there is no snapshot", error.code) from error
        yield read
        del read  # or two would be held while the next one is read
