"""`aws-ecr-gc in-use`: what runs, or may run, which image."""

import sys
import time
from collections.abc import Sequence

from aws_ecr_gc.cli import flags, options, values
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit, Misuse


def parser() -> Parser:
    """The flags."""
    made = Parser(
        "aws-ecr-gc in-use",
        "List the images that workloads run or may run, and the workloads whose image is missing (exit 6).",
    )
    flags.declare_policy_file(made)
    made.value(
        "sources",
        metavar="SOURCES",
        action="append",
        type=values.sources,
        help="the AWS services to look into, such as ecs,lambda, or all; instead of -f, whose in_use says it",
    )
    flags.declare_repositories(made)
    flags.declare_unread(made)
    made.value("by", choices=["image", "workload"], default="image", help="what the text lists (default: image)")
    made.value("out", guarded=True, metavar="FILE", help="save what was read, for plan --in-use")
    flags.declare_output(made)
    flags.declare_connection(made)
    flags.declare_directories(made)
    return made


def run(arguments: Sequence[str]) -> Exit:
    """List what is in use."""
    asked = parser().read(arguments)
    if bool(asked.f) == bool(asked.sources):
        raise Misuse("say what to look into: -f FILE with in_use, or --sources ecs,lambda (or all)")
    from pathlib import Path

    from aws_ecr_gc.app.console import Console
    from aws_ecr_gc.app.in_use import Asked, list_in_use
    from aws_ecr_gc.cli.interruption import Interruption

    settings = options.settings_from(asked.sources)
    if asked.f:
        from aws_ecr_gc.policyfile import load

        settings = load(Path(asked.f)).in_use
    if settings is None:
        raise Misuse(f"{asked.f}: it has no in_use, so there is nothing to look into; write in_use: {{sources: [ecs]}}")
    wanted = Asked(
        settings=settings,
        patterns=tuple(asked.repo),
        connection=options.connection_from(asked),
        directories=options.directories_from(asked),
        allow_unread=tuple(asked.allow_unread),
        by=asked.by,
        output=asked.output,
        out=Path(asked.out) if asked.out else None,
    )
    return list_in_use(wanted, now=time.time(), console=Console(sys.stdout, sys.stderr, Interruption().came))
