"""From an inventory and a policy to a plan. Pure: no input, no output, no clock."""

from aws_ecr_gc.policy.planning import indexes_to_read, make_plan
from aws_ecr_gc.policy.rules import KeepNewest, Policy

__all__ = ["KeepNewest", "Policy", "indexes_to_read", "make_plan"]
