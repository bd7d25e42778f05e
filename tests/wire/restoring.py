"""After an apply that faults struck: a restore from its journal, struck too. Nothing that was promised is lost.

`RestoreCase` is an `ApplyCase` that can end with `restore`, `ActionRestoreCase` an `ActionCase`.
"""

import json
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

from aws_ecr_gc import journal
from aws_ecr_gc.journal import InRepository
from aws_ecr_gc.plan import Action, Result
from aws_ecr_gc.sandbox import Faults, Repository
from tests.wire.action_case import ActionCase
from tests.wire.apply_case import ApplyCase, no_s3

_EXITS = {0, 1, 2, 3, 5, 130}


class RestoreCase(ApplyCase):
    """An apply, what its journal finishes, and what is put back from it. It all follows from the seed."""

    def restore(self) -> None:
        """Restore under faults, maybe killed; then in calm; then once more, which must find nothing to do.

        What was planted for the apply and has not struck by now strikes no more.
        """
        path = next((each for each in self._journals.glob("*.jsonl") if self._of_testrepo(each) is not None), None)
        if path is None or not self._deleted:
            return
        self._lose_layers()
        self._give_tags_away()
        self._given = dict(self._repository.tags)
        self._taken: set[str] = set()
        self._plant_for_restore()
        code = self._process_of(["restore", str(path)])
        assert code in _EXITS or self.killed, (self._home / "out.err").read_text()
        self._no_tag_was_taken_away()
        self._restoring, self._sandbox.faults = False, Faults()
        first = self._restored(path)
        self._promises_are_kept(path, first)
        self._no_tag_was_taken_away()
        before = {digest: sorted(image.tags) for digest, image in self._repository.images.items()}
        self._restored(path)
        assert {digest: sorted(image.tags) for digest, image in self._repository.images.items()} == before

    def _tag_heavily(self) -> None:
        """More tags than fit in one call, but not many more: they come back at ten a second."""
        digest = self._random.choice(sorted(self._repository.images))
        for number in range(self._random.randint(101, 104)):
            self._repository.tag(f"build-many-{number}", digest)

    def _restored(self, path: Path) -> dict[str, Any]:
        """What a restore in calm says of each image."""
        code = self._process_of(["restore", str(path), "--output", "json"])
        said = (self._home / "out.json").read_text()
        assert code in {0, 2, 5}, (self._home / "out.err").read_text()
        if code == 2:
            assert not self._lost(path), (self._home / "out.err").read_text()
            return {}
        parts = json.loads(said)["repositories"] if said else []
        return {image["digest"]: image for part in parts for image in part["images"]}

    def _lose_layers(self) -> None:
        """ECR collects what no image names, or somebody's lifecycle policy does, or nobody."""
        if self._random.random() < 0.3:
            self._repository.layers.collect_garbage()

    def _give_tags_away(self) -> None:
        if self._random.random() < 0.5:
            gone = sorted({tag for each in self._deleted for tag in (each.tag, *each.tags) if tag})
            free = [tag for tag in gone if tag not in self._repository.tags]
            there = sorted(self._repository.images)
            for tag in self._random.sample(free, min(len(free), 2)) if there else ():
                self._repository.tag(tag, self._random.choice(there))

    def _plant_for_restore(self) -> None:
        """Somebody sets tags and pushes while the restore is under way, and it may be killed."""
        draw = self._random
        self._restoring, self.killed = True, False
        seen = [call.operation for call in self._sandbox.calls]
        for _ in range(draw.choice([0, 1, 2])):
            operation = draw.choice(["DescribeImages", "BatchCheckLayerAvailability", "PutImage"])
            when = draw.choice(["before", "after"])
            plant = self._sandbox.before if when == "before" else self._sandbox.after
            in_window = (when, operation) in {("after", "DescribeImages"), ("before", "PutImage")}
            plant(operation, partial(self._take, in_window=in_window), call=seen.count(operation) + draw.randint(1, 6))
        if draw.random() < 0.4:
            operation = draw.choice(["DescribeImages", "PutImage", "PutImage"])
            plant = draw.choice([self._sandbox.before, self._sandbox.after])
            plant(operation, self._kill_restore, call=seen.count(operation) + draw.randint(1, 5))
        self._repository.settings.tag_mutability = draw.choice(["MUTABLE", "IMMUTABLE"])
        self._sandbox.faults = Faults(
            seed=draw.randrange(1_000_000),
            throttle=draw.choice([None, None, 20.0]),
            server_error_share=draw.choice([0, 0, 0.2]),
            reset_share=draw.choice([0, 0, 0.1]),
            lost_answer_share=draw.choice([0, 0.1, 0.3]),
            garbage_share=draw.choice([0, 0, 0.05]),
            expire_credentials_after=draw.choice([None, None, None, draw.randint(0, 8)]),
        )

    def _kill_restore(self, _request: dict[str, Any]) -> None:
        if self._restoring and self._process is not None and self._process.pid is not None:
            self.killed = True
            os.kill(self._process.pid, signal.SIGKILL)

    def _take(self, request: dict[str, Any], *, in_window: bool) -> None:
        """Somebody puts a tag that may be about to come back on an image of their own.

        Only the tag that was just looked for, or is just to be put, is in the window of one call that there is.
        """
        there = sorted(self._repository.images)
        lost = sorted({tag for each in self._deleted for tag in each.tags} - self._repository.tags.keys())
        if not self._restoring or not there or not lost:
            return
        named = request.get("imageTag") or (request.get("imageIds") or [{}])[0].get("imageTag")
        tag = named or self._random.choice(lost)
        if tag not in self._repository.tags:
            self._repository.tag(tag, self._random.choice(there))
            if in_window and tag == named and self._repository.settings.tag_mutability == "MUTABLE":
                self._taken.add(tag)
            else:
                self._given[tag] = self._repository.tags[tag]

    def _no_tag_was_taken_away(self) -> None:
        for tag, digest in self._given.items():
            if tag not in self._taken:
                assert self._repository.tags.get(tag) == digest, f"{tag} was taken from {digest}"

    def _lost(self, path: Path) -> dict[str, InRepository]:
        place, name = journal.journal_at(path, no_s3)
        return {
            digest: of_it
            for of_it in [journal.read(place, name).repositories["testrepo"]]
            for digest, seen in of_it.images.items()
            if (of_it.removed.get(digest) or _is_done(of_it, digest))
            and (seen.manifest is not None or (digest in untagged(of_it) and digest in self._repository.images))
        }

    def _promises_are_kept(self, path: Path, said: dict[str, Any]) -> None:
        """What is on record is back, with its tags; or it is told why not, and that is true."""
        repository = self._repository
        for digest, of_it in self._lost(path).items():
            ended = said[digest]
            if ended["result"] == "not-back":
                self._could_not_be_back(repository, digest, ended)
                continue
            assert digest in repository.images, f"{digest} is said to be {ended['result']}"
            wanted = {tag for tag in of_it.removed.get(digest, ()) if tag is not None}
            for tag in wanted:
                at = repository.tags.get(tag)
                assert at is not None, f"{tag} of {digest} is lost"
                assert at == digest or ended["elsewhere"].get(tag) == at or tag in self._given, f"{tag} is on {at}"

    def _could_not_be_back(self, repository: Repository, digest: str, ended: dict[str, Any]) -> None:
        missing = [layer["digest"] for layer in ended["missing_layers"]]
        if missing:
            assert all(repository.layers.get(layer) is None for layer in missing), f"{digest}: {missing} are there"
            return
        assert ended["detail"].startswith("it lists what is not there: "), ended
        children = ended["detail"].partition(": ")[2].split(", ")
        assert not repository.images.keys() & set(children)


class ActionRestoreCase(RestoreCase, ActionCase):
    """The same of plans that archive, delete from the archive, or remove tags."""


def untagged(of_it: InRepository) -> set[str]:
    """The images that were to lose tags: they are there, and so is their manifest."""
    return {step.digest for step in of_it.planned.steps if step.action is Action.UNTAG}


def _is_done(of_it: InRepository, digest: str) -> bool:
    outcome = of_it.outcomes.get(digest)
    return outcome is not None and outcome.result is Result.DONE
