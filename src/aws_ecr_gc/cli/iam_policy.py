"""`aws-ecr-gc iam-policy`: the permissions that a run with the same flags needs."""

import argparse
import json
from collections.abc import Sequence

from aws_ecr_gc.cli import flags, options
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit, Incomplete, Misuse


def parser() -> Parser:
    """The flags of the original's command line and of `run`."""
    made = Parser(
        "aws-ecr-gc iam-policy",
        "Print the least-privilege IAM policy for a run with these flags. Nothing is called.",
        "Give the flags of the run you mean: -f with any --repo, or --repo and what the original's command line takes; "
        "and a region. With --dry-run, which stands for `plan` too, nothing allows a deletion.",
    )
    flags.declare_policy_file(made)
    flags.declare_repositories(made)
    flags.declare_original(made)
    flags.declare_unread(made)
    made.switch("dry-run", "for a run that deletes nothing")
    made.switch("for-snapshot", "for aws-ecr-gc snapshot with these --repo")
    made.value(
        "for-lifecycle",
        metavar="COMMAND",
        choices=["simulate", "lint", "verify", "import", "apply", "remove", "report"],
        help="for aws-ecr-gc lifecycle COMMAND with these --repo; remove: apply --remove",
    )
    made.switch("for-restore", "for aws-ecr-gc restore in these --repo; with --from, of a backup too")
    made.value("from", guarded=True, metavar="PLACE", help="with --for-restore: the place of the backup")
    made.switch("for-unarchive", "for aws-ecr-gc unarchive in these --repo")
    made.switch("for-workloads", "for the role in other accounts where what is in use is looked for")
    made.switch("for-fleet", "for who runs a command over the accounts that the targets of -f name, beside their roles")
    made.switch("yes", "as of run; of no account here")
    flags.declare_strict(made)
    flags.declare_journal(made)
    flags.declare_backup(made)
    flags.declare_output(made)
    flags.declare_connection(made)
    flags.declare_directories(made)
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Print the least IAM policy for the flags. Without --registry-id, the ARN holds `*` for the account."""
    asked = parser().read(arguments)
    flags_alone = options.original_from(asked)
    if asked.f:
        options.refuse_two_policies(asked)
    if asked.for_snapshot and (asked.f or asked.keep or asked.delete_untagged):
        raise Misuse("--for-snapshot: a snapshot has no policy; leave out -f, --keep and --delete-untagged")
    _demand_one_purpose(asked)
    if asked.for_lifecycle:
        return _print_lifecycle_policy(asked)
    if vars(asked)["from"] and not asked.for_restore:
        raise Misuse("--from: goes with --for-restore")
    if asked.for_restore:
        return _print_restore_policy(asked)
    if asked.for_unarchive:
        return _print_unarchive_policy(asked)
    if asked.for_workloads:
        return _print_workloads_policy(asked)
    if asked.for_fleet:
        return _print_fleet_policy(asked)
    if not asked.f and len(asked.repo) != 1 and not asked.for_snapshot:
        raise Incomplete("give --repo once, or -f")
    from pathlib import Path

    from aws_ecr_gc.app.permissions import least_policy

    policy = Path(asked.f) if asked.f else flags_alone
    document = least_policy(
        None if asked.for_snapshot else policy,
        tuple(asked.repo),
        options.connection_from(asked),
        dry_run=asked.dry_run,
        journal=asked.journal,
        backup=asked.backup,
    )
    print(json.dumps(document, indent=2))
    return Exit.DONE


def _demand_one_purpose(asked: argparse.Namespace) -> None:
    stated = [name for name, value in vars(asked).items() if name.startswith("for_") and value]
    if len(stated) > 1:
        named = " and ".join(f"--{name.replace('_', '-')}" for name in stated)
        raise Misuse(f"{named}: give one of them; each has a policy of its own")


def _print_lifecycle_policy(asked: argparse.Namespace) -> Exit:
    if asked.f or asked.keep or asked.delete_untagged:
        raise Misuse("--for-lifecycle: it has no policy of ours; leave out -f, --keep and --delete-untagged")
    from aws_ecr_gc.app.permissions import lifecycle_policy

    connection = options.connection_from(asked)
    print(json.dumps(lifecycle_policy(asked.for_lifecycle, tuple(asked.repo), connection), indent=2))
    return Exit.DONE


def _print_restore_policy(asked: argparse.Namespace) -> Exit:
    if asked.f or asked.keep or asked.delete_untagged or asked.backup:
        raise Misuse("--for-restore: it has no policy; leave out -f, --keep, --delete-untagged and --backup")
    from aws_ecr_gc.app.permissions import restore_policy

    connection = options.connection_from(asked)
    policy = restore_policy(tuple(asked.repo), connection, journal=asked.journal, source=vars(asked)["from"])
    print(json.dumps(policy, indent=2))
    return Exit.DONE


def _print_unarchive_policy(asked: argparse.Namespace) -> Exit:
    if asked.f or asked.keep or asked.delete_untagged:
        raise Misuse("--for-unarchive: no policy has a part in it; leave out -f, --keep and --delete-untagged")
    from aws_ecr_gc.app.permissions import unarchive_policy

    print(json.dumps(unarchive_policy(tuple(asked.repo), options.connection_from(asked)), indent=2))
    return Exit.DONE


def _print_fleet_policy(asked: argparse.Namespace) -> Exit:
    if not asked.f:
        raise Misuse("--for-fleet: accounts are named by the targets of a policy file; give -f FILE")
    from pathlib import Path

    from aws_ecr_gc.app.permissions import fleet_policy

    print(json.dumps(fleet_policy(Path(asked.f), options.connection_from(asked)), indent=2))
    return Exit.DONE


def _print_workloads_policy(asked: argparse.Namespace) -> Exit:
    from pathlib import Path

    from aws_ecr_gc.app.permissions import settings_of, workloads_policy

    policy = Path(asked.f) if asked.f else options.original_from(asked)
    settings = settings_of(policy)
    if settings is None or not settings.asks_aws:
        raise Misuse(
            "--for-workloads: no AWS service is looked into; see in_use: {sources: [...]}, or --protect-in-use"
        )
    print(json.dumps(workloads_policy(settings, policy), indent=2))
    return Exit.DONE
