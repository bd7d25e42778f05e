"""One randomised run under in-use protection, with faults and other people's deployments in between."""

import json
import multiprocessing
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aws_ecr_gc.sandbox import Behaviour, Call, Faults, Sandbox, Scenario
from aws_ecr_gc.sandbox.services import SERVICES
from tests.conftest import Shell
from tests.wire import fault_child
from tests.wire.in_use_holds import Graph, Hold, holds, place_of, snapshot
from tests.wire.in_use_world import World
from tests.wire.policies import policy, policy_file

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.wire.fault_child"])

_ATTEMPTS = "3"
_WORKLOADS = [name for service in SERVICES.values() if service.name != "ecr" for name in service.operations]
_IS_AN_ANSWER = {"ClientException", "ClusterNotFoundException", "ResourceNotFoundException"}
"""Errors that say that something is gone, which is no failure."""


class InUseCase:
    """Everything about a case follows from its seed, but for which of two calls at one time comes first."""

    def __init__(self, seed: int, sandbox: Sandbox, home: Path) -> None:
        self._random = draw = random.Random(seed)
        self._sandbox = sandbox
        self._home = home
        environment = {"AWS_ENDPOINT_URL": sandbox.url, "AWS_MAX_ATTEMPTS": _ATTEMPTS}
        self._shell = Shell(home, sandbox.url)
        self._shell.environment.update(environment)
        self._process: multiprocessing.process.BaseProcess | None = None
        self._calm = False
        self._runs = 0
        sandbox.reset(
            Scenario(
                behaviour=Behaviour(
                    pair_deletes=draw.choice(["tag", "image"]),
                    sweep_referrers=draw.random() < 0.3,
                    longest_page=draw.choice([None, None, 1, 3]),
                )
            )
        )
        self._by_flags = draw.random() < 0.4
        self._revisions = 3 if self._by_flags else draw.choice([0, 0, 1, 2])
        self._world = World(draw, sandbox, ["testrepo"] if self._by_flags else ["one", "two"])
        self._words, self._unprotected = self._by_original_flags() if self._by_flags else self._by_policy_file()

    # --- what is asked for -------------------------------------------------------------------------------------------

    def _by_original_flags(self) -> tuple[list[str], list[str]]:
        words = ["--repo", "testrepo", "--output", "json", "--delete-untagged"]
        for prefix in ("build", "release"):
            words += ["--keep", f"{prefix}={self._random.choice([0, 0, 1, 2])}"]
        return [*words, "--protect-in-use", "ecs,lambda"], [*words, "--dry-run"]

    def _by_policy_file(self) -> tuple[list[str], list[str]]:
        draw = self._random
        rules: list[dict[str, Any]] = [
            {"name": "builds", "match": {"prefix": "build-"}, "keep": {"newest": draw.choice([1, 2])}},
            {"name": "untagged", "match": {"untagged": True}, "keep": "none"},
        ]
        if draw.random() < 0.5:
            rules.append({"name": "releases", "match": {"glob": "release-*"}, "keep": "none"})
        if draw.random() < 0.3:
            rules = [{"name": "everything", "match": {"any": True}, "keep": "none"}]
        in_use = {"sources": ["ecs", "lambda"], "task_definition_revisions": self._revisions}
        protected = policy_file(self._home / "policy.json", policy(*rules), in_use=in_use)
        unprotected = policy_file(self._home / "unprotected.json", policy(*rules))
        return ["run", "-f", protected, "--yes", "--output", "json"], ["plan", "-f", unprotected, "--output", "json"]

    # --- what strikes ------------------------------------------------------------------------------------------------

    def _plant(self) -> None:
        draw = self._random
        self._plant_changes()
        if draw.random() < 0.2:
            operation = draw.choice(["BatchDeleteImage", "BatchDeleteImage", "DescribeServices", "ListFunctions"])
            draw.choice([self._sandbox.before, self._sandbox.after])(operation, self._kill)
        operation = draw.choice(["ListTasks", "ListServices", "DescribeServices", "DescribeTasks"])
        denied = {draw.choice(self._world.clusters).name: [operation]}
        moment = draw.random()
        if moment < 0.15:
            self._sandbox.before("GetCallerIdentity", lambda _: self._deny(denied), call=2)
        calm = draw.random() < 0.6
        self._sandbox.faults = Faults(
            seed=draw.randrange(1_000_000),
            throttle=None if calm else draw.choice([None, 40.0]),
            server_error_share=0 if calm else draw.choice([0, 0.03, 0.1]),
            reset_share=0 if calm else draw.choice([0, 0.03]),
            lost_answer_share=0 if calm else draw.choice([0, 0.03, 0.1]),
            garbage_share=0 if calm else draw.choice([0, 0.02, 0.05]),
            operations=draw.choice([None, _WORKLOADS, _WORKLOADS]),
            deny_on=denied if moment > 0.9 else {},
        )

    def _plant_changes(self) -> None:
        """All before the last reading begins: what starts after that, and before the deletion, nobody can see.

        The first call of a reading is GetCallerIdentity. What happens after the listings of the first reading is
        seen only by the second.
        """
        draw, sandbox, world = self._random, self._sandbox, self._world
        moments = [
            (sandbox.before, "GetCallerIdentity", 1),
            (sandbox.before, "GetCallerIdentity", 2),
            (sandbox.before, "ListClusters", 2),
            (sandbox.after, "ListTaskDefinitions", 1),
            (sandbox.after, "ListTaskDefinitions", 1),
        ]
        for plant, operation, call in draw.choices(moments, k=draw.choice([0, 1, 2, 3, 4])):
            plant(operation, lambda _: None if self._calm else world.change(), call=call)
        for plant, call in draw.choices([(sandbox.after, 1), (sandbox.before, 2)], k=draw.choice([0, 1, 2])):
            plant("ListFunctions", lambda _: None if self._calm else world.change_functions(), call=call)
        versions = sum(len(each.versions) for each in world.workloads.functions.by_name.values())
        for call in range(1, versions + 1):
            if draw.random() < 0.3:
                sandbox.after(
                    "GetFunction", lambda asked: None if self._calm else world.update_latest(asked), call=call
                )

    def _deny(self, denied: dict[str, list[str]]) -> None:
        """One cluster can't be read any more: from the second reading on, for it begins with this call."""
        if not self._calm:
            self._sandbox.faults.deny_on = denied

    def _kill(self, _request: dict[str, Any]) -> None:
        if not self._calm and self._process is not None and self._process.pid is not None:
            os.kill(self._process.pid, signal.SIGKILL)

    # --- the run -----------------------------------------------------------------------------------------------------

    def run_disturbed(self) -> None:
        """The run that everything strikes."""
        unprotected = self._shell(*self._unprotected)
        assert unprotected.exit == 0, unprotected.err
        most = _collected(json.loads(unprotected.out))
        self._world.doomed = sorted(most)
        self._plant()
        code, gone = self._run()
        assert code in {-signal.SIGKILL, 0, 3, 5}, (self._home / "out.err").read_text()
        more = gone - most
        assert not more, f"protection made the run delete what it would not have deleted without: {more}"

    def run_again(self) -> None:
        """Undisturbed, with what the first run left behind."""
        self._calm = True
        self._sandbox.faults = Faults()
        code, _ = self._run()
        assert code == 0, (self._home / "out.err").read_text()

    def _run(self) -> tuple[int, set[tuple[str, str]]]:
        """Exit code, and what was deleted, by repository and digest; the laws hold."""
        deletions = len(self._sandbox.deletions)
        self._runs += 1
        access_key = f"AKID{self._runs}"
        before = {name: snapshot(builder.repository) for name, builder in self._world.builders.items()}
        self._world.moved.clear()
        out = self._home / "out.json"
        environment = self._shell.with_changes({"AWS_ACCESS_KEY_ID": access_key})
        self._process = _PROCESSES.Process(target=fault_child.run, args=(self._words, environment, out))
        self._process.start()
        self._process.join(120)
        assert self._process.exitcode is not None, "the run hangs"
        ours = [each for each in self._sandbox.deletions[deletions:] if each.by in {"BatchDeleteImage", "sweep"}]
        gone = {(each.repository, each.digest) for each in ours}
        # By its access key, for the last call of a killed run may be recorded when the next one has begun.
        _nothing_goes_unless_all_was_read([call for call in self._sandbox.calls if call.access_key == access_key])
        for hold in holds(self._world.workloads, self._revisions):
            self._still_starts(hold, before, gone)
        return self._process.exitcode, gone

    # --- the laws ----------------------------------------------------------------------------------------------------

    def _still_starts(
        self, hold: Hold, before: dict[str, tuple[Graph, dict[str, str]]], gone: set[tuple[str, str]]
    ) -> None:
        """What the workload pulls is there with all that it needs, if it was: before the run, or since a push."""
        place = place_of(hold)
        graph, tags = before[place.repository]
        repository = self._world.builders[place.repository].repository
        was_moved = not place.digest and (place.repository, place.tag) in self._world.moved
        digest = place.digest or (repository.tags if was_moved else tags).get(place.tag, "")
        known = Graph([*repository.images.values(), *graph.images.values()])
        if digest not in known.images:
            assert not was_moved, f"{hold}: the tag is gone"
            return
        if was_moved or digest not in graph.images:
            # No plan can know it: the look right before a deletion and ECR itself keep it whole, but for a tag
            # of a child that has another one.
            lost = known.needed_to_start(digest) - repository.images.keys()
        else:
            lost = {each for each in graph.protected_with(digest) if (place.repository, each) in gone}
        assert not lost, f"{hold} needs {digest}; lost with it: {lost}"
        assert digest in repository.images, f"{hold}: {digest} is gone"
        if not place.digest:
            assert repository.tags.get(place.tag) == digest, f"{hold}: the tag is gone"


def _nothing_goes_unless_all_was_read(calls: list[Call]) -> None:
    """A call whose last attempt failed was not read; then nobody may delete in this run."""
    failed: dict[str, Call] = {}
    for call in calls:
        key = f"{call.service} {call.operation} {sorted(call.request.items())}"
        if call.operation in _WORKLOADS and call.error is not None and call.error not in _IS_AN_ANSWER:
            failed[key] = call
        else:
            failed.pop(key, None)
        assert not (failed and call.operation == "BatchDeleteImage"), f"deleted although this failed: {failed}"


def _collected(document: dict[str, Any]) -> set[tuple[str, str]]:
    """What a plan collects, by repository and digest."""
    return {
        (part["repository"]["name"], image["digest"])
        for part in _parts(document)
        for image in part["images"]
        if image["decision"] == "collected"
    }


def _parts(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from document.get("repositories") or [document]
