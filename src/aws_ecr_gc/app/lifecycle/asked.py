"""What the lifecycle commands share: what was asked for, the text of a policy, going through repositories."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.sources import Source, open_source
from aws_ecr_gc.app.sweep import Sweep
from aws_ecr_gc.config import Connection, Directories, OriginalFlags, Request
from aws_ecr_gc.errors import Misuse, Unintelligible, one_line
from aws_ecr_gc.lifecycle.assumptions import Assumptions
from aws_ecr_gc.lifecycle.reading import Written, read
from aws_ecr_gc.lifecycle.values import LifecyclePolicy
from aws_ecr_gc.policyfile.reading import content_of
from aws_ecr_gc.ports import KeptPolicy
from aws_ecr_gc.report import plans

KIND = "lifecycle policy of ECR (JSON)"


class Asked(Struct, frozen=True):
    """What was asked for. Without `policy`, a file, each repository's own one counts; `patterns` are globs of names.

    `days` is how many daily evaluations follow the first one.
    """

    policy: Path | None = None
    patterns: tuple[str, ...] = ()
    connection: Connection = Connection()
    directories: Directories = Directories()
    snapshot: Path | None = None
    at: float | None = None
    days: int = 0
    assumptions: Assumptions = Assumptions()
    uses: Path | None = None
    allow_unread: tuple[str, ...] = ()
    output: str = "text"

    @property
    def request(self) -> Request:
        """The same for what reads repositories."""
        return Request(
            OriginalFlags(),
            self.patterns,
            self.connection,
            self.directories,
            self.snapshot,
            self.at,
            self.uses,
            self.allow_unread,
            output=self.output,
        )


class Repositories(Sweep):
    """Repositories one after the other; what can't be read stops only itself."""

    def has_failed(self, name: str, reason: str) -> None:
        self._console.say(f"repository {name}: {reason}")
        self.unread.append(plans.Unread(name, reason))


@contextmanager
def reading(asked: Asked, now: float, console: Console) -> Iterator[tuple[Source, Repositories]]:
    """Where is read from, and what."""
    with open_source(asked.request, now, console) as source:
        yield source, Repositories(source, asked.patterns, console)


def text_of(path: Path) -> str:
    """The text of a policy's file. Raises Misuse."""
    content = content_of(path, KIND, "ECR takes 30,720 characters")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Misuse(f"{one_line(path)}: is not UTF-8; save the file as UTF-8") from error


class Own(Struct, frozen=True):
    """A repository's own policy: as it is kept, as it was read, and what it says."""

    kept: KeptPolicy
    written: Written
    policy: LifecyclePolicy


def own_policy(source: Source, name: str) -> Own | None:
    """A repository's own policy; None where it has none. Raises Unintelligible for one that is not understood.

    ECR took it: what it says of its rules among each other is not held against it.
    """
    kept = source.lifecycle_policy(name)
    if kept is None:
        return None
    written = read(kept.text, own_name(name))
    if not written.is_complete:
        raise Unintelligible(f"its lifecycle policy is none that is understood here: {written.errors[0]}")
    return Own(kept, written, LifecyclePolicy(tuple(rule for _, rule in written.rules)))


def own_name(name: str) -> str:
    """What stands for the file of a policy that is a repository's own."""
    return f"{name}: lifecycle policy"
