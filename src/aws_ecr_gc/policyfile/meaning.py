"""What a document and its policies say and can't mean."""

from collections.abc import Iterator

from aws_ecr_gc.policy.rules import RESERVED_NAMES
from aws_ecr_gc.policyfile.mistakes import Mistake
from aws_ecr_gc.policyfile.nodes import quoted
from aws_ecr_gc.policyfile.reach import reach_mistakes
from aws_ecr_gc.policyfile.rule_meaning import TAG_LETTERS, duration_mistakes, glob_mistakes, rule_mistakes
from aws_ecr_gc.policyfile.spots import Spot

_NAME_LETTERS = "a-z0-9._/-"


def document_mistakes(document: Spot) -> Iterator[Mistake]:
    """All of one document's."""
    yield from document.reserved("in_use")
    yield from _protect_mistakes(document)
    policies = list(document.each("policies"))
    for policy in policies:
        yield from _policy_mistakes(policy)
    yield from reach_mistakes(policies)


def _policy_mistakes(policy: Spot) -> Iterator[Mistake]:
    yield from policy.reserved("in_use")
    yield from _protect_mistakes(policy)
    selector = policy.at("repositories")
    if selector is not None:
        yield from glob_mistakes(selector, "include", _NAME_LETTERS)
        yield from glob_mistakes(selector, "exclude", _NAME_LETTERS)
    action = policy.sound("action")
    if action is not None and action.text != "delete":
        reason = f"{action.text} is reserved for a later version; this one can't act on it"
        yield action.mistake(reason, "write action: delete, or leave it out")
    lines: dict[str, int] = {}
    for rule in policy.each("rules"):
        yield from rule_mistakes(rule)
        name = rule.sound("name")
        if name is None:
            continue
        if name.text in RESERVED_NAMES:
            yield name.mistake(f"{quoted(name.text)} is what a reason of another kind is called", "choose another name")
        if name.text in lines:
            reason = f"{quoted(name.text)} is the name of an earlier rule too, in line {lines[name.text]}"
            yield name.mistake(reason, "name each rule once")
        lines.setdefault(name.text, name.node.place.line)


def _protect_mistakes(spot: Spot) -> Iterator[Mistake]:
    protect = spot.at("protect")
    if protect is not None:
        yield from glob_mistakes(protect, "tags", TAG_LETTERS)
        yield from duration_mistakes(protect.sound("grace"), zero=None)
