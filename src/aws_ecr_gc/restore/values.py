"""An image that was deleted, or lost tags."""

from functools import cached_property

from msgspec import Struct

from aws_ecr_gc.manifest import Parts, parts_of, stated_media_type

_NOTHING = Parts((), (), None)


class Lost(Struct, frozen=True, dict=True):
    """What is known of an image that was deleted, or lost tags.

    `tags` are all that it had before, for an image that is gone; `removed` those that may have been taken off it, for
    one that is still there. The manifest is None where it is not on record; ECR may have that of an image that only
    lost tags (`may_be_there`).
    """

    digest: str
    tags: tuple[str, ...]
    removed: tuple[str, ...]
    media_type: str | None
    manifest: bytes | None
    may_be_there: bool = False

    @cached_property
    def parts(self) -> Parts:
        """What its manifest names; nothing where there is none, or none that can be read."""
        if self.manifest is None:
            return _NOTHING
        try:
            return parts_of(self.manifest)
        except ValueError:
            return _NOTHING

    @property
    def type_to_state(self) -> str | None:
        """The media type that goes with the manifest: ECR refuses one that the manifest contradicts."""
        stated = None if self.manifest is None else stated_media_type(self.manifest)
        return stated or self.media_type
