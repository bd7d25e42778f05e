"""`aws-ecr-gc policy show`: the effective policy of a repository."""

import sys
import time
from collections.abc import Sequence

from aws_ecr_gc.cli import flags, options, values
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit, Incomplete


def parser() -> Parser:
    """The flags."""
    made = Parser(
        "aws-ecr-gc policy show",
        "Show the policy that holds for a repository, as a policy file: what it extends is worked in.",
    )
    flags.declare_policy_file(made)
    made.value("repo", metavar="NAME", type=values.repository, help="the repository (required)")
    flags.declare_reading(made)
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Show it."""
    asked = parser().read(arguments)
    if not asked.repo:
        raise Incomplete("no repository: give --repo")
    name, asked.repo, asked.output = asked.repo, [], "text"
    request = options.request_from(asked)
    from aws_ecr_gc.app.console import Console
    from aws_ecr_gc.app.show import show
    from aws_ecr_gc.cli.interruption import Interruption

    return show(request, name, now=time.time(), console=Console(sys.stdout, sys.stderr, Interruption().came))
