"""`aws-ecr-gc lifecycle export`: the lifecycle policy that comes closest to a policy file."""

import sys
import time
from collections.abc import Sequence

from aws_ecr_gc.cli import flags
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
    made.word("policy", metavar="POLICY.yaml", nargs="?", help="the policy file: YAML, or by its suffix .json or .toml")
    made.value("repo", metavar="NAME", type=flags.repository, help="the repository that it is for")
    flags.declare_output(made)
    flags.declare_connection(made)
    flags.declare_directories(made)
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Export."""
    given = parser().read(arguments)
    if not given.policy:
        raise Incomplete("no policy file: name it")
    given.repo = [given.repo] if given.repo else []
    asked = common.asked_from(given)
    from aws_ecr_gc.app.console import Console
    from aws_ecr_gc.app.lifecycle.convert import export_policy
    from aws_ecr_gc.cli.interruption import Interruption

    return export_policy(asked, now=time.time(), console=Console(sys.stdout, sys.stderr, Interruption().came))
