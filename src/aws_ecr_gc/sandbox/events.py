"""The events of a scenario: what somebody else does to a repository in the middle of a client's work."""

from collections.abc import Callable, Mapping
from typing import Any

from aws_ecr_gc.sandbox.errors import ScenarioError
from aws_ecr_gc.sandbox.hooks import Hooks
from aws_ecr_gc.sandbox.scenario import Archive, Delete, Event, MoveTag, Push
from aws_ecr_gc.sandbox.staging import Stage

Deed = MoveTag | Push | Delete | Archive


def install(events: list[Event], stage: Stage, hooks: Hooks) -> None:
    """Hang events on the calls that they go with. Raises ScenarioError for a target that is not there."""
    performances = [
        (event, _Performance(stage, action.chosen, f"$.events[{number}].do[{place}]"))
        for number, event in enumerate(events)
        for place, action in enumerate(event.do)
    ]
    _demand_known_images([performance for _, performance in performances])
    for event, performance in performances:
        hooks.add("before" if event.before else "after", event.occasion.operation, performance, event.occasion.call)


class _Performance:
    """One action, ready to be carried out."""

    def __init__(self, stage: Stage, deed: Deed, path: str) -> None:
        self.stage = stage
        self.deed = deed
        self.path = path
        repositories = stage.world.registry(deed.account, deed.region).repositories
        if deed.repository not in repositories:
            raise ScenarioError(f"there is no repository {deed.repository} - at `{path}`")
        self.repository = repositories[deed.repository]

    def __call__(self, _request: Mapping[str, Any]) -> None:
        with self.stage.world.lock:
            match self.deed:
                case MoveTag(tag=tag, to=name):
                    self.repository.tag(tag, self._digest(name))
                case Push(image=image):
                    now = self.stage.world.clock.now()
                    self.stage.push(self.repository, image, now, now, f"{self.path}.push.image")
                case Delete(image=name):
                    self._if_there(name, lambda digest: self.repository.remove(digest, "event"))
                case Archive(image=name):
                    self._if_there(name, self.repository.archive)

    def _digest(self, name: str) -> str:
        return self.stage.digest(self.repository, name, self.path)

    def _if_there(self, name: str, act: Callable[[str], None]) -> None:
        # Whoever acts by hand may come too late: the client's own deletion was first.
        digest = self._digest(name)
        if digest in self.repository.images:
            act(digest)


def _demand_known_images(performances: list[_Performance]) -> None:
    """Refuse names that no image has, neither from the beginning nor by being pushed in some event."""
    pushed = {(each.repository, each.deed.image.name) for each in performances if isinstance(each.deed, Push)}
    for each in performances:
        if isinstance(each.deed, Push):
            continue
        name = each.deed.to if isinstance(each.deed, MoveTag) else each.deed.image
        if (each.repository, name) not in pushed:
            each.stage.digest(each.repository, name, each.path)
