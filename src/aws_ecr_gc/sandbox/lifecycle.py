"""What makes a lifecycle policy valid.

Source: the ECR user guide, "Lifecycle policy parameters". Messages are ECR's own where they are known.
"""

import json
from collections import Counter
from typing import Any

from aws_ecr_gc.sandbox.errors import ServiceError, invalid_parameter

RULES_MAX = 50
WILDCARDS_MAX = 4
ARCHIVED_DAYS_MIN = 90

COUNT_TYPES = ("imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned")
TAG_STATUSES = ("tagged", "untagged", "any")
STORAGE_CLASSES = ("standard", "archive")
TAG_LISTS = ("tagPatternList", "tagPrefixList")

_NO_ALTERNATIVE = "instance failed to match exactly one schema (matched 0 out of 2)"
_JSON_NAMES = {str: "string", int: "integer", dict: "object", list: "array", bool: "boolean", float: "number"}

Object = dict[str, Any]
Members = dict[str, type]

_POLICY: Members = {"rules": list}
_RULE: Members = {"rulePriority": int, "selection": dict, "action": dict}
_RULE_OPTIONAL: Members = {"description": str}
_SELECTION: Members = {"tagStatus": str, "countType": str, "countNumber": int}
_SELECTION_OPTIONAL: Members = {"tagPatternList": list, "tagPrefixList": list, "storageClass": str, "countUnit": str}
_ACTION: Members = {"type": str}
_ACTION_OPTIONAL: Members = {"targetStorageClass": str}


def normalised(text: str) -> str:
    """The text as ECR keeps it: rules in the order of their priority. Raises InvalidParameterException."""
    try:
        policy = json.loads(text)
    except ValueError as error:
        raise _invalid("Could not map policyString into LifecyclePolicy.") from error
    if not isinstance(policy, dict):
        raise _invalid("Could not map policyString into LifecyclePolicy.")
    _demand_members(policy, _POLICY, {})
    if not 1 <= len(policy["rules"]) <= RULES_MAX:
        raise _invalid(f"A policy has between 1 and {RULES_MAX} rules.")
    for rule in policy["rules"]:
        _demand_valid_rule(rule)
    rules = sorted(policy["rules"], key=_priority)
    _demand_distinct(rules)
    return json.dumps({"rules": rules}, separators=(",", ":"))


def _invalid(message: str) -> ServiceError:
    return invalid_parameter("LifecyclePolicyText", f"Lifecycle policy validation failure: {message}")


def _priority(rule: Object) -> int:
    priority: int = rule["rulePriority"]
    return priority


def _demand_members(value: Any, required: Members, optional: Members) -> None:
    _demand_type(value, dict)
    members = required | optional
    unknown = sorted(name for name in value if name not in members)
    if unknown:
        message = "object instance has properties which are not allowed by the schema"
        raise _invalid(f"{message}: ({json.dumps(unknown)})")
    missing = sorted(name for name in required if name not in value)
    if missing:
        raise _invalid(f"object has missing required properties ({json.dumps(missing)})")
    if None in value.values():
        raise _invalid(_NO_ALTERNATIVE)
    for name, member in value.items():
        _demand_type(member, members[name])


def _demand_type(value: Any, wanted: type) -> None:
    # JSON's true is no number, though Python's is.
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        found = _JSON_NAMES.get(type(value), "null")
        message = f"instance type ({found}) does not match any allowed primitive type"
        raise _invalid(f'{message} (allowed: ["{_JSON_NAMES[wanted]}"])')


def _demand_one_of(value: str, possible: tuple[str, ...]) -> None:
    if value not in possible:
        raise _invalid(
            f"instance value ({json.dumps(value)}) not found in enum (possible values: {json.dumps(possible)})"
        )


def _demand_at_least(value: int, minimum: int) -> None:
    if value < minimum:
        message = f"numeric instance is lower than the required minimum (minimum: {minimum}, found: {value})"
        raise _invalid(message)


def _demand_valid_rule(rule: Any) -> None:
    _demand_members(rule, _RULE, _RULE_OPTIONAL)
    _demand_at_least(rule["rulePriority"], 1)
    selection, action = rule["selection"], rule["action"]
    _demand_members(selection, _SELECTION, _SELECTION_OPTIONAL)
    _demand_members(action, _ACTION, _ACTION_OPTIONAL)
    _demand_valid_count(selection)
    _demand_valid_tags(selection)
    _demand_valid_action(selection, action)


def _demand_valid_count(selection: Object) -> None:
    count_type = selection["countType"]
    is_count = count_type == "imageCountMoreThan"
    if count_type not in COUNT_TYPES or is_count == ("countUnit" in selection):
        raise _invalid(_NO_ALTERNATIVE)
    _demand_one_of(selection.get("countUnit", "days"), ("days",))
    _demand_at_least(selection["countNumber"], 1)
    storage_class = selection.get("storageClass")
    _demand_one_of(storage_class or "standard", STORAGE_CLASSES)
    if count_type != "sinceImageTransitioned":
        if storage_class == "archive":
            raise _invalid(f"storageClass must be standard when countType={count_type}.")
        return
    if storage_class != "archive":
        raise _invalid("storageClass must be archive when countType=sinceImageTransitioned.")
    _demand_at_least(selection["countNumber"], ARCHIVED_DAYS_MIN)


def _demand_valid_tags(selection: Object) -> None:
    _demand_one_of(selection["tagStatus"], TAG_STATUSES)
    lists = [name for name in TAG_LISTS if name in selection]
    if selection["tagStatus"] != "tagged":
        if lists:
            raise _invalid(f"Must not specify {lists[0]} when tagStatus={selection['tagStatus'].upper()}.")
        return
    if not any(selection.get(name) for name in lists):
        raise _invalid("Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.")
    if len(lists) > 1:
        raise _invalid("Must not specify both tagPrefixList and tagPatternList.")
    for entry in selection[lists[0]]:
        _demand_type(entry, str)
        if lists[0] == "tagPatternList" and entry.count("*") > WILDCARDS_MAX:
            raise _invalid(f"A tag pattern has at most {WILDCARDS_MAX} wildcards: {entry}")


def _demand_valid_action(selection: Object, action: Object) -> None:
    _demand_one_of(action["type"], ("expire", "transition"))
    is_transition = action["type"] == "transition"
    if is_transition != ("targetStorageClass" in action):
        raise _invalid(_NO_ALTERNATIVE)
    _demand_one_of(action.get("targetStorageClass", "archive"), ("archive",))
    if selection["countType"] == "sinceImagePulled" and not is_transition:
        raise _invalid("countType=sinceImagePulled can only be used with the transition action.")
    if selection["countType"] == "sinceImageTransitioned" and is_transition:
        raise _invalid("countType=sinceImageTransitioned can only be used with the expire action.")


def _demand_distinct(rules: list[Object]) -> None:
    """The rules among each other; they come in the order of their priority."""
    if any(count > 1 for count in Counter(map(_priority, rules)).values()):
        raise _invalid("Rule priorities must be unique.")
    for storage_class in STORAGE_CLASSES:
        selections = [
            rule["selection"] for rule in rules if rule["selection"].get("storageClass", "standard") == storage_class
        ]
        statuses = [selection["tagStatus"] for selection in selections]
        if "any" in statuses[:-1]:
            raise _invalid("Rule for tagStatus=ANY must have the lowest priority per storage class")
        if statuses.count("untagged") > 1:
            raise _invalid("Only one rule can select Untagged images per storage class.")
        tag_lists = Counter(
            (name, tuple(sorted(each[name]))) for each in selections for name in TAG_LISTS if name in each
        )
        if any(count > 1 for count in tag_lists.values()):
            raise _invalid("Rules of one storage class must have distinct lists of tags.")
