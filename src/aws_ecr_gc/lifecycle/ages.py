"""What the rules of a lifecycle policy go by: the times of images, and the images of a rule in the order of these."""

import math
from bisect import bisect_left, insort
from collections.abc import Collection, Iterator
from itertools import takewhile

from aws_ecr_gc.inventory import Image
from aws_ecr_gc.lifecycle.assumptions import Assumptions, Days, Restored
from aws_ecr_gc.lifecycle.patterns import selector
from aws_ecr_gc.lifecycle.values import DAY, CountType, Rule

_FEW = 1000
"""Up to so many are put in or taken out one by one."""


def effective_push(image: Image, assumptions: Assumptions, *, for_age: bool = False) -> float:
    """What stands for the push where images are put in order, or (`for_age`) where their age is asked for."""
    if image.activated_at is None or assumptions.restored is Restored.PUSHED:
        return image.pushed_at
    if for_age and assumptions.restored is Restored.COUNTS:
        return image.pushed_at
    return image.activated_at


def last_use(image: Image) -> float:
    """What `sinceImagePulled` counts from: the last pull, the restore after it, or the push of what nobody pulled."""
    if image.activated_at is not None and (image.pulled_at is None or image.pulled_at <= image.activated_at):
        return image.activated_at
    return image.pushed_at if image.pulled_at is None else image.pulled_at


def cutoff(rule: Rule, now: float, days: Days) -> float:
    """What is before this time, in epoch seconds, is strictly older than the rule's days."""
    if days is Days.CALENDAR:
        return (math.floor(now / DAY) - rule.number) * DAY
    return now - rule.number * DAY


class Members:
    """What meets a rule's tags in its storage class: (time, position) of each, oldest first."""

    def __init__(self, rule: Rule, assumptions: Assumptions) -> None:
        self.rule = rule
        self._assumptions = assumptions
        self.select = selector(rule)
        self.by_age: list[tuple[float, int]] = []

    def due(self, now: float) -> int:
        """How many it asks for, whichever rule owns them: so many of the oldest."""
        if self.rule.count_type is CountType.MORE_THAN:
            return max(0, len(self.by_age) - self.rule.number)
        return bisect_left(self.by_age, (cutoff(self.rule, now, self._assumptions.days), -1))

    def add(self, new: Collection[tuple[float, int]]) -> None:
        """Put in more."""
        if len(new) > _FEW:
            self.by_age = sorted([*self.by_age, *new])
        else:
            for each in new:
                insort(self.by_age, each)

    def drop(self, leaving: Collection[tuple[float, int]]) -> None:
        """Take out those of these that are among them."""
        if len(leaving) > _FEW:
            without = set(leaving)
            self.by_age = [each for each in self.by_age if each not in without]
            return
        for each in leaving:
            at = bisect_left(self.by_age, each)
            if at < len(self.by_age) and self.by_age[at] == each:
                del self.by_age[at]

    def tied(self) -> Iterator[int]:
        """The positions of those beyond the count that are as old as the oldest within it."""
        ahead = len(self.by_age) - self.rule.number
        if self.rule.count_type is CountType.MORE_THAN and ahead > 0:
            time = self.by_age[ahead][0]
            older = (self.by_age[at] for at in range(ahead - 1, -1, -1))
            yield from (position for _, position in takewhile(lambda each: each[0] == time, older))

    def time(self, image: Image) -> float | None:
        """What the rule orders an image by. One of which ECR does not tell since when it is archived never is old."""
        match self.rule.count_type:
            case CountType.MORE_THAN:
                return effective_push(image, self._assumptions)
            case CountType.PUSHED:
                return effective_push(image, self._assumptions, for_age=True)
            case CountType.PULLED:
                return last_use(image)
            case CountType.TRANSITIONED:
                return image.archived_at
