"""The permissions that a configuration needs."""

from aws_ecr_gc.aws.client import Session
from aws_ecr_gc.aws.permissions import Need, actions_for, policy_document
from aws_ecr_gc.config import Config


def least_policy(config: Config) -> dict[str, object]:
    """The IAM policy document for one run. Raises Misuse where the AWS configuration names no region."""
    session = Session(config.profile, config.region)
    needs = {Need.READ}
    if not config.policy.asks_for_nothing:
        needs.add(Need.DECIDE)
        if not config.dry_run:
            needs.add(Need.DELETE)
    return policy_document(
        actions_for(needs), session.partition, session.region, config.registry_id or "*", config.repository
    )
