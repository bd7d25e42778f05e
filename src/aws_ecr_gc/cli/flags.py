"""The flags that commands share, and what their values must look like."""

import argparse
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aws_ecr_gc import durations
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Incomplete, Misuse

if TYPE_CHECKING:
    from aws_ecr_gc.config import Config, Connection, Directories, Keeping, OriginalFlags, Request, Watching
    from aws_ecr_gc.discovery.settings import Settings
    from aws_ecr_gc.shards import Shard
    from aws_ecr_gc.targets import Entry, Targets

_PREFIX = re.compile(r"(?:[a-zA-Z0-9_][a-zA-Z0-9._-]*)?")  # so `--keep $UNSET --dry-run=1` does not delete
_NAME = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_NAME}(/{_NAME})*")


def declare(parser: Parser) -> None:
    """Those of the original's command line and of what it has in common with the other commands."""
    parser.value("repo", metavar="NAME", type=repository, help="the repository (required)")
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
        type=keep,
        help="retain the newest N images with a tag of this prefix; repeat it for more prefixes",
    )
    parser.switch("delete-untagged", "delete untagged images that nothing retained needs")
    parser.value(
        "grace",
        metavar="DURATION",
        type=duration,
        help="untagged images younger than this stay, such as 90m, 1h30m, 2d; 0 turns it off (default: 1h)",
    )
    parser.value(
        "protect-in-use",
        metavar="SOURCES",
        action="append",
        type=sources,
        help="retain what these AWS services run or may run, such as ecs,lambda, or all",
    )


def declare_unread(parser: Parser) -> None:
    """What may be missing of what is in use."""
    parser.value(
        "allow-unread",
        metavar="SOURCE",
        action="append",
        default=[],
        type=origin,
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


def keeping_from(arguments: argparse.Namespace) -> "Keeping":
    """How all that is done is put on record."""
    from aws_ecr_gc.config import Keeping

    return Keeping(arguments.journal, restorable=not arguments.no_restore)


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
        type=region,
        help="the AWS region (default: AWS_REGION, AWS_DEFAULT_REGION, or the profile's)",
    )


def _declare_fleet(parser: Parser) -> None:
    parser.value(
        "region",
        metavar="REGION",
        action="append",
        default=[],
        type=region_or_all,
        help="an AWS region; repeat it for more, or all: those enabled for the account (default: as of the AWS CLI)",
    )
    parser.switch("all-repos", "all repositories, whatever the targets of the policy file say")
    parser.value(
        "account",
        metavar="ID",
        action="append",
        default=[],
        type=account,
        help="an account to enter with --role; repeat it for more (default: that of the credentials)",
    )
    parser.switch("organization", "all active accounts of the AWS organization, entered with --role")
    parser.value(
        "unit",
        metavar="ID",
        action="append",
        default=[],
        type=unit,
        help="of the organization only accounts in this unit or below; repeat it for more",
    )
    parser.value(
        "account-tag",
        metavar="KEY=GLOB",
        action="append",
        default=[],
        type=pair,
        help="of the organization only accounts with this tag; repeat it for more, all must fit",
    )
    declare_entry(parser)


def declare_entry(parser: Parser) -> None:
    """How other accounts are entered."""
    parser.value("role", metavar="NAME", type=role, help="the role with which other accounts are entered")
    parser.value("external-id", metavar="ID", type=external_id, help="the external id that the role asks for")
    parser.value(
        "session-tag",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        type=pair,
        help="a tag of the role's sessions; repeat it for more",
    )


def _declare_account(parser: Parser) -> None:
    parser.value("registry-id", metavar="ACCOUNT", type=account, help="the registry's account, if not your own")
    parser.value("profile", guarded=True, metavar="NAME", help="the AWS profile")
    parser.value("endpoint-url", metavar="URL", type=url, help="another endpoint than AWS's own")


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
        type=pattern,
        help="only repositories of this name, such as ci/*; repeat it for more (default: all)",
    )


def declare_shard(parser: Parser) -> None:
    """Which part of the fleet."""
    parser.value(
        "shard",
        metavar="I/N",
        type=shard,
        help="only part I of N of the accounts and regions, such as 2/8; auto, or auto/N: as the scheduler of this job "
        "says (AWS Batch, Kubernetes, Buildkite, GitLab, GitHub)",
    )


def declare_pace(parser: Parser) -> None:
    """How much at once, and how fast."""
    parser.value(
        "concurrency", metavar="N", type=concurrency, help="how many repositories are worked on at once (default: 16)"
    )
    parser.value(
        "max-rps",
        metavar="N",
        type=rate,
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
        type=moment,
        help="decide as at this time, such as 2027-01-01 or 2027-01-01T06:00:00Z",
    )
    declare_connection(parser, fleet=fleet)
    declare_directories(parser)


def config_from(arguments: argparse.Namespace) -> "Config":
    """What was asked for with the original's flags. Raises Misuse."""
    if not arguments.repo:
        raise Incomplete("no repository: give --repo")
    flags = original_from(arguments)
    # Start-up: a mistyped command line is answered without loading what a run needs.
    from aws_ecr_gc.config import Config

    return Config(
        repository=arguments.repo,
        flags=flags,
        connection=connection_from(arguments),
        directories=directories_from(arguments),
        dry_run=arguments.dry_run,
        strict=arguments.strict,
        allow_unread=tuple(arguments.allow_unread),
        backup=arguments.backup,
        journal=keeping_from(arguments),
        output=arguments.output,
    )


def request_from(arguments: argparse.Namespace) -> "Request":
    """What was asked for with a policy file, or the original's flags in its stead. Raises Misuse."""
    flags = original_from(arguments) if "keep" in arguments else None
    given = flags is not None and bool(flags.keep or flags.delete_untagged)
    if arguments.f and flags is not None:
        refuse_two_policies(arguments)
    if not arguments.f and not given:
        raise Misuse("no policy: give -f FILE" + (", or --keep and --delete-untagged" if flags is not None else ""))
    from pathlib import Path

    from aws_ecr_gc.config import CONCURRENCY, Keeping, Request

    return Request(
        policy=Path(arguments.f) if arguments.f or flags is None else flags,
        patterns=tuple(arguments.repo),
        connection=connection_from(arguments),
        directories=directories_from(arguments),
        snapshot=Path(arguments.snapshot) if arguments.snapshot else None,
        at=arguments.at,
        uses=Path(arguments.in_use) if vars(arguments).get("in_use") else None,
        allow_unread=tuple(vars(arguments).get("allow_unread", ())),
        journal=keeping_from(arguments) if "journal" in arguments else Keeping(),
        backup=vars(arguments).get("backup"),
        output=arguments.output,
        concurrency=vars(arguments).get("concurrency") or CONCURRENCY,
        targets=targets_from(arguments),
        watching=watching_from(arguments),
        shard=shard_from(arguments),
        defers_in_use=vars(arguments).get("defer_in_use", False),
    )


def shard_from(arguments: argparse.Namespace) -> "Shard | None":
    """The part of the fleet. Raises Misuse where it is to be found out, and can't be."""
    stated = vars(arguments).get("shard")
    if stated is None:
        return None
    from aws_ecr_gc.shards import Shard, from_environment

    number, total = stated
    return from_environment(os.environ, total) if number is None else Shard(number, total)


def watching_from(arguments: argparse.Namespace) -> "Watching":
    """What other machines are told."""
    from pathlib import Path

    from aws_ecr_gc.config import Watching

    stated = vars(arguments)
    prometheus, embedded = (Path(stated[name]) if stated.get(name) else None for name in ("metrics_file", "emf_file"))
    return Watching(prometheus, embedded, stated["watched"] if stated.get("otel") else None)


def targets_from(arguments: argparse.Namespace) -> "Targets":
    """Where repositories are looked for, as flags say. Raises Misuse."""
    from aws_ecr_gc.targets import ALL_REGIONS, Targets

    if "account" not in arguments:
        return Targets()
    if arguments.all_repos and arguments.repo:
        raise Misuse("--all-repos and --repo: all of them, or only some? leave one out")
    if ALL_REGIONS in arguments.region and len(arguments.region) > 1:
        raise Misuse("--region all: names every region already; leave the others out")
    if arguments.account and arguments.organization:
        raise Misuse("--account and --organization: those accounts, or all? leave one out")
    return Targets(
        repositories=tuple(arguments.repo),
        every_repository=arguments.all_repos,
        regions=tuple(dict.fromkeys(arguments.region)),
        accounts=tuple(dict.fromkeys(arguments.account)),
        organization=arguments.organization,
        units=(tuple(arguments.unit),) if arguments.unit else (),
        account_tags=tuple(arguments.account_tag),
        entry=entry_from(arguments),
    )


def entry_from(arguments: argparse.Namespace) -> "Entry | None":
    """How other accounts are entered. Raises Misuse."""
    if arguments.role is None:
        if arguments.external_id or arguments.session_tag:
            raise Misuse("--external-id and --session-tag go with --role; name the role")
        return None
    from aws_ecr_gc.targets import Entry, tags_mistake

    if (mistake := tags_mistake(key for key, _ in arguments.session_tag)) is not None:
        raise Misuse(f"--session-tag: {mistake}")
    return Entry(arguments.role, arguments.external_id, dict(arguments.session_tag))


def entering(arguments: argparse.Namespace) -> "Connection":
    """Which registry, and the role in its account."""
    from msgspec.structs import replace

    return replace(connection_from(arguments), entry=entry_from(arguments))


def refuse_two_policies(arguments: argparse.Namespace) -> None:
    """The original's flags have no part in a policy file."""
    if arguments.keep or arguments.delete_untagged:
        raise Misuse("-f and the original's flags (--keep, --delete-untagged) are two policies; which one is meant?")
    if arguments.grace is not None:
        raise Misuse("--grace belongs to the original's flags; in the policy file write protect: {grace: 2h}")
    if arguments.protect_in_use is not None:
        stated = f"in_use: {{sources: [{', '.join(_united(arguments.protect_in_use))}]}}"
        raise Misuse(f"--protect-in-use belongs to the original's flags; in the policy file write {stated}")


def original_from(arguments: argparse.Namespace) -> "OriginalFlags":
    """What the original's flags say about images. Raises Misuse for a prefix that is given twice."""
    counts: dict[str, int] = {}
    for prefix, count in arguments.keep:
        if prefix in counts:
            raise Misuse(f"--keep {prefix}={count}: {prefix!r} is given twice; which of them is meant?")
        counts[prefix] = count
    from aws_ecr_gc.config import OriginalFlags

    stated = {} if arguments.grace is None else {"grace": arguments.grace}
    return OriginalFlags(counts, arguments.delete_untagged, **stated, in_use=settings_from(arguments.protect_in_use))


def settings_from(stated: Sequence[Sequence[str]] | None) -> "Settings | None":
    """What is to be looked for that runs images, of all that was stated."""
    if stated is None:
        return None
    from aws_ecr_gc.discovery.settings import Settings

    names = _united(stated)
    return Settings(sources=tuple(each for each in names if each != "all"), every="all" in names)


def _united(stated: Sequence[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(name for names in stated for name in names))


def connection_from(arguments: argparse.Namespace) -> "Connection":
    """Which registry, and as whom."""
    from aws_ecr_gc.config import Connection
    from aws_ecr_gc.targets import ALL_REGIONS

    max_rps = vars(arguments).get("max_rps")
    stated = arguments.region
    if isinstance(stated, list):  # `targets_from` tells of all; `all` is the region of no endpoint
        stated = next((each for each in stated if each != ALL_REGIONS), None)
    return Connection(stated, arguments.registry_id, arguments.profile, arguments.endpoint_url, max_rps)


def directories_from(arguments: argparse.Namespace) -> "Directories":
    """Where files are kept between runs."""
    from pathlib import Path

    from aws_ecr_gc.config import Directories

    return Directories(
        Path(arguments.cache_dir) if arguments.cache_dir else None,
        Path(arguments.state_dir) if arguments.state_dir else None,
    )


def sources(text: str) -> list[str]:
    """The names of AWS's sources of workloads, `all` among them."""
    from aws_ecr_gc.discovery.sources import SOURCES

    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name in {"kubernetes", "list"}:
            raise argparse.ArgumentTypeError(f"{name} needs to be told where: write it in a policy file, under in_use:")
        if name not in SOURCES and name != "all":
            raise argparse.ArgumentTypeError(f"{name!r} is no source; there are {', '.join(SOURCES)}, and all")
    return list(dict.fromkeys(names))


def origin(text: str) -> str:
    """What `usage.Origin.is_named_by` takes."""
    from aws_ecr_gc.discovery.sources import SOURCES

    source, _, where = text.partition("@")
    others = ("kubernetes", "list", "organization", "role")
    if source not in SOURCES and source not in others:
        raise argparse.ArgumentTypeError(f"{source!r} is no source; there are {', '.join((*SOURCES, *others))}")
    if text.endswith(("@", "/")) and not (source == "list" and where):
        raise argparse.ArgumentTypeError(f"{text!r}: write {source}, or {source}@123456789012/us-east-1")
    return text


def repository(text: str) -> str:
    """A repository name, or nothing. Source: ECR API reference, CreateRepository, repositoryName."""
    if text and not (2 <= len(text) <= 256 and _REPOSITORY.fullmatch(text)):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a repository name: 2 to 256 of a-z, 0-9 and - _ . / between them"
        )
    return text


def keep(text: str) -> tuple[str, int]:
    """`PREFIX=N`: the prefix is all before the first equals sign, as in the original."""
    prefix, equals, count = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not PREFIX=N, such as release=4")
    if not re.fullmatch(r"[0-9]{1,9}", count):
        raise argparse.ArgumentTypeError(f"{text!r}: N must be a whole number, 0 or more, such as release=4")
    if not _PREFIX.fullmatch(prefix):
        raise argparse.ArgumentTypeError(
            f"{text!r}: no tag begins so: a prefix has letters, digits and . _ - only, and begins with none of . -"
        )
    if not prefix and int(count) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} would delete every tagged image; name a prefix, or keep at least 1")
    return prefix, int(count)


def pattern(text: str) -> str:
    """A glob of repository names."""
    if not re.fullmatch(r"!?[a-z0-9._/*?\[\]-][a-z0-9._/*?!\[\]-]{0,255}", text):
        raise argparse.ArgumentTypeError(f"{text!r} fits no repository name: a-z, 0-9, - _ . / and * ? [ ] only")
    return text


def duration(text: str) -> float:
    """Seconds from a text such as 90m, 1h30m, 2d or 0."""
    try:
        return durations.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def moment(text: str) -> float:
    """Epoch seconds from a date, or a date and a time; UTC where no offset is named."""
    try:
        time = datetime.fromisoformat(text)
        return (time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time, such as 2027-01-01 or 2027-01-01T06:00:00Z"
        ) from error


def account(text: str) -> str:
    """An AWS account id."""
    if not re.fullmatch(r"[0-9]{12}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not an account id of 12 digits")
    return text


def concurrency(text: str) -> int:
    """How many at once."""
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= 256:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of repositories at once: 1 to 256")
    return int(text)


def shard(text: str) -> tuple[int | None, int | None]:
    """`I/N`, `auto` or `auto/N`: the number, None where it is to be found out, and of how many."""
    found = re.fullmatch(r"(?P<number>[0-9]{1,5}|auto)/(?P<total>[0-9]{1,5})|auto", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not I/N, such as 2/8, or auto, or auto/N")
    from aws_ecr_gc.shards import MOST

    total = None if found["total"] is None else int(found["total"])
    number = int(found["number"]) if found["number"] not in {None, "auto"} else None
    if total is not None and not 1 <= (1 if number is None else number) <= total <= MOST:
        raise argparse.ArgumentTypeError(f"{text!r}: I is 1 to N, and N at most {MOST}")
    return number, total


def rate(text: str) -> float:
    """Calls a second."""
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text) or float(text) < 0.1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of calls a second, 0.1 or more")
    return float(text)


def unit(text: str) -> str:
    """The id of a root or of an organizational unit."""
    if not re.fullmatch(r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the id of a unit, such as ou-ab12-34567890")
    return text


def role(text: str) -> str:
    """A role's name, with its path if it has one."""
    from aws_ecr_gc.targets import ROLE

    if not re.fullmatch(ROLE, text) or len(text) > 512:
        raise argparse.ArgumentTypeError(f"{text!r} is not a role's name, such as ecr-gc, or path/ecr-gc")
    return text


def external_id(text: str) -> str:
    """What a role asks for."""
    from aws_ecr_gc.targets import EXTERNAL_ID

    if text.startswith("-") or not re.fullmatch(EXTERNAL_ID, text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an external id: 2 to 1224 letters, digits and _ + = , . @ : / -"
        )
    return text


def pair(text: str) -> tuple[str, str]:
    """`KEY=VALUE`."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE, such as stage=prod")
    return key, value


def url(text: str) -> str:
    """An http or https URL."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return text
    except ValueError:  # a port that is none, a bracket that does not close
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not a URL, such as https://ecr.example.com")


def region(text: str) -> str:
    """The name of an AWS region."""
    from aws_ecr_gc.targets import region_mistake

    if (mistake := region_mistake(text)) is not None:
        raise argparse.ArgumentTypeError(f"{text!r} {'; '.join(mistake)}")
    return text


def region_or_all(text: str) -> str:
    """The same, or `all`."""
    from aws_ecr_gc.targets import ALL_REGIONS

    return text if text == ALL_REGIONS else region(text)
