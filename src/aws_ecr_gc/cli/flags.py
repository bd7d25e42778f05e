"""The flags of the original's command line, shared by every command that takes them."""

import argparse
import re
from typing import TYPE_CHECKING

from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Incomplete, Misuse

if TYPE_CHECKING:
    from aws_ecr_gc.config import Config

_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:[0-9]{1,6}[dhms])+")
_PREFIX = re.compile(r"(?:[a-zA-Z0-9_][a-zA-Z0-9._-]*)?")  # so `--keep $UNSET --dry-run=1` does not delete
_REPOSITORY = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")


def declare(parser: Parser) -> None:
    """Declare them."""
    parser.value("repo", metavar="NAME", type=repository, help="the repository (required)")
    parser.value(
        "region",
        metavar="REGION",
        type=region,
        help="the AWS region (default: AWS_REGION, AWS_DEFAULT_REGION, or the profile's)",
    )
    parser.value(
        "keep",
        metavar="PREFIX=N",
        action="append",
        default=[],
        type=keep,
        help="retain the newest N images with a tag of this prefix; repeat it for more prefixes",
    )
    parser.switch("delete-untagged", "delete untagged images that nothing retained needs")
    parser.switch("dry-run", "show what would be deleted, and delete nothing")
    parser.value(
        "grace",
        metavar="DURATION",
        type=duration,
        default=3600.0,
        help="untagged images younger than this stay, such as 90m, 1h30m, 2d; 0 turns it off (default: 1h)",
    )
    parser.switch("strict", "exit 5 also where images were skipped because they changed since the plan")
    parser.value("registry-id", metavar="ACCOUNT", type=account, help="the registry's account, if not your own")
    parser.value("profile", guarded=True, metavar="NAME", help="the AWS profile")
    parser.value("endpoint-url", metavar="URL", type=url, help="another endpoint than AWS's own")
    parser.value("output", choices=["text", "json"], default="text", help="the form of the result (default: text)")
    parser.value(
        "cache-dir", guarded=True, metavar="DIR", help="where manifests are kept (default: XDG_CACHE_HOME/aws-ecr-gc)"
    )
    parser.value(
        "state-dir",
        guarded=True,
        metavar="DIR",
        help="where steps still to do are kept (default: XDG_STATE_HOME/aws-ecr-gc)",
    )


def config_from(arguments: argparse.Namespace) -> "Config":
    """What was asked for. Raises Misuse."""
    if not arguments.repo:
        raise Incomplete("no repository: give --repo")
    counts: dict[str, int] = {}
    for prefix, count in arguments.keep:
        if prefix in counts:
            raise Misuse(f"--keep {prefix}={count}: {prefix!r} is given twice; which of them is meant?")
        counts[prefix] = count
    # Start-up: a mistyped command line is answered without loading what a run needs.
    from pathlib import Path

    from aws_ecr_gc.config import Config
    from aws_ecr_gc.policy import KeepNewest, Policy

    return Config(
        repository=arguments.repo,
        policy=Policy(
            tuple(KeepNewest(prefix, count) for prefix, count in counts.items()),
            arguments.delete_untagged,
            arguments.grace,
        ),
        region=arguments.region,
        registry_id=arguments.registry_id,
        profile=arguments.profile,
        endpoint_url=arguments.endpoint_url,
        dry_run=arguments.dry_run,
        strict=arguments.strict,
        output=arguments.output,
        cache_dir=Path(arguments.cache_dir) if arguments.cache_dir else None,
        state_dir=Path(arguments.state_dir) if arguments.state_dir else None,
    )


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


def duration(text: str) -> float:
    """Seconds from a text such as 90m, 1h30m, 2d or 0."""
    if text == "0":
        return 0.0
    if not _DURATION.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration, such as 90m, 1h30m, 2d or 0")
    return float(sum(int(number) * _SECONDS[unit] for number, unit in re.findall(r"([0-9]+)([dhms])", text)))


def account(text: str) -> str:
    """An AWS account id."""
    if not re.fullmatch(r"[0-9]{12}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not an account id of 12 digits")
    return text


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
    if not re.fullmatch(r"[a-zA-Z0-9-]+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a region, such as us-east-1")
    return text
