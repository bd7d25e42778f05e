"""What a policy makes of a case, held against what is expected. Pure."""

from collections.abc import Iterable

from msgspec import Struct

from aws_ecr_gc.plan import Decision, Reason, Verdict
from aws_ecr_gc.policy import Policy, make_plan
from aws_ecr_gc.policy.guards import Refusal, refusals
from aws_ecr_gc.policytests.cases import NO_POLICY, Case, Expectation

_NO_POLICY = (Reason(NO_POLICY, "no policy fits the repository, so it is left alone"),)


class ImageJudgement(Struct, frozen=True):
    """An image of which something is expected, the decision on it, and the tags that it loses."""

    expectation: Expectation
    decision: Decision
    loses: frozenset[str] = frozenset()

    @property
    def passed(self) -> bool:
        return self.expectation.is_met_by(self.decision, self.loses)


class GuardJudgement(Struct, frozen=True):
    """The guards that are expected to refuse, and those that do."""

    expected: frozenset[str]
    refusals: tuple[Refusal, ...]

    @property
    def passed(self) -> bool:
        return self.expected == {refusal.guard for refusal in self.refusals}


class CaseJudgement(Struct, frozen=True):
    """A case, the name of the policy that fits (or None), and what came of each expectation."""

    case: Case
    policy: str | None
    images: tuple[ImageJudgement, ...]
    guards: GuardJudgement | None

    @property
    def fit_passed(self) -> bool:
        """Whether a policy fits where one is expected, and none where none is."""
        return (self.policy is None) is self.case.unfit

    @property
    def passed(self) -> bool:
        guarded = self.guards is None or self.guards.passed
        return self.fit_passed and guarded and all(image.passed for image in self.images)


def judge(case: Case, policy: Policy | None) -> CaseJudgement:
    """Plan the case's repository under the policy that fits it, and compare."""
    found = _planned(case, policy)
    by_digest = {decision.image.digest: decision for decision in found.decisions}
    return CaseJudgement(
        case,
        None if policy is None else policy.name,
        tuple(
            ImageJudgement(each, by_digest[each.digest], found.loses.get(each.digest, frozenset()))
            for each in case.expectations
        ),
        None if case.guards is None else GuardJudgement(case.guards, tuple(found.refused)),
    )


class _Found(Struct):
    decisions: Iterable[Decision]
    refused: list[Refusal]
    loses: dict[str, frozenset[str]]


def _planned(case: Case, policy: Policy | None) -> _Found:
    if policy is None:
        return _Found([Decision(each, Verdict.RETAINED, _NO_POLICY) for each in case.inventory.images.values()], [], {})
    plan = make_plan(case.inventory, policy, case.at)
    loses = {step.digest: frozenset(step.untag) for step in plan.steps}
    return _Found(plan.decisions, refusals(plan, policy.guards), loses)
