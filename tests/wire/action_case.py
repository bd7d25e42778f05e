"""Randomised applies of plans that archive, delete from the archive, or remove tags."""

import json
from pathlib import Path
from typing import Any

from aws_ecr_gc import planfile
from aws_ecr_gc.apply import NOT_BACK
from aws_ecr_gc.journal import Recorded
from aws_ecr_gc.plan import Action, Result
from aws_ecr_gc.sandbox import Deletion, Sandbox
from tests.wire.apply_case import ApplyCase


class ActionCase(ApplyCase):
    """Like its base, with a policy file in place of the original's flags."""

    _has_neighbours = False
    _struck = ("DescribeImages", "BatchDeleteImage", "UpdateImageStorageClass", "UpdateImageStorageClass")

    def __init__(self, seed: int, sandbox: Sandbox, home: Path) -> None:
        super().__init__(seed, sandbox, home)
        self._takes_whole = sandbox.behaviour.pair_deletes == "image"

    def _is_managed(self, tag: str) -> bool:  # noqa: ARG002 - a rule about the archive takes all
        return True

    def _policy_words(self) -> list[str]:
        draw = self._random
        self._action = draw.choice([Action.ARCHIVE, Action.ARCHIVE, Action.UNTAG])
        archives = self._action is Action.ARCHIVE
        if archives:
            self._archive_some()
        rules: list[dict[str, object]] = [
            {"name": prefix, "match": {"prefix": prefix}, "keep": _keep(draw.choice([0, 1, 2, 3]))}
            for prefix in ("build", "release")
        ]
        if archives and draw.random() < 0.5:
            rules.append({"name": "untagged", "match": {"untagged": True}, "keep": "none"})
        if archives and draw.random() < 0.6:
            rules.append({"name": "old", "match": {"any": True, "archived_for": "0"}, "keep": "none"})
        content = {
            "action": self._action.value,
            "rules": rules,
            "protect": {"grace": "0"},
            "guards": {"keep_at_least": 0, "keep_tagged": 0},
        }
        path = self._home / "policy.json"
        path.write_text(json.dumps({"version": 1, "policies": [content]}))
        return ["-f", str(path)]

    def _archive_some(self) -> None:
        for digest in sorted(self._repository.images):
            if self._random.random() < 0.3 and not self._repository.holders_of(digest):
                self._repository.archive(digest)

    def _read_plan(self, planned: planfile.PlannedRepository) -> None:
        super()._read_plan(planned)
        self._actions = {step.digest: step.action for step in planned.plan.steps}
        for step in planned.plan.steps:
            if step.action is Action.UNTAG:
                self._plan[step.digest]["tags"] = step.untag

    def _check(self, deletions: list[Deletion], document: dict[str, Any] | None, code: int) -> None:
        ours = [each for each in deletions if each.by == "BatchDeleteImage"]
        if self._action is Action.UNTAG:
            self._only_planned_tags_went(ours)
        else:
            deleted = {each.digest for each in ours}
            assert all(self._actions[digest] is Action.DELETE for digest in deleted), "deleted what was to be archived"
            super()._check(deletions, document, code)
        asked = {
            call.request["imageId"]["imageDigest"]
            for call in self._sandbox.calls
            if call.operation == "UpdateImageStorageClass"
        }
        assert all(self._actions.get(digest) is Action.ARCHIVE for digest in asked), "archived what was not planned"

    def _only_planned_tags_went(self, ours: list[Deletion]) -> None:
        for each in ours:
            assert each.digest in self._plan, f"{each} was not planned"
            lost = {each.tag} if each.tag else set(each.tags)
            if each.tag is None and self._takes_whole:
                continue
            assert lost <= set(self._plan[each.digest]["tags"]) | self._window_tags, f"{each} was not planned"

    def _the_journal_is_true(self, recorded: Recorded) -> None:
        said_gone = self._digests_told(NOT_BACK)
        for of_it in recorded.repositories.values():
            for digest, outcome in of_it.outcomes.items():
                image = self._repository.images.get(digest)
                if image is None and digest in said_gone:
                    continue  # whoever took it whole said so, with exit 5; only `restore` brings it back
                if self._actions[digest] is Action.UNTAG and digest not in self._removed_by_others:
                    assert image is not None, f"{digest} went with a tag, and is not back"
                if digest in self._touched:
                    continue
                match self._actions[digest]:
                    case Action.DELETE if outcome.result is Result.DONE:
                        assert image is None or set(image.tags) & self._window_tags
                    case Action.ARCHIVE if outcome.result is Result.DONE:
                        assert image is not None
                        assert image.status == "ARCHIVED", f"{digest} is said to be archived"
                    case Action.UNTAG:
                        assert image is not None
                        if self._takes_whole and len(self._all_journals()) > 1:
                            continue  # what one puts back the other has seen gone
                        kept = set(of_it.images[digest].tags) if digest in of_it.images else set(image.tags)
                        assert kept - set(self._plan[digest]["tags"]) <= set(image.tags)
                        if outcome.result is Result.DONE:
                            gone = set(self._plan[digest]["tags"]) - self._window_tags
                            assert not gone & set(image.tags), f"{digest} is said to have lost its tags"


def _keep(newest: int) -> object:
    return {"newest": newest} if newest else "none"
