"""`aws-ecr-gc lifecycle verify`: the simulator beside ECR's own preview."""

import argparse
import time
from collections.abc import Sequence

from aws_ecr_gc.cli import flags, values
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.cli.lifecycle import common
from aws_ecr_gc.errors import Exit


def parser() -> Parser:
    """The flags."""
    made = Parser(
        "aws-ecr-gc lifecycle verify",
        "Run ECR's own preview of a lifecycle policy, and compare it with the simulator, image by image.",
        "A preview changes nothing. Exit 6 says that the two differ.",
    )
    common.declare_policy(made, "default: the repository's own")
    flags.declare_repositories(made)
    made.value(
        "timeout",
        metavar="SECONDS",
        type=seconds,
        default=100.0,
        help="how long to wait for the preview of a repository (default: 100)",
    )
    common.declare_assumptions(made)
    made.value("at", metavar="TIME", type=values.moment, help="simulate as at this time, for a registry in a rehearsal")
    flags.declare_output(made)
    flags.declare_connection(made)
    flags.declare_directories(made)
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Verify."""
    given = parser().read(arguments)
    common.demand_repositories(given, "a preview is started in each")
    asked = common.asked_from(given)
    from aws_ecr_gc.app.lifecycle.previewing import Patience
    from aws_ecr_gc.app.lifecycle.verify import verify

    patience = Patience(given.timeout, min(5.0, max(0.05, given.timeout / 20)))
    return verify(asked, patience, now=time.time(), console=common.console())


def seconds(text: str) -> float:
    """A number of seconds."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= 86400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds up to 86400")
    return value
