"""From an image as a workload names it to the digest that it means in the stand-in's registries now."""

import re
from collections.abc import Callable

from aws_ecr_gc.sandbox.store import Registry

Registries = Callable[[str, str], Registry]
"""The registry of an account and a region."""

_IMAGE = re.compile(
    r"(?P<account>[0-9]{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.[a-z0-9.-]+/"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


def resolve(registries: Registries, image: str) -> str | None:
    """The digest that would be pulled: the stated one, or what the tag points at; None where there is no such image."""
    named = _IMAGE.fullmatch(image)
    if named is None:
        return None
    repository = registries(named["account"], named["region"]).repositories.get(named["repository"])
    if repository is None:
        return None
    try:
        return repository.resolve(named["digest"] or named["tag"] or "latest")
    except KeyError:
        return None


def repository_of(image: str) -> str:
    """The image without its tag and digest."""
    named = _IMAGE.fullmatch(image)
    return image if named is None else image[: named.end("repository")]
