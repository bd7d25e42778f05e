"""What stays whatever the rules say: what is in use, protected tags and digests, what is younger than the grace."""

from collections.abc import Mapping, Sequence
from itertools import chain
from operator import attrgetter

from aws_ecr_gc import durations, globs
from aws_ecr_gc.inventory import Image, Inventory
from aws_ecr_gc.plan import Reason
from aws_ecr_gc.policy.matching import Matches, signed_by
from aws_ecr_gc.policy.relations import Relations
from aws_ecr_gc.policy.rules import Policy
from aws_ecr_gc.usage import Use, find

Saved = dict[int, tuple[Reason, ...]]
"""By position, newest first: why an image is retained."""


HELD = {
    "child-of-index": "an index that stays lists it",
    "referrer-of-subject": "its subject stays",
    "referred-to": "what refers to it is not deleted with it, and ECR might sweep that",
}
"""What holds an image that nothing of its own retains."""
_TAGS = attrgetter("tags")
_NEEDED_IN_USE = "an image that it lists, or that refers to it, is in use"


def saved_by(
    policy: Policy,
    images: Sequence[Image],
    matches: Matches,
    relations: Relations,
    now: float,
    *,
    uses: Sequence[Use] = (),
) -> Saved:
    """What use, protection and grace retain.

    What is in use saves every index that lists it, whose tag would break elsewhere, and its subject.

    What follows another image can't outlive it for sure: ECR may remove referrers with their subject, and nothing
    would ever collect a young child whose index went before it. So a follower that is saved, or that an unmatched tag
    keeps out of our hands, saves what it follows.
    """
    saved: Saved = {}
    if uses:
        used = _used(uses, {image.digest: image for image in images}, relations)
        saved = {at: (used[image.digest],) for at, image in enumerate(images) if image.digest in used}
    _add_young(saved, policy, images, now)
    _add_protected_digests(saved, policy, images)
    _add_protected_tags(saved, policy, images)
    unmanaged = (
        [at for at, tag in enumerate(matches.unmatched) if tag is not None and images[at].subject is not None]
        if relations.referrers  # no subject that is here has any, then
        else []
    )
    if saved or unmanaged:
        _add_followed(saved, unmanaged, images, matches.tagless, relations)
    return saved


def saved_with_all_tags(
    policy: Policy, images: Sequence[Image], inventory: Inventory, now: float, uses: Sequence[Use]
) -> Saved:
    """What use, grace and protected digests retain where tags are removed: such an image keeps them all."""
    needed = needed_by(uses, inventory) if uses else {}
    saved: Saved = {at: (needed[image.digest],) for at, image in enumerate(images) if image.digest in needed}
    _add_young(saved, policy, images, now)
    _add_protected_digests(saved, policy, images)
    return saved


def relations_of(inventory: Inventory) -> Relations:
    """What needs what, whatever a policy says: what a tag names as signed counts always."""
    tags = {image.digest: [signed_by(tag, image) for tag in image.tags] for image in inventory.images.values()}
    return Relations(inventory, {digest: tuple(filter(None, named)) for digest, named in tags.items() if any(named)})


def needed_by(uses: Sequence[Use], inventory: Inventory) -> dict[str, Reason]:
    """All images that must stay for these uses, whatever a policy says, and why: what is used, what lists it and what
    it refers to, and what all of these need.
    """
    images = inventory.images
    relations = relations_of(inventory)
    needed = _used(uses, images, relations)
    held = relations.held_among(images.keys() - needed.keys())
    return {**{digest: Reason(rule, HELD[rule], holder) for digest, (rule, holder) in held.items()}, **needed}


def _used(uses: Sequence[Use], images: Mapping[str, Image], relations: Relations) -> dict[str, Reason]:
    """What is used, what lists it and what it refers to, over all steps."""
    by_digest = find(images, uses).by_digest
    used = {
        digest: Reason("in-use", _used_by(of_it), _through(of_it[0], digest)) for digest, of_it in by_digest.items()
    }
    waiting = list(used)
    while waiting:
        digest = waiting.pop()
        for needed in relations.prerequisites_of(images[digest]):
            if needed not in used:
                used[needed] = Reason("needed-in-use", _NEEDED_IN_USE, digest)
                waiting.append(needed)
    return used


def _used_by(uses: Sequence[Use]) -> str:
    """The first workload, one that is current if there is one, and how many more there are."""
    first = next((use for use in uses if use.current), uses[0])
    others = len({(use.origin, use.workload) for use in uses}) - 1
    return f"{first} uses it{f', and {others} more' if others else ''}"


def _through(use: Use, digest: str) -> str:
    """What the use names it by."""
    return digest if use.reference.digest == digest else use.reference.tag or "latest"


def _add_young(saved: Saved, policy: Policy, images: Sequence[Image], now: float) -> None:
    if not policy.grace:
        return
    since = now - policy.grace
    pushed = Reason("grace", f"pushed less than {durations.spelled(policy.grace)} ago")
    for at, image in enumerate(images):
        if image.pushed_at <= since:
            break
        saved[at] = (*saved.get(at, ()), pushed)
    restored = Reason("grace", f"taken out of the archive less than {durations.spelled(policy.grace)} ago")
    for at in [at for at, image in enumerate(images) if image.activated_at is not None and image.activated_at > since]:
        saved[at] = (*saved.get(at, ()), restored)


def _add_protected_digests(saved: Saved, policy: Policy, images: Sequence[Image]) -> None:
    if policy.protect_digests:
        for at, image in enumerate(images):
            if image.digest in policy.protect_digests:
                saved[at] = (*saved.get(at, ()), Reason("protected-digest", "its digest is protected"))


def _add_protected_tags(saved: Saved, policy: Policy, images: Sequence[Image]) -> None:
    if policy.protect_tags:
        protected = set(filter(globs.matcher(policy.protect_tags), chain.from_iterable(map(_TAGS, images))))
        for at, image in enumerate(images) if protected else ():
            for tag in image.tags:
                if tag in protected:
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
