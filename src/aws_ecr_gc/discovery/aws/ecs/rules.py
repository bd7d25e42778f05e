"""EventBridge: the rules that run tasks, disabled ones too."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product
from typing import Any, NamedTuple

from aws_ecr_gc.discovery.aws.ecs.describing import unless_gone
from aws_ecr_gc.discovery.aws.ecs.task_definitions import Naming
from aws_ecr_gc.discovery.reader import Reader

_GONE = frozenset({"ResourceNotFoundException"})


class _Rule(NamedTuple):
    bus: str
    name: str

    def __str__(self) -> str:
        return f"rule {self.bus}/{self.name}"


def rules(reader: Reader, clusters: Sequence[str]) -> Iterator[Naming]:
    """The task definitions that rules of all event buses run in one of the clusters."""
    if not clusters:
        return
    buses = [bus["Name"] for bus in reader.rows("events", "ListEventBuses", "EventBuses", Limit=100)]
    found = reader.each(partial(_targeting, reader), product(buses, clusters))
    every = list(dict.fromkeys(rule for of_cluster in found for rule in of_cluster))
    for rule, targets in zip(every, reader.each(partial(_targets, reader), every), strict=True):
        for target in targets:
            if runs := target.get("EcsParameters"):
                yield Naming(runs["TaskDefinitionArn"], str(rule))


def _targeting(reader: Reader, where: tuple[str, str]) -> list[_Rule]:
    """The rules of a bus that have a cluster among their targets."""
    bus, cluster = where
    read = partial(
        reader.rows, "events", "ListRuleNamesByTarget", "RuleNames", TargetArn=cluster, EventBusName=bus, Limit=100
    )
    return [_Rule(bus, name) for name in unless_gone(read, _GONE)]


def _targets(reader: Reader, rule: _Rule) -> list[Any]:
    read = partial(
        reader.rows, "events", "ListTargetsByRule", "Targets", Rule=rule.name, EventBusName=rule.bus, Limit=100
    )
    return unless_gone(read, _GONE)
