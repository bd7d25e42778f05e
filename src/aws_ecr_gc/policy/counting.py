"""The newest N of each prefix: who takes a place, and which."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from aws_ecr_gc.inventory import Image
from aws_ecr_gc.plan import Reason
from aws_ecr_gc.policy.rules import KeepNewest


class Standing(NamedTuple):
    """An image among the others. `places` holds (index of the rule, place from 1) for each rule that counts it."""

    image: Image
    unlisted: str | None
    places: Sequence[tuple[int, int]]


class Places:
    """Counts images, not tags: an image takes one place for each prefix that one of its tags has.

    Tags are matched once; the matches lie beside the images, in the same order, with equal ones shared.
    """

    def __init__(self, newest_first: Sequence[Image], keep: Sequence[KeepNewest]) -> None:
        self._images = newest_first
        self._keep = keep
        self._totals = [0] * len(keep)
        self._rules: list[tuple[int, ...]] = []
        self._unlisted: list[str | None] = []
        shared: dict[tuple[int, ...], tuple[int, ...]] = {}
        for image in newest_first:
            matched: tuple[int, ...] = ()
            unlisted = None
            for tag in image.tags:
                of_tag = tuple(at for at, rule in enumerate(keep) if tag.startswith(rule.prefix))
                matched = of_tag if not matched else tuple(sorted({*matched, *of_tag}))
                if not of_tag:
                    unlisted = tag
            self._rules.append(shared.setdefault(matched, matched))
            self._unlisted.append(unlisted)

    def standings(self, contends: Callable[[Image], bool]) -> Iterator[Standing]:
        """Every image, newest first, with its places among the images that contend."""
        totals = [0] * len(self._keep)
        for image, rules, unlisted in zip(self._images, self._rules, self._unlisted, strict=True):
            places: list[tuple[int, int]] = []
            if rules and contends(image):
                for at in rules:
                    totals[at] += 1
                    places.append((at, totals[at]))
            yield Standing(image, unlisted, places)
        self._totals = totals

    def won(self, standing: Standing) -> bool:
        """Whether some prefix counts the image among its newest N."""
        return any(place <= self._keep[at].count for at, place in standing.places)

    def reasons(self, standing: Standing, *, won: bool) -> Iterator[Reason]:
        """A reason for each place won, or lost, with the totals of the last walk that ended."""
        for at, place in standing.places:
            if (place <= self._keep[at].count) is won:
                yield Reason(str(self._keep[at]), f"{place} of {self._totals[at]} with this prefix, newest first")
