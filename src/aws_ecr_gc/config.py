"""What a command was asked to do."""

import os
from pathlib import Path

from msgspec import Struct

from aws_ecr_gc.discovery.settings import Settings
from aws_ecr_gc.errors import Misuse
from aws_ecr_gc.policy import Policy, original_policy
from aws_ecr_gc.shards import Shard
from aws_ecr_gc.targets import Entry, Targets

CONCURRENCY = 16
"""Repositories worked on at once."""


class Connection(Struct, frozen=True):
    """Which registry, and as whom. Where a field is None, the user's AWS configuration decides.

    `max_rps` is how many calls a second may be made of each operation, in place of the defaults. With `entry`, the
    registry's account is entered with that role first, where it is not that of the credentials.
    """

    region: str | None = None
    registry_id: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    max_rps: float | None = None
    entry: Entry | None = None


class Directories(Struct, frozen=True):
    """Where files are kept between runs."""

    cache_dir: Path | None = None
    state_dir: Path | None = None

    @property
    def cache(self) -> Path:
        """Where manifests are kept: `cache_dir`, or the XDG cache directory."""
        return self.cache_dir or _xdg("XDG_CACHE_HOME", ".cache")

    @property
    def state(self) -> Path:
        """Where steps still to do are kept: `state_dir`, or the XDG state directory."""
        return self.state_dir or _xdg("XDG_STATE_HOME", ".local/state")


class Keeping(Struct, frozen=True):
    """How a journal is kept: `stated` is a directory, s3://BUCKET/PREFIX, or `none`; the state directory if None.

    Without `restorable` no manifests are read for it, so nothing can be put back by it.
    """

    stated: str | None = None
    restorable: bool = True


class Watching(Struct, frozen=True):
    """Files for other machines: Prometheus's text format, CloudWatch's embedded metric format.

    `otel` is the name of the command, where its numbers go to an OpenTelemetry collector.
    """

    prometheus: Path | None = None
    embedded: Path | None = None
    otel: str | None = None


class OriginalFlags(Struct, frozen=True):
    """What the original's flags say about images; `grace` is in seconds. `in_use` is what is to be looked for."""

    keep: dict[str, int] = {}
    delete_untagged: bool = False
    grace: float = 3600.0
    in_use: Settings | None = None

    @property
    def policy(self) -> Policy:
        return original_policy(self.keep, delete_untagged=self.delete_untagged, grace=self.grace)


class Config(Struct, frozen=True):
    """The original's main job: one repository, its flags. `backup` is as in `Request`."""

    repository: str
    flags: OriginalFlags = OriginalFlags()
    connection: Connection = Connection()
    directories: Directories = Directories()
    dry_run: bool = False
    strict: bool = False
    allow_unread: tuple[str, ...] = ()
    backup: str | None = None
    journal: Keeping = Keeping()
    output: str = "text"


class Request(Struct, frozen=True):
    """What the commands with a policy file (or the original's flags in its stead) work on.

    `patterns` are globs of repository names; none means all. `at` moves the clock, in epoch seconds. With `snapshot`
    the file is read instead of AWS; with `uses`, this file of what is in use instead of the workloads. Sources that
    `allow_unread` names may be missing. `targets` is what flags say of accounts and regions, `shard` the part of these
    that is to be done; `concurrency` is how many repositories are worked on at once. With `defers_in_use` what is in
    use is left for `apply` to ask. With `partial`, others do the other accounts and regions. `backup` is where a copy
    of what will be deleted is put first: a directory, or s3://BUCKET/PREFIX.
    """

    policy: Path | OriginalFlags
    patterns: tuple[str, ...] = ()
    connection: Connection = Connection()
    directories: Directories = Directories()
    snapshot: Path | None = None
    at: float | None = None
    uses: Path | None = None
    allow_unread: tuple[str, ...] = ()
    journal: Keeping = Keeping()
    backup: str | None = None
    output: str = "text"
    concurrency: int = CONCURRENCY
    targets: Targets = Targets()
    watching: Watching = Watching()
    shard: Shard | None = None
    defers_in_use: bool = False
    partial: bool = False

    @property
    def is_part(self) -> bool:
        """Whether there is more of the fleet: what fits nothing here may fit there."""
        return self.partial or self.shard is not None


def _xdg(variable: str, fallback: str) -> Path:
    """The XDG base directory; a relative one is invalid and ignored, as its specification says."""
    stated = Path(os.environ.get(variable, ""))
    if stated.is_absolute():
        return stated / "aws-ecr-gc"
    try:
        return Path("~").expanduser() / fallback / "aws-ecr-gc"
    except RuntimeError as error:
        raise Misuse(f"no home directory: set HOME or {variable}, or give --cache-dir and --state-dir") from error
