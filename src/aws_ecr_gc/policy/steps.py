"""The order in which a plan is carried out."""

from collections.abc import Collection, Mapping

from aws_ecr_gc.inventory import Image, Inventory
from aws_ecr_gc.plan import Action, Step
from aws_ecr_gc.policy.relations import Relations


def steps_for(collected: Collection[str], inventory: Inventory, relations: Relations) -> tuple[Step, ...]:
    """One step for each collected image: what waits for nothing first, newest first within a wave."""
    if not collected:
        return ()
    going = [image for image in inventory.newest_first() if image.digest in collected]
    after = {image.digest: relations.prerequisites_of(image) for image in going}
    waves: dict[str, int] = {}
    for digest in after:
        _find_wave(digest, after, waves)
    return tuple(sorted((_step(image, after[image.digest], waves[image.digest]) for image in going), key=_by_wave))


def _step(image: Image, after: tuple[str, ...], wave: int) -> Step:
    return Step(
        action=Action.DELETE,
        digest=image.digest,
        tags=image.tags,
        status=image.status,
        pushed_at=image.pushed_at,
        size=image.size,
        after=after,
        wave=wave,
        pulled_at=image.pulled_at,
    )


def _by_wave(step: Step) -> int:
    return step.wave


def _find_wave(digest: str, after: Mapping[str, tuple[str, ...]], waves: dict[str, int]) -> None:
    """Fill in the longest chain of prerequisites. Without recursion: referrers of referrers can be a long chain."""
    path = [digest]
    while path:
        unknown = [prerequisite for prerequisite in after[path[-1]] if prerequisite not in waves]
        if unknown:
            path.extend(unknown)
        else:
            current = path.pop()
            waves[current] = 1 + max((waves[prerequisite] for prerequisite in after[current]), default=-1)
