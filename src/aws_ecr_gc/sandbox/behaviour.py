"""Switches for what AWS's documentation leaves open, so that a client can be tried under each reading."""

from typing import Annotated, Literal

import msgspec


class Behaviour(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How the stand-in behaves where more than one behaviour is conceivable."""

    pair_deletes: Literal["tag", "image"] = "tag"
    """What deleting by (digest, tag) removes: that tag (and the image with its last one), or the whole image."""
    sweep_referrers: bool = False
    """Whether the deletion of a subject takes its referrers at once (ECR: within 24 hours, or never)."""
    pulls_move_pull_time: bool = True
    """Whether `BatchGetImage` counts as a pull."""
    archived_pull_failure: Literal["ImageNotFound", "ImageInaccessible"] = "ImageNotFound"
    """The failure code of `BatchGetImage` for an image that is archived or activating."""
    activation_seconds: Annotated[float, msgspec.Meta(ge=0)] = 1200.0
    """How long a restored image stays ACTIVATING, by the stand-in's clock."""
    layer_garbage: Literal["never", "at-once"] = "never"
    """When layers vanish that no image names any more: ECR collects them at its own pace."""
    download_url_seconds: Annotated[float, msgspec.Meta(ge=0)] = 3600.0
    """How long the URL of a layer can be used, by the stand-in's clock."""
    longest_page: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """How many rows a page of any listing has at most. AWS may always give fewer than were asked for, and a token."""
