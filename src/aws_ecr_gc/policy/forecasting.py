"""How a repository grows under a policy, if images go on being pushed as they were.

What was pushed in the window before now comes again, window by window: the same tags and sizes, new digests. Images
that have been deleted since can't come again: a repository that is collected often looks quieter than it is.
"""

import hashlib
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from aws_ecr_gc.errors import Misuse
from aws_ecr_gc.inventory import Image, Inventory, Status
from aws_ecr_gc.plan import Action, Step
from aws_ecr_gc.policy.planning import make_plan
from aws_ecr_gc.policy.rules import Policy

_DAY = 86400.0
_WINDOW = 30 * _DAY
_POINTS = 12
_MOST_COMING = 2_000_000


class Point(Struct, frozen=True):
    """The repository at a time (epoch seconds): active images and their bytes, at most, with the policy and without.

    `collected` images go (or go into the archive, or lose tags) at this time, in a run of their own.
    """

    at: float
    images: int
    size: int
    collected: int
    images_without: int
    size_without: int


class Forecast(Struct, frozen=True):
    """`pushed` images came in the `window` (seconds) that comes again; a run every `interval` seconds is assumed."""

    window: float
    pushed: int
    interval: float
    points: tuple[Point, ...]


def forecast(inventory: Inventory, policy: Policy, now: float, horizon: float) -> Forecast:
    """Extrapolate for `horizon` seconds from `now`. The children of every active index must be known.

    Raises Misuse where more images would come than can be looked at.
    """
    window = min(horizon, _WINDOW)
    recent = [image for image in inventory.images.values() if now - window < image.pushed_at <= now]
    coming_in_all = len(recent) * horizon / window
    if coming_in_all > _MOST_COMING:
        days = int(horizon / _DAY * _MOST_COMING / coming_in_all)
        raise Misuse(f"{coming_in_all:,.0f} images would come in that time; give --forecast {days}d at most")
    interval = max(_DAY, horizon / _POINTS)
    times = [now + number * interval for number in range(int(horizon / interval + 1e-9) + 1)]
    coming = _coming(inventory, now, horizon, window)
    return Forecast(window, len(recent), interval, tuple(_points(inventory, policy, times, coming)))


def _points(inventory: Inventory, policy: Policy, times: Sequence[float], coming: Iterator[Image]) -> Iterator[Point]:
    there = dict(inventory.images)
    images_without, size_without = _size(there)
    following = next(coming, None)
    for at in times:
        while following is not None and following.pushed_at <= at:
            there[following.digest] = following
            images, size = _size({following.digest: following})
            images_without, size_without = images_without + images, size_without + size
            following = next(coming, None)
        plan = make_plan(msgspec.structs.replace(inventory, images=there), policy, at)
        for step in plan.steps:
            _carry_out(step, there, at)
        yield Point(at, *_size(there), len(plan.steps), images_without, size_without)


def _carry_out(step: Step, there: dict[str, Image], at: float) -> None:
    image = there[step.digest]
    match step.action:
        case Action.DELETE:
            del there[step.digest]
        case Action.ARCHIVE:
            there[step.digest] = msgspec.structs.replace(image, status=Status.ARCHIVED, archived_at=at)
        case Action.UNTAG:
            tags = tuple(tag for tag in image.tags if tag not in step.untag)
            there[step.digest] = msgspec.structs.replace(image, tags=tags)


def _size(images: dict[str, Image]) -> tuple[int, int]:
    """Active images and their bytes; an index has none of its own."""
    active = [image for image in images.values() if image.status is Status.ACTIVE]
    return len(active), sum(image.own_size for image in active)


def _coming(inventory: Inventory, now: float, horizon: float, window: float) -> Iterator[Image]:
    """What is pushed from now on, in order of time."""
    recent = [image for image in inventory.images.values() if now - window < image.pushed_at <= now]
    recent.sort(key=lambda image: (image.pushed_at, image.digest))
    names = {image.digest for image in recent}
    for cycle in range(1, int(horizon / window) + 2):
        for image in recent:
            again = _again(image, cycle, cycle * window, names)
            if again.pushed_at <= now + horizon:
                yield again


def _again(image: Image, cycle: int, later: float, names: set[str]) -> Image:
    """The image as it comes the next time. What it belongs to comes again as well, if that is as young."""

    def renamed(digest: str) -> str:
        if digest not in names:
            return digest
        return f"sha256:{hashlib.sha256(f'{digest} {cycle}'.encode()).hexdigest()}"

    def retagged(tag: str) -> str:
        signed = f"sha256:{tag[7:71]}"
        return f"sha256-{renamed(signed)[7:]}{tag[71:]}" if tag.startswith("sha256-") and signed in names else tag

    return msgspec.structs.replace(
        image,
        digest=renamed(image.digest),
        pushed_at=image.pushed_at + later,
        pulled_at=None if image.pulled_at is None else image.pulled_at + later,
        tags=tuple(retagged(tag) for tag in image.tags),
        children=None if image.children is None else tuple(renamed(child) for child in image.children),
        subject=None if image.subject is None else renamed(image.subject),
    )
