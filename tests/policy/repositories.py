"""Generated repositories: nested indexes, shared children, referrers of referrers, ties, many tags."""

import hashlib
import random
from collections.abc import Sequence

from hypothesis import strategies as st

from aws_ecr_gc.inventory import Image, Inventory, Status
from aws_ecr_gc.policy import KeepNewest, Policy
from aws_ecr_gc.reference import Registry, Repository

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
UNKNOWN = "application/x.unheard-of"
NOW = 1_500_000_000.0
REPOSITORY = Repository(Registry("123456789012", "us-east-1", "aws"), "testrepo")

_PREFIXES = ("build", "build-x", "release", "nightly")
_TAGS = tuple(f"{prefix}-{number}" for prefix in (*_PREFIXES, "other") for number in range(200))


def digest(name: object) -> str:
    """A real digest, of the name."""
    return f"sha256:{hashlib.sha256(str(name).encode()).hexdigest()}"


def inventory_of(images: Sequence[Image]) -> Inventory:
    return Inventory(REPOSITORY, NOW, {image.digest: image for image in images})


@st.composite
def images(draw: st.DrawFn, *, archived: bool = True) -> list[Image]:
    """Up to 25 images. What an image names comes earlier in the list, as a digest must be known to be named.

    An index may have a subject too, one of its own children included: so both together may form circles.
    """
    free_tags = list(_TAGS)
    random.Random(draw(st.integers(0, 100))).shuffle(free_tags)
    made: list[Image] = []
    for number in range(draw(st.integers(0, 25))):
        kind = draw(st.sampled_from(["manifest", "manifest", "index", "index", "referrer", "unknown"]))
        earlier = [image.digest for image in made]
        children: tuple[str, ...] | None = ()
        if kind == "index":
            children = tuple(draw(st.lists(st.sampled_from(earlier), max_size=4, unique=True))) if earlier else ()
        subject = None
        if kind == "referrer" or (kind == "index" and draw(st.integers(0, 4)) == 0):
            subject = draw(st.sampled_from([*earlier, *(children or ()), digest("gone")]))
        status = draw(st.sampled_from([Status.ACTIVE] * 8 + ([Status.ARCHIVED, Status.ACTIVATING] if archived else [])))
        if status is Status.ARCHIVED and kind == "index" and draw(st.booleans()):
            children = None
        count = draw(st.sampled_from([0, 0, 0, 0, 1, 1, 1, 1, 2, 4, 150]))
        tags = tuple(free_tags.pop() for _ in range(count) if free_tags)
        made.append(
            Image(
                digest=digest(number),
                pushed_at=NOW - draw(st.sampled_from([60, 1800, 3599, 3600, 3601, 7200, 86400, -60])),
                tags=tags,
                media_type={"index": INDEX, "unknown": UNKNOWN}.get(kind, MANIFEST),
                status=status,
                subject=subject,
                children=children,
            )
        )
    return made


inventories = images().map(inventory_of)

keeps = st.dictionaries(st.sampled_from(_PREFIXES), st.integers(0, 5), max_size=4).map(
    lambda counts: tuple(KeepNewest(prefix, count) for prefix, count in counts.items())
)
policies = st.builds(Policy, keeps, st.booleans(), st.sampled_from([0.0, 3600.0]))
