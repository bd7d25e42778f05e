"""`aws-ecr-gc explain`: why an image stays or goes."""

import sys
import time
from collections.abc import Sequence

from aws_ecr_gc.cli import flags, images, options
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit


def parser() -> Parser:
    """The image and the flags."""
    made = Parser("aws-ecr-gc explain", "Show why an image stays or goes: the vote of every rule, and what holds it.")
    made.word("image", metavar="REPO:TAG|REPO@DIGEST", type=images.image, help="the image; a digest may be cut short")
    flags.declare_policy_file(made)
    flags.declare_original(made)
    flags.declare_unread(made)
    flags.declare_uses_file(made)
    flags.declare_output(made)
    flags.declare_reading(made)
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Explain one image."""
    asked = parser().read(arguments)
    images.take_registry(asked, asked.image)
    asked.repo = []
    request = options.request_from(asked)
    from aws_ecr_gc.app.console import Console
    from aws_ecr_gc.app.explain import Subject, explain_image
    from aws_ecr_gc.cli.interruption import Interruption

    console = Console(sys.stdout, sys.stderr, Interruption().came)
    subject = Subject(asked.image["repository"], asked.image["tag"], asked.image["digest"])
    return explain_image(request, subject, now=time.time(), console=console)
