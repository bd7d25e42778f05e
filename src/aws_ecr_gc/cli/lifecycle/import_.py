"""`aws-ecr-gc lifecycle import`: the policy file that comes closest to a lifecycle policy."""

import time
from collections.abc import Sequence

from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.cli.lifecycle import common
from aws_ecr_gc.errors import Exit, Incomplete


def parser() -> Parser:
    """The flags."""
    made = Parser(
        "aws-ecr-gc lifecycle import",
        "Print the policy file that comes closest to a lifecycle policy of ECR, with every difference as a comment.",
        "Exit 6 says that there is none: the original expires nothing that a policy file could collect.",
    )
    common.declare_conversion(made, "POLICY.json", "a lifecycle policy of ECR (default: that of --repo)")
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Import."""
    given = parser().read(arguments)
    if not given.policy and not given.repo:
        raise Incomplete("nothing to import: name the file of a lifecycle policy, or give --repo")
    asked = common.asked_from(given)
    from aws_ecr_gc.app.lifecycle.convert import import_policy

    return import_policy(asked, now=time.time(), console=common.console())
