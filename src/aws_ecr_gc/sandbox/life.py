"""Everything that a sandbox is between one reset and the next."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aws_ecr_gc.sandbox import events
from aws_ecr_gc.sandbox.faults import Disturbance, Faults
from aws_ecr_gc.sandbox.hooks import Hooks
from aws_ecr_gc.sandbox.scenario import Scenario
from aws_ecr_gc.sandbox.staging import Stage
from aws_ecr_gc.sandbox.world import World


class Call(NamedTuple):
    """A call that the sandbox saw. `status` is 0 where the connection was reset instead of an answer."""

    operation: str
    account: str
    region: str
    access_key: str
    request: dict[str, Any]
    status: int
    error: str | None
    """The error's code, or what became of the answer: `reset`, `lost answer`, `garbage`."""
    service: str = "ecr"
    """By botocore's name."""


@dataclass
class Life:
    """What is stored, what goes wrong, what is waiting to happen, and what was called."""

    world: World
    faults: Faults
    disturbance: Disturbance = field(default_factory=Disturbance)
    hooks: Hooks = field(default_factory=Hooks)
    calls: list[Call] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0

    @contextmanager
    def counting(self) -> Iterator[None]:
        """A block in which a call is under way."""
        with self.world.lock:
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            yield
        finally:
            with self.world.lock:
                self.under_way -= 1


def life_of(scenario: Scenario) -> Life:
    """The life that a scenario begins. Raises ScenarioError for one that cannot be played."""
    stage = Stage(scenario)
    life = Life(world=stage.world, faults=deepcopy(scenario.faults))
    events.install(scenario.events, stage, life.hooks)
    return life
