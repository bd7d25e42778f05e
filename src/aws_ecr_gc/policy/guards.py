"""Guards look at the finished plan: whether it may be carried out at all."""

from msgspec import Struct

from aws_ecr_gc.inventory import Image, Status
from aws_ecr_gc.plan import Action, Plan
from aws_ecr_gc.policy.matching import signed_by
from aws_ecr_gc.policy.rules import Guards


class Refusal(Struct, frozen=True):
    """A guard that says no, why, and how a user who means it gets round it."""

    guard: str
    detail: str
    way_round: str


def refusals(plan: Plan, guards: Guards) -> list[Refusal]:
    """The guards that refuse the plan; none where there is nothing to do.

    What is archived goes too; an image that loses some of its tags counts where the number of changes is bounded. But
    for `max_delete`, only active images are counted.
    """
    changes, active = len(plan.steps), plan.active
    if not changes:
        return []
    found = []
    verb = "lose tags" if plan.action is Action.UNTAG else "go"
    if guards.max_delete is not None and changes > guards.max_delete:
        detail = f"{_images(changes)} would {verb}, and at most {guards.max_delete} may"
        found.append(Refusal("max_delete", detail, "raise guards.max_delete in the policy"))
    of_active = sum(step.status is Status.ACTIVE for step in plan.steps)
    # Rounded, for 29% of 100 is a little less than 29 in binary.
    if guards.max_share is not None and of_active > round(guards.max_share * active, 6):
        share, bound = _percent(of_active / active), _percent(guards.max_share)
        detail = f"{of_active} of {_images(active)} would {verb} ({share}), and at most {bound} may"
        found.append(Refusal("max_share", detail, "raise guards.max_share in the policy"))
    going = 0 if plan.action is Action.UNTAG else of_active
    if going and active - going < guards.keep_at_least:
        detail = f"{active - going} of {_images(active)} would remain, and at least {guards.keep_at_least} must"
        found.append(Refusal("keep_at_least", detail, "lower guards.keep_at_least in the policy"))
    left = _tagged_left(plan, guards.keep_tagged)
    if left is not None and left < guards.keep_tagged:
        detail = f"{_images(left, 'tagged ')} would remain, and at least {guards.keep_tagged} must"
        found.append(Refusal("keep_tagged", detail, "lower guards.keep_tagged in the policy"))
    return found


def _tagged_left(plan: Plan, enough: int) -> int | None:
    """How many tagged active images the plan leaves, counted up to `enough`; None where it takes none of them."""
    if not enough or plan.action is Action.UNTAG:
        return None
    going = {step.digest for step in plan.steps}
    left, taken = 0, False
    for image in plan.decisions.images():
        if image.status is not Status.ACTIVE or not _is_tagged(image):
            continue
        if image.digest in going:
            taken = True
        else:
            left += 1
            if left == enough:
                break
    return left if taken else None


def _is_tagged(image: Image) -> bool:
    """Whether it has a tag that does more than name what the image signs."""
    return any(signed_by(tag, image) is None for tag in image.tags)


def _images(count: int, kind: str = "") -> str:
    return f"{count} {kind}image" if count == 1 else f"{count} {kind}images"


def _percent(part: float) -> str:
    return f"{part * 100:.3g}%"
