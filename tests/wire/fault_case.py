"""One randomised run: a generated repository, faults, other people's changes and kills at random moments."""

import json
import multiprocessing
import os
import random
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from aws_ecr_gc.sandbox import Behaviour, Deletion, Faults, Image, Repository, Sandbox, Scenario
from tests.conftest import Shell
from tests.wire import fault_child
from tests.wire.builder import Builder

_PREFIXES = ("build", "release", "other")
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.wire.fault_child"])


class FaultCase:
    """Everything about a case follows from its seed. What strikes comes with the operations in `_struck`."""

    _struck: Sequence[str] = ("DescribeImages", "BatchDeleteImage", "BatchDeleteImage", "BatchGetImage")
    _works_in_parallel = False
    """Whether what comes with one call may come between the look and the deletion of another."""

    def __init__(self, seed: int, sandbox: Sandbox, home: Path) -> None:
        self._random = random.Random(seed)
        self._sandbox = sandbox
        self._shell = Shell(home, sandbox.url)
        self._home = home
        self._tag_number = 0
        self._plan: dict[str, dict[str, Any]] = {}
        self._window_tags: set[str] = set()
        self._touched: set[str] = set()
        self._removed_by_others: set[str] = set()
        self._came_back: set[str] = set()
        self._manifests: dict[str, Image] = {}
        self._process: multiprocessing.process.BaseProcess | None = None
        self._calm = False
        self._under_way: list[str] = []
        self.killed = False
        draw = self._random
        sandbox.reset(
            Scenario(
                behaviour=Behaviour(
                    pair_deletes=draw.choice(["tag", "image"]),
                    sweep_referrers=draw.random() < 0.3,
                )
            )
        )
        self._builder = Builder(sandbox)
        self._repository: Repository = self._builder.repository
        self._fill()
        self._manifests = dict(self._repository.images)
        self._words = ["--repo", "testrepo", "--output", "json"]
        for prefix in ("build", "release"):
            self._words += ["--keep", f"{prefix}={draw.choice([0, 1, 2, 3])}"]
        if draw.random() < 0.5:
            self._words.append("--delete-untagged")

    # --- the repository ------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        draw = self._random
        for number in range(draw.randint(5, 35)):
            name = f"image-{number}"
            names = list(self._builder.digests)
            kind = draw.choice(["image", "image", "index", "index", "referrer"]) if names else "image"
            tags = self._new_tags(draw.choice([0, 0, 1, 1, 1, 2, 4, 60 if draw.random() < 0.2 else 1]))
            if kind == "index":
                self._builder.index(name, *tags, children=draw.sample(names, min(len(names), draw.randint(1, 4))))
            else:
                self._builder.image(name, *tags, subject=draw.choice(names) if kind == "referrer" else None)

    def _new_tags(self, count: int) -> list[str]:
        prefix = self._random.choice(_PREFIXES)
        self._tag_number += count
        return [f"{prefix}-{self._tag_number - number}" for number in range(count)]

    # --- what strikes ----------------------------------------------------------------------------------------------

    def _plant(self) -> None:
        draw = self._random
        for _ in range(draw.choice([0, 1, 1, 2, 3])):
            when = draw.choice(["before", "after"])
            operation, call = self._moment()
            in_window = (when, operation) in {("before", "BatchDeleteImage"), ("after", "DescribeImages")}
            change = draw.choice(
                [
                    self._retag,
                    self._tag,
                    self._tag,
                    self._push_image,
                    self._push_index,
                    self._push_again,
                    self._remove,
                    self._archive,
                ]
            )
            plant = self._sandbox.before if when == "before" else self._sandbox.after
            plant(operation, self._striking(change, in_window=in_window), call=call)
        if draw.random() < 0.4:
            plant = draw.choice([self._sandbox.before, self._sandbox.after])
            operation, call = self._moment()
            plant(operation, self._kill, call=call)
        self._sandbox.faults = Faults(
            seed=draw.randrange(1_000_000),
            throttle=draw.choice([None, None, 5.0, 20.0]),
            server_error_share=draw.choice([0, 0, 0.1, 0.3]),
            reset_share=draw.choice([0, 0, 0.1, 0.2]),
            lost_answer_share=draw.choice([0, 0.1, 0.3]),
            garbage_share=draw.choice([0, 0, 0.05]),
            expire_credentials_after=draw.choice([None, None, None, draw.randint(0, 8)]),
        )

    def _moment(self) -> tuple[str, int]:
        operation = self._random.choice(self._struck)
        return operation, 1 if operation == "BatchGetImage" else self._random.randint(1, 5)

    def _striking(self, change: Callable[[], set[str]], *, in_window: bool) -> Callable[[dict[str, Any]], None]:
        def strike(_request: dict[str, Any]) -> None:
            tags = set() if self._calm else change()
            if in_window or self._works_in_parallel:
                self._window_tags |= tags

        return strike

    def _some(self) -> str | None:
        images = sorted(self._repository.images)
        digest = self._random.choice(images) if images else None
        if digest:
            self._touched.add(digest)
        return digest

    def _retag(self) -> set[str]:
        tags = sorted(self._repository.tags)
        digest = self._some()
        if digest is None or not tags:
            return set()
        tag = self._random.choice(tags)
        self._touched.add(self._repository.tags[tag])
        self._repository.tag(tag, digest)
        return {tag}

    def _tag(self) -> set[str]:
        digest = self._some()
        if digest is None:
            return set()
        (tag,) = self._new_tags(1)
        self._repository.tag(tag, digest)
        return {tag}

    def _push_image(self) -> set[str]:
        self._builder.image(f"late-{self._tag_number}", *self._new_tags(1))
        return set()

    def _push_index(self) -> set[str]:
        there = sorted(self._builder.names())
        if there:
            children = self._random.sample(there, min(2, len(there)))
            self._builder.index(f"late-index-{self._tag_number}", *self._new_tags(1), children=children)
        return set()

    def _push_again(self) -> set[str]:
        """The very bytes of an image that is there, or was."""
        digest = self._random.choice(sorted(self._manifests))
        image = self._manifests[digest]
        if not self._repository.images.keys() >= set(image.children):
            return set()  # ECR takes no index without its children
        self._touched.add(digest)
        if digest not in self._repository.images and any(each.digest == digest for each in self._sandbox.deletions):
            self._came_back.add(digest)
        tags = self._new_tags(self._random.choice([0, 1]))
        self._repository.put(image.manifest, image.media_type)
        for tag in tags:
            self._repository.tag(tag, digest)
        return set(tags)

    def _remove(self) -> set[str]:
        digest = self._some()
        if digest and not self._repository.holders_of(digest):
            self._removed_by_others.add(digest)
            self._repository.remove(digest, "event")
        return set()

    def _archive(self) -> set[str]:
        digest = self._some()
        if digest and not self._repository.holders_of(digest):
            self._repository.archive(digest)
        return set()

    def _kill(self, _request: dict[str, Any]) -> None:
        if not self._calm and self._process is not None and self._process.pid is not None:
            self.killed = True
            os.kill(self._process.pid, signal.SIGKILL)

    # --- the run ---------------------------------------------------------------------------------------------------

    def _run(self, *more: str) -> tuple[int, dict[str, Any] | None]:
        """Exit code and JSON document, if there is one; the laws hold for what it did."""
        before = len(self._sandbox.deletions)
        code = self._process_of([*self._words, *more])
        text = (self._home / "out.json").read_text()
        document = json.loads(text) if text else None
        self._plan = self._planned(document)
        self._check(self._sandbox.deletions[before:], document, code)
        return code, document

    def _process_of(self, words: list[str], room: int | None = None) -> int:
        """The exit code of a process of its own, with its output in out.json and out.err."""
        self._process = self._started(words, "out.json", room)
        return self._ended(self._process)

    def _started(self, words: list[str], out: str, room: int | None = None) -> multiprocessing.process.BaseProcess:
        environment = self._shell.with_changes({"AWS_MAX_ATTEMPTS": "4"})
        process = _PROCESSES.Process(target=fault_child.run, args=(words, environment, self._home / out, room))
        process.start()
        return process

    def _ended(self, process: multiprocessing.process.BaseProcess) -> int:
        process.join(120)
        assert process.exitcode is not None, "the run hangs"
        return process.exitcode

    def _planned(self, document: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
        """The plan's steps by digest: from the document, or from the record that a killed run leaves."""
        if document is None:
            records = [json.loads(path.read_text()) for path in (self._home / "state").rglob("*.json")]
            return {step["digest"]: step for record in records for step in record["steps"]}
        return {
            image["digest"]: {
                "tags": image["tags"],
                "after": [reason["via"] for reason in image["reasons"] if reason["rule"].startswith("goes-with-")],
            }
            for image in document["images"]
            if image["decision"] == "collected"
        }

    def run_disturbed(self) -> None:
        """The run that everything strikes."""
        self._plant()
        code, document = self._run()
        if self.killed:
            assert code in {-signal.SIGKILL, 0, 2, 3, 5}
            return
        assert code in {0, 2, 3, 5}, (self._home / "out.err").read_text()
        assert (document is None) == (code in {2, 3})

    def run_again(self) -> None:
        """Undisturbed: finishes what was begun; and once more finds nothing to do."""
        begun = dict(self._plan)
        self._sandbox.faults = Faults()
        self._calm = True
        code, document = self._run()
        assert code == 0, (self._home / "out.err").read_text()
        assert document is not None
        assert document["counts"]["failed"] == document["counts"]["not_attempted"] == 0
        self._nothing_is_left_of(begun)
        code, document = self._run("--dry-run")
        assert code == 0
        assert document is not None
        assert document["counts"]["to_delete"] == 0
        assert not list((self._home / "state").rglob("*.json"))

    # --- the laws --------------------------------------------------------------------------------------------------

    def _check(self, deletions: list[Deletion], document: dict[str, Any] | None, code: int) -> None:
        ours = [deletion for deletion in deletions if deletion.by == "BatchDeleteImage"]
        for deletion in ours:
            assert deletion.digest in self._plan, f"{deletion} was not planned"
            planned = set(self._plan[deletion.digest]["tags"])
            lost = {deletion.tag} if deletion.tag else set(deletion.tags)
            assert lost <= planned | self._window_tags, f"{deletion} lost tags that were not planned"
            assert all(map(self._is_managed, lost - self._window_tags))
        gone = {deletion.digest for deletion in ours if deletion.tag is None}
        self._unread_indexes_is_whole(gone)
        self._every_subject_keeps_its_referrers(gone)
        if document is not None:
            self._the_record_is_true(document, gone, code)

    def _is_managed(self, tag: str) -> bool:
        return tag.startswith(("build", "release"))

    def _unread_indexes_is_whole(self, gone: set[str]) -> None:
        for image in self._repository.images.values():
            untagged = [child for child in image.children if child in gone and not self._plan[child]["tags"]]
            assert not untagged, f"{image.digest} lost {untagged}"
            assert image.status != "ACTIVE" or not gone & set(image.children)

    def _every_subject_keeps_its_referrers(self, gone: set[str]) -> None:
        subjects = {self._builder.subjects.get(digest) for digest in gone}
        assert not subjects & self._repository.images.keys(), "a subject that stays lost a referrer"

    def _the_record_is_true(self, document: dict[str, Any], gone: set[str], code: int) -> None:
        outcomes = {image["digest"]: image["outcome"]["result"] for image in document["images"] if "outcome" in image}
        assert gone <= outcomes.keys(), "deleted, and not on record"
        for digest, result in outcomes.items():
            if result == "done" and digest in self._repository.images:
                is_tagged = set(self._repository.images[digest].tags) & self._window_tags
                assert is_tagged or digest in self._came_back, f"{digest} is said to be gone"
        assert (code == 5) == ("failed" in outcomes.values())

    def _nothing_is_left_of(self, begun: dict[str, dict[str, Any]]) -> None:
        """Untagged followers whose prerequisites went are gone, but for what others touched or hold meanwhile."""
        if any(image.status != "ACTIVE" for image in self._repository.images.values()):
            return
        for digest, step in begun.items():
            image = self._repository.images.get(digest)
            followed_all_went = step["after"] and not set(step["after"]) & self._repository.images.keys()
            if image is None or step["tags"] or not followed_all_went or digest in self._touched:
                continue
            held = self._repository.holders_of(digest) or image.subject in self._repository.images
            assert held, f"{digest} was left behind"
