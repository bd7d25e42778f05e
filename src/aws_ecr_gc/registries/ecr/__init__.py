"""Amazon ECR, private registries."""

from aws_ecr_gc.aws.pacing import Traffic
from aws_ecr_gc.aws.session import CONNECTIONS, Session
from aws_ecr_gc.reference import Registry
from aws_ecr_gc.registries.ecr.content import EcrContents
from aws_ecr_gc.registries.ecr.registry import EcrRegistry
from aws_ecr_gc.registries.ecr.repository import EcrRepository

__all__ = ["EcrContents", "EcrRegistry", "EcrRepository", "open_registry", "open_repository", "registry_of"]


def open_registry(
    *,
    region: str | None,
    registry_id: str | None,
    profile: str | None,
    endpoint_url: str | None,
    connections: int = CONNECTIONS,
    traffic: Traffic | None = None,
) -> EcrRegistry:
    """The registry that the user's AWS configuration means, with one client for all its repositories.

    `connections` is how many calls may be under way at once; `traffic` sets their pace, and counts them. Nothing is
    called yet. Raises Misuse for a configuration that can't work.
    """
    session = Session(profile, region)
    return registry_of(
        session, registry_id=registry_id, endpoint_url=endpoint_url, connections=connections, traffic=traffic
    )


def registry_of(
    session: Session,
    *,
    registry_id: str | None,
    endpoint_url: str | None,
    connections: int = CONNECTIONS,
    traffic: Traffic | None = None,
) -> EcrRegistry:
    """The same of a configuration that is read already. Nothing is called yet. Raises Misuse."""
    registry = Registry(registry_id, session.region, session.partition)
    return EcrRegistry(
        session.ecr(endpoint_url, connections=connections, traffic=traffic),
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
