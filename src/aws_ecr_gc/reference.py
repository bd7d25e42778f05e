"""Which registry, which repository."""

import re

from msgspec import Struct

_REPOSITORY_NAME = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")


class Registry(Struct, frozen=True):
    """A private ECR registry: one account in one region. The account is None until ECR has named it."""

    account: str | None
    region: str
    partition: str


class Repository(Struct, frozen=True):
    """A repository of a registry."""

    registry: Registry
    name: str


def is_repository_name(name: str) -> bool:
    """Whether ECR can have a repository of this name: 2 to 256 characters of the OCI grammar.

    Source: ECR API reference, CreateRepository, repositoryName.
    """
    return 2 <= len(name) <= 256 and _REPOSITORY_NAME.fullmatch(name) is not None
