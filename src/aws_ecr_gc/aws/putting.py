"""Putting an image under a tag without taking that from another image."""

import time
from collections.abc import Callable

from aws_ecr_gc.aws.trying import persistently
from aws_ecr_gc.errors import AwsFailure
from aws_ecr_gc.ports import TagPort

_TAG_IS_FIXED = "ImageTagAlreadyExistsException"


def put_under(
    port: TagPort,
    digest: str,
    manifest: bytes,
    media_type: str | None,
    tag: str,
    *,
    stop: Callable[[], bool],
    pause: Callable[[float], None] = time.sleep,
) -> str:
    """The digest that the tag is on afterwards: this one, unless another image has it.

    ECR moves a tag where tags are mutable. So right before each PutImage it is asked where the tag is, and one that has
    no answer is not repeated without asking again. Raises what the port raises, and Interrupted.
    """

    def look_and_put() -> str:
        at = port.tagged(tag)
        if at is not None:
            return at
        try:
            port.put(digest, manifest, media_type, tag)
        except AwsFailure as error:
            if error.code != _TAG_IS_FIXED:
                raise
            return port.tagged(tag) or "another image, which is gone again"
        return digest

    return persistently(look_and_put, stop, pause)
