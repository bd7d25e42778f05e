"""Policy files: reading them, all that can be wrong with them, and what holds for which repository."""

from aws_ecr_gc.policyfile.chain import PolicyFile
from aws_ecr_gc.policyfile.dumping import dump
from aws_ecr_gc.policyfile.loading import load, parse
from aws_ecr_gc.policyfile.mistakes import Mistake, PolicyMistakes
from aws_ecr_gc.policyfile.shape import schema

__all__ = ["Mistake", "PolicyFile", "PolicyMistakes", "dump", "load", "parse", "schema"]
