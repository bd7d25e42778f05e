"""Repositories under a lifecycle policy, for both evaluators: the stand-in's naive one, and the product's simulator."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from aws_ecr_gc.inventory import Image, Status
from aws_ecr_gc.lifecycle.assumptions import Assumptions, parse
from aws_ecr_gc.lifecycle.reading import read
from aws_ecr_gc.lifecycle.simulating import Simulation, simulate
from aws_ecr_gc.lifecycle.values import LifecyclePolicy
from aws_ecr_gc.sandbox import Behaviour, Clock, Repository
from aws_ecr_gc.sandbox import Image as Stored
from aws_ecr_gc.sandbox.manifests import OCI_IMAGE, OCI_INDEX, Descriptor, layer, write
from aws_ecr_gc.sandbox.world import World

NOW = 1_717_200_000.0
DAY = 86400.0
EXPIRE = {"type": "expire"}
ARCHIVE = {"type": "transition", "targetStorageClass": "archive"}


class Spec(NamedTuple):
    """An image, in push order. Ages are in days at the first evaluation; names are of the images before."""

    name: str
    tags: tuple[str, ...] = ()
    age: float = 0.0
    children: tuple[str, ...] = ()
    subject: str | None = None
    pulled: float | None = None
    status: str = "ACTIVE"
    archived: float | None = None
    activated: float | None = None


class Played(NamedTuple):
    """A repository in the stand-in, under its policy; `due` is the time of the first evaluation."""

    world: World
    repository: Repository
    due: float
    names: dict[str, str]


def rule(
    priority: int, tags: str | Sequence[str], count: str, number: int, *, action: Any = None, prefixes: bool = False
) -> dict[str, Any]:
    """A rule; `tags` is `any`, `untagged`, or the list; `count` is more, pushed, pulled or archived."""
    count_type = {
        "more": "imageCountMoreThan",
        "pushed": "sinceImagePushed",
        "pulled": "sinceImagePulled",
        "archived": "sinceImageTransitioned",
    }[count]
    selection: dict[str, Any] = {"tagStatus": tags if isinstance(tags, str) else "tagged", "countType": count_type}
    if not isinstance(tags, str):
        selection["tagPrefixList" if prefixes else "tagPatternList"] = list(tags)
    if count != "more":
        selection["countUnit"] = "days"
    if count == "archived":
        selection["storageClass"] = "archive"
    selection["countNumber"] = number
    return {
        "rulePriority": priority,
        "description": "x" * 60,
        "selection": selection,
        "action": action or (ARCHIVE if count == "pulled" else EXPIRE),
    }


def text_of(*rules: dict[str, Any]) -> str:
    return json.dumps({"rules": list(rules)})


def policy_of(*rules: dict[str, Any]) -> LifecyclePolicy:
    written = read(text_of(*rules), "policy.json")
    assert written.policy is not None, written.errors
    return written.policy


def play(specs: Sequence[Spec], text: str, behaviour: Behaviour | None = None) -> Played:
    """Put the images into a stand-in whose clock stands one day before the first evaluation."""
    world = World(clock=Clock(NOW - DAY), behaviour=behaviour or Behaviour())
    repository = world.registry().create_repository("app")
    repository.settings.lifecycle_policy = text
    world.lifecycles.notice(NOW - DAY)
    names: dict[str, str] = {}
    for spec in specs:
        names[spec.name] = digest = repository.put(_manifest(spec, repository, names), pushed_at=NOW - spec.age * DAY)
        for tag in spec.tags:
            repository.tag(tag, digest)
        repository.change(
            digest,
            pulled_at=_before(spec.pulled),
            status=spec.status,
            archived_at=_before(spec.archived),
            activated_at=_before(spec.activated),
            activates_at=NOW + 1200 if spec.status == "ACTIVATING" else None,
        )
    return Played(world, repository, NOW, names)


def _before(age: float | None) -> float | None:
    return None if age is None else NOW - age * DAY


def _manifest(spec: Spec, repository: Repository, names: dict[str, str]) -> bytes:
    def descriptor(name: str) -> Descriptor:
        image = repository.images[names[name]]
        return Descriptor(image.media_type, image.digest, len(image.manifest))

    kind = OCI_INDEX if spec.children else OCI_IMAGE
    return write(
        spec.name,
        kind,
        layers=[] if spec.children else [layer("base", 1000, OCI_IMAGE)],
        children=[descriptor(child) for child in spec.children],
        subject=None if spec.subject is None else descriptor(spec.subject),
    )


def image_of(stored: Stored) -> Image:
    """What a reading of the registry says of an image."""
    return Image(
        stored.digest,
        stored.pushed_at,
        stored.tags,
        stored.media_type,
        stored.size,
        Status(stored.status),
        stored.subject,
        stored.children,
        stored.pulled_at,
        stored.artifact_media_type,
        stored.archived_at,
        stored.activated_at,
    )


def simulated(played: Played, policy: LifecyclePolicy, days: int, *switches: str) -> Simulation:
    """What the product says will happen."""
    assumptions = Assumptions()
    for switch in switches:
        assumptions = assumptions.with_(*parse(switch))
    images = [image_of(each) for each in played.repository.images.values()]
    return simulate(images, policy, played.due, days=days, assumptions=assumptions)


def named(played: Played, digests: Sequence[str]) -> str:
    """The names of images, in this order."""
    by_digest = {digest: name for name, digest in played.names.items()}
    return " ".join(by_digest[digest] for digest in digests)
