"""`aws-ecr-gc lifecycle simulate`: what a lifecycle policy does, and when."""

import gc
import time
from collections.abc import Sequence

from aws_ecr_gc.cli import flags
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.cli.lifecycle import common
from aws_ecr_gc.errors import Exit


def parser() -> Parser:
    """The flags."""
    made = Parser(
        "aws-ecr-gc lifecycle simulate",
        "Show which images a lifecycle policy expires or archives, by which rule and when; nothing is changed.",
        "Each repository is evaluated at once, as ECR will do within 24 hours, and with --days on as many days after. "
        "docs/lifecycle.md explains the switches of --assume.",
    )
    common.declare_policy(made, "default: the repository's own")
    flags.declare_repositories(made)
    common.declare_days(made)
    common.declare_assumptions(made)
    flags.declare_output(made)
    flags.declare_reading(made)
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Simulate."""
    given = parser().read(arguments)
    asked = common.asked_from(given)
    gc.disable()  # as in `collect`
    from aws_ecr_gc.app.lifecycle.simulate import simulate_all

    return simulate_all(asked, now=time.time(), console=common.console())
