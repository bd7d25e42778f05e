"""From plans to a file: whole or not at all, for its owner alone."""

from pathlib import Path

import msgspec
from msgspec.structs import replace

from aws_ecr_gc.errors import OutputLost, one_line
from aws_ecr_gc.files import write_whole
from aws_ecr_gc.plan import Decision, Reason, Step
from aws_ecr_gc.planfile.layout import (
    FORMAT,
    VERSION,
    Document,
    ImagePart,
    InUsePart,
    OriginPart,
    PolicyPart,
    ReachPart,
    ReasonPart,
    RegistryPart,
    RepositoryPart,
    SeenPart,
    StepPart,
    UnreadPart,
    checksum_of,
)
from aws_ecr_gc.planfile.values import PlanFile, PlannedRepository
from aws_ecr_gc.usage import InUse, Origin


def save(path: Path, file: PlanFile) -> str:
    """Write a plan file; its checksum. Raises OutputLost, also for values that no plan file can hold."""
    try:
        # Read once more before it is there: what can't be loaded is not written, and 0 is 0.0 as when it is loaded.
        document = msgspec.json.decode(msgspec.json.encode(_document(file)), type=Document)
    except msgspec.ValidationError as error:
        raise OutputLost(f"{one_line(path)}: can't be written: no plan file holds this: {one_line(error)}") from error
    checksum = checksum_of(document)
    try:
        write_whole(path, _indented(replace(document, checksum=checksum)), private=True)
    except OSError as error:
        raise OutputLost(f"{one_line(path)}: can't be written: {one_line(error.strerror or error)}") from error
    return checksum


def encoded(file: PlanFile) -> str:
    """The text of a plan file, with the checksum that it has."""
    return _indented(_document(file)).decode()


def _indented(document: Document) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def _document(file: PlanFile) -> Document:
    """All of it. Raises ValueError for a repository of another registry."""
    registry = file.registry
    for each in file.repositories:
        if each.plan.repository.registry != registry or each.inventory.repository != each.plan.repository:
            raise ValueError(f"{each.plan.repository}: not of the registry of the file")
    return Document(
        format=FORMAT,
        version=VERSION,
        tool=file.tool,
        made_at=file.made_at,
        checksum=file.checksum,
        registry=RegistryPart(registry.account, registry.region, registry.partition),
        policy=PolicyPart(tuple(map(_text, file.policy.files)), file.policy.sha256, file.policy.flags),
        in_use=InUsePart(file.asked, None if file.seen is None else _seen_part(file.seen), file.allow_unread),
        repositories=tuple(map(_repository_part, file.repositories)),
    )


def _text(text: str) -> str:
    """A path may hold bytes that are no text, and JSON can't."""
    return text.encode(errors="backslashreplace").decode()


def _seen_part(in_use: InUse) -> SeenPart:
    reach = in_use.reach
    return SeenPart(
        in_use.taken_at,
        tuple(map(_origin_part, in_use.read)),
        tuple(UnreadPart(_origin_part(each.origin), each.reason) for each in in_use.unread),
        ReachPart(reach.every, reach.organization, reach.revisions),
    )


def _origin_part(origin: Origin) -> OriginPart:
    return OriginPart(origin.source, origin.account, origin.region, origin.name)


def _repository_part(planned: PlannedRepository) -> RepositoryPart:
    plan = planned.plan
    reasons: dict[Reason, ReasonPart] = {}
    return RepositoryPart(
        name=plan.repository.name,
        policy=_text(planned.policy),
        action=plan.action,
        taken_at=plan.taken_at,
        ended_at=planned.inventory.ended_at,
        active=plan.active,
        size=plan.size,
        heeds_pulls=planned.heeds_pulls,
        canary=planned.canary,
        max_failures=planned.max_failures,
        refused=planned.refused,
        broken=planned.broken,
        steps=tuple(map(_step_part, plan.steps)),
        images=tuple(_image_part(decision, reasons) for decision in plan.decisions),
    )


def _step_part(step: Step) -> StepPart:
    return StepPart(step.digest, step.action, step.after, step.wave, step.subjects, step.untag, step.put_away)


def _image_part(decision: Decision, reasons: dict[Reason, ReasonPart]) -> ImagePart:
    """An image; equal reasons are one value, for most images share theirs with many."""
    image = decision.image
    return ImagePart(
        digest=image.digest,
        tags=image.tags,
        pushed_at=image.pushed_at,
        pulled_at=image.pulled_at,
        media_type=image.media_type,
        artifact_type=image.artifact_type,
        size=image.size,
        status=image.status,
        subject=image.subject,
        children=image.children,
        archived_at=image.archived_at,
        activated_at=image.activated_at,
        decision=decision.verdict,
        reasons=tuple(_reason_part(reason, reasons) for reason in decision.reasons),
    )


def _reason_part(reason: Reason, known: dict[Reason, ReasonPart]) -> ReasonPart:
    part = known.get(reason)
    if part is None:
        part = known[reason] = ReasonPart(reason.rule, reason.detail, reason.via)
    return part
