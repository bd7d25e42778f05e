"""Steps as they go together into calls."""

from collections.abc import Iterator, Sequence

from aws_ecr_gc.plan import Action, Step
from aws_ecr_gc.ports import BATCH, ImageId


def batches(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Steps of one wave and one action, as many as fit in one call.

    A step's ids never straddle two calls unless they fill one.
    """
    batch: list[Step] = []
    ids = 0
    for step in steps:
        needed = {Action.DELETE: max(1, len(step.tags)), Action.ARCHIVE: 1, Action.UNTAG: len(step.untag)}[step.action]
        if batch and (ids + needed > BATCH or (step.wave, step.action) != (batch[0].wave, batch[0].action)):
            yield batch
            batch, ids = [], 0
        batch.append(step)
        ids += needed
    if batch:
        yield batch


def of_ids(steps: Sequence[Step], ids: Sequence[ImageId]) -> list[Step]:
    """Those that some of these ids are of."""
    digests = {each.digest for each in ids}
    return [step for step in steps if step.digest in digests]
