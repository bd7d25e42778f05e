"""What every format of a list gives, and what all of them refuse."""

import re

from msgspec import Struct

from aws_ecr_gc.errors import SourceFailure, one_line
from aws_ecr_gc.reference import Reference, mentions_registry, mentions_unread

MOST_BYTES = 256 << 20
"""What is larger is no list that was meant."""
MEND = "write the whole reference, or give what is deployed: the output of `helm template`, `docker compose config`"

_HOST = r"dkr[.-](?:ecr|starport)"
# A registry alone, as `docker login` takes it, or with /v2/: after it comes white space or an end. Whether its account
# is known is of no account: no image is named.
_ALONE = re.compile(rf"{_HOST}[^\s\"'`,;/]*+/?(?:v2/?)?(?=[\"'`:.)\]}}>|&\\]*(?:[\s,;]|\Z))", re.IGNORECASE)
# A pattern in a policy that admits images: host/*, host/team/app:v*.
_PATTERN = re.compile(rf"(?:\*\.{_HOST}[a-z0-9_.:/@?-]*|{_HOST}[a-z0-9_.:/@?-]*\*)", re.IGNORECASE)
_TEMPLATE = re.compile(r"\{\{.*?\}\}|\$\{.*?\}", re.DOTALL)


class Mention(Struct, frozen=True):
    """A reference, and who uses it: `deploy.yaml (Deployment web)`, `images.txt:12`."""

    reference: Reference
    workload: str
    current: bool = True


def may_be_private(prefix: str) -> bool:
    """Whether a name may be an image of a private ECR registry, of which only the beginning is known."""
    bare = re.sub(r"\A[a-z-]+://", "", prefix)
    return re.fullmatch(r"[0-9]{0,12}|[0-9]{12}\.[^/]*", bare) is not None or mentions_registry(prefix)


def hides_image(text: str) -> bool:
    """Whether a text names an image of a private ECR registry that can't be told. A registry alone is no image."""
    if not mentions_unread(text):
        return False
    closed = _TEMPLATE.sub(lambda found: re.sub(r"\s+", "", found[0]), text)
    return mentions_unread(_ALONE.sub("", _PATTERN.sub("", closed)))


def refusal(name: str, where: str, reason: str, mend: str = MEND) -> SourceFailure:
    """The error of what stands somewhere in a list: not to know which image is used is not the same as none."""
    return SourceFailure(f"{name}: {where}: {reason}; {mend}")


def quoted(text: str) -> str:
    """A user's text for a message."""
    line = one_line(text)
    return f"'{line[:120]}...'" if len(line) > 120 else f"'{line}'"
