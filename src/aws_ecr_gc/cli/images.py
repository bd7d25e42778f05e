"""Names of images on a command line."""

import argparse
import re

from aws_ecr_gc.cli import values
from aws_ecr_gc.errors import Misuse

_IMAGE = re.compile(
    r"(?:(?P<account>[0-9]{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.[a-z.]+/)?"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha(?:256|512):[0-9a-f]{4,128}))?",
    re.ASCII,
)


def image(text: str) -> re.Match[str]:
    """The parts of an image's name: the registry if it is named, the repository, a tag or the beginning of a digest."""
    found = _IMAGE.fullmatch(text)
    if found is None or not (found["tag"] or found["digest"]):
        raise argparse.ArgumentTypeError(f"{text!r} is no image, such as ci/web:build-1 or ci/web@sha256:2a1fce5b2")
    values.repository(found["repository"])
    return found


def take_registry(asked: argparse.Namespace, named: re.Match[str]) -> None:
    """What an image's name says of its registry, where nothing said it before. Raises Misuse where they contradict."""
    for flag, part in (("registry_id", named["account"]), ("region", named["region"])):
        stated = getattr(asked, flag)
        if part and stated and part != stated:
            raise Misuse(
                f"{named[0]}: it is in {part}, and --{flag.replace('_', '-')}, or another image, says {stated}"
            )
        setattr(asked, flag, stated or part)
