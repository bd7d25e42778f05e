"""`aws-ecr-gc lifecycle report`: how repositories fare with their lifecycle policies."""

import argparse
import re
import time
from collections.abc import Sequence

from aws_ecr_gc.cli import flags
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.cli.lifecycle import common
from aws_ecr_gc.errors import Exit


def parser() -> Parser:
    """The flags."""
    made = Parser(
        "aws-ecr-gc lifecycle report",
        "Tell of repositories without a lifecycle policy, near their image limit, or with policies that never act.",
        "Exit 6 says that there is something to tell.",
    )
    flags.declare_repositories(made)
    made.value(
        "limit",
        metavar="N",
        type=limit,
        default=100_000,
        help="how many images a repository may have, as your quota says (default: 100000)",
    )
    made.value(
        "share", metavar="PERCENT", type=share, default=0.8, help="tell of what holds so much of that (default: 80%%)"
    )
    common.declare_assumptions(made)
    flags.declare_output(made)
    flags.declare_connection(made)
    flags.declare_directories(made)
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Report."""
    given = parser().read(arguments)
    given.policy = None
    asked = common.asked_from(given)
    from aws_ecr_gc.app.lifecycle.report import Limit, report

    return report(asked, Limit(given.limit, given.share), now=time.time(), console=common.console())


def limit(text: str) -> int:
    """A number of images."""
    if not re.fullmatch("[1-9][0-9]{0,8}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of images, such as 100000")
    return int(text)


def share(text: str) -> float:
    """A part of 1, from a percentage."""
    if not re.fullmatch("(100|[0-9]{1,2})%?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a percentage, such as 80%")
    return int(text.rstrip("%")) / 100
