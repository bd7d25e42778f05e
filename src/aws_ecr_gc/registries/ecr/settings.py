"""What is set for a whole registry of ECR: whether deletions are replicated, and whose pulls move no pull time.

Neither call takes the id of a registry: ECR answers for the account of the credentials.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from aws_ecr_gc.aws.client import Client
from aws_ecr_gc.errors import AwsFailure, Unintelligible, one_line
from aws_ecr_gc.ports import CacheRule, CreationTemplate, DeleteReplication
from aws_ecr_gc.registries.ecr.listings import PAGE


class _Destination(Struct, rename="camel"):
    region: str
    registry_id: str


class _Filter(Struct, rename="camel"):
    filter: str
    filter_type: str


class _Switch(Struct):
    enabled: bool


class _Rule(Struct, rename="camel"):
    destinations: list[_Destination]
    repository_filters: list[_Filter] = []
    delete_replication: _Switch | None = None


class _Configuration(Struct):
    rules: list[_Rule] = []


def delete_replication(client: Client, registry_id: str | None) -> tuple[DeleteReplication, ...]:
    """The replication rules that replicate deletions; a botocore that does not know these yet drops them unseen.

    A filter of a kind that is not known here counts as one that takes every repository. Raises AwsFailure, and
    Misuse.
    """
    answer = client.call("DescribeRegistry", "registryId")
    if registry_id is not None and answer["registryId"] != registry_id:
        own = one_line(answer["registryId"])
        raise AwsFailure(f"DescribeRegistry: it tells of the credentials' account {own}, not of {registry_id}")
    try:
        configuration = msgspec.convert(answer.get("replicationConfiguration") or {}, _Configuration)
    except msgspec.ValidationError as error:
        raise Unintelligible(f"DescribeRegistry: replication that can't be understood: {one_line(error)}") from error
    return tuple(
        DeleteReplication(
            _prefixes(rule.repository_filters),
            tuple(f"{each.region} ({each.registry_id})" for each in rule.destinations),
        )
        for rule in configuration.rules
        if rule.delete_replication is not None and rule.delete_replication.enabled and rule.destinations
    )


def _prefixes(filters: list[_Filter]) -> tuple[str, ...]:
    if any(each.filter_type != "PREFIX_MATCH" for each in filters):
        return ()
    return tuple(each.filter for each in filters)


class _CacheRule(Struct, rename="camel"):
    ecr_repository_prefix: str
    upstream_registry_url: str
    upstream_repository_prefix: str = "ROOT"


class _Template(Struct, rename="camel"):
    prefix: str
    applied_for: list[str] = []
    lifecycle_policy: str | None = None


def caches(client: Client, address: Mapping[str, str]) -> list[CacheRule]:
    """The pull-through cache rules. Raises AwsFailure."""
    pages = client.pages("DescribePullThroughCacheRules", "pullThroughCacheRules", maxResults=PAGE, **address)
    try:
        rules = [msgspec.convert(row, _CacheRule) for page in pages for row in page]
    except msgspec.ValidationError as error:
        raise Unintelligible(f"DescribePullThroughCacheRules: what can't be understood: {one_line(error)}") from error
    return [CacheRule(each.ecr_repository_prefix, _upstream(each)) for each in rules]


def templates(client: Client, address: Mapping[str, str]) -> list[CreationTemplate]:
    """The creation templates of the credentials' own registry; none of another: the call takes no registry.

    Raises AwsFailure.
    """
    operation = "DescribeRepositoryCreationTemplates"
    pages = () if address else client.pages(operation, "repositoryCreationTemplates", maxResults=PAGE)
    try:
        made = [msgspec.convert(row, _Template) for page in pages for row in page]
    except msgspec.ValidationError as error:
        raise Unintelligible(f"{operation}: what can't be understood: {one_line(error)}") from error
    return [CreationTemplate(each.prefix, tuple(each.applied_for), bool(each.lifecycle_policy)) for each in made]


def _upstream(rule: _CacheRule) -> str:
    prefix = "" if rule.upstream_repository_prefix == "ROOT" else f"/{rule.upstream_repository_prefix}"
    return one_line(rule.upstream_registry_url + prefix)


def pull_time_exclusions(client: Client) -> list[str]:
    """The ARNs of the roles whose pulls move no pull time. Raises AwsFailure, and Misuse."""
    pages = client.pages("ListPullTimeUpdateExclusions", "pullTimeUpdateExclusions", maxResults=PAGE)
    return [str(arn) for page in pages for arn in page]
