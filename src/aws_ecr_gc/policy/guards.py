"""Guards look at the finished plan: whether it may be carried out at all."""

from msgspec import Struct

from aws_ecr_gc.plan import Plan
from aws_ecr_gc.policy.rules import Guards


class Refusal(Struct, frozen=True):
    """A guard that says no, why, and how a user who means it gets round it."""

    guard: str
    detail: str
    way_round: str


def refusals(plan: Plan, guards: Guards) -> list[Refusal]:
    """The guards that refuse the plan; none where nothing is to be deleted. Only active images are counted."""
    going, active = len(plan.steps), plan.active
    if not going:
        return []
    found = []
    if guards.max_delete is not None and going > guards.max_delete:
        detail = f"{_images(going)} would go, and at most {guards.max_delete} may"
        found.append(Refusal("max_delete", detail, "raise guards.max_delete in the policy"))
    # Rounded, for 29% of 100 is a little less than 29 in binary.
    if guards.max_share is not None and going > round(guards.max_share * active, 6):
        share, bound = _percent(going / active), _percent(guards.max_share)
        detail = f"{going} of {_images(active)} would go ({share}), and at most {bound} may"
        found.append(Refusal("max_share", detail, "raise guards.max_share in the policy"))
    if active - going < guards.keep_at_least:
        detail = f"{active - going} of {_images(active)} would remain, and at least {guards.keep_at_least} must"
        found.append(Refusal("keep_at_least", detail, "lower guards.keep_at_least in the policy"))
    return found


def _images(count: int) -> str:
    return f"{count} image" if count == 1 else f"{count} images"


def _percent(part: float) -> str:
    return f"{part * 100:.3g}%"
