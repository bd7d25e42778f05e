"""Amazon ECR, private registries."""

from aws_ecr_gc.aws.client import Session
from aws_ecr_gc.reference import Registry
from aws_ecr_gc.registries.ecr.content import EcrContents
from aws_ecr_gc.registries.ecr.registry import EcrRegistry
from aws_ecr_gc.registries.ecr.repository import EcrRepository

__all__ = ["EcrContents", "EcrRegistry", "EcrRepository", "open_registry", "open_repository", "registry_of"]


def open_registry(
    *, region: str | None, registry_id: str | None, profile: str | None, endpoint_url: str | None
) -> EcrRegistry:
    """The registry that the user's AWS configuration means, with one client for all its repositories.

    Nothing is called yet. Raises Misuse for a configuration that can't work.
    """
    return registry_of(Session(profile, region), registry_id=registry_id, endpoint_url=endpoint_url)


def registry_of(session: Session, *, registry_id: str | None, endpoint_url: str | None) -> EcrRegistry:
    """The same of a configuration that is read already. Nothing is called yet. Raises Misuse."""
    registry = Registry(registry_id, session.region, session.partition)
    return EcrRegistry(
        session.ecr(endpoint_url),
        registry,
        registry_id,
        lambda: session.client("ecr", endpoint_url=endpoint_url, attempts=1),
    )


def open_repository(
    name: str, *, region: str | None, registry_id: str | None, profile: str | None, endpoint_url: str | None
) -> EcrRepository:
    """The repository of this name, alone: what `open_registry` says holds for it too."""
    registry = open_registry(region=region, registry_id=registry_id, profile=profile, endpoint_url=endpoint_url)
    return registry.repository(name)
