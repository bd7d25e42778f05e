"""Which registry, which repository."""

from msgspec import Struct


class Registry(Struct, frozen=True):
    """A private ECR registry: one account in one region. The account is None until ECR has named it."""

    account: str | None
    region: str
    partition: str


class Repository(Struct, frozen=True):
    """A repository of a registry."""

    registry: Registry
    name: str
