"""The events of a scenario: what somebody else does to a repository in the middle of a client's work."""

from collections.abc import Mapping
from typing import Any

from aws_ecr_gc.sandbox.errors import ScenarioError
from aws_ecr_gc.sandbox.hooks import Hooks
from aws_ecr_gc.sandbox.scenario import Action, MoveTag, Push, Scenario, Touch
from aws_ecr_gc.sandbox.staging import Stage
from aws_ecr_gc.sandbox.store import Repository


def install(scenario: Scenario, stage: Stage, hooks: Hooks) -> None:
    """Hang the events of a scenario on the calls that they go with. Raises ScenarioError for an unknown repository."""
    for number, event in enumerate(scenario.events):
        occasion = event.before or event.after
        if occasion is None:
            continue
        for place, action in enumerate(event.do):
            performance = _Performance(stage, action, f"$.events[{number}].do[{place}]")
            hooks.add("before" if event.before else "after", occasion.operation, performance, occasion.call)


class _Performance:
    """One action, ready to be carried out."""

    def __init__(self, stage: Stage, action: Action, path: str) -> None:
        self._stage = stage
        self._action = action
        self._path = path
        self._repository = self._find_repository()

    def __call__(self, _request: Mapping[str, Any]) -> None:
        with self._stage.world.lock:
            if self._action.move_tag:
                self._move_tag(self._action.move_tag)
            if self._action.push:
                self._push(self._action.push)
            if self._action.delete:
                self._delete(self._action.delete)
            if self._action.archive:
                self._archive(self._action.archive)

    def _find_repository(self) -> Repository:
        action = self._action
        target: MoveTag | Push | Touch | None = action.move_tag or action.push or action.delete or action.archive
        if target is None:
            raise ScenarioError(f"there is nothing to do - at `{self._path}`")
        repositories = self._stage.world.registry(target.account, target.region).repositories
        if target.repository not in repositories:
            raise ScenarioError(f"there is no repository {target.repository} - at `{self._path}`")
        return repositories[target.repository]

    def _digest(self, name: str) -> str:
        return self._stage.digest(self._repository, name, self._path)

    def _move_tag(self, action: MoveTag) -> None:
        self._repository.tag(action.tag, self._digest(action.to))

    def _push(self, action: Push) -> None:
        now = self._stage.world.clock.now()
        self._stage.push(self._repository, action.image, now, now, f"{self._path}.push.image")

    def _delete(self, action: Touch) -> None:
        digest = self._digest(action.image)
        # Whoever deletes by hand may come too late: the client's own deletion was first.
        if digest in self._repository.images:
            self._repository.remove(digest, "event")

    def _archive(self, action: Touch) -> None:
        digest = self._digest(action.image)
        if digest in self._repository.images:
            self._repository.archive(digest)
