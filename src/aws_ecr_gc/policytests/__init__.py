"""Written cases against a policy file: reading them, and judging what the policy makes of them."""

from aws_ecr_gc.policytests.cases import Case, Expect, Expectation, losing
from aws_ecr_gc.policytests.judging import CaseJudgement, GuardJudgement, ImageJudgement, judge
from aws_ecr_gc.policytests.loading import CaseFile, load, parse
from aws_ecr_gc.policytests.shape import schema

__all__ = [
    "Case",
    "CaseFile",
    "CaseJudgement",
    "Expect",
    "Expectation",
    "GuardJudgement",
    "ImageJudgement",
    "judge",
    "load",
    "losing",
    "parse",
    "schema",
]
