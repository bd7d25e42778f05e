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
    lifecycle_runs: bool = True
    """Whether lifecycle policies are carried out, once a day by the stand-in's clock, the first time a day after they
    were put (or after `now`)."""
    restored_age: Literal["activated", "counts", "pushed"] = "activated"
    """What the age of a restored image counts from in lifecycle policies: its restore, in all rules or only where
    images are counted, or its push."""
    lifecycle_days: Literal["hours", "calendar"] = "hours"
    """What a day is in them: 24 hours, or from midnight to midnight (UTC)."""
    activating_class: Literal["none", "standard", "archive"] = "none"
    """To which storage class's rules an image belongs that is ACTIVATING."""
    lifecycle_takes_referrers: bool = True
    """Whether lifecycle rules count and select images that have a subject."""
    lifecycle_settles: bool = False
    """Whether one evaluation is repeated until nothing more goes, instead of leaving the children of an index that
    went for the next day's."""
    preview_seconds: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """How long a preview of a lifecycle policy is IN_PROGRESS."""
    preview_kept_seconds: Annotated[float, msgspec.Meta(ge=0)] = 86400.0
    """How long its result is kept; then it is EXPIRED."""
    preview_fails: bool = False
    """Whether it ends as FAILED."""
    layer_garbage: Literal["never", "at-once"] = "never"
    """When layers vanish that no image names any more: ECR collects them at its own pace."""
    download_url_seconds: Annotated[float, msgspec.Meta(ge=0)] = 3600.0
    """How long the URL of a layer can be used, by the stand-in's clock."""
    longest_page: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """How many rows a page of any listing has at most. AWS may always give fewer than were asked for, and a token."""
