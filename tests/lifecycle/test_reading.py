"""Everything that ECR would refuse is found at once, with its place; what it takes is read as it means it."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.lifecycle.changing import changes
from aws_ecr_gc.lifecycle.reading import parse, read
from aws_ecr_gc.lifecycle.writing import same, write
from aws_ecr_gc.sandbox.errors import ServiceError
from aws_ecr_gc.sandbox.lifecycle import normalised
from tests.lifecycle.cases import policies
from tests.lifecycle.worlds import policy_of, rule, text_of
from tests.sandbox.test_sandbox_lifecycle import INVALID

_NO_ALTERNATIVE = "instance failed to match exactly one schema (matched 0 out of 2)"


def messages(text: str) -> list[str]:
    return [finding.message for finding in read(text, "policy.json").errors]


@pytest.mark.parametrize(("policy", "message"), INVALID)
def test_what_the_stand_in_refuses_is_refused_here_with_the_same_reason(policy: Any, message: str) -> None:
    written = read(policy if isinstance(policy, str) else json.dumps(policy), "policy.json")
    assert written.policy is None
    said = [finding.message.lower() for finding in written.errors]
    assert any(message.lower() in each for each in said) or "wildcards" in message, said


def test_all_mistakes_come_at_once_in_the_order_of_their_places() -> None:
    text = """{"rules": [
  {"rulePriority": 0, "selection": {"tagStatus": "tagged", "countType": "imageCountMoreThan", "countNumber": 5,
    "countUnit": "days"}, "action": {"type": "expire"}},
  {"rulePriority": 2, "selection": {"tagStatus": "any", "countType": "sinceImagePulled", "countUnit": "days",
    "countNumber": 0}, "action": {"type": "expire", "targetStorageClass": null}, "x": 1}
]}"""
    found = [(each.line, each.path, each.from_aws) for each in read(text, "p.json").errors]
    assert found == [
        (2, "rules[0].rulePriority", True),
        (2, "rules[0].selection", True),
        (3, "rules[0].selection.countUnit", True),
        (5, "rules[1].selection.countNumber", True),
        (5, "rules[1].action.type", False),
        (5, "rules[1].action.targetStorageClass", True),
        (5, "rules[1].x", True),
    ]


def test_a_finding_is_one_line_of_place_message_and_mend() -> None:
    (finding,) = read(text_of(rule(1, "any", "pulled", 3, action={"type": "transition"})), "p.json").errors
    assert str(finding).startswith("p.json:1:")
    assert str(finding).endswith(
        f'rules[0].action: {_NO_ALTERNATIVE}; transition takes "targetStorageClass": "archive"'
    )


@given(policies())
def test_what_is_written_is_read_again_as_it_was_and_taken_by_the_stand_in(rules: list[dict[str, Any]]) -> None:
    policy = policy_of(*rules)
    text = write(policy)
    assert parse(text, "policy.json") == policy
    assert same(text, normalised(text))
    assert not changes({"app": normalised(text)}, text)


_VALUES: list[Any] = [
    None,
    0,
    -1,
    1,
    5,
    90,
    2.0,
    1.5,
    True,
    "",
    "days",
    "any",
    "tagged",
    "archive",
    "x",
    [],
    ["a*"],
    [1],
    {},
]


@given(policies(), st.data())
def test_reader_and_stand_in_agree_on_what_is_valid(rules: list[dict[str, Any]], data: st.DataObject) -> None:
    """One member of a valid policy is taken away, added or changed."""
    changed = copy.deepcopy({"rules": rules})
    place: Any = data.draw(st.sampled_from(changed["rules"]))
    place = data.draw(st.sampled_from([place, place["selection"], place["action"]]))
    key = data.draw(st.sampled_from([*place, "tagPatternList", "storageClass", "countUnit", "targetStorageClass", "y"]))
    if data.draw(st.booleans()):
        place.pop(key, None)
    else:
        place[key] = data.draw(st.sampled_from(_VALUES))
    text = json.dumps(changed) + " " * 100
    assert bool(messages(text)) == _is_refused(text)


def _is_refused(text: str) -> bool:
    try:
        normalised(text)
    except ServiceError:
        return True
    return False
