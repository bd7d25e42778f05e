"""What would have to change for the other outcome of a decision."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from aws_ecr_gc import globs
from aws_ecr_gc.inventory import Image
from aws_ecr_gc.plan import Decision, Verdict
from aws_ecr_gc.policy.explaining import Explanation, PlaceView, RuleView
from aws_ecr_gc.policy.matching import signed_by
from aws_ecr_gc.policy.rules import Keep, Policy, Signatures

_OWN = {
    "unmatched-tag": "a rule matches {unmatched}, or {these} taken off it",
    "followed": "{via} is no longer protected, young, or unmanaged",
    "protected-tag": "protect no longer names {protected}",
    "protected-digest": "protect no longer names its digest",
    "grace": "it is older than the grace, from {until} on",
    "no-untagged-rule": "a rule matches untagged images",
    "archived": "it is restored from the archive",
    "activating": "it is active again",
    "unread-archived-index": "the archived index is restored, or goes",
    "unknown-media-type": "a version of aws-ecr-gc knows its media type",
    "circle": "one of the images that wait for one another is deleted by hand",
}
"""By the reasons that are no rule's of the policy."""

_HOLDERS = {"an index that lists it", "its subject"}
_NAMED = 5


def changes(explained: Explanation, policy: Policy) -> Iterator[str]:
    """What would turn the decision: any one of these for what goes. What stays goes only once all of these are so."""
    decision = explained.decision
    if decision.verdict is Verdict.COLLECTED:
        yield from _to_retain(decision, explained.rules)
        return
    for name, via in {reason.rule: reason.via for reason in decision.reasons}.items():
        if name in _OWN:
            yield _OWN[name].format(via=via, **_named(decision.image, explained.rules, policy))
        elif decision.verdict is Verdict.RETAINED:
            yield _to_lose_place(name, explained.rules, decision, policy)
    for each in explained.relatives:
        if each.relation in _HOLDERS and each.verdict is not Verdict.COLLECTED:
            yield f"{each.digest} goes"
    if decision.reasons[0].rule == "child-of-index" and _is_matched_by_tag(explained.rules):
        yield "no rule keeps it by its own tags, which count then"


def _named(image: Image, rules: Sequence[RuleView], policy: Policy) -> dict[str, str]:
    matched = {each.tag for rule in rules for each in rule.tags if each.matched}
    follows = policy.signatures is Signatures.FOLLOW
    unmatched = [tag for tag in image.tags if tag not in matched and not (follows and signed_by(tag, image))]
    protected = list(filter(globs.matcher(policy.protect_tags), image.tags))
    until = _moment(image.pushed_at + policy.grace)
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
            yield f"rule {rule.rule} keeps newest {place.place} or more{_in(place)}"
    yield "it gets a tag that no rule matches, or its tag or digest is protected"


def _to_lose_place(name: str, rules: Sequence[RuleView], decision: Decision, policy: Policy) -> str:
    image = decision.image
    keep = next(rule.keep for rule in policy.rules if rule.name == name)
    held_by = [
        _to_lose_statement(each.statement, place, image, keep)
        for rule in rules
        if rule.rule == name
        for place in rule.places
        for each in place.statements
        if each.retains
    ]
    return f"rule {name}: {', and '.join(dict.fromkeys(held_by))}"


def _to_lose_statement(statement: str, place: PlaceView, image: Image, keep: Keep) -> str:
    if statement.startswith("newest"):
        newer = keep.newest - place.place + 1
        return f"{newer} newer images come{_in(place)}" if newer > 1 else f"a newer image comes{_in(place)}"
    if keep.younger_than is not None and statement.startswith("younger_than"):
        return f"it is not younger than that from {_moment(image.pushed_at + keep.younger_than)} on"
    if keep.pulled_within is not None and statement.startswith("pulled_within"):
        last = image.pushed_at if image.pulled_at is None else image.pulled_at
        return f"it is not pulled until {_moment(last + keep.pulled_within)}"
    if any(statement.startswith(name) for name, _ in keep.versions):
        return f"higher versions take its place in {statement}{_in(place)}"
    return f"newer images take its place in {statement}{_in(place)}"


def _in(place: PlaceView) -> str:
    return f" in {place.stream}" if place.stream else ""


def _moment(epoch: float) -> str:
    try:
        return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):  # `younger_than: 999999w` is a way to say for ever
        return "the year 10000"
