"""`aws-ecr-gc lifecycle export`: the lifecycle policy that comes closest to a policy file."""

import time
from collections.abc import Sequence

from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.cli.lifecycle import common
from aws_ecr_gc.errors import Exit, Incomplete


def parser() -> Parser:
    """The flags."""
    made = Parser(
        "aws-ecr-gc lifecycle export",
        "Print the lifecycle policy of ECR that comes closest to a policy file and never deletes more.",
        "What ECR can not say, and where the promise holds, goes to standard error. Exit 6 says that nothing is safe.",
    )
    common.declare_conversion(made, "POLICY.yaml", "the policy file: YAML, or by its suffix .json or .toml")
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Export."""
    given = parser().read(arguments)
    if not given.policy:
        raise Incomplete("no policy file: name it")
    asked = common.asked_from(given)
    from aws_ecr_gc.app.lifecycle.convert import export_policy

    return export_policy(asked, now=time.time(), console=common.console())
