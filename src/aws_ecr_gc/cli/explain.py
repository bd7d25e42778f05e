"""`aws-ecr-gc explain`: why an image stays or goes."""

import argparse
import re
import sys
import time
from collections.abc import Sequence

from aws_ecr_gc.cli import flags
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit

_IMAGE = re.compile(r"(?P<repository>[^:@]+)(?::(?P<tag>[\w][\w.-]{0,127})|@(?P<digest>sha(256|512):[0-9a-f]{4,128}))")


def parser() -> Parser:
    """The image and the flags."""
    made = Parser("aws-ecr-gc explain", "Show why an image stays or goes: the vote of every rule, and what holds it.")
    made.word("image", metavar="REPO:TAG|REPO@DIGEST", type=image, help="the image; a digest may be cut short")
    flags.declare_policy_file(made)
    flags.declare_original(made)
    flags.declare_output(made)
    flags.declare_reading(made)
    return made


def image(text: str) -> tuple[str, str | None, str | None]:
    """The repository, and the tag or the beginning of the digest."""
    found = _IMAGE.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no image, such as ci/web:build-1 or ci/web@sha256:2a1fce5b2")
    return flags.repository(found["repository"]), found["tag"], found["digest"]


def run(arguments: Sequence[str]) -> Exit:
    """Explain one image."""
    asked = parser().read(arguments)
    asked.repo = []
    request = flags.request_from(asked)
    from aws_ecr_gc.app.console import Console
    from aws_ecr_gc.app.explain import Subject, explain_image
    from aws_ecr_gc.cli.interruption import Interruption

    console = Console(sys.stdout, sys.stderr, Interruption().came)
    return explain_image(request, Subject(*asked.image), now=time.time(), console=console)
