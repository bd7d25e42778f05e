"""Lifecycle policies: which are valid, and what is kept of them. Numbers are those of ECR's rules in the facts."""

import json
from typing import Any

import pytest

from .wire import refused

UNTAGGED = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1}
ANY = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}
TAGGED = {"tagStatus": "tagged", "countType": "imageCountMoreThan", "countNumber": 1}
PATTERNS = TAGGED | {"tagPatternList": ["v*"]}
PUSHED = {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 30}
PULLED = PUSHED | {"countType": "sinceImagePulled"}
ARCHIVED = PUSHED | {"countType": "sinceImageTransitioned", "storageClass": "archive", "countNumber": 90}
EXPIRE = {"type": "expire"}
TRANSITION = {"type": "transition", "targetStorageClass": "archive"}
NO_ALTERNATIVE = "instance failed to match exactly one schema (matched 0 out of 2)"


def _rule(selection: Any, action: Any = EXPIRE, priority: Any = 1) -> dict[str, Any]:
    return {"rulePriority": priority, "description": "x" * 100, "selection": selection, "action": action}


def _policy(*selections: dict[str, Any]) -> dict[str, Any]:
    return {"rules": [_rule(selection, EXPIRE, priority) for priority, selection in enumerate(selections, start=1)]}


def _without(mapping: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}


def _put(ecr: Any, policy: Any) -> None:
    text = policy if isinstance(policy, str) else json.dumps(policy)
    ecr.put_lifecycle_policy(repositoryName="app", lifecyclePolicyText=text)


@pytest.mark.parametrize(
    "policy",
    [
        _policy(UNTAGGED),
        _policy(PUSHED, ARCHIVED),
        _policy(PATTERNS, TAGGED | {"tagPrefixList": ["w"]}, UNTAGGED, ANY),
        _policy(TAGGED | {"tagPatternList": ["*test*1*2*3"]}),
        {"rules": [_rule(PULLED, TRANSITION)]},
        {"rules": [_rule(PUSHED | {"storageClass": "standard"}, TRANSITION)]},
    ],
)
def test_valid_policies_are_kept(ecr: Any, policy: dict[str, Any]) -> None:
    _put(ecr, policy)

    kept = ecr.get_lifecycle_policy(repositoryName="app")
    assert json.loads(kept["lifecyclePolicyText"]) == policy
    assert kept["lastEvaluatedAt"].timestamp() == 0


INVALID: list[Any] = [
    pytest.param('{"rules": []}', "length greater than or equal to 100", id="1-short"),
    pytest.param("x" * 100, "Could not map policyString into LifecyclePolicy.", id="2-no-json"),
    pytest.param(json.dumps(["x" * 100]), "Could not map policyString into LifecyclePolicy.", id="2-no-object"),
    pytest.param('{"rules": []}' + " " * 100, "between 1 and 50 rules", id="no-rules"),
    pytest.param("{" + " " * 100 + "}", 'missing required properties (["rules"])', id="3-no-rules-member"),
    pytest.param({"rules": "x" * 100}, "instance type (string)", id="3-rules-no-list"),
    pytest.param({"rules": [_without(_rule(ANY), "action")]}, '(["action"])', id="4-no-action"),
    pytest.param(_policy(_without(ANY, "countNumber")), '(["countNumber"])', id="4-no-count-number"),
    pytest.param({"rules": [_rule(ANY) | {"x": 1}]}, 'not allowed by the schema: (["x"])', id="5-rule"),
    pytest.param(_policy(ANY | {"x": 1}), 'not allowed by the schema: (["x"])', id="5-selection"),
    pytest.param(_policy(ANY | {"tagStatus": "some"}), 'value ("some") not found in enum', id="6-tag-status"),
    pytest.param({"rules": [_rule(ANY, {"type": "keep"})]}, 'value ("keep") not found in enum', id="6-action"),
    pytest.param(_policy(ANY | {"countNumber": 0}), "minimum: 1, found: 0", id="7-count-number"),
    pytest.param({"rules": [_rule(ANY, priority=0)]}, "minimum: 1, found: 0", id="7-priority"),
    pytest.param({"rules": [_rule(ANY, priority=True)]}, "instance type (boolean)", id="7-priority-true"),
    pytest.param(_policy(ANY | {"countType": "x"}), NO_ALTERNATIVE, id="8-count-type"),
    pytest.param({"rules": [_rule(ANY, EXPIRE | {"targetStorageClass": None})]}, NO_ALTERNATIVE, id="8-null"),
    pytest.param({"rules": [_rule(UNTAGGED), _rule(ANY)]}, "priorities must be unique", id="9-same-priority"),
    pytest.param(_policy(ANY, UNTAGGED), "tagStatus=ANY must have the lowest priority per storage class", id="10"),
    pytest.param(_policy(UNTAGGED, UNTAGGED), "Only one rule can select Untagged images per storage class.", id="11"),
    pytest.param(_policy(TAGGED), "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.", id="12"),
    pytest.param(_policy(TAGGED | {"tagPrefixList": []}), "Must specify tagPrefixList", id="12-empty"),
    pytest.param(_policy(ANY | {"tagPrefixList": []}), "Must not specify tagPrefixList", id="13-empty"),
    pytest.param(_policy(PATTERNS | {"tagPrefixList": ["v"]}), "Must not specify both", id="14-both"),
    pytest.param(_policy(TAGGED | {"tagPatternList": ["*a*b*c*d*"]}), "at most 4 wildcards", id="15-wildcards"),
    pytest.param(_policy(TAGGED | {"tagPatternList": [7]}), "instance type (integer)", id="15-no-string"),
    pytest.param(_policy(PATTERNS, PATTERNS), "distinct lists of tags", id="16-same-list"),
    pytest.param(_policy(ANY | {"countUnit": "days"}), NO_ALTERNATIVE, id="17-unit-with-count"),
    pytest.param(_policy(_without(PUSHED, "countUnit")), NO_ALTERNATIVE, id="17-no-unit"),
    pytest.param(_policy(PUSHED | {"countUnit": "hours"}), "not found in enum", id="17-hours"),
    pytest.param(_policy(PUSHED | {"storageClass": "archive"}), "storageClass must be standard", id="18-archive"),
    pytest.param(_policy(_without(ARCHIVED, "storageClass")), "storageClass must be archive", id="18-none"),
    pytest.param(_policy(PULLED), "only be used with the transition action", id="19-pulled-expire"),
    pytest.param(_policy(ARCHIVED | {"countNumber": 89}), "minimum: 90, found: 89", id="20-days"),
    pytest.param({"rules": [_rule(ARCHIVED, TRANSITION)]}, "only be used with the expire action", id="20-action"),
    pytest.param({"rules": [_rule(ANY, {"type": "transition"})]}, NO_ALTERNATIVE, id="21-no-target"),
    pytest.param({"rules": [_rule(ANY, TRANSITION | {"type": "expire"})]}, NO_ALTERNATIVE, id="21-target"),
    pytest.param(_policy(*[UNTAGGED] * 51), "between 1 and 50 rules", id="22-rules"),
]
"""Policies that are refused, and a part of the reason."""


@pytest.mark.parametrize(("policy", "message"), INVALID)
def test_invalid_policies_are_refused_with_the_reason(ecr: Any, policy: Any, message: str) -> None:
    with refused("InvalidParameterException", message):
        _put(ecr, policy)
    with refused("LifecyclePolicyNotFoundException", "Lifecycle policy does not exist"):
        ecr.get_lifecycle_policy(repositoryName="app")


def test_rules_come_back_in_the_order_of_their_priority(ecr: Any) -> None:
    _put(ecr, {"rules": [_rule(ANY, priority=9), _rule(UNTAGGED, priority=3)]})

    kept = json.loads(ecr.get_lifecycle_policy(repositoryName="app")["lifecyclePolicyText"])
    assert [rule["rulePriority"] for rule in kept["rules"]] == [3, 9]


def test_a_deleted_policy_is_gone(ecr: Any) -> None:
    _put(ecr, _policy(ANY))

    deleted = ecr.delete_lifecycle_policy(repositoryName="app")
    assert json.loads(deleted["lifecyclePolicyText"]) == _policy(ANY)
    with refused("LifecyclePolicyNotFoundException"):
        ecr.delete_lifecycle_policy(repositoryName="app")
