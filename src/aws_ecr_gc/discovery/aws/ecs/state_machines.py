"""Step Functions: what state machines run, and their versions, which never change and which aliases lead to."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from aws_ecr_gc.discovery.aws.ecs.describing import unless_gone
from aws_ecr_gc.discovery.aws.ecs.documents import named_in, parsed
from aws_ecr_gc.discovery.aws.ecs.task_definitions import Naming
from aws_ecr_gc.discovery.reader import Reader
from aws_ecr_gc.usage import Use

_GONE = frozenset({"ResourceNotFound", "StateMachineDeleting", "StateMachineDoesNotExist"})
_Found = tuple[Use | Naming, ...]


def state_machines(reader: Reader) -> Iterator[Use | Naming]:
    """The task definitions, and the images, that the definitions of state machines name."""
    machines = reader.rows("stepfunctions", "ListStateMachines", "stateMachines", maxResults=1000)
    for found in reader.each(partial(_of_machine, reader), machines):
        yield from found
    listed = reader.each(partial(_versions, reader), machines)
    versions = [
        (machine["name"], version) for machine, of_it in zip(machines, listed, strict=True) for version in of_it
    ]
    for found in reader.each(partial(_of_version, reader), versions):
        yield from found


def _of_machine(reader: Reader, machine: dict[str, Any]) -> _Found:
    return _read(reader, machine["stateMachineArn"], f"state machine {machine['name']}", current=True)


def _versions(reader: Reader, machine: dict[str, Any]) -> list[Any]:
    read = partial(
        reader.rows,
        "stepfunctions",
        "ListStateMachineVersions",
        "stateMachineVersions",
        stateMachineArn=machine["stateMachineArn"],
        maxResults=1000,
    )
    return unless_gone(read, _GONE)


def _of_version(reader: Reader, of_machine: tuple[str, dict[str, Any]]) -> _Found:
    """What a version names. A machine made anew under its old name counts its versions from 1 again: hence the date."""
    name, version = of_machine
    arn = version["stateMachineVersionArn"]
    workload = f"state machine {name}:{arn.rpartition(':')[2]}"
    read = partial(_read, reader, arn, workload, current=False)
    return reader.remembered((arn, version.get("creationDate")), read)


def _read(reader: Reader, arn: str, workload: str, *, current: bool) -> _Found:
    call = partial(reader.service("stepfunctions").call, "DescribeStateMachine", "definition", stateMachineArn=arn)
    definitions = unless_gone(lambda: [call()["definition"]], _GONE)
    return tuple(
        found for text in definitions for found in named_in(reader, parsed(text, workload), workload, current=current)
    )
