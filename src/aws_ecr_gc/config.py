"""What one run of the collector was asked to do."""

import os
from pathlib import Path

from msgspec import Struct

from aws_ecr_gc.errors import Misuse
from aws_ecr_gc.policy import Policy


class Config(Struct, frozen=True):
    """One repository, one policy. Where a field is None, the user's AWS configuration decides."""

    repository: str
    policy: Policy
    region: str | None = None
    registry_id: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    dry_run: bool = False
    strict: bool = False
    output: str = "text"
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


def _xdg(variable: str, fallback: str) -> Path:
    """The XDG base directory; a relative one is invalid and ignored, as its specification says."""
    stated = Path(os.environ.get(variable, ""))
    if stated.is_absolute():
        return stated / "aws-ecr-gc"
    try:
        return Path("~").expanduser() / fallback / "aws-ecr-gc"
    except RuntimeError as error:
        raise Misuse(f"no home directory: set HOME or {variable}, or give --cache-dir and --state-dir") from error
