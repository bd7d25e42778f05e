"""Going through repositories, one after the other, each under the policy that holds for it."""

from collections.abc import Iterator, Sequence
from functools import partial
from types import TracebackType
from typing import TypeGuard

from msgspec import Struct

from aws_ecr_gc import globs
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.policies import Policies
from aws_ecr_gc.app.sources import Source
from aws_ecr_gc.errors import AwsFailure, Error, Exit, Misuse
from aws_ecr_gc.policy import Policy
from aws_ecr_gc.report import plans
from aws_ecr_gc.targets import EXCLUDED


class Target(Struct, frozen=True):
    """A repository and the policy that holds for it."""

    name: str
    policy: Policy


class Sweep:
    """The repositories that a request is about, and what became of those without a plan."""

    def __init__(self, source: Source, patterns: Sequence[str], console: Console) -> None:
        self._source = source
        self._patterns = patterns
        self._console = console
        self.left_alone: list[str] = []
        self.unread: list[plans.Unread] = []
        self.listed = False

    def names(self) -> list[str]:
        """The names, sorted. One that is named without a glob is found missing when it is read: that saves a call.

        Raises Misuse for a pattern that fits none.
        """
        first = self._patterns[0] if len(self._patterns) == 1 else EXCLUDED
        if not first.startswith(EXCLUDED) and not globs.has_wildcard(first):
            return list(self._patterns)
        names = self._source.names(self._patterns)
        self.listed = True
        if not names:
            self._console.say("the registry has no repositories")
        return names

    def targets(self, policies: Policies) -> Iterator[Target]:
        """Every repository that a policy is for; the others are left alone."""
        for name in self.names():
            with self.reading(name):
                policy = policies.policy_for(name, partial(self._source.resource_tags, name))
                if policy is None:
                    if not self.listed:  # it will not be read either, and may be mistyped
                        self._source.names([name])
                    self.left_alone.append(name)
                else:
                    yield Target(name, policy)

    def reading(self, name: str) -> "_Reading":
        """A block in which what goes wrong concerns one repository, and keeps no other from its plan."""
        return _Reading(name, self)

    def concerns_one(self, error: BaseException | None) -> TypeGuard[Error]:
        """Whether this says nothing of the other repositories: what was listed may be gone when it is read."""
        if isinstance(error, Misuse):
            return self.listed and error.code == "RepositoryNotFoundException"
        return isinstance(error, AwsFailure)

    def has_failed(self, name: str, reason: str) -> None:
        """Say that a repository could not be read."""
        self._console.say(f"repository {name}: no plan: {reason}")
        self.unread.append(plans.Unread(name, reason))

    @property
    def exits(self) -> list[Exit]:
        """What could not be read shows in the exit code."""
        return [Exit.AWS] if self.unread else []


class _Reading:
    def __init__(self, name: str, sweep: Sweep) -> None:
        self._name = name
        self._sweep = sweep

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if not self._sweep.concerns_one(error):
            return False
        self._sweep.has_failed(self._name, str(error))
        return True
