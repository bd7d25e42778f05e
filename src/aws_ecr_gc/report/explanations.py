"""The explanation of one decision, as text and as JSON. `schemas/explanation.schema.json` is generated from here."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from aws_ecr_gc.plan import Action, Verdict
from aws_ecr_gc.policy.explaining import Explanation, Relative, RuleView
from aws_ecr_gc.reference import Repository
from aws_ecr_gc.report import document, text


class ExplanationDocument(Struct, forbid_unknown_fields=True):
    """The image, the decision and its reasons; every rule's vote; what it is related to.

    `action` is what is done to the image if it is collected; `loses` are the tags that are removed. `to_change` is what
    would turn the decision: any one of it for an image that goes. An image that stays goes only once all of it is so.
    Where tags are removed, it is what would keep those that go.
    """

    version: int
    tool: str
    repository: document.RepositoryPart
    policy: str
    image: document.ImagePart
    action: Action
    loses: tuple[str, ...]
    rules: tuple[RuleView, ...]
    relatives: tuple[Relative, ...]
    to_change: tuple[str, ...]


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return msgspec.json.schema(ExplanationDocument)


def part(
    repository: Repository, policy: str, explained: Explanation, turning: Sequence[str], tool: str
) -> ExplanationDocument:
    """The document."""
    return ExplanationDocument(
        version=1,
        tool=tool,
        repository=document.repository_part(repository),
        policy=policy,
        image=document.image_part(explained.decision, None),
        action=explained.action,
        loses=explained.loses,
        rules=explained.rules,
        relatives=explained.relatives,
        to_change=tuple(turning),
    )


_OUTCOMES = {
    Verdict.RETAINED: "stays",
    Verdict.HELD: "stays, for something that stays needs it",
    Verdict.COLLECTED: "goes",
}


def lines(subject: str, policy: str, explained: Explanation, turning: Sequence[str]) -> Iterator[str]:
    """The same for people."""
    decision = explained.decision
    image = decision.image
    yield f"{subject} {_outcome(explained)}"
    yield f"  {image.digest}"
    yield f"  pushed {text.moment(image.pushed_at)}, {_pulled(image.pulled_at)}"
    yield f"  {image.status}, {text.size(image.size)}"
    yield f"  tags: {', '.join(image.tags) or '(none)'}"
    yield f"  {image.media_type or 'no media type'}"
    yield f"Policy: {policy}"
    yield "Reasons"
    for reason in decision.reasons:
        yield f"  {text.reason(reason, whole=True)}"
    yield "Rules"
    for rule in explained.rules:
        yield from _rule(rule)
    if explained.relatives:
        yield "Related"
        for each in explained.relatives:
            stays = "goes" if each.verdict is Verdict.COLLECTED else "stays"
            yield f"  {each.relation}, which {stays}: {each.digest} [{', '.join(each.tags)}]"
    if turning:
        yield _heading(explained)
    for change in turning:
        yield f"  {change}"


def _outcome(explained: Explanation) -> str:
    if explained.loses:
        return f"stays, and loses {', '.join(explained.loses)}"
    if explained.decision.verdict is Verdict.COLLECTED and explained.action is Action.ARCHIVE:
        return "goes to the archive"
    return _OUTCOMES[explained.decision.verdict]


def _heading(explained: Explanation) -> str:
    if explained.loses:
        return "A tag that goes would stay if any of this were so"
    goes = explained.decision.verdict is Verdict.COLLECTED
    return "It would stay if any of this were so" if goes else "It can go only once all of this is so"


def _rule(rule: RuleView) -> Iterator[str]:
    yield f"  {rule.rule} (keep {rule.keep})"
    for tag in rule.tags:
        name = tag.tag or "the lack of a tag"
        yield f"    matches {name}" if tag.matched else f"    does not match {name}: {tag.detail}"
    for place in rule.places:
        of_tag = f"{place.tag}: " if place.tag else ""
        yield f"    {of_tag}{place.nth} of {place.of}{f' in {place.stream}' if place.stream else ''}"
        for each in place.statements:
            detail = f", {each.detail}" if each.detail else ""
            yield f"      {each.statement}: {'kept' if each.retains else 'not kept'}{detail}"
    if rule.aside is not None:
        yield f"    not counted: {rule.aside}"


def _pulled(at: float | None) -> str:
    return "no pull on record" if at is None else f"last pulled {text.moment(at)}"
