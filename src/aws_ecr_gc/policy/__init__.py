"""From an inventory and a policy to a plan. Pure: no input, no output, no clock."""

from aws_ecr_gc.policy.planning import indexes_to_read, make_plan
from aws_ecr_gc.policy.rules import Guards, Keep, Match, Policy, Rule, Signatures, original_policy

__all__ = [
    "Guards",
    "Keep",
    "Match",
    "Policy",
    "Rule",
    "Signatures",
    "indexes_to_read",
    "make_plan",
    "original_policy",
]
