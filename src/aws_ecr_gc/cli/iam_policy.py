"""`aws-ecr-gc iam-policy`: the permissions that a run with the same flags needs."""

import json
from collections.abc import Sequence

from aws_ecr_gc.cli import flags
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit


def run(arguments: Sequence[str]) -> Exit:
    """Print the least IAM policy for the flags. Without --registry-id, the ARN holds `*` for the account."""
    parser = Parser(
        "aws-ecr-gc iam-policy",
        "Print the least-privilege IAM policy for a run with these flags. Nothing is called.",
        "Give the flags of the run you mean, --repo and a region at least. With --dry-run nothing allows a deletion.",
    )
    flags.declare(parser)
    config = flags.config_from(parser.read(arguments))
    from aws_ecr_gc.app.permissions import least_policy

    print(json.dumps(least_policy(config), indent=2))
    return Exit.DONE
