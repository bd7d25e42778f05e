"""The newest N of each prefix: who takes a place, and which."""

from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from typing import NamedTuple

from msgspec import Struct

from aws_ecr_gc.inventory import Image
from aws_ecr_gc.plan import Reason
from aws_ecr_gc.policy.rules import KeepNewest


class Standing(Struct, frozen=True, gc=False):
    """An image among the others. `places` holds (index of the rule, place from 1) for each rule that counts it."""

    image: Image
    unlisted: str | None
    places: Sequence[tuple[int, int]]


class _Rows(NamedTuple):
    """What is known of each image, in columns: they hold nothing but references."""

    images: Sequence[Image]
    rules: Sequence[tuple[int, ...]]
    unlisted: Sequence[str | None]


class Places:
    """Counts images, not tags: an image takes one place for each prefix that one of its tags has.

    Tags are matched once; the matches lie beside the images, in the same order, with equal ones shared.
    """

    def __init__(self, newest_first: Sequence[Image], keep: Sequence[KeepNewest]) -> None:
        self._keep = keep
        self._names = [str(rule) for rule in keep]
        self._totals = [0] * len(keep)
        rules: list[tuple[int, ...]] = []
        unlisted_tags: list[str | None] = []
        prefixes = tuple(rule.prefix for rule in keep)
        shared: dict[tuple[int, ...], tuple[int, ...]] = {}
        for image in newest_first:
            matched: tuple[int, ...] = ()
            unlisted = None
            for tag in image.tags:
                if not tag.startswith(prefixes):
                    unlisted = tag
                    continue
                of_tag = tuple([at for at, prefix in enumerate(prefixes) if tag.startswith(prefix)])
                matched = of_tag if not matched else tuple(sorted({*matched, *of_tag}))
            rules.append(shared.setdefault(matched, matched))
            unlisted_tags.append(unlisted)
        self._all = _Rows(newest_first, rules, unlisted_tags)
        matters = [bool(matched) or unlisted is None for matched, unlisted in zip(rules, unlisted_tags, strict=True)]
        self._decided_by_rules = _Rows(
            list(compress(newest_first, matters)),
            list(compress(rules, matters)),
            list(compress(unlisted_tags, matters)),
        )

    def standings(self, contends: Callable[[Image, str | None], bool]) -> Iterator[Standing]:
        """Every image, newest first, with its places among the images that contend."""
        return self._walk(self._all, contends)

    def decided_by_rules(self, contends: Callable[[Image, str | None], bool]) -> Iterator[Standing]:
        """The same without those that take no place and stay by a tag that no rule lists: mostly the greater part."""
        return self._walk(self._decided_by_rules, contends)

    def _walk(self, rows: _Rows, contends: Callable[[Image, str | None], bool]) -> Iterator[Standing]:
        totals = [0] * len(self._keep)
        for image, rules, unlisted in zip(*rows, strict=True):
            if not rules or not contends(image, unlisted):
                yield Standing(image, unlisted, ())
                continue
            for at in rules:
                totals[at] += 1
            yield Standing(image, unlisted, [(at, totals[at]) for at in rules])
        self._totals = totals

    def won(self, standing: Standing) -> bool:
        """Whether some prefix counts the image among its newest N."""
        return any(place <= self._keep[at].count for at, place in standing.places)

    def reasons(self, standing: Standing, *, won: bool) -> Iterator[Reason]:
        """A reason for each place won, or lost. Its totals are those of the last walk to the end."""
        for at, place in standing.places:
            if (place <= self._keep[at].count) is won:
                yield Reason(self._names[at], f"{place} of {self._totals[at]} with this prefix, newest first")
