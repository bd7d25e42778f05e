"""Which images a lifecycle policy asks for, evaluated literally.

Written from the ECR user guide ("Lifecycle policy properties", and its examples) and from nothing else: it is what the
product's simulator is held against, so it shares no line and no idea with it. It is slow and plain on purpose.

A rule is taken as the policy's JSON says it. Where the guide leaves something open, `Behaviour` decides.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from aws_ecr_gc.sandbox.behaviour import Behaviour
from aws_ecr_gc.sandbox.store import Image

SECONDS_A_DAY = 24 * 60 * 60


class Mark(NamedTuple):
    """An image that a rule asks for."""

    digest: str
    priority: int
    is_transition: bool


def evaluate(text: str, images: Sequence[Image], now: float, behaviour: Behaviour) -> list[Mark]:
    """The marks of every rule, each image at most once; `images` are in the order of their push.

    All rules see the same images, as if no other rule acted. An image that meets what a rule says of tags is never
    acted on by a rule of lower priority, whether the first one acted on it or not.
    """
    marks: list[Mark] = []
    taken: set[tuple[str, str]] = set()
    for rule in sorted(json.loads(text)["rules"], key=lambda rule: int(rule["rulePriority"])):
        storage_class = rule["selection"].get("storageClass", "standard")
        met = [
            image
            for image in images
            if _storage_class(image, behaviour) == storage_class
            and not (image.subject is not None and not behaviour.lifecycle_takes_referrers)
            and _meets_tags(rule["selection"], image)
        ]
        marks += [
            Mark(image.digest, rule["rulePriority"], rule["action"]["type"] == "transition")
            for image in _asked_for(rule["selection"], met, now, behaviour)
            if (storage_class, image.digest) not in taken
        ]
        for image in met:
            taken.add((storage_class, image.digest))
    return marks


def in_order(marks: Sequence[Mark], images: Sequence[Image], behaviour: Behaviour) -> list[Mark]:
    """The marks as they are carried out: the oldest image first."""
    ages = {image.digest: (order_time(image, behaviour), place) for place, image in enumerate(images)}
    return sorted(marks, key=lambda mark: ages[mark.digest])


def order_time(image: Image, behaviour: Behaviour) -> float:
    """What images are put in order by: the push, or the end of the last stay in the archive."""
    if image.activated_at is not None and behaviour.restored_age != "pushed":
        return image.activated_at
    return image.pushed_at


def _storage_class(image: Image, behaviour: Behaviour) -> str:
    if image.status == "ACTIVATING":
        return behaviour.activating_class
    return "archive" if image.status == "ARCHIVED" else "standard"


def _meets_tags(selection: dict[str, Any], image: Image) -> bool:
    if selection["tagStatus"] == "any":
        return True
    if selection["tagStatus"] == "untagged":
        return len(image.tags) == 0
    for prefix in selection.get("tagPrefixList", []):
        if not any(tag[: len(prefix)] == prefix for tag in image.tags):
            return False
    return all(any(_fits(pattern, tag) for tag in image.tags) for pattern in selection.get("tagPatternList", []))


def _fits(pattern: str, tag: str) -> bool:
    """Letter by letter, with every ending of the pattern that may still be to come."""
    states = {0}
    for letter in [*tag, None]:
        reached = set()
        for state in states:
            skipped = 0
            while pattern[state + skipped :].startswith("*"):
                reached.add(state + skipped)
                skipped += 1
            reached.add(state + skipped)
        if letter is None:
            return len(pattern) in reached
        states = set()
        for state in reached:
            if state < len(pattern) and pattern[state] == "*":
                states.add(state)
            elif state < len(pattern) and pattern[state] == letter:
                states.add(state + 1)
    return False


def _asked_for(selection: dict[str, Any], met: list[Image], now: float, behaviour: Behaviour) -> list[Image]:
    count = selection["countNumber"]
    if selection["countType"] == "imageCountMoreThan":
        youngest_first = sorted(
            ((order_time(image, behaviour), place, image) for place, image in enumerate(met)),
            key=lambda each: (each[0], each[1]),
            reverse=True,
        )
        return [image for _, _, image in youngest_first][count:]
    asked_for = []
    for image in met:
        since = _since(selection["countType"], image, behaviour)
        if since is not None and _is_older(since, now, count, behaviour):
            asked_for.append(image)
    return asked_for


def _since(count_type: str, image: Image, behaviour: Behaviour) -> float | None:
    if count_type == "sinceImageTransitioned":
        return image.archived_at
    if count_type == "sinceImagePushed":
        if image.activated_at is not None and behaviour.restored_age == "activated":
            return image.activated_at
        return image.pushed_at
    restored, pulled = image.activated_at, image.pulled_at
    if restored is not None and (pulled is None or pulled <= restored):
        return restored
    return image.pushed_at if pulled is None else pulled


def _is_older(since: float, now: float, days: int, behaviour: Behaviour) -> bool:
    if behaviour.lifecycle_days == "calendar":
        return (datetime.fromtimestamp(now, UTC).date() - datetime.fromtimestamp(since, UTC).date()).days > days
    return now - since > days * SECONDS_A_DAY
