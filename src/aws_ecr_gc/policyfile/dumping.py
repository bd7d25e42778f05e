"""From a policy back to a file that means the same."""

import re
from collections.abc import Iterable
from typing import Any

import yaml

from aws_ecr_gc import durations
from aws_ecr_gc.discovery.settings import Kind, Kubernetes, Listing, Settings
from aws_ecr_gc.policy.rules import Guards, Keep, Match, Policy, Rule
from aws_ecr_gc.policyfile.yaml_text import NUMBER

_WIDTH = 110


class _Dumper(yaml.SafeDumper):
    """Writes in quotes what `yaml_text` would take for a number, and repeats what appears twice."""

    def ignore_aliases(self, _: object) -> bool:
        return True


_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(rf"(?:{NUMBER})$"), list("-+.0123456789"))


def dump(policy: Policy, repository: str | None, in_use: Settings | None = None) -> str:
    """A YAML policy file that, loaded again, gives an equal policy but for its name, and looks for the same uses.

    It is for the one repository, or for every one. The prefix of no letters comes back as the glob `*`, which means
    the same.
    """
    selector = {} if repository is None else {"repositories": {"include": [repository]}}
    protect: dict[str, Any] = {
        **_stated("tags", list(policy.protect_tags)),
        **_stated("digests", sorted(policy.protect_digests)),
        "grace": durations.spelled(policy.grace),
    }
    content = {
        **selector,
        "rules": [_rule(rule) for rule in policy.rules],
        "protect": protect,
        "action": policy.action.value,
        "signatures": policy.signatures.value,
        "guards": _guards(policy.guards),
    }
    return yaml.dump(
        {"version": 1, **({} if in_use is None else {"in_use": _in_use(in_use)}), "policies": [content]},
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=None,
        allow_unicode=True,
        width=_WIDTH,
    )


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "match": _match(rule.match) or {"any": True},
        "keep": _keep(rule.keep) or "none",
        **_stated("group_by", list(rule.group_by)),
    }


def _match(match: Match) -> dict[str, Any]:
    prefix, glob = match.prefix, match.glob
    if "" in prefix:  # every tag begins so: nothing is said but that there is one
        others = glob or match.regex or match.semver is not None
        prefix, glob = (), glob if others else ("*",)
    return {
        **_texts("prefix", prefix),
        **_texts("glob", glob),
        **_texts("regex", match.regex),
        **({} if match.semver is None else {"semver": match.semver}),
        **_stated("untagged", match.untagged),
        **_texts("media_type", match.media_type),
        **_texts("artifact_type", match.artifact_type),
        **_stated("except", None if match.excepted is None else _match(match.excepted)),
        **({} if match.archived_for is None else {"archived_for": durations.spelled(match.archived_for)}),
    }


def _keep(keep: Keep) -> dict[str, Any]:
    seconds = {"younger_than": keep.younger_than, "pulled_within": keep.pulled_within}
    return {
        **_stated("newest", keep.newest),
        **{name: durations.spelled(length) for name, length in seconds.items() if length is not None},
        **dict(keep.periods),
        **_stated("within", {name: durations.spelled(length) for name, length in keep.within}),
        **({} if keep.timezone == "UTC" else {"timezone": keep.timezone}),
        **dict(keep.versions),
    }


def _in_use(settings: Settings) -> dict[str, Any]:
    revisions = {"task_definition_revisions": settings.revisions} if settings.asks_aws else {}
    clusters = settings.kubernetes
    return {
        **_stated("sources", [*(["all"] if settings.every else []), *settings.sources]),
        **revisions,
        **_stated("accounts", list(settings.accounts)),
        **_stated("organization", settings.organization),
        **_stated("role", settings.role),
        **_stated("external_id", settings.external_id),
        **_stated("regions", list(settings.regions)),
        **_stated("kubernetes", None if clusters is None else _clusters(clusters)),
        **_stated("lists", [_listing(listing) for listing in settings.lists]),
    }


def _clusters(clusters: Kubernetes) -> dict[str, Any]:
    return {
        **_stated("contexts", list(clusters.contexts)),
        **_stated("kubeconfig", clusters.kubeconfig),
        **_stated("in_cluster", clusters.in_cluster),
    }


def _listing(listing: Listing) -> dict[str, Any]:
    if listing.kind is Kind.STDIN:
        return {"file": "-"}
    return {listing.kind.value: list(listing.words) if listing.kind is Kind.COMMAND else listing.words[0]}


def _guards(guards: Guards) -> dict[str, Any]:
    stated = {
        "max_delete": guards.max_delete,
        "max_share": None if guards.max_share is None else _share(guards.max_share),
        "keep_at_least": guards.keep_at_least,
        "keep_tagged": guards.keep_tagged,
        "canary": guards.canary,
        "max_failures": guards.max_failures,
    }
    return {name: value for name, value in stated.items() if value is not None}


def _stated(key: str, value: object) -> dict[str, Any]:
    """The key and its value, or nothing where the value is empty."""
    return {key: value} if value else {}


def _texts(key: str, texts: Iterable[str]) -> dict[str, Any]:
    listed = list(texts)
    return _stated(key, listed[0] if len(listed) == 1 else listed)


def _share(part: float) -> str:
    return f"{round(part * 100, 4):g}%"
