"""The one place that deletes, archives and removes tags. It takes a finished plan and does what stands in it.

Why it is safe:
- Tagged images are deleted by (digest, tag) pairs, one for each tag seen in the plan. A tag that was moved meanwhile
  fails instead of taking another image with it. This holds whether ECR then removes one tag or the whole image.
- Right before each call its images are described again. What changed since the plan is skipped.
- Before each call the caller may veto steps: what came into use since the plan. Where that can't be known, it ends.
- Each call is on record before it is made, and its answer after it. Where that can't be written, no call is made.
- What needs an image goes in an earlier call. If an index or a subject is still there, what follows it is skipped: ECR
  guards the children of indexes, and before referrers go it is asked once more whether their subjects are gone.
- Tags are removed by pairs too, the manifests at hand and verified, and each image is looked at again afterwards: one
  that went with its tag is put back, without taking a tag from another image. The first goes alone: where ECR takes the
  whole image for a pair, no further tag is removed.
"""

from aws_ecr_gc.apply.running import apply
from aws_ecr_gc.apply.terms import (
    CHANGED,
    IN_USE,
    NOT_BACK,
    PUT_BACK,
    STILL_NEEDED,
    TAKEN_WHOLE,
    TAKES_WHOLE,
    UNCONFIRMED,
    Applied,
    Earlier,
    Manifest,
    Terms,
    Veto,
)

__all__ = [
    "CHANGED",
    "IN_USE",
    "NOT_BACK",
    "PUT_BACK",
    "STILL_NEEDED",
    "TAKEN_WHOLE",
    "TAKES_WHOLE",
    "UNCONFIRMED",
    "Applied",
    "Earlier",
    "Manifest",
    "Terms",
    "Veto",
    "apply",
]
