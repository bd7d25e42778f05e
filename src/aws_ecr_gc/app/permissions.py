"""The permissions that a run needs."""

from collections.abc import Iterator
from pathlib import Path

from aws_ecr_gc.aws.permissions import Need, Statement, actions_for, document_of, policy_document
from aws_ecr_gc.aws.session import Session
from aws_ecr_gc.backup.s3 import PERMISSIONS as BACKUP_CALLS
from aws_ecr_gc.config import Connection, OriginalFlags
from aws_ecr_gc.discovery.settings import Settings
from aws_ecr_gc.discovery.sources import SOURCES
from aws_ecr_gc.errors import Misuse
from aws_ecr_gc.globs import has_wildcard
from aws_ecr_gc.journal.s3 import PERMISSIONS as JOURNAL_CALLS
from aws_ecr_gc.plan import Action
from aws_ecr_gc.policyfile import load
from aws_ecr_gc.targets import ALL_REGIONS, Targets, parted

_NEEDS = {Action.ARCHIVE: Need.ARCHIVE, Action.UNTAG: Need.UNTAG}
"""What other actions than deletion need; a policy that archives may delete from the archive, and tags are deleted."""


def workloads_policy(settings: Settings, policy: Path | OriginalFlags) -> dict[str, object]:
    """The IAM policy document for the role with which other accounts are entered."""
    targets = load(policy).targets if isinstance(policy, Path) else Targets()
    return document_of([_looking(settings), *_regions(settings, targets)])


def _regions(settings: Settings | None, targets: Targets) -> Iterator[Statement]:
    """What finding the regions takes in which workloads are looked for."""
    if settings is not None and settings.asks_aws and not settings.regions and ALL_REGIONS in targets.regions:
        yield Statement("AwsEcrGcRegions", ("account:ListRegions",))


def fleet_policy(policy: Path, connection: Connection) -> dict[str, object]:
    """The IAM policy document for who runs a command over the targets of a policy file: beside that of the role.

    Raises Misuse where these are no other accounts, or the AWS configuration names no region, and Mistakes.
    """
    file = load(policy)
    targets, settings = file.targets, file.in_use
    if targets.entry is None or not (targets.accounts or targets.organization):
        raise Misuse(f"--for-fleet: {policy} names no other accounts; see targets: in docs/fleet.md")
    partition = Session(connection.profile, connection.region).partition
    accounts = ("*",) if targets.organization else targets.accounts
    entering = ("sts:AssumeRole", *(("sts:TagSession",) if targets.entry.session_tags else ()))
    statements = [
        Statement("AwsEcrGcFleet", entering, tuple(targets.entry.arn(partition, account) for account in accounts))
    ]
    if targets.organization:
        statements.append(Statement("AwsEcrGcFleetAccounts", tuple(sorted(_organization(targets)))))
    return document_of([*statements, *_regions(settings, targets), *_elsewhere(settings, partition, None)])


def _organization(targets: Targets) -> Iterator[str]:
    """What finding the accounts of an organization takes."""
    if targets.units:
        yield "organizations:ListAccountsForParent"
        yield "organizations:ListOrganizationalUnitsForParent"
    else:
        yield "organizations:ListAccounts"
    if targets.account_tags:
        yield "organizations:ListTagsForResource"


def unarchive_policy(patterns: tuple[str, ...], connection: Connection) -> dict[str, object]:
    """The IAM policy document for `unarchive`. Raises Misuse where the AWS configuration names no region."""
    session = Session(connection.profile, connection.region)
    actions = actions_for({Need.READ, Need.DECIDE, Need.ARCHIVE})
    account = connection.registry_id or "*"
    return policy_document(actions, session.partition, session.region, account, *(patterns or ("*",)))


def least_policy(
    policy: Path | OriginalFlags | None,
    patterns: tuple[str, ...],
    connection: Connection,
    *,
    dry_run: bool,
    journal: str | None = None,
    backup: str | None = None,
) -> dict[str, object]:
    """The IAM policy document for a run under a policy file or the original's flags; for a snapshot without either.

    With a journal or a backup in S3, for these as well.

    Raises Misuse where the AWS configuration names no region, and Mistakes for a broken policy file.
    """
    targets = load(policy).targets if isinstance(policy, Path) else Targets()
    taking, _ = parted(patterns or targets.repositories)
    patterns = taking or ("*",)
    needs = {Need.READ}
    if not (isinstance(policy, OriginalFlags) and policy.policy.asks_for_nothing):
        needs.add(Need.DECIDE)
        if policy is not None and not dry_run:
            needs.add(Need.DELETE)
            if backup is not None:
                needs.add(Need.BACKUP)
    if isinstance(policy, Path) and not dry_run:
        needs |= {_NEEDS[action] for action in load(policy).actions if action in _NEEDS}
    if policy is None or (isinstance(policy, Path) and load(policy).uses_resource_tags):
        needs |= {Need.TAGS, Need.NAMES}  # tags are asked for by an ARN, which DescribeRepositories gives
    by_glob = targets.is_fleet or any(map(has_wildcard, patterns))
    if by_glob:
        needs.discard(Need.NAMES)
    elif len(patterns) > 1:
        needs.add(Need.NAMES)
    session = Session(connection.profile, connection.region)
    return policy_document(
        actions_for(needs),
        session.partition,
        "*" if targets.is_fleet else session.region,
        connection.registry_id or "*",
        *patterns,
        on_all=actions_for({Need.NAMES}) if by_glob else (),
        elsewhere=[
            *_registry_wide(policy),
            *([Statement("AwsEcrGcRegions", ("account:ListRegions",))] if ALL_REGIONS in targets.regions else ()),
            *_elsewhere(settings_of(policy), session.partition, connection.registry_id),
            *(() if dry_run else _in_s3(session.partition, journal, backup)),
        ],
    )


LIFECYCLE: dict[str, set[Need]] = {
    "simulate": {Need.READ, Need.DECIDE, Need.LIFECYCLE},
    "lint": {Need.READ, Need.DECIDE, Need.LIFECYCLE},
    "verify": {Need.READ, Need.LIFECYCLE, Need.LIFECYCLE_PREVIEW},
    "import": {Need.LIFECYCLE},
    "apply": {Need.LIFECYCLE, Need.LIFECYCLE_PUT},
    "remove": {Need.LIFECYCLE, Need.LIFECYCLE_REMOVE},
    "report": {Need.READ, Need.LIFECYCLE},
}
"""What the lifecycle commands need, each where it asks AWS as much as it may; `remove` is apply --remove."""


def lifecycle_policy(command: str, patterns: tuple[str, ...], connection: Connection) -> dict[str, object]:
    """The IAM policy document for a command of LIFECYCLE. Raises Misuse where no region is named."""
    needs = set(LIFECYCLE[command])
    by_glob = not patterns or any(map(has_wildcard, patterns))
    if len(patterns) > 1 and not by_glob:
        needs.add(Need.NAMES)
    session = Session(connection.profile, connection.region)
    account = connection.registry_id or "*"
    on_all = actions_for({Need.NAMES}) if by_glob else ()
    names = patterns or ("*",)
    return policy_document(actions_for(needs), session.partition, session.region, account, *names, on_all=on_all)


def restore_policy(
    repositories: tuple[str, ...], connection: Connection, *, journal: str | None, source: str | None
) -> dict[str, object]:
    """The IAM policy document for putting back, in these repositories or in all; `source` is a backup."""
    session = Session(connection.profile, connection.region)
    needs = {Need.READ, Need.DECIDE, Need.RESTORE, Need.UNTAG} | (set() if source is None else {Need.UPLOAD})
    return policy_document(
        actions_for(needs),
        session.partition,
        session.region,
        connection.registry_id or "*",
        *(repositories or ("*",)),
        elsewhere=list(_in_s3(session.partition, journal, source, reading=True)),
    )


def _in_s3(partition: str, journal: str | None, backup: str | None, *, reading: bool = False) -> Iterator[Statement]:
    """What a journal and a backup in S3 take: on the objects, and on the bucket."""
    for name, stated, calls in (("Journal", journal, JOURNAL_CALLS), ("Backup", backup, BACKUP_CALLS)):
        if stated is None or not stated.startswith("s3://"):
            continue
        bucket, _, prefix = stated.removeprefix("s3://").partition("/")
        prefix = prefix.strip("/")
        if name == "Journal" and reading:
            prefix = prefix.rpartition("/")[0]  # the last part is the journal's own name
        actions = {action for action in calls.values() if not reading or action in {"s3:GetObject", "s3:ListBucket"}}
        objects = f"arn:{partition}:s3:::{bucket}/{prefix}/*" if prefix else f"arn:{partition}:s3:::{bucket}/*"
        yield Statement(f"AwsEcrGc{name}", tuple(sorted(actions - {"s3:ListBucket"})), (objects,))
        yield Statement(f"AwsEcrGc{name}Bucket", ("s3:ListBucket",), (f"arn:{partition}:s3:::{bucket}",))


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
