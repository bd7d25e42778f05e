"""The simulator's marks beside those of a preview, image by image."""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from aws_ecr_gc.inventory import Image
from aws_ecr_gc.lifecycle.simulating import Simulation
from aws_ecr_gc.lifecycle.values import Action

Mark = tuple[int, Action]
"""The rule's priority, and what it does."""


class Why(StrEnum):
    """What may lie behind a difference: a count that cut between images of one age, or a push after the reading."""

    UNKNOWN = "unknown"
    TIE = "tie"
    UNLISTED = "unlisted"


class Differing(Struct, frozen=True):
    """An image that the two mark otherwise; None is not at all."""

    digest: str
    simulated: Mark | None
    previewed: Mark | None
    why: Why


def differences(
    before: Simulation, after: Simulation, previewed: Mapping[str, Mark], images: Mapping[str, Image]
) -> Iterator[Differing]:
    """The images of which the preview says neither what the simulator says of the time `before` it, nor `after`.

    Where these two differ from one another, the image came of age meanwhile, and either is right.
    """
    ages = {images[digest].pushed_at for digest in before.ties | after.ties}
    for digest in sorted({*before.marks, *after.marks, *previewed}):
        said, expected = previewed.get(digest), after.marks.get(digest)
        if said in (before.marks.get(digest), expected):
            continue
        image = images.get(digest)
        why = Why.UNLISTED if image is None else Why.TIE if image.pushed_at in ages else Why.UNKNOWN
        yield Differing(digest, expected, said, why)
