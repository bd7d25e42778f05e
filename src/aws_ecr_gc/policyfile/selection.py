"""Which repositories a policy is for."""

from collections.abc import Callable, Mapping

from aws_ecr_gc import globs
from aws_ecr_gc.policyfile.shape import RepositoriesPart
from aws_ecr_gc.policyfile.values import stated, texts

Tags = Callable[[], Mapping[str, str]]
"""The AWS resource tags of a repository, read when they are asked for."""


class Selector:
    """The globs of one policy, ready to match."""

    def __init__(self, part: RepositoriesPart) -> None:
        self._include = globs.matcher(texts(part.include) or ("*",))
        self._exclude = globs.matcher(texts(part.exclude))
        self._tags = {key: globs.matcher((glob,)) for key, glob in stated(part.resource_tags, {}).items()}

    @property
    def needs_tags(self) -> bool:
        """Whether resource tags decide."""
        return bool(self._tags)

    def takes(self, repository: str) -> bool:
        """Whether the policy is for the repository, as far as its name tells."""
        return bool(self._include(repository)) and not self._exclude(repository)

    def takes_tagged(self, repository: str, tags: Tags) -> bool:
        """Whether the policy is for the repository; `tags` is called only if they decide."""
        if not self.takes(repository):
            return False
        if not self._tags:
            return True
        found = tags()
        return all(key in found and matches(found[key]) for key, matches in self._tags.items())
