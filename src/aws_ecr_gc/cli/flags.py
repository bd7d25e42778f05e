"""The flags that commands share."""

from aws_ecr_gc.cli import values
from aws_ecr_gc.cli.goflags import Parser


def declare(parser: Parser) -> None:
    """Those of the original's command line and of what it has in common with the other commands."""
    parser.value("repo", metavar="NAME", type=values.repository, help="the repository (required)")
    _declare_region(parser)
    declare_original(parser)
    declare_unread(parser)
    parser.switch("dry-run", "show what would be deleted, and delete nothing")
    declare_journal(parser)
    declare_strict(parser)
    _declare_account(parser)
    declare_backup(parser)
    declare_output(parser)
    declare_directories(parser)


def declare_original(parser: Parser) -> None:
    """What the original's flags say about images."""
    parser.value(
        "keep",
        metavar="PREFIX=N",
        action="append",
        default=[],
        type=values.keep,
        help="retain the newest N images with a tag of this prefix; repeat it for more prefixes",
    )
    parser.switch("delete-untagged", "delete untagged images that nothing retained needs")
    parser.value(
        "grace",
        metavar="DURATION",
        type=values.duration,
        help="untagged images younger than this stay, such as 90m, 1h30m, 2d; 0 turns it off (default: 1h)",
    )
    parser.value(
        "protect-in-use",
        metavar="SOURCES",
        action="append",
        type=values.sources,
        help="retain what these AWS services run or may run, such as ecs,lambda, or all",
    )


def declare_unread(parser: Parser) -> None:
    """What may be missing of what is in use."""
    parser.value(
        "allow-unread",
        metavar="SOURCE",
        action="append",
        default=[],
        type=values.origin,
        help="go on although this source of what is in use can't be read, such as ecs or ecs@123456789012/us-east-1",
    )


def declare_uses_file(parser: Parser) -> None:
    """A file instead of workloads."""
    parser.value("in-use", guarded=True, metavar="FILE", help="take what is in use from this file of in-use --out")


def declare_strict(parser: Parser) -> None:
    """Whether skipped images count as failed."""
    parser.switch("strict", "exit 5 also where images were skipped because they changed since the plan")


def declare_journal(parser: Parser) -> None:
    """Where all that is done is put on record."""
    parser.value(
        "journal",
        guarded=True,
        metavar="DIR",
        help="where what is done is put on record: a directory, s3://BUCKET/PREFIX, or none (default: in --state-dir)",
    )
    parser.switch("no-restore", "do not read the manifests of what is deleted for the journal: nothing can be put back")


def declare_backup(parser: Parser) -> None:
    """Where a copy is put first."""
    parser.value(
        "backup",
        guarded=True,
        metavar="PLACE",
        help="copy what will be deleted first, layers and all: to a directory, or s3://BUCKET/PREFIX",
    )


def declare_connection(parser: Parser, *, fleet: bool = False) -> None:
    """Which registry, and as whom; or which ones."""
    if fleet:
        _declare_fleet(parser)
    else:
        _declare_region(parser)
    _declare_account(parser)


def _declare_region(parser: Parser) -> None:
    parser.value(
        "region",
        metavar="REGION",
        type=values.region,
        help="the AWS region (default: AWS_REGION, AWS_DEFAULT_REGION, or the profile's)",
    )


def _declare_fleet(parser: Parser) -> None:
    parser.value(
        "region",
        metavar="REGION",
        action="append",
        default=[],
        type=values.region_or_all,
        help="an AWS region; repeat it for more, or all: those enabled for the account (default: as of the AWS CLI)",
    )
    parser.switch("all-repos", "all repositories, whatever the targets of the policy file say")
    parser.value(
        "account",
        metavar="ID",
        action="append",
        default=[],
        type=values.account,
        help="an account to enter with --role; repeat it for more (default: that of the credentials)",
    )
    parser.switch("organization", "all active accounts of the AWS organization, entered with --role")
    parser.value(
        "unit",
        metavar="ID",
        action="append",
        default=[],
        type=values.unit,
        help="of the organization only accounts in this unit or below; repeat it for more",
    )
    parser.value(
        "account-tag",
        metavar="KEY=GLOB",
        action="append",
        default=[],
        type=values.pair,
        help="of the organization only accounts with this tag; repeat it for more, all must fit",
    )
    declare_entry(parser)


def declare_entry(parser: Parser) -> None:
    """How other accounts are entered."""
    parser.value("role", metavar="NAME", type=values.role, help="the role with which other accounts are entered")
    parser.value("external-id", metavar="ID", type=values.external_id, help="the external id that the role asks for")
    parser.value(
        "session-tag",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        type=values.pair,
        help="a tag of the role's sessions; repeat it for more",
    )


def _declare_account(parser: Parser) -> None:
    parser.value("registry-id", metavar="ACCOUNT", type=values.account, help="the registry's account, if not your own")
    parser.value("profile", guarded=True, metavar="NAME", help="the AWS profile")
    parser.value("endpoint-url", metavar="URL", type=values.url, help="another endpoint than AWS's own")


def declare_output(parser: Parser, *more: str) -> None:
    """The form of the result."""
    parser.value(
        "output", choices=["text", "json", *more], default="text", help="the form of the result (default: text)"
    )


def declare_directories(parser: Parser) -> None:
    """Where files are kept between runs."""
    parser.value(
        "cache-dir", guarded=True, metavar="DIR", help="where manifests are kept (default: XDG_CACHE_HOME/aws-ecr-gc)"
    )
    parser.value(
        "state-dir",
        guarded=True,
        metavar="DIR",
        help="where steps still to do are kept (default: XDG_STATE_HOME/aws-ecr-gc)",
    )


def declare_repositories(parser: Parser) -> None:
    """Which repositories: all without a glob."""
    parser.value(
        "repo",
        metavar="GLOB",
        action="append",
        default=[],
        type=values.pattern,
        help="only repositories of this name, such as ci/*; repeat it for more (default: all)",
    )


def declare_shard(parser: Parser) -> None:
    """Which part of the fleet."""
    parser.value(
        "shard",
        metavar="I/N",
        type=values.shard,
        help="only part I of N of the accounts and regions, such as 2/8; auto, or auto/N: as the scheduler of this job "
        "says (AWS Batch, Kubernetes, Buildkite, GitLab, GitHub)",
    )


def declare_pace(parser: Parser) -> None:
    """How much at once, and how fast."""
    parser.value(
        "concurrency",
        metavar="N",
        type=values.concurrency,
        help="how many repositories are worked on at once (default: 16)",
    )
    parser.value(
        "max-rps",
        metavar="N",
        type=values.rate,
        help="how many calls a second of each operation, in an account and region (default: as docs/fleet.md says)",
    )


def declare_watching(parser: Parser) -> None:
    """What other machines are told."""
    parser.value(
        "metrics-file", guarded=True, metavar="FILE", help="write the numbers of the run for Prometheus to this"
    )
    parser.value(
        "emf-file", guarded=True, metavar="FILE", help="append them in CloudWatch's embedded metric format to this"
    )
    parser.switch(
        "otel", "send the numbers and a trace of the run to an OpenTelemetry collector, as OTEL_... variables say"
    )
    parser.set_defaults(watched=parser.prog.rpartition(" ")[2])
    parser.value(
        "log-format", choices=["text", "json"], default="text", help="the form of standard error (default: text)"
    )


def declare_policy_file(parser: Parser) -> None:
    """The policy file."""
    parser.value("f", guarded=True, metavar="FILE", help="the policy file: YAML, JSON or TOML")


def declare_reading(parser: Parser, *, fleet: bool = False) -> None:
    """What every command has that reads: from where, at what time."""
    parser.value("snapshot", guarded=True, metavar="FILE", help="read this snapshot instead of AWS")
    parser.value(
        "at",
        metavar="TIME",
        type=values.moment,
        help="decide as at this time, such as 2027-01-01 or 2027-01-01T06:00:00Z",
    )
    declare_connection(parser, fleet=fleet)
    declare_directories(parser)
