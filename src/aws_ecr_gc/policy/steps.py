"""The order in which a plan is carried out."""

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from operator import attrgetter

from aws_ecr_gc.inventory import Image, Status
from aws_ecr_gc.plan import Action, Step
from aws_ecr_gc.policy.relations import Relations


def steps_for(
    going: Sequence[Image], collected: Collection[str], relations: Relations, action: Action
) -> tuple[Step, ...]:
    """One step for each collected image: what waits for nothing first, newest first within a wave.

    `going` are the collected images, newest first. The action is done to active ones; what is archived is deleted.
    """
    needed: dict[str, tuple[str, ...]] = {}
    if relations.parents or relations.referrers:
        needed = {image.digest: found for image in going if (found := relations.prerequisites_of(image))}
    after = {digest: found for digest, all_of_it in needed.items() if (found := _among(collected, all_of_it))}
    _chain_unread(going, after)
    waves: dict[str, int] = {}
    for digest in after:
        _find_wave(digest, after, waves)

    active, linked = Status.ACTIVE, needed.keys() | after.keys()
    steps = []
    for image in going:
        deed = action if image.status is active else Action.DELETE
        if image.digest not in linked:
            steps.append(_step(image, deed))
            continue
        all_of_it = needed.get(image.digest, ())
        steps.append(
            _step(
                image,
                deed,
                after=after.get(image.digest, ()),
                wave=waves.get(image.digest, 0),
                subjects=_among(collected, relations.subjects_of(image)) if all_of_it else (),
                put_away=tuple(digest for digest in all_of_it if digest not in collected),
            )
        )
    if waves:
        steps.sort(key=attrgetter("wave"))
    return tuple(steps)


def _chain_unread(going: Sequence[Image], after: dict[str, tuple[str, ...]]) -> None:
    """An archived index that can't be read may list an older one, which was there when it was pushed: newer ones first.

    So if one of them can't be deleted, none goes that it may list.
    """
    unread = [image.digest for image in going if image.children is None and image.status is not Status.ACTIVE]
    for newer, older in pairwise(unread):
        after[older] = (*after.get(older, ()), newer)


def _among(collected: Collection[str], digests: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(digest for digest in digests if digest in collected) if digests else digests


def _step(
    image: Image,
    action: Action,
    *,
    after: tuple[str, ...] = (),
    wave: int = 0,
    subjects: tuple[str, ...] = (),
    put_away: tuple[str, ...] = (),
) -> Step:
    return Step(
        action=action,
        digest=image.digest,
        tags=image.tags,
        status=image.status,
        pushed_at=image.pushed_at,
        size=image.own_size,
        after=after,
        wave=wave,
        subjects=subjects,
        pulled_at=image.pulled_at,
        put_away=put_away,
        archived_at=image.archived_at,
        activated_at=image.activated_at,
    )


def _find_wave(digest: str, after: Mapping[str, tuple[str, ...]], waves: dict[str, int]) -> None:
    """Fill in the longest chain of prerequisites. Without recursion: referrers of referrers can be a long chain.

    It ends because what is collected has no cycles: see `Relations.entangled_among`.
    """
    path = [digest]
    while path:
        unknown = [prerequisite for prerequisite in after.get(path[-1], ()) if prerequisite not in waves]
        if unknown:
            path.extend(unknown)
        else:
            current = path.pop()
            waves[current] = 1 + max((waves[prerequisite] for prerequisite in after.get(current, ())), default=-1)
