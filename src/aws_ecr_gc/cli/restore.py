"""`aws-ecr-gc restore`: put back what was deleted."""

import gc
import sys
from collections.abc import Sequence

from aws_ecr_gc.cli import flags, options, values
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit, Incomplete, Misuse


def parser() -> Parser:
    """The flags."""
    made = Parser(
        "aws-ecr-gc restore",
        "Put back images and tags that a run deleted, by its journal, as long as their layers are there or in a "
        "backup. Nothing is deleted, and no tag is taken from another image.",
    )
    made.word("journal", metavar="JOURNAL", nargs="?", help="the journal: a path, or s3://BUCKET/PREFIX/journal-...")
    made.value(
        "image",
        guarded=True,
        action="append",
        default=[],
        metavar="REF",
        help="only this image, with what it lists and what refers to it: TAG, DIGEST, REPOSITORY:TAG or "
        "REPOSITORY@DIGEST; repeat it for more (default: all)",
    )
    made.value(
        "from",
        guarded=True,
        metavar="PLACE",
        help="the place that --backup named: what is missing comes from there; without a journal, all that it holds of "
        "--repo",
    )
    made.value("repo", metavar="NAME", type=values.repository, help="the repository, with --from and without a journal")
    made.switch("dry-run", "show what would be put back, and put nothing back")
    flags.declare_output(made)
    flags.declare_connection(made)
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Put back."""
    asked = parser().read(arguments)
    source = vars(asked)["from"]
    if not asked.journal and not source:
        raise Incomplete("give a journal, or --from with a backup and --repo")
    if asked.journal and asked.repo:
        raise Misuse("--repo: the journal names its repositories; choose images with --image REPOSITORY:TAG")
    if not asked.journal and not asked.repo:
        raise Incomplete("--from without a journal: give --repo")
    gc.disable()  # as in `collect`
    from aws_ecr_gc.app.console import Console
    from aws_ecr_gc.app.restore import Asked, restore
    from aws_ecr_gc.cli.interruption import Interruption

    return restore(
        Asked(
            journal=asked.journal,
            source=source,
            repository=asked.repo,
            images=tuple(asked.image),
            connection=options.connection_from(asked),
            dry_run=asked.dry_run,
            output=asked.output,
        ),
        console=Console(sys.stdout, sys.stderr, Interruption().came),
    )
