"""`aws-ecr-gc lifecycle apply`: one lifecycle policy for many repositories."""

import time
from collections.abc import Sequence

from aws_ecr_gc.cli import flags
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.cli.lifecycle import common
from aws_ecr_gc.cli.question import ask, demand_answer
from aws_ecr_gc.errors import Exit, Misuse


def parser() -> Parser:
    """The flags."""
    made = Parser(
        "aws-ecr-gc lifecycle apply",
        "Put one lifecycle policy on many repositories, or remove theirs. What changes is shown first.",
        "See what it will do there with aws-ecr-gc lifecycle simulate, and the same --repo.",
    )
    common.declare_policy(made, "required, but with --remove")
    flags.declare_repositories(made)
    made.switch("remove", "remove the lifecycle policies of these repositories instead")
    made.switch("dry-run", "show what would change, and change nothing")
    made.switch("yes", "do not ask; without a terminal nothing is changed unless this is given")
    flags.declare_output(made)
    flags.declare_connection(made)
    flags.declare_directories(made)
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Apply."""
    given = parser().read(arguments)
    if bool(given.policy) == given.remove:
        raise Misuse("name the file of one lifecycle policy, or give --remove: one of them")
    common.demand_repositories(given, "their policies are changed")
    if not given.yes and not given.dry_run:
        demand_answer(output=given.output, look="--dry-run")
    asked = common.asked_from(given)
    from aws_ecr_gc.app.lifecycle.apply import apply

    question = None if given.yes else ask
    return apply(asked, now=time.time(), console=common.console(), question=question, dry_run=given.dry_run)
