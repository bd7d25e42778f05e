"""The permissions that a run needs."""

from pathlib import Path

from aws_ecr_gc.aws.client import Session
from aws_ecr_gc.aws.permissions import Need, actions_for, policy_document
from aws_ecr_gc.config import Connection, OriginalFlags
from aws_ecr_gc.globs import has_wildcard
from aws_ecr_gc.policyfile import load


def least_policy(
    policy: Path | OriginalFlags | None, patterns: tuple[str, ...], connection: Connection, *, dry_run: bool
) -> dict[str, object]:
    """The IAM policy document for a run under a policy file or the original's flags; for a snapshot without either.

    Raises Misuse where the AWS configuration names no region, and Mistakes for a broken policy file.
    """
    needs = {Need.READ}
    if not (isinstance(policy, OriginalFlags) and policy.policy.asks_for_nothing):
        needs.add(Need.DECIDE)
        if policy is not None and not dry_run:
            needs.add(Need.DELETE)
    if policy is None or (isinstance(policy, Path) and load(policy).uses_resource_tags):
        needs |= {Need.TAGS, Need.NAMES}  # tags are asked for by an ARN, which DescribeRepositories gives
    by_glob = not patterns or any(map(has_wildcard, patterns))
    if by_glob:
        needs.discard(Need.NAMES)
    elif len(patterns) > 1:
        needs.add(Need.NAMES)
    session = Session(connection.profile, connection.region)
    return policy_document(
        actions_for(needs),
        session.partition,
        session.region,
        connection.registry_id or "*",
        *(patterns or ("*",)),
        on_all=actions_for({Need.NAMES}) if by_glob else (),
    )
