"""The policy of a request: a policy file, or the original's flags in its stead."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from aws_ecr_gc.config import OriginalFlags, Request
from aws_ecr_gc.discovery.settings import Settings
from aws_ecr_gc.policy import Policy
from aws_ecr_gc.policyfile import load
from aws_ecr_gc.targets import Targets


class Policies(Protocol):
    """Which policy holds for which repository, and the files that say so."""

    @property
    def in_use(self) -> Settings | None:
        """What is to be looked for that runs an image."""

    @property
    def targets(self) -> Targets:
        """Where repositories are looked for, as far as it says."""

    @property
    def files(self) -> Sequence[Path]:
        """The policy file and those it extends."""

    @property
    def sha256(self) -> str | None:
        """The hash of these files together."""

    def policy_for(self, repository: str, tags: Callable[[], Mapping[str, str]]) -> Policy | None:
        """The policy, or None where none fits; `tags` is called only if it depends on them."""


class FlagPolicies:
    """The same for every repository."""

    targets = Targets()
    files: Sequence[Path] = ()
    sha256: str | None = None

    def __init__(self, flags: OriginalFlags) -> None:
        self._policy = flags.policy
        self.in_use = flags.in_use

    def policy_for(self, repository: str, tags: Callable[[], Mapping[str, str]]) -> Policy | None:  # noqa: ARG002 - it holds for all
        return self._policy


def policies_of(request: Request) -> Policies:
    """Read the policy file. Raises Mistakes."""
    return FlagPolicies(request.policy) if isinstance(request.policy, OriginalFlags) else load(request.policy)
