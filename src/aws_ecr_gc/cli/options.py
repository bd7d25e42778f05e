"""What was asked for with the flags that commands share, as configuration."""

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_ecr_gc.errors import Incomplete, Misuse

if TYPE_CHECKING:
    from aws_ecr_gc.config import Config, Connection, Directories, Keeping, OriginalFlags, Request, Watching
    from aws_ecr_gc.discovery.settings import Settings
    from aws_ecr_gc.shards import Shard
    from aws_ecr_gc.targets import Entry, Targets


def keeping_from(arguments: argparse.Namespace) -> "Keeping":
    """How all that is done is put on record."""
    from aws_ecr_gc.config import Keeping

    return Keeping(arguments.journal, restorable=not arguments.no_restore)


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
