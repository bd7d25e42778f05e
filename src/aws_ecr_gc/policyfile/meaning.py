"""What a document and its policies say and can't mean."""

from collections.abc import Iterator

from aws_ecr_gc import globs
from aws_ecr_gc.policy.rules import RESERVED_NAMES
from aws_ecr_gc.policyfile.mistakes import Mistake
from aws_ecr_gc.policyfile.nodes import quoted
from aws_ecr_gc.policyfile.reach import reach_mistakes
from aws_ecr_gc.policyfile.rule_meaning import TAG_LETTERS, duration_mistakes, glob_mistakes, rule_mistakes
from aws_ecr_gc.policyfile.spots import Spot
from aws_ecr_gc.targets import ALL_REGIONS, EXCLUDED, region_mistake, tags_mistake

_NAME_LETTERS = "a-z0-9._/-"


def document_mistakes(document: Spot) -> Iterator[Mistake]:
    """All of one document's."""
    yield from _in_use_mistakes(document)
    yield from _targets_mistakes(document)
    yield from _protect_mistakes(document)
    policies = list(document.each("policies"))
    for policy in policies:
        yield from _policy_mistakes(policy)
    yield from reach_mistakes(policies)


def _policy_mistakes(policy: Spot) -> Iterator[Mistake]:
    if policy.at("in_use") is not None:
        reason = "holds for the repositories of every policy, so it stands at the top of the file"
        yield policy.mistake_of("in_use", reason, "move it there")
    yield from _protect_mistakes(policy)
    selector = policy.at("repositories")
    if selector is not None:
        yield from glob_mistakes(selector, "include", _NAME_LETTERS)
        yield from glob_mistakes(selector, "exclude", _NAME_LETTERS)
    action = policy.sound("action")
    untags = action is not None and action.text == "untag"
    lines: dict[str, int] = {}
    for rule in policy.each("rules"):
        yield from rule_mistakes(rule, untags=untags)
        name = rule.sound("name")
        if name is None:
            continue
        if name.text in RESERVED_NAMES:
            yield name.mistake(f"{quoted(name.text)} is what a reason of another kind is called", "choose another name")
        if name.text in lines:
            reason = f"{quoted(name.text)} is the name of an earlier rule too, in line {lines[name.text]}"
            yield name.mistake(reason, "name each rule once")
        lines.setdefault(name.text, name.node.place.line)


def _in_use_mistakes(document: Spot) -> Iterator[Mistake]:
    in_use = document.at("in_use")
    if in_use is None or not in_use.is_sound or in_use.node.members is None:
        return
    for each in in_use.each("lists"):
        if each.is_sound and len(each.keys) != 1:
            yield each.mistake("must have one of file, url and command", "write file: images.txt")
    clusters = in_use.sound("kubernetes")
    if clusters is not None and not (clusters.at("contexts") or _is_true(clusters.at("in_cluster"))):
        yield clusters.mistake("names no cluster", "write contexts: [NAME], or in_cluster: true")
    yield from _region_mistakes(in_use)
    if document.at("extends") is not None:
        return  # what is missing here may stand there: `loading` looks at both together
    if not {"sources", "kubernetes", "lists"} & set(in_use.keys):
        yield in_use.mistake("names nothing to look into", "write sources: [ecs, lambda], kubernetes: or lists:")
        return
    elsewhere = in_use.at("accounts") or (in_use.at("organization") if _is_true(in_use.at("organization")) else None)
    if elsewhere is not None and in_use.at("role") is None:
        yield elsewhere.mistake(
            "other accounts are entered with a role, and none is named", "write role: NAME beside it"
        )
    for key in ("accounts", "organization", "regions", "task_definition_revisions"):
        if key in in_use.keys and "sources" not in in_use.keys:
            reason = "says how AWS's services are looked into, and none is named"
            yield in_use.mistake_of(key, reason, "write sources: [ecs, lambda]")


def _targets_mistakes(document: Spot) -> Iterator[Mistake]:
    targets = document.sound("targets")
    if targets is None or targets.node.members is None:
        return
    yield from _region_mistakes(targets)
    for each in targets.texts("repositories"):
        if each.text == EXCLUDED:
            yield each.mistake("takes nothing out", "write a glob behind the !")
        try:
            globs.check(each.text.removeprefix(EXCLUDED), _NAME_LETTERS)
        except ValueError as error:
            reason, _, mend = str(error).partition("; ")
            yield each.mistake(reason, mend)
    tags = targets.sound("session_tags")
    if tags is not None and (mistake := tags_mistake(tags.keys)) is not None:
        yield tags.mistake(mistake, "leave it out, or choose another key")
    if targets.at("accounts") is not None and _is_true(targets.at("organization")):
        yield targets.mistake_of("organization", "means all accounts, and accounts names some", "leave one of them out")
    if document.at("extends") is not None:
        return  # as above
    organization = targets.at("organization") if _is_true(targets.at("organization")) else None
    elsewhere = targets.at("accounts") or organization
    if elsewhere is not None and targets.at("role") is None:
        yield elsewhere.mistake(
            "other accounts are entered with a role, and none is named", "write role: NAME beside it"
        )
    for key, needed in (("units", organization), ("account_tags", organization)):
        if key in targets.keys and needed is None:
            yield targets.mistake_of(
                key, "chooses among the accounts of an organization", "write organization: true beside it"
            )
    for key in ("external_id", "session_tags"):
        if key in targets.keys and targets.at("role") is None:
            yield targets.mistake_of(key, "goes with a role, and none is named", "write role: NAME beside it")


def _region_mistakes(part: Spot) -> Iterator[Mistake]:
    for each in part.texts("regions"):
        mistake = None if each.text == ALL_REGIONS else region_mistake(each.text)
        if mistake is not None:
            yield each.mistake(f"{quoted(each.text)} {mistake[0]}", mistake[1])


def _is_true(spot: Spot | None) -> bool:
    return spot is not None and spot.node.scalar is True


def _protect_mistakes(spot: Spot) -> Iterator[Mistake]:
    protect = spot.at("protect")
    if protect is not None:
        yield from glob_mistakes(protect, "tags", TAG_LETTERS)
        yield from duration_mistakes(protect.sound("grace"), zero=None)
