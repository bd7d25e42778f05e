"""Task definitions: what names them, and the images of those that are named or are the newest of their family."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from msgspec import Struct

from aws_ecr_gc.discovery.reader import Place, Reader
from aws_ecr_gc.errors import AwsFailure, Unintelligible
from aws_ecr_gc.usage import Use

_NAME = re.compile(
    r"(?:arn:[a-z-]+:ecs:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):task-definition/)?"
    r"(?P<family>[A-Za-z0-9_-]{1,255})(?::(?P<revision>[0-9]{1,18}))?"
)
_ACTIVE = Mapping[str, Sequence[int]]


class Naming(Struct, frozen=True):
    """A workload names a task definition: `web`, `web:7`, or an ARN with or without a revision.

    One of the cluster's `own` workloads can't run what is elsewhere.
    """

    text: str
    workload: str
    current: bool = True
    own: bool = False


class _Definition(NamedTuple):
    family: str
    revision: int

    def __str__(self) -> str:
        return f"{self.family}:{self.revision}"


def can_be_name(text: str) -> bool:
    """Whether a text has the form of what names a task definition; no expression in a state machine has it."""
    return _NAME.fullmatch(text) is not None


def task_definitions(reader: Reader, namings: Iterable[Naming]) -> Iterator[Use]:
    """The images of all task definitions that are named, for each that names it, and of the newest of each family."""
    active = _active(reader)
    workloads: dict[_Definition, dict[str, bool]] = {}
    for naming in namings:
        definition = _named(naming, reader.place, active)
        if definition is not None:
            of_it = workloads.setdefault(definition, {})
            of_it[naming.workload] = of_it.get(naming.workload, False) or naming.current
    for family, revisions in active.items():
        for definition in (_Definition(family, revision) for revision in revisions[: reader.settings.revisions]):
            of_it = workloads.setdefault(definition, {})
            if not any(of_it.values()):
                of_it[f"task definition {definition}"] = False
    images = reader.each(partial(_images, reader), workloads)
    for of_it, found in zip(workloads.values(), images, strict=True):
        for workload, current in of_it.items():
            for image in found:
                yield from reader.use(image, workload, current=current)


def _active(reader: Reader) -> _ACTIVE:
    """The revisions of each family, the newest first."""
    families: dict[str, list[int]] = {}
    for arn in reader.rows("ecs", "ListTaskDefinitions", "taskDefinitionArns", status="ACTIVE", maxResults=100):
        found = _NAME.fullmatch(arn)
        if found is None or found["revision"] is None:
            raise Unintelligible(f"ListTaskDefinitions: {arn!r} is no ARN of a task definition")
        families.setdefault(found["family"], []).append(int(found["revision"]))
    return {family: sorted(revisions, reverse=True) for family, revisions in families.items()}


def _named(naming: Naming, place: Place, active: _ACTIVE) -> _Definition | None:
    """The definition that is meant; None for one elsewhere, or for the newest where there is none."""
    found = _NAME.fullmatch(naming.text)
    if found is None:
        raise Unintelligible(f"{naming.workload}: {naming.text!r} is no name of a task definition")
    if found["region"] and (found["account"], found["region"]) != (place.account, place.region):
        if naming.own:
            raise Unintelligible(f"{naming.workload}: its task definition is of another place: {naming.text}")
        return None
    if found["revision"]:
        return _Definition(found["family"], int(found["revision"]))
    newest = active.get(found["family"])
    return _Definition(found["family"], newest[0]) if newest else None


def _images(reader: Reader, definition: _Definition) -> tuple[object, ...]:
    """The images of all containers of a definition; none where it is not there any more."""
    try:
        return reader.remembered(definition, partial(_described, reader, definition))
    except AwsFailure as error:
        if error.code == "ClientException" and "unable to describe task definition" in str(error).lower():
            return ()
        raise


def _described(reader: Reader, definition: _Definition) -> tuple[object, ...]:
    place = reader.place
    arn = f"arn:{place.partition}:ecs:{place.region}:{place.account}:task-definition/{definition}"
    answered = reader.service("ecs").call("DescribeTaskDefinition", "taskDefinition", taskDefinition=arn)
    return tuple(container.get("image") for container in answered["taskDefinition"]["containerDefinitions"])
