"""`aws-ecr-gc lifecycle lint`: what ECR would refuse of a lifecycle policy, and what may surprise."""

import time
from collections.abc import Sequence

from aws_ecr_gc.cli import flags
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.cli.lifecycle import common
from aws_ecr_gc.errors import Exit, Misuse


def parser() -> Parser:
    """The flags."""
    made = Parser(
        "aws-ecr-gc lifecycle lint",
        "Find everything in a lifecycle policy that ECR would refuse, and what may surprise.",
        "AWS is not asked unless --repo says so. Exit 6 says that ECR refuses it; with --strict, that it may surprise.",
    )
    common.declare_policy(made, "default: those of --repo")
    flags.declare_repositories(made)
    made.switch("strict", "exit 6 also where there are warnings alone")
    flags.declare_uses_file(made)
    flags.declare_unread(made)
    common.declare_days(made)
    common.declare_assumptions(made)
    flags.declare_output(made)
    flags.declare_reading(made)
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Lint."""
    given = parser().read(arguments)
    asked = common.asked_from(given)
    if asked.policy is None and not asked.patterns:
        raise Misuse("nothing to look at: name the file of a lifecycle policy, or give --repo")
    if asked.uses is not None and not asked.patterns and asked.snapshot is None:
        raise Misuse("--in-use: what would be hit depends on a repository: give --repo, or --snapshot")
    from aws_ecr_gc.app.lifecycle.lint import lint

    return lint(asked, now=time.time(), console=common.console(), strict=given.strict)
