"""Pull-through cache rules and repository creation templates. They are noted; nothing is made by them."""

from collections.abc import Mapping, Sequence

from aws_ecr_gc.sandbox.errors import ServiceError, invalid_parameter
from aws_ecr_gc.sandbox.world import Caller, Members

PAGE_SIZE = 100
RULES_MAX = 50


def create_pull_through_cache_rule(caller: Caller, request: Members) -> Members:
    """Note a rule; upstreams are not looked at."""
    rules = caller.world.cache_rules.setdefault((caller.account, caller.region), {})
    prefix = request["ecrRepositoryPrefix"]
    if prefix in rules:
        raise ServiceError(
            "PullThroughCacheRuleAlreadyExistsException", f"A rule for the prefix '{prefix}' exists already"
        )
    if len(rules) >= RULES_MAX:
        raise ServiceError("LimitExceededException", f"A registry has at most {RULES_MAX} rules")
    stated = ("ecrRepositoryPrefix", "upstreamRegistryUrl", "upstreamRegistry", "credentialArn", "customRoleArn")
    rules[prefix] = {
        **{name: request[name] for name in stated if name in request},
        "upstreamRepositoryPrefix": request.get("upstreamRepositoryPrefix", "ROOT"),
        "createdAt": caller.world.clock.now(),
        "registryId": caller.account,
    }
    return rules[prefix]


def describe_pull_through_cache_rules(caller: Caller, request: Members) -> Members:
    """The rules, all or those of some prefixes."""
    rules = caller.world.cache_rules.get((caller.account, caller.region), {})
    rows = _of_prefixes(rules, request.get("ecrRepositoryPrefixes"), "PullThroughCacheRuleNotFoundException")
    scope = ("DescribePullThroughCacheRules", caller.account, caller.region)
    page, following = caller.world.listings.page(scope, request, lambda: rows, PAGE_SIZE)
    return {"pullThroughCacheRules": page, **following}


def create_repository_creation_template(caller: Caller, request: Members) -> Members:
    """Note a template."""
    templates = caller.world.templates.setdefault((caller.account, caller.region), {})
    prefix = request["prefix"]
    if prefix in templates:
        raise ServiceError("TemplateAlreadyExistsException", f"A template for the prefix '{prefix}' exists already")
    applied = request["appliedFor"]
    if not applied:
        raise invalid_parameter("appliedFor", "Member must not be empty")
    templates[prefix] = {**request, "createdAt": caller.world.clock.now(), "updatedAt": caller.world.clock.now()}
    return {"registryId": caller.account, "repositoryCreationTemplate": templates[prefix]}


def describe_repository_creation_templates(caller: Caller, request: Members) -> Members:
    """The templates, all or those of some prefixes."""
    templates = caller.world.templates.get((caller.account, caller.region), {})
    rows = _of_prefixes(templates, request.get("prefixes"), "TemplateNotFoundException")
    scope = ("DescribeRepositoryCreationTemplates", caller.account, caller.region)
    page, following = caller.world.listings.page(scope, request, lambda: rows, PAGE_SIZE)
    return {"registryId": caller.account, "repositoryCreationTemplates": page, **following}


def _of_prefixes(kept: Mapping[str, Members], prefixes: Sequence[str] | None, missing: str) -> list[Members]:
    """What is kept under these prefixes, or all, sorted; `missing` is the error for a prefix that has nothing."""
    for prefix in prefixes or ():
        if prefix not in kept:
            raise ServiceError(missing, f"There is nothing for the prefix '{prefix}'")
    return [kept[prefix] for prefix in prefixes or sorted(kept)]
