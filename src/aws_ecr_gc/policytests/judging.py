"""What a policy makes of a case, held against what is expected. Pure."""

from collections.abc import Iterable

from msgspec import Struct

from aws_ecr_gc.plan import Decision, Reason, Verdict
from aws_ecr_gc.policy import Policy, make_plan
from aws_ecr_gc.policy.guards import Refusal, refusals
from aws_ecr_gc.policytests.cases import NO_POLICY, Case, Expectation

_NO_POLICY = (Reason(NO_POLICY, "no policy fits the repository, so it is left alone"),)


class ImageJudgement(Struct, frozen=True):
    """An image of which something is expected, and the decision on it."""

    expectation: Expectation
    decision: Decision

    @property
    def passed(self) -> bool:
        return self.expectation.is_met_by(self.decision)


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
    decisions, refused = _planned(case, policy)
    by_digest = {decision.image.digest: decision for decision in decisions}
    return CaseJudgement(
        case,
        None if policy is None else policy.name,
        tuple(ImageJudgement(each, by_digest[each.digest]) for each in case.expectations),
        None if case.guards is None else GuardJudgement(case.guards, tuple(refused)),
    )


def _planned(case: Case, policy: Policy | None) -> tuple[Iterable[Decision], list[Refusal]]:
    if policy is None:
        return [Decision(image, Verdict.RETAINED, _NO_POLICY) for image in case.inventory.images.values()], []
    plan = make_plan(case.inventory, policy, case.at)
    return plan.decisions, refusals(plan, policy.guards)
