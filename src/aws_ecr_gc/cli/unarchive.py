"""`aws-ecr-gc unarchive`: take images out of the archive."""

import sys
import time
from collections.abc import Sequence

from aws_ecr_gc.cli import flags, images, options
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit, Incomplete


def parser() -> Parser:
    """The images and the flags."""
    made = Parser(
        "aws-ecr-gc unarchive",
        "Take images out of the archive, with what they list and what refers to them. Nothing is deleted.",
    )
    made.word(
        "images",
        metavar="REPO:TAG|REPO@DIGEST",
        nargs="*",
        type=images.image,
        help="the images; a digest may be cut short",
    )
    made.switch("wait", "wait until they are active, up to an hour; needed where it is not known what an index lists")
    flags.declare_output(made)
    flags.declare_connection(made)
    flags.declare_directories(made)
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Take images out."""
    asked = parser().read(arguments)
    if not asked.images:
        raise Incomplete("no image: name one, such as ci/web:build-1")
    for each in asked.images:
        images.take_registry(asked, each)
    from aws_ecr_gc.app.console import Console
    from aws_ecr_gc.app.unarchive import Asked, Wanted, unarchive
    from aws_ecr_gc.cli.interruption import Interruption

    wanted = tuple(Wanted(each["repository"], each["tag"], each["digest"]) for each in asked.images)
    return unarchive(
        Asked(
            images=wanted,
            connection=options.connection_from(asked),
            directories=options.directories_from(asked),
            wait=asked.wait,
            output=asked.output,
        ),
        now=time.time(),
        console=Console(sys.stdout, sys.stderr, Interruption().came),
    )
