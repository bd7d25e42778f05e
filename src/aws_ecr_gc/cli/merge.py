"""`aws-ecr-gc merge`: the results of many machines as one report."""

import sys
from collections.abc import Sequence

from aws_ecr_gc.cli import flags
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit


def parser() -> Parser:
    """The files and the form."""
    made = Parser(
        "aws-ecr-gc merge",
        "Make one report of the JSON documents that plan or run wrote on several machines: each account and region "
        "once, and the exit code that speaks for all. AWS is not called.",
    )
    made.word("files", metavar="FILE", nargs="+", help="results, or directories that hold nothing else (*.json)")
    made.value(
        "pairs",
        guarded=True,
        metavar="FILE",
        help='a JSON list of {"account", "region"}: those without a result are told, with exit 3',
    )
    flags.declare_output(made)
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Merge them."""
    asked = parser().read(arguments)
    from pathlib import Path

    from aws_ecr_gc.app.console import Console
    from aws_ecr_gc.app.merging import merge_files
    from aws_ecr_gc.cli.interruption import Interruption

    return merge_files(
        [Path(name) for name in asked.files],
        Path(asked.pairs) if asked.pairs else None,
        output=asked.output,
        console=Console(sys.stdout, sys.stderr, Interruption().came),
    )
