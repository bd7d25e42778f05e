"""A process that writes a journal until it is killed, and says of each record when it may go on."""

import os
from pathlib import Path

from aws_ecr_gc.errors import AwsFailure
from aws_ecr_gc.inventory import Image
from aws_ecr_gc.journal import Journal, create, journal_at, place_of, resume
from aws_ecr_gc.journal.reading import InRepository
from aws_ecr_gc.plan import Action, Outcome, Result
from aws_ecr_gc.ports import Answer, ImageId
from tests.journal.histories import MANIFEST, NOW, REGISTRY, beginning, no_s3, planning, step

STEPS = 10_000


def write(directory: Path, told: int) -> None:
    """Write a new journal; a byte into the pipe for each record that is durable."""
    with create(place_of(directory, no_s3), REGISTRY) as journal:
        os.write(told, b".")  # it is there
        beginning()(journal)
        os.write(told, b".")
        planning("r", *(step(number) for number in range(STEPS)))(journal)
        os.write(told, b".")
        _delete(journal, 0, told)


def go_on(path: Path, told: int) -> None:
    """Go on with one that is there."""
    journal, recorded = resume(*journal_at(path, no_s3))
    os.write(told, b".")
    if "r" not in recorded.repositories:
        planning("r", *(step(number) for number in range(STEPS)))(journal)
        os.write(told, b".")
    _delete(journal, _first(recorded.repositories.get("r")), told)


def _first(of_it: InRepository | None) -> int:
    return STEPS - len(of_it.remaining()) if of_it else 0


def _delete(journal: Journal, first: int, told: int) -> None:
    recorder = journal.of("r")
    for number in range(first, STEPS):
        image_id = ImageId(step(number).digest, None)
        about = recorder.about(
            Action.DELETE, [image_id], [Image(image_id.digest, NOW, (), MANIFEST)], {image_id.digest: b"{}" * 500}
        )
        os.write(told, b".")
        failed = number % 3 == 0
        recorder.answered(about, AwsFailure("lost") if failed else Answer((image_id,), ()))
        os.write(told, b".")
        recorder.outcomes([Outcome(image_id.digest, Result.DONE)])
        os.write(told, b".")
