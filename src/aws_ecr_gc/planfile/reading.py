"""From a file to plans. What is not exactly a plan that could have been saved is refused."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from aws_ecr_gc.errors import Altered, Misuse, one_line
from aws_ecr_gc.inventory import Image, Inventory, Status, newest_first
from aws_ecr_gc.plan import Action, Decision, Plan, Reason, Step, Verdict
from aws_ecr_gc.planfile.layout import (
    FORMAT,
    VERSION,
    Document,
    Format,
    ImagePart,
    OriginPart,
    RepositoryPart,
    SeenPart,
    StepPart,
    checksum_of,
)
from aws_ecr_gc.planfile.values import PlanFile, PlannedRepository, PolicySource, StoredDecisions
from aws_ecr_gc.reference import Registry, Repository
from aws_ecr_gc.usage import InUse, Origin, Reach, Unread

_LARGEST = 1 << 32
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not JSON, not UTF-8, or nested too deeply."""


def load(path: Path) -> PlanFile:
    """Read a plan file. Raises Misuse for what is none, or a damaged one, and Altered where the checksum tells."""
    name = one_line(path)
    document = _document(_content(path, name), name)
    if document.checksum != (checksum := checksum_of(document)):
        raise Altered(
            f"{name}: it was altered since it was written: it names the checksum {document.checksum or 'none'}, and "
            f"has {checksum}; make the plan again with aws-ecr-gc plan --out"
        )
    try:
        return _plan_file(document)
    except ValueError as error:
        raise _damaged(name, error) from error


def _content(path: Path, name: str) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            raise Misuse(f"{name}: larger than a file of aws-ecr-gc plan --out can be")
        return path.read_bytes()
    except OSError as error:
        reason = one_line(error.strerror or error)
        raise Misuse(f"{name}: can't be read: {reason}; give a file of aws-ecr-gc plan --out") from error


def _document(content: bytes, name: str) -> Document:
    try:
        stated = msgspec.json.decode(content, type=Format)
    except msgspec.ValidationError as error:
        raise Misuse(f"{name}: no plan file; give one that aws-ecr-gc plan --out wrote") from error
    except _UNDECODABLE as error:
        raise _damaged(name, error) from error
    if stated.format != FORMAT:
        raise Misuse(f"{name}: no plan file; give one that aws-ecr-gc plan --out wrote")
    if stated.version != VERSION:
        raise Misuse(
            f"{name}: a plan file of version {stated.version}, and this aws-ecr-gc reads version {VERSION}; use the "
            "aws-ecr-gc that wrote it, or make the plan again"
        )
    try:
        return msgspec.json.decode(content, type=Document)
    except _UNDECODABLE as error:
        raise _damaged(name, error) from error


def _damaged(name: str, error: Exception) -> Misuse:
    return Misuse(f"{name}: a plan file that is cut off or damaged: {one_line(error)}; make the plan again")


def _plan_file(document: Document) -> PlanFile:
    """The values. Raises ValueError where the document contradicts itself."""
    part = document.registry
    registry = Registry(part.account, part.region, part.partition)
    names = [each.name for each in document.repositories]
    if len(set(names)) != len(names):
        raise ValueError("a repository is there twice")
    return PlanFile(
        tool=document.tool,
        made_at=document.made_at,
        registry=registry,
        policy=PolicySource(document.policy.files, document.policy.sha256, document.policy.flags),
        repositories=tuple(_Reader(registry, each).planned() for each in document.repositories),
        asked=document.in_use.asked,
        seen=None if document.in_use.seen is None else _in_use(document.in_use.seen),
        allow_unread=document.in_use.allow_unread,
        checksum=document.checksum,
    )


def _in_use(part: SeenPart) -> InUse:
    return InUse(
        part.taken_at,
        {},
        tuple(map(_origin, part.read)),
        tuple(Unread(_origin(each.origin), each.reason) for each in part.gone_on_without),
        Reach(part.reach.every, part.reach.organization, part.reach.revisions),
    )


def _origin(part: OriginPart) -> Origin:
    return Origin(part.source, part.account, part.region, part.name)


class _Reader:
    """Reads one repository. What many images have in common is one value in memory."""

    def __init__(self, registry: Registry, part: RepositoryPart) -> None:
        self._repository = Repository(registry, part.name)
        self._part = part
        self._texts: dict[str | None, str | None] = {}
        self._reasons: dict[Reason, Reason] = {}

    def planned(self) -> PlannedRepository:
        """The plan. Raises ValueError where the document contradicts itself."""
        part = self._part
        decisions = [self._decision(each) for each in part.images]
        images = {decision.image.digest: decision.image for decision in decisions}
        if len(images) != len(decisions):
            raise self._wrong("an image is there twice")
        if newest_first(images.values()) != list(images.values()):
            raise self._wrong("its images are not in order, newest first")
        collected = {each.image.digest for each in decisions if each.verdict is Verdict.COLLECTED}
        if part.active != sum([image.status is Status.ACTIVE for image in images.values()]):
            raise self._wrong("it says how many images are active, and that is wrong")
        if part.size != sum(images[digest].own_size for digest in collected):
            raise self._wrong("it says the size of what goes, and that is wrong")
        plan = Plan(
            self._repository,
            part.taken_at,
            active=part.active,
            size=part.size,
            decisions=StoredDecisions(decisions),
            steps=tuple(self._steps(part.steps, images, collected)),
            action=part.action,
        )
        inventory = Inventory(self._repository, part.taken_at, images, part.ended_at)
        return PlannedRepository(
            plan,
            inventory,
            part.policy,
            part.heeds_pulls,
            part.canary,
            part.max_failures,
            part.refused,
            part.broken,
        )

    def _decision(self, part: ImagePart) -> Decision:
        texts = self._texts
        image = Image(
            part.digest,
            part.pushed_at,
            part.tags,
            texts.setdefault(part.media_type, part.media_type),
            part.size,
            part.status,
            part.subject,
            part.children,
            part.pulled_at,
            texts.setdefault(part.artifact_type, part.artifact_type),
            part.archived_at,
            part.activated_at,
        )
        reasons = (Reason(each.rule, each.detail, each.via) for each in part.reasons)
        return Decision(image, part.decision, tuple(self._reasons.setdefault(each, each) for each in reasons))

    def _steps(self, parts: Iterable[StepPart], images: Mapping[str, Image], collected: set[str]) -> Iterator[Step]:
        """The steps: one for each image that is collected, after all that it waits for. So they have no circle.

        Or one for each image that loses tags, and then none is collected.
        """
        waves: dict[str, int] = {}
        changing = collected
        if self._part.action is Action.UNTAG and not collected:
            changing = {digest for digest, image in images.items() if image.status is Status.ACTIVE}
        for part in parts:
            digest = part.digest
            if digest not in changing or digest in waves:
                raise self._wrong(f"a step names {digest}: no image that goes, or one of an earlier step")
            self._demand_action(part, images[digest])
            if not all(each in waves for each in part.after):
                raise self._wrong(f"the step of {digest} goes before what it waits for")
            if part.wave != 1 + max((waves[each] for each in part.after), default=-1):
                raise self._wrong(f"the step of {digest} is of wave {part.wave}, and what it waits for says another")
            if not set(part.subjects) <= set(part.after):
                raise self._wrong(f"the step of {digest} does not wait for all its subjects")
            waves[digest] = part.wave
            yield _step(part, images[digest])
        if not waves.keys() >= collected:
            raise self._wrong("it has images that go and no step for them")

    def _demand_action(self, part: StepPart, image: Image) -> None:
        """That the step does what the policy does to such an image, and leaves it a tag where it removes some."""
        action = self._part.action
        if action is not Action.UNTAG and image.status is not Status.ACTIVE:
            action = Action.DELETE
        if part.action is not action:
            raise self._wrong(f"the step of {image.digest} is to {part.action}, and that is none of the policy's")
        if (part.action is Action.UNTAG) != bool(part.untag) or (part.untag and not set(part.untag) < set(image.tags)):
            raise self._wrong(f"the step of {image.digest} removes tags that it has not, none, or all")

    def _wrong(self, what: str) -> ValueError:
        return ValueError(f"repository {self._part.name}: {what}")


def _step(part: StepPart, image: Image) -> Step:
    return Step(
        action=part.action,
        digest=image.digest,
        tags=image.tags,
        status=image.status,
        pushed_at=image.pushed_at,
        size=0 if part.action is Action.UNTAG else image.own_size,
        after=part.after,
        wave=part.wave,
        subjects=part.subjects,
        pulled_at=image.pulled_at,
        untag=part.untag,
        put_away=part.put_away,
        archived_at=image.archived_at,
        activated_at=image.activated_at,
    )
