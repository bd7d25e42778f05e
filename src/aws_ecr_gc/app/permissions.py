"""The permissions that a run needs."""

from collections.abc import Iterator
from pathlib import Path

from aws_ecr_gc.aws.client import Session
from aws_ecr_gc.aws.permissions import Need, Statement, actions_for, document_of, policy_document
from aws_ecr_gc.config import Connection, OriginalFlags
from aws_ecr_gc.discovery.settings import Settings
from aws_ecr_gc.discovery.sources import SOURCES
from aws_ecr_gc.globs import has_wildcard
from aws_ecr_gc.policyfile import load


def workloads_policy(settings: Settings) -> dict[str, object]:
    """The IAM policy document for the role with which other accounts are entered."""
    return document_of([_looking(settings)])


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
        elsewhere=[
            *_registry_wide(policy),
            *_elsewhere(settings_of(policy), session.partition, connection.registry_id),
        ],
    )


def _registry_wide(policy: Path | OriginalFlags | None) -> Iterator[Statement]:
    """What is asked of the registry as a whole: under the original's flags nothing."""
    if isinstance(policy, Path):
        yield Statement("AwsEcrGcRegistry", tuple(actions_for({Need.REPLICATION, Need.CACHES})))


def settings_of(policy: Path | OriginalFlags | None) -> Settings | None:
    """What is to be looked for that runs images."""
    if isinstance(policy, OriginalFlags):
        return policy.in_use
    return None if policy is None else load(policy).in_use


def _elsewhere(settings: Settings | None, partition: str, registry_id: str | None) -> Iterator[Statement]:
    """What reading workloads takes. Who is asking (sts:GetCallerIdentity) needs no permission."""
    if settings is None or not settings.asks_aws:
        return
    yield _looking(settings)
    if settings.organization:
        yield Statement("AwsEcrGcOrganization", ("organizations:ListAccounts",))
    registry = () if registry_id is None or settings.role is None else (registry_id,)
    accounts = ("*",) if settings.organization else tuple(dict.fromkeys((*settings.accounts, *registry)))
    if accounts:
        roles = tuple(f"arn:{partition}:iam::{account}:role/{settings.role}" for account in accounts)
        yield Statement("AwsEcrGcEnterAccounts", ("sts:AssumeRole",), roles)


def _looking(settings: Settings) -> Statement:
    names = SOURCES if settings.every else settings.sources
    return Statement("AwsEcrGcInUse", tuple(sorted({action for name in names for action in SOURCES[name].actions})))
