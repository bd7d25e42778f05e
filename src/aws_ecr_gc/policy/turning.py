"""What would have to change for the other outcome of a decision."""

from collections.abc import Iterator, Sequence

from aws_ecr_gc import globs
from aws_ecr_gc.inventory import Image
from aws_ecr_gc.plan import Action, Decision, Verdict
from aws_ecr_gc.policy.explaining import Explanation, PlaceView, RuleView, moment
from aws_ecr_gc.policy.rules import Policy

_OWN = {
    "unmatched-tag": "a rule matches {unmatched}, or {these} taken off it",
    "followed": "{via} is no longer protected, young, or unmanaged",
    "in-use": "no workload uses it any more",
    "needed-in-use": "{via} is no longer in use",
    "protected-tag": "protect no longer names {protected}",
    "protected-digest": "protect no longer names its digest",
    "grace": "it is older than the grace, from {until} on",
    "no-untagged-rule": "a rule matches untagged images",
    "archived": "it is restored from the archive",
    "activating": "it is active again",
    "unread-archived-index": "the archived index is restored, or goes",
    "unknown-media-type": "a version of aws-ecr-gc knows its media type",
    "referred-to": "{via} is deleted from the archive with it",
    "last-tag": "it gets another tag",
    "no-tag": "it gets a tag",
    "circle": "one of the images that wait for one another is deleted by hand",
}
"""By the reasons that are no rule's of the policy."""

_HOLDERS = {"an index that lists it", "its subject"}
_NAMED = 5


def changes(explained: Explanation, policy: Policy) -> Iterator[str]:
    """What would turn the decision: any one of these for what goes. What stays goes only once all of these are so.

    Where tags are removed: what would keep those that go.
    """
    decision = explained.decision
    if explained.action is Action.UNTAG:
        yield from _to_keep_tags(explained)
        return
    if decision.verdict is Verdict.COLLECTED:
        yield from _to_retain(decision, explained.rules)
        return
    for name, via in {reason.rule: reason.via for reason in decision.reasons}.items():
        if name in _OWN:
            yield _OWN[name].format(via=via, **_named(decision.image, explained.rules, policy))
        elif decision.verdict is Verdict.RETAINED:
            yield _to_lose_place(name, explained.rules)
    for each in explained.relatives:
        if each.relation in _HOLDERS and each.verdict is not Verdict.COLLECTED:
            yield f"{each.digest} goes"
    if decision.reasons[0].rule == "child-of-index" and _is_matched_by_tag(explained.rules):
        yield "no rule keeps it by its own tags, which count then"


def _to_keep_tags(explained: Explanation) -> Iterator[str]:
    """What would keep the tags that go; where none goes, nothing."""
    for rule in explained.rules:
        for place in rule.places:
            if place.tag in explained.loses:
                turns = [each.turns for each in place.statements if each.turns]
                turns = turns or [f"newest {place.place} or more{_in(place)}"]
                yield from (f"{place.tag}: rule {rule.rule} keeps {each}" for each in turns)
    yield from (f"{tag}: it is protected, or no rule matches it" for tag in explained.loses)


def _named(image: Image, rules: Sequence[RuleView], policy: Policy) -> dict[str, str]:
    matched = {each.tag for rule in rules for each in rule.tags if each.matched}
    settled = matched | {each.tag for rule in rules for each in rule.tags if each.follows is not None}
    unmatched = [tag for tag in image.tags if tag not in settled]
    protected = list(filter(globs.matcher(policy.protect_tags), image.tags))
    until = moment(image.pushed_at + policy.grace)
    these = "that tag is" if len(unmatched) == 1 else "those tags are"
    return {"unmatched": _listed(unmatched), "these": these, "protected": _listed(protected), "until": until}


def _listed(tags: Sequence[str]) -> str:
    more = f" and {len(tags) - _NAMED} more" if len(tags) > _NAMED else ""
    return ", ".join(tags[:_NAMED]) + more


def _is_matched_by_tag(rules: Sequence[RuleView]) -> bool:
    return any(each.matched and each.tag is not None for rule in rules for each in rule.tags)


def _to_retain(decision: Decision, rules: Sequence[RuleView]) -> Iterator[str]:
    for reason in decision.reasons:
        if reason.rule in {"goes-with-index", "goes-with-subject"}:
            yield f"{reason.via} stays"
    for rule in rules:
        for place in rule.places:
            turns = [each.turns for each in place.statements if each.turns and not each.retains]
            turns = turns or [f"newest {place.place} or more{_in(place)}"]
            yield from (f"rule {rule.rule} keeps {each}" for each in turns)
    yield "it gets a tag that no rule matches, or its tag or digest is protected"


def _to_lose_place(name: str, rules: Sequence[RuleView]) -> str:
    turns = [
        each.turns
        for rule in rules
        if rule.rule == name
        for place in rule.places
        for each in place.statements
        if each.retains
    ]
    return f"rule {name}: {', and '.join(dict.fromkeys(turns))}"


def _in(place: PlaceView) -> str:
    return f" in {place.stream}" if place.stream else ""
