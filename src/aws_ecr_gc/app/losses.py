"""What a journal says was lost, and what of it can't be put back."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from aws_ecr_gc import backup
from aws_ecr_gc.apply import TAKEN_WHOLE
from aws_ecr_gc.errors import Misuse
from aws_ecr_gc.inventory import Status
from aws_ecr_gc.journal import InRepository, Recorded
from aws_ecr_gc.plan import Action, Step
from aws_ecr_gc.plan import Result as Outcome
from aws_ecr_gc.reference import Repository
from aws_ecr_gc.report import text
from aws_ecr_gc.restore import Lost

_ARCHIVED = "it was archived when it was deleted, so ECR gave no manifest; it can't be put back"
_UNRECORDED = "its manifest is not on record: the journal was kept with --no-restore; give --from, if there is a backup"
_UNREAD = "its manifest is not on record: it could not be read then; give --from, if there is a backup"
_SOMEBODY_ELSE = "deleted since, by somebody else"
_NAMED = 3


class Part(Struct, frozen=True):
    """What was lost in one repository, and the backup of it.

    `not_back` says why, by digest, of what is not put back if it is gone.
    """

    repository: Repository
    lost: dict[str, Lost]
    layout: backup.Layout | None
    not_back: dict[str, str] = {}


def demand_manifests(parts: Sequence[Part]) -> None:
    """Raise Misuse where there is nothing to put anything back by."""
    if any(each.manifest is not None or each.may_be_there for part in parts for each in part.lost.values()):
        return
    reasons = {part.not_back[digest] for part in parts for digest in part.lost}
    if reasons == {_ARCHIVED}:
        raise Misuse("nothing can be put back: all of it was archived when it was deleted, so ECR gave no manifest")
    why = "the journal was kept with --no-restore" if _UNRECORDED in reasons else "they could not be read then"
    raise Misuse(
        f"nothing can be put back: no manifest is on record, for {why}; give --from with a backup, if there is one"
    )


def archived_by(recorded: Recorded) -> str | None:
    """How many images were archived, and the command that takes out the first of them; None where none was."""
    archived = [
        (each.repository.name, step)
        for each in recorded.repositories.values()
        for step in each.planned.steps
        if step.action is Action.ARCHIVE and _was_archived(each, step)
    ]
    if not archived:
        return None
    tagged = [(name, step) for name, step in archived if step.tags] or archived
    named = " ".join(
        f"{name}:{step.tags[0]}" if step.tags else f"{name}@{step.digest}" for name, step in tagged[:_NAMED]
    )
    more = f"; {len(tagged) - _NAMED} more have tags" if len(tagged) > _NAMED and tagged[0][1].tags else ""
    return f"archived, not deleted: {text.images(len(archived))}; to take them out: aws-ecr-gc unarchive {named}{more}"


def _was_archived(of_it: InRepository, step: Step) -> bool:
    outcome = of_it.outcomes.get(step.digest)
    return step.digest in of_it.archived or (outcome is not None and outcome.result is Outcome.DONE)


def parts_of(recorded: Recorded, place: backup.Place | None) -> list[Part]:
    """What each repository lost, as far as it is on record; none where nothing was."""
    parts = []
    for each in recorded.repositories.values():
        layout = None if place is None else place.layout(each.repository)
        lost = {digest: with_manifest(image, layout) for digest, image in _lost(each)}
        if lost:
            not_back = dict(_not_back(each, lost, restorable=recorded.begin.restorable))
            parts.append(Part(each.repository, lost, layout, not_back))
    return parts


def _lost(of_it: InRepository) -> Iterator[tuple[str, Lost]]:
    """What was deleted or lost tags, or may have: a call without an answer counts. What was archived is there."""
    doubtful = set(of_it.doubtful)
    steps = {step.digest: step for step in of_it.planned.steps}
    for digest, seen in of_it.images.items():
        step = steps[digest]
        if step.action is Action.ARCHIVE:
            continue
        outcome = of_it.outcomes.get(digest)
        done = outcome is not None and outcome.result is Outcome.DONE
        removed = of_it.removed.get(digest, set())
        taken_whole = outcome is not None and outcome.code == TAKEN_WHOLE
        if done or removed or taken_whole or digest in doubtful:
            tags = of_it.attempted[digest] if done or digest in doubtful else {tag for tag in removed if tag}
            if taken_whole:  # it may be back with only some of the tags that were to stay
                tags = {*tags, *(tag for tag in seen.tags if tag not in step.untag)}
            in_sight = tuple(tag for tag in seen.tags if tag in tags)
            untagged = step.action is Action.UNTAG
            yield digest, Lost(digest, seen.tags, in_sight, seen.media_type, seen.manifest, untagged)


def _not_back(of_it: InRepository, lost: Mapping[str, Lost], *, restorable: bool) -> Iterator[tuple[str, str]]:
    """Why images are not put back if they are gone: there is no manifest, or it was not the run that deleted them."""
    steps = {step.digest: step for step in of_it.planned.steps}
    for digest, image in lost.items():
        step, outcome = steps[digest], of_it.outcomes.get(digest)
        if step.action is Action.UNTAG:
            # Its tags went, and it was there afterwards.
            if outcome is not None and outcome.result is Outcome.DONE:
                yield digest, _SOMEBODY_ELSE
        elif image.manifest is None and step.status is not Status.ACTIVE:
            yield digest, _ARCHIVED
        elif image.manifest is None:
            yield digest, _UNREAD if restorable else _UNRECORDED


def with_manifest(image: Lost, layout: backup.Layout | None) -> Lost:
    """The same with the manifest that a backup has, where none is on record."""
    if image.manifest is not None or layout is None or not layout.has(image.digest, None):
        return image
    return replace(image, manifest=b"".join(layout.read(image.digest)))
