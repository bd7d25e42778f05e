"""Bringing back an image that went with a tag that was removed.

It may go for two reasons: ECR takes a whole image for a pair of digest and tag (of which AWS does not say whether it
does), or somebody took its other tags away right before, so that the tag was its last.
"""

from collections.abc import Callable, Collection, Sequence
from functools import partial

from msgspec import Struct

from aws_ecr_gc.apply.terms import Manifest
from aws_ecr_gc.aws.putting import put_under
from aws_ecr_gc.aws.trying import persistently
from aws_ecr_gc.manifest import stated_media_type
from aws_ecr_gc.ports import TagPort


class Back(Struct, frozen=True):
    """How it came back: under which tags, and whether ECR had taken it whole."""

    tags: tuple[str, ...]
    taken_whole: bool


def bring_back(
    port: TagPort,
    digest: str,
    manifest: Manifest,
    *,
    others: Sequence[str],
    removed: Collection[str],
    is_there: bool,
    stop: Callable[[], bool],
) -> Back:
    """Put the image under those of its `others` tags that are on no image now: they went with it.

    Where there are none, others were quicker: it comes back under one of the `removed` tags, or under none at all,
    unless it `is_there`. No tag is taken from another image. Raises what the port raises, and Interrupted.
    """
    media_type = stated_media_type(manifest.content) or manifest.media_type

    def put(tag: str) -> bool:
        return put_under(port, digest, manifest.content, media_type, tag, stop=stop) == digest

    missing = [tag for tag in others if persistently(partial(port.tagged, tag), stop) is None]
    back = [tag for tag in missing if put(tag)]
    if not back and not is_there:
        back = [tag for tag in sorted(removed)[:1] if put(tag)]
    if not back and not is_there:
        persistently(partial(port.put, digest, manifest.content, media_type, None), stop)
    return Back(tuple(back), taken_whole=bool(missing))
