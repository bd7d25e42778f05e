"""What the tests of lists share: references to write down, and what a list is found to say."""

from hypothesis import strategies as st

from aws_ecr_gc.discovery.lists.formats import references
from aws_ecr_gc.discovery.lists.mention import Mention

HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
DIGEST = "sha256:" + "ab" * 32
OTHERS = ("nginx", "nginx:1.25", "public.ecr.aws/nginx/nginx:1", "ghcr.io/a/b@" + DIGEST, "localhost:5000/x")

_hosts = st.sampled_from([HOST, "210987654321.dkr.ecr.eu-central-1.amazonaws.com"])
_paths = st.from_regex(r"[a-z0-9]{1,5}(/[a-z0-9]{1,3}-[a-z0-9]{1,3})?", fullmatch=True)
_tags = st.from_regex(r"[a-zA-Z0-9]([a-zA-Z0-9._-]{0,6}[a-zA-Z0-9])?", fullmatch=True)
names = st.builds("{}/{}".format, _hosts, _paths)
suffixes = st.sampled_from(["", "@" + DIGEST]) | st.builds(":{}{}".format, _tags, st.sampled_from(["", "@" + DIGEST]))
images = st.builds("{}{}".format, names, suffixes)
"""References as they print."""


def mentions(text: str | bytes, path: str = "") -> list[Mention]:
    """What a list named `list` says."""
    return list(references(text if isinstance(text, bytes) else text.encode(), "list", path))


def found(text: str | bytes, path: str = "") -> set[str]:
    """The references in it."""
    return {str(mention.reference) for mention in mentions(text, path)}


def workloads(text: str, path: str = "") -> list[str]:
    """Who uses them."""
    return [mention.workload for mention in mentions(text, path)]
