"""What the values of flags must look like."""

import argparse
import re
from datetime import UTC, datetime

from aws_ecr_gc import durations

_PREFIX = re.compile(r"(?:[a-zA-Z0-9_][a-zA-Z0-9._-]*)?")  # so `--keep $UNSET --dry-run=1` does not delete
_NAME = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_NAME}(/{_NAME})*")


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
