"""A registry of Amazon ECR: which repositories there are, their resource tags, and what is set for all of them."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import msgspec

from aws_ecr_gc.aws.client import Client
from aws_ecr_gc.aws.pacing import Pace
from aws_ecr_gc.errors import AwsFailure, Misuse, Unintelligible
from aws_ecr_gc.globs import has_wildcard
from aws_ecr_gc.ports import BATCH, CacheRule, CreationTemplate, DeleteReplication, chosen, remaining
from aws_ecr_gc.reference import Registry, Repository
from aws_ecr_gc.registries.ecr import settings
from aws_ecr_gc.registries.ecr.answers import decode_deletions, decode_manifests
from aws_ecr_gc.registries.ecr.lifecycles import EcrLifecycle
from aws_ecr_gc.registries.ecr.listings import decode_page, walk
from aws_ecr_gc.registries.ecr.repository import EcrRepository, repository_not_found
from aws_ecr_gc.registries.ecr.tags import PUTS
from aws_ecr_gc.targets import parted

_UNKNOWN = re.compile(r"repository with name '(?P<name>[^']+)'(?:.* registry with id '(?P<account>[0-9]{12})')?")
_IMPOSSIBLE = frozenset({"InvalidParameterException", "ParamValidationError"})
"""A name that ECR, or botocore before it, refuses to look up."""


class EcrRegistry:
    """One registry of ECR, on one client. Implements `ports.RegistryPort`.

    `registry_id` is the user's: without it ECR takes the account of the credentials, and no call names one. `once`
    makes a client without retries, where one is needed.
    """

    def __init__(self, client: Client, registry: Registry, registry_id: str | None, once: Callable[[], Client]) -> None:
        self._client = client
        self._once = cache(once)
        self._pace = Pace(PUTS)
        self._client.decode("DescribeImages", decode_page)
        self._client.decode("BatchGetImage", decode_manifests)
        self._client.decode("BatchDeleteImage", decode_deletions)
        self.registry = registry
        self._address = {} if registry_id is None else {"registryId": registry_id}
        self._arns: dict[str, str] = {}

    def close(self) -> None:
        """Give the connections back; a later call opens new ones."""
        self._client.close()

    def repository(self, name: str) -> EcrRepository:
        """The repository of this name, on the same client. Nothing is called yet."""
        return EcrRepository(self._client, Repository(self.registry, name), self._address, self._once, self._pace)

    def lifecycle(self, name: str) -> EcrLifecycle:
        """The lifecycle policy of the repository of this name, on the same client. Nothing is called yet."""
        return EcrLifecycle(self._client, Repository(self.registry, name), self._address)

    def names(self, patterns: Sequence[str]) -> list[str]:
        taking, _ = parted(patterns)
        if taking and not any(map(has_wildcard, taking)):
            return self._named(sorted(set(remaining(patterns))))
        found: list[str] = []
        for answer in walk("DescribeRepositories", self._describe):
            found += self._remembered(answer)
        return chosen(found, patterns, self._not_found)

    def _named(self, names: Sequence[str]) -> list[str]:
        """The same names, once ECR has confirmed that they all exist."""
        for start in range(0, len(names), BATCH):
            batch = names[start : start + BATCH]
            try:
                answered = self._remembered(self._describe(repositoryNames=batch))
            except AwsFailure as error:
                if error.code == "RepositoryNotFoundException":
                    raise self._unknown(error, batch) from error
                if error.code in _IMPOSSIBLE:
                    raise Misuse(f"{_some(batch)}: {error}; check --repo and --registry-id", error.code) from error
                raise
            unsaid = set(batch) - set(answered)
            if unsaid:
                raise Unintelligible(f"DescribeRepositories: nothing is said of {_some(sorted(unsaid))}")
        return list(names)

    def _unknown(self, error: AwsFailure, batch: Sequence[str]) -> Misuse:
        """ECR names the first of the batch that it does not know, and the account that it looked in."""
        named = _UNKNOWN.search(str(error))
        if named is None:
            name = batch[0] if len(batch) == 1 else f"one of {_some(batch)}"
            return repository_not_found(name, self.registry, error.code)
        self._learn(named["account"])
        return repository_not_found(named["name"], self.registry, error.code)

    def _not_found(self, pattern: str) -> Misuse:
        if not has_wildcard(pattern):
            return repository_not_found(pattern, self.registry, "RepositoryNotFoundException")
        account = f"account {self.registry.account}" if self.registry.account else "the credentials' account"
        return Misuse(
            f"no repository fits {pattern} in {self.registry.region}, {account}; "
            "check --repo, --region, --registry-id and the credentials"
        )

    def resource_tags(self, name: str) -> dict[str, str]:
        if name not in self._arns:
            self._named([name])
        try:
            answer = self._client.call("ListTagsForResource", "tags", resourceArn=self._arns[name])
        except AwsFailure as error:
            if error.code != "RepositoryNotFoundException":
                raise
            raise repository_not_found(name, self.registry, error.code) from error
        try:
            return {tag["Key"]: tag["Value"] for tag in answer["tags"]}
        except (KeyError, TypeError) as error:
            raise Unintelligible(f"ListTagsForResource: a tag of {name} that can't be understood: {error!r}") from error

    def delete_replication(self) -> Sequence[DeleteReplication]:
        return settings.delete_replication(self._client, self._address.get("registryId"))

    def caches(self) -> list[CacheRule]:
        return settings.caches(self._client, self._address)

    def templates(self) -> list[CreationTemplate]:
        return settings.templates(self._client, self._address)

    def pull_time_exclusions(self) -> list[str]:
        """The ARNs of the roles whose pulls move no pull time. Raises AwsFailure, and Misuse."""
        return settings.pull_time_exclusions(self._client)

    def _describe(self, **parameters: object) -> dict[str, Any]:
        return self._client.call("DescribeRepositories", "repositories", **self._address, **parameters)

    def _remembered(self, answer: dict[str, Any]) -> list[str]:
        """The names in an answer; ARNs and the account as ECR gives them are kept, never put together from parts."""
        names: list[str] = []
        for row in answer["repositories"]:
            try:
                name, self._arns[name], account = row["repositoryName"], row["repositoryArn"], row["registryId"]
            except (KeyError, TypeError) as error:
                raise Unintelligible(
                    f"DescribeRepositories: a repository that can't be understood: {error!r}"
                ) from error
            self._learn(account)
            names.append(name)
        return names

    def _learn(self, account: str | None) -> None:
        if self.registry.account is None and account is not None:
            self.registry = msgspec.structs.replace(self.registry, account=account)


def _some(names: Iterable[str]) -> str:
    first, *more = names
    return f"{first} and {len(more)} more" if more else first
