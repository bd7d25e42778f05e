"""From a lifecycle policy to its text, and whether two texts say the same."""

import json
from collections.abc import Iterator

from aws_ecr_gc.lifecycle.values import Action, CountType, LifecyclePolicy, Rule, Storage


def write(policy: LifecyclePolicy, *, indent: int | None = 2) -> str:
    """The text of a policy."""
    return json.dumps({"rules": list(map(_written, policy.rules))}, indent=indent)


def _written(rule: Rule) -> dict[str, object]:
    named = "tagPrefixList" if rule.are_prefixes else "tagPatternList"
    return {
        "rulePriority": rule.priority,
        **({} if rule.description is None else {"description": rule.description}),
        "selection": {
            "tagStatus": rule.tag_status.value,
            **({named: list(rule.entries)} if rule.entries else {}),
            **({"storageClass": rule.storage.value} if rule.storage is Storage.ARCHIVE else {}),
            "countType": rule.count_type.value,
            **({} if rule.count_type is CountType.MORE_THAN else {"countUnit": "days"}),
            "countNumber": rule.number,
        },
        "action": {
            "type": rule.action.value,
            **({"targetStorageClass": "archive"} if rule.action is Action.TRANSITION else {}),
        },
    }


def same(text: str, other: str) -> bool:
    """Whether two valid texts say the same, whatever the order of their rules and members."""
    return _normal(text) == _normal(other)


def _normal(text: str) -> object:
    content = json.loads(text)
    return sorted(content["rules"], key=lambda rule: rule["rulePriority"])


def pretty(text: str) -> Iterator[str]:
    """The lines of a text as `write` would lay it out; of one that is no policy, its own."""
    try:
        content = json.loads(text)
        content["rules"] = _normal(text)
    except (ValueError, KeyError, TypeError):
        yield from text.splitlines()
        return
    yield from json.dumps(content, indent=2).splitlines()
