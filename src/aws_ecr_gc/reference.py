"""Which registry, which repository, which image; and how references to them are found in what others wrote.

The hosts are those of https://docs.aws.amazon.com/general/latest/gr/ecr.html. A host that is taken for ECR's by mistake
protects an image too many, so everything is taken that begins as ECR's hosts do, whatever its suffix.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from aws_ecr_gc import image_name

# Partition: how its regions begin, and what its hosts end in (botocore's partitions.json)
PARTITIONS = {
    "aws-cn": ("cn-", "amazonaws.com.cn"),
    "aws-us-gov": ("us-gov-", "amazonaws.com"),
    "aws-iso": ("us-iso-", "c2s.ic.gov"),
    "aws-iso-b": ("us-isob-", "sc2s.sgov.gov"),
    "aws-iso-e": ("eu-isoe-", "cloud.adc-e.uk"),
    "aws-iso-f": ("us-isof-", "csp.hci.ic.gov"),
    "aws-eusc": ("eusc-", "amazonaws.eu"),
    "aws": ("", "amazonaws.com"),
}

_FLAGS = re.ASCII | re.IGNORECASE
# IPv4 and dual-stack, each with FIPS; starport is an older name that ECS still reads.
_SERVICE = r"dkr(?:\.ecr|\.starport|-ecr)(?:-fips)?"
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_HOST = rf"(?P<account>[0-9]{{12}})\.{_SERVICE}\.(?P<region>{_LABEL})(?:\.{_LABEL})*(?::[0-9]+)?"
# A host with what could be the rest of a reference, or else what only looks like one: $ACCOUNT.dkr.ecr.$REGION. A host
# stands after `:-` in ${IMAGE:-default}.
_MENTION = (
    rf"(?:(?<![a-z0-9.-])|(?<=:-)){_HOST}(?P<rest>/[a-z0-9_.:/@+-]*)?"
    rf"|(?<![a-z0-9-]){_SERVICE}\."
)
# What may stand right behind a reference; before anything else, such as $ or {, it may be half of one.
_ENDS = "\"'`,;!)]}>|&\\"


class Registry(Struct, frozen=True):
    """A private ECR registry: one account in one region. The account is None until ECR has named it."""

    account: str | None
    region: str
    partition: str


class Repository(Struct, frozen=True):
    """A repository of a registry."""

    registry: Registry
    name: str


class Reference(Struct, frozen=True):
    """What names images of a repository: by tag, by digest, by both (then the digest counts), or neither (`latest`)."""

    repository: Repository
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        """`<account>.dkr.ecr.<region>.<suffix>/<name>[:tag][@digest]`; an account not known is printed as `?`."""
        registry = self.repository.registry
        _, suffix = PARTITIONS.get(registry.partition, PARTITIONS["aws"])
        domain = f"{registry.account or '?'}.dkr.ecr.{registry.region}.{suffix}"
        return image_name.ImageName(domain, self.repository.name, self.tag, self.digest).normalized


def registry_of(domain: str) -> Registry | None:
    """The private ECR registry of a `host` or `host:port`; None for any other, public.ecr.aws included.

    All hosts of one registry give the same value: region and partition are read from the region's label alone.
    """
    found = re.fullmatch(_HOST, domain, _FLAGS)
    if found is None:
        return None
    region = found["region"].lower()
    partition = next(name for name, (prefix, _) in PARTITIONS.items() if region.startswith(prefix))
    return Registry(found["account"], region, partition)


def reference_of(text: str) -> Reference | None:
    """The reference that an image name is, with or without docker://, docker-pullable://, oci:// or https://.

    None for an image that is in no private ECR registry, and for a bare `sha256:<64 hex>`, which names no repository.
    Raises ValueError of one line for what is no image name at all; white space around a name makes it none.
    """
    bare = re.sub(r"\A(?:docker-pullable|docker|oci|https?)://", "", text)
    if re.fullmatch(r"sha256:[0-9a-f]{64}", bare):
        return None
    name = image_name.parse(bare)
    registry = registry_of(name.domain)
    return Reference(Repository(registry, name.path), name.tag, name.digest) if registry else None


def references_in(text: str) -> Iterator[Reference]:
    """The references to private ECR registries in a longer text, such as a command or a document, in order.

    A reference goes as far as its letters go, full stops at its end excepted, and must be an image name as a whole. One
    that could be half of what is meant is none: what ends in `-`, `_`, `:` or `/`, or is followed by `$`, `{`, `%`.
    """
    return (reference for reference in _mentions(text) if reference is not None)


def mentions_registry(text: str) -> bool:
    """Whether the text names a private ECR registry, even by a host of which account or region are left open."""
    return any(True for _ in _mentions(text))


def mentions_unread(text: str) -> bool:
    """Whether the text names a private ECR registry in a place where `references_in` finds no reference."""
    return None in _mentions(text)


def _mentions(text: str) -> Iterator[Reference | None]:
    """Each place that names a registry: the reference that stands there, or None if it can't be told."""
    for found in re.finditer(_MENTION, text, _FLAGS):
        yield _reference_at(found) if found["rest"] else None


def _reference_at(found: re.Match[str]) -> Reference | None:
    after = found.string[found.end() : found.end() + 2]
    token = found[0].rstrip(".")
    if after[:1].isspace():
        token = token.removesuffix(":")
    elif after[:1] not in _ENDS and after != "</":
        return None
    if not token[-1].isalnum():
        return None
    try:
        return reference_of(token)
    except ValueError:
        return None
