"""`aws-ecr-gc explain`: why an image stays or goes."""

import argparse
import re
import sys
import time
from collections.abc import Sequence

from aws_ecr_gc.cli import flags
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit, Misuse

_IMAGE = re.compile(
    r"(?:(?P<account>[0-9]{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.[a-z.]+/)?"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha(?:256|512):[0-9a-f]{4,128}))?",
    re.ASCII,
)


def parser() -> Parser:
    """The image and the flags."""
    made = Parser("aws-ecr-gc explain", "Show why an image stays or goes: the vote of every rule, and what holds it.")
    made.word("image", metavar="REPO:TAG|REPO@DIGEST", type=image, help="the image; a digest may be cut short")
    flags.declare_policy_file(made)
    flags.declare_original(made)
    flags.declare_unread(made)
    flags.declare_uses_file(made)
    flags.declare_output(made)
    flags.declare_reading(made)
    return made


def image(text: str) -> re.Match[str]:
    """The parts of an image's name: the registry if it is named, the repository, a tag or the beginning of a digest."""
    found = _IMAGE.fullmatch(text)
    if found is None or not (found["tag"] or found["digest"]):
        raise argparse.ArgumentTypeError(f"{text!r} is no image, such as ci/web:build-1 or ci/web@sha256:2a1fce5b2")
    flags.repository(found["repository"])
    return found


def run(arguments: Sequence[str]) -> Exit:
    """Explain one image."""
    asked = parser().read(arguments)
    _take_registry(asked)
    asked.repo = []
    request = flags.request_from(asked)
    from aws_ecr_gc.app.console import Console
    from aws_ecr_gc.app.explain import Subject, explain_image
    from aws_ecr_gc.cli.interruption import Interruption

    console = Console(sys.stdout, sys.stderr, Interruption().came)
    subject = Subject(asked.image["repository"], asked.image["tag"], asked.image["digest"])
    return explain_image(request, subject, now=time.time(), console=console)


def _take_registry(asked: argparse.Namespace) -> None:
    """What the image's name says of its registry, where no flag says it. Raises Misuse where they contradict."""
    for flag, named in (("registry_id", asked.image["account"]), ("region", asked.image["region"])):
        stated = getattr(asked, flag)
        if named and stated and named != stated:
            raise Misuse(f"{asked.image[0]}: it is in {named}, and --{flag.replace('_', '-')} says {stated}")
        setattr(asked, flag, stated or named)
