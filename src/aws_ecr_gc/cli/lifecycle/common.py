"""The flags that the lifecycle commands share, and what was asked for with them."""

import argparse
import sys
from typing import TYPE_CHECKING

from aws_ecr_gc.cli import flags, options, values
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Misuse

if TYPE_CHECKING:
    from aws_ecr_gc.app.console import Console
    from aws_ecr_gc.app.lifecycle.asked import Asked
    from aws_ecr_gc.lifecycle.assumptions import Assumptions

_MOST_DAYS = 3660


def declare_policy(parser: Parser, otherwise: str) -> None:
    """The file of a lifecycle policy, and what counts without it."""
    parser.word("policy", metavar="POLICY.json", nargs="?", help=f"a lifecycle policy of ECR ({otherwise})")


def declare_assumptions(parser: Parser) -> None:
    """What the documentation leaves open."""
    parser.value(
        "assume",
        metavar="SWITCH=VALUE",
        action="append",
        default=[],
        type=assumption,
        help="how AWS's documentation is read where it is open, such as days=calendar; repeat it for more",
    )


def declare_days(parser: Parser) -> None:
    """How far to look ahead."""
    parser.value("days", metavar="N", type=days, default=0, help="evaluate on N more days (default: 0, tonight alone)")


def assumption(text: str) -> tuple[str, str]:
    """A switch and its value."""
    from aws_ecr_gc.lifecycle.assumptions import parse

    try:
        return parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def days(text: str) -> int:
    """A number of days."""
    if not (text.isascii() and text.isdecimal() and int(text) <= _MOST_DAYS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days from 0 to {_MOST_DAYS}")
    return int(text)


def console() -> "Console":
    """The process's own streams, and its interruption."""
    from aws_ecr_gc.app.console import Console
    from aws_ecr_gc.cli.interruption import Interruption

    return Console(sys.stdout, sys.stderr, Interruption().came)


def declare_conversion(parser: Parser, metavar: str, text: str) -> None:
    """What is converted, and for which repository."""
    parser.word("policy", metavar=metavar, nargs="?", help=text)
    parser.value("repo", metavar="NAME", type=values.repository, help="the repository that it is for")
    flags.declare_output(parser)
    flags.declare_connection(parser)
    flags.declare_directories(parser)


def asked_from(given: argparse.Namespace) -> "Asked":
    """What was asked for, with the flags that the command has. Raises Misuse."""
    from pathlib import Path

    from aws_ecr_gc.app.lifecycle.asked import Asked

    stated = vars(given)
    snapshot = stated.get("snapshot")
    if snapshot and not given.policy:
        raise Misuse("--snapshot: a snapshot holds no lifecycle policies; name the file of one")
    return Asked(
        policy=Path(given.policy) if given.policy else None,
        patterns=tuple(given.repo) if isinstance(given.repo, list) else tuple(filter(None, [given.repo])),
        connection=options.connection_from(given),
        directories=options.directories_from(given),
        snapshot=Path(snapshot) if snapshot else None,
        at=stated.get("at"),
        days=stated.get("days", 0),
        assumptions=_assumptions(stated.get("assume", [])),
        uses=Path(stated["in_use"]) if stated.get("in_use") else None,
        allow_unread=tuple(stated.get("allow_unread", ())),
        output=given.output,
    )


def _assumptions(switches: list[tuple[str, str]]) -> "Assumptions":
    from aws_ecr_gc.lifecycle.assumptions import Assumptions

    assumptions = Assumptions()
    stated: dict[str, str] = {}
    for name, value in switches:
        if stated.setdefault(name, value) != value:
            raise Misuse(f"--assume {name}={value}: {name} is {stated[name]} already; which of them is meant?")
        assumptions = assumptions.with_(name, value)
    return assumptions


def demand_repositories(given: argparse.Namespace, what: str) -> None:
    """Raise Misuse where no repository is named: all of them are seldom meant."""
    if not given.repo:
        raise Misuse(f"no repository: give --repo, such as --repo 'ci/*' ({what}); --repo '*' stands for all")
