"""The sandbox: a stand-in for Amazon ECR, and for what runs its images, on loopback.

boto3 and the AWS CLI work with it unchanged.
"""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from aws_ecr_gc.sandbox import control
from aws_ecr_gc.sandbox.behaviour import Behaviour
from aws_ecr_gc.sandbox.clock import Clock
from aws_ecr_gc.sandbox.dispatch import answer
from aws_ecr_gc.sandbox.exchange import Answer, Arrival
from aws_ecr_gc.sandbox.faults import Faults
from aws_ecr_gc.sandbox.life import Call, life_of
from aws_ecr_gc.sandbox.lifecycle_runs import LifecycleAction
from aws_ecr_gc.sandbox.scenario import Scenario
from aws_ecr_gc.sandbox.server import SHUTDOWN_POLL_SECONDS, Server
from aws_ecr_gc.sandbox.store import Deletion, Registry
from aws_ecr_gc.sandbox.workloads import Workloads
from aws_ecr_gc.sandbox.world import DEFAULT_ACCOUNT, DEFAULT_REGION, Trust


class Sandbox:
    """ECR's API, and what of ECS's and Lambda's reads, over HTTP on 127.0.0.1, from entering the context to leaving it.

    Raises ScenarioError for a scenario that cannot be played, OSError when the port is taken.
    """

    def __init__(self, scenario: Scenario | None = None, *, port: int = 0) -> None:
        self._life = life_of(scenario or Scenario())
        self._server = Server(port, self._answer)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(SHUTDOWN_POLL_SECONDS,), name="ecr-sandbox", daemon=True
        )
        self.url = self._life.world.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Begin to answer, in a daemon thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop answering, and free the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.close()

    def reset(self, scenario: Scenario | None = None) -> None:
        """Forget everything, and begin again with another scenario, at the same port."""
        life = life_of(scenario or Scenario())
        life.world.url = self.url
        self._life = life

    def registry(self, account: str = DEFAULT_ACCOUNT, region: str = DEFAULT_REGION) -> Registry:
        """The registry of an account in a region, to look into and to change."""
        return self._life.world.registry(account, region)

    def workloads(self, account: str = DEFAULT_ACCOUNT, region: str = DEFAULT_REGION) -> Workloads:
        """What runs in an account and a region, to look into and to change."""
        return self._life.world.workloads(account, region)

    def enable(self, account: str, *regions: str) -> None:
        """Say which regions are enabled for an account, in place of those that are by default.

        Only then calls of that account in other regions are refused.
        """
        self._life.world.enabled[account] = list(regions)

    def trust(self, account: str, external_id: str | None = None, **session_tags: str) -> None:
        """Let the roles of an account be assumed only with this external id and these session tags."""
        self._life.world.trusted[account] = Trust(external_id, session_tags)

    @property
    def calls(self) -> list[Call]:
        """Every call so far, in order."""
        return self._life.calls

    @property
    def most_at_once(self) -> int:
        """How many calls were under way at one time, at most."""
        return self._life.most_under_way

    @property
    def deletions(self) -> list[Deletion]:
        """Every image that vanished and every tag that was removed by a deletion so far, in order."""
        return self._life.world.deletions

    @property
    def lifecycle_actions(self) -> list[LifecycleAction]:
        """What lifecycle policies did to images, and what failed, so far, in order."""
        return self._life.world.lifecycles.actions

    @property
    def clock(self) -> Clock:
        """The clock that push times, pull times, activations and lifecycle policies go by."""
        return self._life.world.clock

    @property
    def behaviour(self) -> Behaviour:
        """How it behaves where more than one behaviour is conceivable."""
        return self._life.world.behaviour

    @property
    def faults(self) -> Faults:
        """What goes wrong; may be changed at any time."""
        return self._life.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._life.faults = faults

    def before(self, operation: str, action: Callable[[dict[str, Any]], None], *, call: int = 1) -> None:
        """Run `action` with the request right before that call of the operation (counted from 1) is carried out.

        Calls that a fault turns away do not count. Raises ValueError for a call that has been already.
        """
        self._life.hooks.add("before", operation, action, call)

    def after(self, operation: str, action: Callable[[dict[str, Any]], None], *, call: int = 1) -> None:
        """Run `action` with the request after that call took effect, before its answer is sent."""
        self._life.hooks.add("after", operation, action, call)

    def _answer(self, arrival: Arrival) -> Answer:
        life = self._life
        if arrival.path.startswith(control.PREFIX):
            return control.answer(life.world, arrival)
        with life.counting():
            return answer(life, arrival)
