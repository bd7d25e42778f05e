"""What stays whatever the rules say: protected tags and digests, and what is younger than the grace."""

from collections.abc import Mapping, Sequence

from aws_ecr_gc import durations, globs
from aws_ecr_gc.inventory import Image
from aws_ecr_gc.plan import Reason
from aws_ecr_gc.policy.matching import Matches
from aws_ecr_gc.policy.relations import Relations
from aws_ecr_gc.policy.rules import Policy

Saved = dict[int, tuple[Reason, ...]]
"""By position, newest first: why an image is retained."""


def saved_by(policy: Policy, images: Sequence[Image], matches: Matches, relations: Relations, now: float) -> Saved:
    """What protection and grace retain.

    What follows another image can't outlive it for sure: ECR may remove referrers with their subject, and nothing
    would ever collect a young child whose index went before it. So a follower that is saved, or that an unmatched tag
    keeps out of our hands, saves what it follows.
    """
    saved: Saved = {}
    _add_young(saved, policy, images, now)
    _add_protected(saved, policy, images)
    unmanaged = [at for at, tag in enumerate(matches.unmatched) if tag is not None and images[at].subject is not None]
    if saved or unmanaged:
        _add_followed(saved, unmanaged, images, matches.tagless, relations)
    return saved


def _add_young(saved: Saved, policy: Policy, images: Sequence[Image], now: float) -> None:
    if not policy.grace:
        return
    reason = Reason("grace", f"pushed less than {durations.spelled(policy.grace)} ago")
    for at, image in enumerate(images):
        if image.pushed_at <= now - policy.grace:
            return
        saved[at] = (reason,)


def _add_protected(saved: Saved, policy: Policy, images: Sequence[Image]) -> None:
    if policy.protect_digests:
        for at, image in enumerate(images):
            if image.digest in policy.protect_digests:
                saved[at] = (*saved.get(at, ()), Reason("protected-digest", "its digest is protected"))
    if policy.protect_tags:
        fits = globs.matcher(policy.protect_tags)
        for at, image in enumerate(images):
            for tag in image.tags:
                if fits(tag):
                    saved[at] = (*saved.get(at, ()), Reason("protected-tag", "a protected tag", tag))
                    break


def _add_followed(
    saved: Saved, unmanaged: Sequence[int], images: Sequence[Image], tagless: set[int], relations: Relations
) -> None:
    positions: Mapping[str, int] | None = None
    waiting = [*saved, *unmanaged]
    while waiting:
        at = waiting.pop()
        image = images[at]
        followed = relations.prerequisites_of(image) if at in tagless else relations.subjects_of(image)
        for digest in followed:
            if positions is None:
                positions = {each.digest: place for place, each in enumerate(images)}
            if positions[digest] not in saved:
                reason = Reason("followed", "an image that follows it is protected, young, or unmanaged", image.digest)
                saved[positions[digest]] = (reason,)
                waiting.append(positions[digest])
