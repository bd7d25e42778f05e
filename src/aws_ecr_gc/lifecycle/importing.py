"""From a lifecycle policy of ECR to one of ours: the same intent, and every difference.

Where ours can't say what a rule of ECR selects, that is protected, so that no other rule takes it.
"""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from aws_ecr_gc.lifecycle.patterns import can_match, meet, reduced
from aws_ecr_gc.lifecycle.translating import EVERYTHING, Difference
from aws_ecr_gc.lifecycle.values import DAY, Action, CountType, LifecyclePolicy, Rule, Storage, TagStatus
from aws_ecr_gc.plan import Action as OurAction
from aws_ecr_gc.policy.rules import Keep, Match, Policy, Signatures
from aws_ecr_gc.policy.rules import Rule as OurRule


class Import(Struct, frozen=True):
    """A policy of ours, or None where nothing of the original can be said; and how it differs."""

    policy: Policy | None
    differences: tuple[Difference, ...]


def import_(policy: LifecyclePolicy) -> Import:
    """Our policy for one of ECR's. Ours has one action: where that expires anything that was not archived, what it
    archives besides is left out, and told.
    """
    return _Importer(policy).made()


class _Importer:
    def __init__(self, policy: LifecyclePolicy) -> None:
        self._rules = policy.rules
        actions = {rule.action for rule in policy.rules if rule.storage is Storage.STANDARD}
        self._action = Action.TRANSITION if actions == {Action.TRANSITION} else Action.EXPIRE
        self._differences: list[Difference] = []
        self._made: list[OurRule] = []
        self._protected: list[str] = []
        self._untagged_is_taken = False

    def made(self) -> Import:
        for rule in self._rules:
            self._add(rule)
        if not self._made:
            self._say("policy", "there is nothing in it that ours could do")
            return Import(None, tuple(self._differences))
        self._differences += self._of_the_whole()
        made = Policy(
            tuple(self._made),
            protect_tags=tuple(self._protected),
            signatures=Signatures.LEAVE,
            name="lifecycle policy",
            action=OurAction.DELETE if self._action is Action.EXPIRE else OurAction.ARCHIVE,
        )
        return Import(made, tuple(self._differences))

    def _say(self, subject: str, detail: str, *, deletes_more: bool = False) -> None:
        self._differences.append(Difference(subject, detail, deletes_more))

    def _add(self, rule: Rule) -> None:
        subject = f"rule {rule.priority}"
        several = sum(each.storage is Storage.ARCHIVE for each in self._rules) > 1
        if rule.storage is Storage.ARCHIVE and several:
            self._say(subject, "of several rules about the archive ECR asks the first alone; archived images stay")
            return
        patterns = rule.patterns
        if rule.tag_status is TagStatus.TAGGED and (patterns is None or not all(map(can_match, patterns))):
            self._say(subject, "no tag can meet its list, so it is left out")
            return
        needed = reduced(patterns or ())
        if rule.storage is Storage.ARCHIVE:
            self._of_archive(rule, needed)
        elif rule.action is not self._action:
            self._keep_from_others(rule, needed, "it archives")
        elif len(needed) > 1:
            self._keep_from_others(rule, needed, f"it asks for several tags at once ({', '.join(needed)})")
        else:
            self._made.append(OurRule(self._name(rule), self._match(rule, needed), _keep(rule)))
            self._untagged_is_taken |= rule.tag_status is TagStatus.UNTAGGED

    def _of_archive(self, rule: Rule, needed: tuple[str, ...]) -> None:
        """The one rule about the archive: what it takes is deleted, whatever the action is."""
        if len(needed) > 1:
            self._say(f"rule {rule.priority}", "it asks for several tags at once; archived images stay")
            return
        match = replace(self._match(rule, needed), archived_for=rule.number * DAY)
        self._made.append(OurRule(self._name(rule), match, Keep()))

    def _keep_from_others(self, rule: Rule, needed: tuple[str, ...], reason: str) -> None:
        """Protect what belongs to a rule that ours can't say: other rules must not take it."""
        if rule.tag_status is TagStatus.ANY:
            self._say(f"rule {rule.priority}", f"{reason}, which is left out")
        elif rule.tag_status is TagStatus.UNTAGGED:
            self._untagged_is_taken = True
            self._say(f"rule {rule.priority}", f"{reason}: untagged images stay")
        else:
            chosen = self._loneliest(rule, needed)
            self._protected.append(chosen)
            self._say(f"rule {rule.priority}", f"{reason}: every image with a tag {chosen} stays")

    def _loneliest(self, rule: Rule, needed: tuple[str, ...]) -> str:
        """The pattern of those that meets the fewest of other rules."""
        others = [entry for each in self._rules if each is not rule for entry in each.patterns or ()]
        return min(needed, key=lambda pattern: (sum(meet(pattern, other) for other in others), -len(pattern)))

    def _match(self, rule: Rule, needed: tuple[str, ...]) -> Match:
        if rule.tag_status is TagStatus.UNTAGGED:
            return Match(untagged=True)
        if rule.tag_status is TagStatus.ANY:
            has_rule = any(made.match.untagged and made.match.archived_for is None for made in self._made)
            is_kept = self._untagged_is_taken and not has_rule and rule.storage is Storage.STANDARD
            return Match(glob=(EVERYTHING,)) if is_kept else Match()
        (pattern,) = needed
        prefix = pattern.removesuffix("*")
        return Match(prefix=(prefix,)) if prefix and prefix != pattern and "*" not in prefix else Match(glob=(pattern,))

    def _name(self, rule: Rule) -> str:
        words = " ".join((rule.description or "").split())[:100]
        return f"{rule.priority} {words}" if words and words.isprintable() else f"priority {rule.priority}"

    def _of_the_whole(self) -> Iterator[Difference]:
        """How the two languages differ whatever the rules."""
        counts = any(made.keep.newest for made in self._made)
        ages = any(not made.keep.newest for made in self._made)
        if not any(not made.match.speaks_of_tags and not made.match.untagged for made in self._made):
            yield Difference("tags", "an image with a tag that no rule matches stays; in ECR its other tags are enough")
        if len(self._made) > 1:
            yield Difference(
                "rules", "an image of several rules stays if one of them keeps it; in ECR the first decides"
            )
        if counts:
            yield Difference(
                "counts", "children of indexes, signatures and archived images take no place; ECR counts the first two"
            )
        if ages:
            yield Difference(
                "ages", "what is exactly so many days old goes; in ECR it must be older by a moment", deletes_more=True
            )
        if counts:
            yield Difference(
                "restored",
                "what was archived and restored takes its place by its push; in ECR by its restore",
                deletes_more=True,
            )
        yield Difference(
            "indexes",
            "children go with their last index, at once; in ECR they stay until a rule of their own takes them",
            deletes_more=True,
        )
        yield Difference(
            "signatures", "what refers to an image stays while that stays; in ECR rules may take it before"
        )
        yield Difference("kinds", "images of an unknown media type stay")
        yield Difference("grace", "what is younger than 1h stays (protect.grace)")
        yield Difference("guards", "a plan that leaves no image, or no tagged one, is refused (guards)")


def _keep(rule: Rule) -> Keep:
    if rule.count_type is CountType.MORE_THAN:
        return Keep(newest=rule.number)
    if rule.count_type is CountType.PULLED:
        return Keep(pulled_within=rule.number * DAY)
    return Keep(younger_than=rule.number * DAY)
