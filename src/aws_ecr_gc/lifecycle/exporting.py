"""From a policy of ours to ECR's language, so far as that can say it, and never to delete more.

Ours keeps an image if any rule keeps it, and one tag that no rule matches keeps it too. In ECR the first rule whose
tags it meets decides alone. So what ECR can't say is protected there instead: by a rule of high priority that selects
it and never acts. The promise holds where the conditions do that come with it.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

from msgspec import Struct

from aws_ecr_gc import durations
from aws_ecr_gc.lifecycle.patterns import covers, meet, reduced
from aws_ecr_gc.lifecycle.reading import LONGEST, MOST_RULES
from aws_ecr_gc.lifecycle.translating import (
    EVERYTHING,
    Condition,
    Difference,
    cover_of,
    joined,
    pattern_of,
    tags_of,
)
from aws_ecr_gc.lifecycle.values import DAY, Action, CountType, LifecyclePolicy, TagStatus
from aws_ecr_gc.lifecycle.values import Rule as EcrRule
from aws_ecr_gc.lifecycle.writing import write
from aws_ecr_gc.plan import Action as OurAction
from aws_ecr_gc.policy.rules import Keep, Policy, Rule

NEVER = 36500
"""Days after which a rule that protects would act: ECR has no images of a hundred years."""
_SIGNATURES = "sha256-*"
_ONLY = "ECR can say `newest`, `younger_than` or `keep: none`, one of them alone"


class Export(Struct, frozen=True):
    """A policy of ECR, or None where it can say nothing of ours that is safe.

    Where all `conditions` hold it never deletes more than ours. It deletes the same where besides there are no
    `differences`, no indexes and nothing that refers to another image, and no image has tags of several rules.
    """

    policy: LifecyclePolicy | None
    differences: tuple[Difference, ...]
    conditions: tuple[Condition, ...]

    @property
    def is_same(self) -> bool:
        return self.policy is not None and not self.differences


class _Atom(Struct, frozen=True):
    """A rule of ECR to be: which images it selects, by what it counts, and the rule of ours that it stands for."""

    status: TagStatus
    pattern: str
    by_count: bool
    number: int
    name: str

    def takes(self, other: "_Atom") -> bool:
        """Whether it selects all that the other one selects."""
        if self.status is TagStatus.ANY:
            return True
        if self.status is not other.status:
            return False
        return self.status is TagStatus.UNTAGGED or covers(self.pattern, other.pattern)


def export(policy: Policy, *, looks_for_uses: bool = False) -> Export:
    """ECR's policy for one of ours; `looks_for_uses` where ours keeps what runs."""
    return _Exporter(policy, looks_for_uses=looks_for_uses).made()


class _Exporter:
    def __init__(self, policy: Policy, *, looks_for_uses: bool) -> None:
        self._policy = policy
        self._differences: list[Difference] = []
        self._protected: list[tuple[str, ...]] = []
        self._protects_untagged = False
        self._atoms: list[_Atom] = []
        self._blocked = False
        self._say_what_blocks(looks_for_uses=looks_for_uses)

    def _say(self, subject: str, detail: str) -> None:
        difference = Difference(subject, detail)
        if difference not in self._differences:
            self._differences.append(difference)

    def _say_what_blocks(self, *, looks_for_uses: bool) -> None:
        if looks_for_uses:
            self._blocked = True
            self._say("in_use", "ECR can't look what runs, so nothing is safe; take in_use out to export all the same")
        if self._policy.action is OurAction.UNTAG:
            self._blocked = True
            self._say("action", "ECR can't untag")
        if self._policy.protect_digests:
            self._blocked = True
            self._say("protect.digests", "ECR can't protect a digest, so nothing is safe; protect a tag of it instead")

    def made(self) -> Export:
        if self._blocked:
            return Export(None, tuple(self._differences), ())
        for glob in self._policy.protect_tags:
            self._protect(cover_of(glob))
            if pattern_of(glob) is None:
                self._say("protect.tags", f"{glob} is protected as {cover_of(glob)}, which is more")
        for rule in self._policy.rules:
            self._add(rule)
        self._settle()
        rules = tuple(self._rules())
        if not self._atoms:
            self._say("policy", "nothing is left that ECR could delete safely")
            return Export(None, tuple(self._differences), ())
        made = LifecyclePolicy(rules)
        if len(rules) > MOST_RULES or len(write(made)) > LONGEST:
            self._say(
                "policy", f"it would take {len(rules)} rules, and ECR takes {MOST_RULES}, of {LONGEST} characters"
            )
            return Export(None, tuple(self._differences), ())
        return Export(made, tuple(self._differences), tuple(self._conditions()))

    def _protect(self, *patterns: str) -> None:
        """Let ECR leave alone what has a tag for each of these."""
        needed = tuple(sorted(reduced(patterns)))
        if needed not in self._protected:
            self._protected.append(needed)

    def _leave_alone(self, rule: Rule, reason: str) -> None:
        """Protect all that a rule may match."""
        self._say(f"rule {rule.name}", f"{reason}; what it matches is left alone")
        tags = tags_of(rule.match)
        if not rule.match.untagged:
            for pattern in (EVERYTHING,) if tags is None else tags.patterns:
                self._protect(pattern)
        if tags is None:
            self._protects_untagged = True

    def _add(self, rule: Rule) -> None:
        if rule.match.archived_for is not None:
            self._say(f"rule {rule.name}", "it is about the archive, which the export leaves alone")
            return
        counted = _counted(rule.keep, self._policy.grace)
        reason = _unsayable(rule)
        if counted is None or reason is not None:
            self._leave_alone(rule, reason or f"{rule.keep}: {_ONLY}")
            return
        by_count, number = counted
        if rule.match.excepted is not None and not self._make_exception(rule, by_count=by_count):
            return
        self._say_of_ages(rule, by_count=by_count, days=number)
        tags = tags_of(rule.match)
        if rule.match.untagged or tags is None:
            status = TagStatus.UNTAGGED if rule.match.untagged else TagStatus.ANY
            self._atoms.append(_Atom(status, "", by_count, number, rule.name))
            return
        if by_count and len(tags.patterns) > 1:
            self._say(f"rule {rule.name}", f"ECR counts {joined(tags.patterns)} apart, and keeps {number} of each")
        self._atoms += [_Atom(TagStatus.TAGGED, pattern, by_count, number, rule.name) for pattern in tags.patterns]

    def _make_exception(self, rule: Rule, *, by_count: bool) -> bool:
        """Protect what a rule excepts; whether that is possible."""
        excepted = None if rule.match.excepted is None else tags_of(rule.match.excepted)
        if by_count or excepted is None:
            self._leave_alone(rule, "ECR has no exceptions, and would count what is excepted")
            return False
        for pattern in excepted.patterns:
            self._protect(pattern)
        others = [each for each in self._policy.rules if each is not rule and each.match.archived_for is None]
        if not excepted.exact or any(_may_match(other, excepted.patterns) for other in others):
            self._say(
                f"rule {rule.name}", f"{joined(excepted.patterns)}, its exception, is left alone under every rule"
            )
        return True

    def _say_of_ages(self, rule: Rule, *, by_count: bool, days: int) -> None:
        if by_count:
            return
        stated = max(rule.keep.younger_than or 0.0, self._policy.grace)
        if stated != days * DAY:
            kept = durations.spelled(stated) if stated else "nothing"
            self._say(f"rule {rule.name}", f"ECR keeps for {days}d where ours keeps for {kept}: it counts whole days")

    def _settle(self) -> None:
        """Leave out what is protected anyway, and what two rules would decide otherwise than the first one alone."""
        self._atoms = [atom for atom in self._atoms if not self._is_protected(atom)]
        for one, other in combinations(list(self._atoms), 2):
            if one in self._atoms and other in self._atoms and one.name != other.name:
                self._reconcile(one, other)
        for atom in [atom for atom in self._atoms if self._is_protected(atom)]:
            self._atoms.remove(atom)
            self._say(f"rule {atom.name}", "what it matches is left alone, for another rule's sake")
        if any(atom.status is TagStatus.ANY or meet(atom.pattern or "-", _SIGNATURES) for atom in self._atoms):
            self._protect(_SIGNATURES)

    def _is_protected(self, atom: _Atom) -> bool:
        if atom.status is TagStatus.UNTAGGED:
            return self._protects_untagged
        everything = any(each == (EVERYTHING,) for each in self._protected)
        if atom.status is TagStatus.ANY:
            return self._protects_untagged and everything
        return any(len(each) == 1 and covers(each[0], atom.pattern) for each in self._protected)

    def _reconcile(self, one: _Atom, other: _Atom) -> None:
        """Two rules of ours: what both match stays if one of them keeps it, and ECR asks only the first."""
        narrow, wide = (one, other) if other.takes(one) else (other, one)
        is_nested = wide.takes(narrow)
        if not is_nested:
            if TagStatus.UNTAGGED in (one.status, other.status) or not (one.by_count or other.by_count):
                return  # no image is in both; or ages alone, and the longest comes first
            self._protect(one.pattern, other.pattern)
        elif narrow.by_count != wide.by_count or (narrow.by_count and narrow.number < wide.number):
            if narrow.takes(wide) and narrow.by_count is wide.by_count:
                self._atoms.remove(narrow)  # the same images: the greater number keeps what the lesser does
                return
            self._leave_alone_atom(narrow, wide)
        elif not narrow.by_count and narrow.number <= wide.number:
            self._atoms.remove(narrow)  # the wide one keeps all that it keeps
        elif narrow.takes(wide):
            self._atoms.remove(wide)

    def _leave_alone_atom(self, narrow: _Atom, wide: _Atom) -> None:
        self._atoms.remove(narrow)
        detail = f"rule {wide.name} matches all of it too, and in ECR only one of them decides; it is left alone"
        self._say(f"rule {narrow.name}", detail)
        if narrow.status is TagStatus.UNTAGGED:
            self._protects_untagged = True
        elif narrow.status is TagStatus.TAGGED:
            self._protect(narrow.pattern)
        else:
            self._protect(EVERYTHING)
            self._protects_untagged = True

    def _rules(self) -> Iterator[EcrRule]:
        """What protects comes first, then long ages before short ones, narrow counts before wide ones, `any` last."""
        priority = 0
        for entries in self._protected:
            if entries == (EVERYTHING,) and not any(atom.status is not TagStatus.UNTAGGED for atom in self._atoms):
                continue
            priority += 1
            yield EcrRule(
                priority, TagStatus.TAGGED, CountType.PUSHED, NEVER, entries, description="protects: it never acts"
            )
        if self._protects_untagged and any(atom.status is TagStatus.ANY for atom in self._atoms):
            priority += 1
            yield EcrRule(priority, TagStatus.UNTAGGED, CountType.PUSHED, NEVER, description="protects: it never acts")
        for atom in sorted(self._atoms, key=self._order):
            priority += 1
            count_type = CountType.MORE_THAN if atom.by_count else CountType.PUSHED
            entries = (atom.pattern,) if atom.status is TagStatus.TAGGED else ()
            yield EcrRule(
                priority, atom.status, count_type, atom.number, entries, action=self._action, description=atom.name
            )

    @property
    def _action(self) -> Action:
        return Action.TRANSITION if self._policy.action is OurAction.ARCHIVE else Action.EXPIRE

    def _order(self, atom: _Atom) -> tuple[bool, int, int]:
        wider = sum(other.takes(atom) for other in self._atoms)
        return atom.status is TagStatus.ANY, -wider if atom.by_count else 0, 0 if atom.by_count else -atom.number

    def _conditions(self) -> Iterator[Condition]:
        """What the promise takes, in the order of `Condition`."""
        tagged = [atom for atom in self._atoms if atom.status is not TagStatus.UNTAGGED]
        untagged = [atom for atom in self._atoms if atom.status is not TagStatus.TAGGED]
        counts = [atom for atom in self._atoms if atom.by_count]
        if tagged and not any(map(_takes_every_tag, self._policy.rules)):
            yield Condition.MIXED_TAGS
        if tagged:
            yield Condition.TAGGED_PARTS
        signed = [atom for atom in counts if atom.status is TagStatus.ANY or _meets_signatures(atom)]
        protected = any(meet(cover_of(glob), _SIGNATURES) for glob in self._policy.protect_tags)
        yield Condition.NO_COSIGN if signed or protected else Condition.COSIGN
        if untagged:
            yield Condition.NO_REFERRERS
        if any(atom.by_count for atom in untagged):
            yield Condition.NO_INDEXES
        yield Condition.KNOWN_TYPES
        yield Condition.NO_ARCHIVE
        if self._policy.grace:
            yield Condition.GRACE
        if counts:
            yield Condition.TIES
        yield Condition.GUARDS


def _counted(keep: Keep, grace: float) -> tuple[bool, int] | None:
    """Whether ECR would count images, and how many of them or of days; None for what it can't say."""
    if keep.pulled_within is not None or keep.periods or keep.within or keep.versions:
        return None
    if keep.newest and keep.younger_than is not None:
        return None
    if keep.newest:
        return True, keep.newest
    return False, max(1, math.ceil(max(keep.younger_than or 0.0, grace) / DAY))


def _unsayable(rule: Rule) -> str | None:
    """Why ECR can't select what a rule matches; None where it can."""
    if rule.match.media_type or rule.match.artifact_type:
        return "ECR can't select by media type or artifact type"
    if rule.group_by:
        return "ECR can't group"
    tags = tags_of(rule.match)
    if tags is not None and not tags.exact:
        return "ECR's patterns know * alone, and not two conditions on one tag"
    return None


def _takes_every_tag(rule: Rule) -> bool:
    match = rule.match
    others = match.untagged or match.excepted is not None or match.archived_for is not None
    if others or match.media_type or match.artifact_type:
        return False
    tags = tags_of(match)
    return tags is None or (tags.exact and EVERYTHING in tags.patterns)


def _may_match(rule: Rule, patterns: Sequence[str]) -> bool:
    if rule.match.untagged:
        return False
    tags = tags_of(rule.match)
    return tags is None or any(meet(one, other) for one in tags.patterns for other in patterns)


def _meets_signatures(atom: _Atom) -> bool:
    return atom.status is TagStatus.TAGGED and meet(atom.pattern, _SIGNATURES)
