"""`apply` of many repositories: the same whatever the concurrency, and whatever ends it before its time."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from aws_ecr_gc import journal
from aws_ecr_gc.journal import Recorded
from aws_ecr_gc.sandbox import Behaviour, Faults, Sandbox, Scenario
from tests.conftest import Finished, Shell
from tests.wire.builder import Builder
from tests.wire.policies import BUILDS, policy, policy_file

NAMES = [f"team/service-{number:02}" for number in range(8)]


class World:
    """Eight repositories of six builds each, an index among them, and the plan that leaves the newest two."""

    def __init__(self, sandbox: Sandbox, shell: Shell) -> None:
        self.sandbox, self.shell = sandbox, shell
        shell.environment["AWS_ENDPOINT_URL"] = sandbox.url
        self.folder = shell.home
        self.file = str(shell.home / "plan.json")
        self.journals = shell.home / "journals"
        self.fill()

    def fill(self, pairs: str = "tag", *, more_tags: bool = False) -> None:
        behaviour = Behaviour(pair_deletes=pairs)  # type: ignore[arg-type]  # one of the two
        self.sandbox.reset(Scenario(behaviour=behaviour, faults=Faults(latency=0.01)))
        self.repositories = {name: self._filled(name, more_tags=more_tags) for name in NAMES}

    def _filled(self, name: str, *, more_tags: bool) -> Builder:
        repo = Builder(self.sandbox, name)
        repo.image(f"{name} child")
        repo.index(f"{name} 0", "build-0", children=[f"{name} child"])
        for number in range(1, 6):
            repo.image(f"{name} {number}", f"build-{number}", *([f"also-{number}"] if more_tags else []))
        return repo

    def plan(self, in_use: dict[str, Any] | None = None, **settings: Any) -> None:
        top = {} if in_use is None else {"in_use": in_use}
        file = policy_file(self.folder / "policy.json", policy(BUILDS, protect={"grace": "0"}, **settings), **top)
        done = self.shell("plan", "-f", file, "--out", self.file, "--max-rps", "1000")
        assert done.exit == 0, done.err

    def apply(self, *words: str) -> Finished:
        return self.shell("apply", *words, "--yes", "--max-rps", "1000")

    def carry_out(self, *words: str) -> Finished:
        return self.apply(self.file, "--journal", str(self.journals), *words)

    def recorded(self) -> Recorded:
        (path,) = self.journals.glob("*.jsonl")
        return journal.read(*journal.journal_at(path, lambda: pytest.fail("no S3 is asked for")))

    def left(self, name: str) -> set[str]:
        return {each.removeprefix(f"{name} ") for each in self.repositories[name].names()}


WHOLE = {"child", "0", "1", "2", "3", "4", "5"}
GONE = {"4", "5"}


@pytest.fixture
def world(sandbox: Sandbox, shell: Shell) -> World:
    return World(sandbox, shell)


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_same_is_deleted_and_told_whatever_the_concurrency(world: World, form: str) -> None:
    world.plan()
    told = []
    for workers in ("1", "3", "16"):
        world.fill()
        done = world.apply(world.file, "--journal", "none", "--concurrency", workers, "--output", form)
        assert done.exit == 0, done.err
        assert {name: world.left(name) for name in NAMES} == dict.fromkeys(NAMES, GONE)
        assert world.sandbox.most_at_once <= int(workers)
        told.append(done.out)
    assert world.sandbox.most_at_once > 1
    assert told[0] == told[1] == told[2]
    assert [told[0].index(name) for name in NAMES] == sorted(told[0].index(name) for name in NAMES)


def test_several_repositories_are_on_record_in_one_journal(world: World) -> None:
    world.plan()
    assert world.carry_out("--concurrency", "8").exit == 0
    recorded = world.recorded()  # which verifies the hash of every line
    assert set(recorded.repositories) == set(NAMES)
    assert recorded.remaining == 0
    for of_it in recorded.repositories.values():
        assert len(of_it.outcomes) == len(of_it.planned.steps) == 5
        assert all(seen.manifest is not None for seen in of_it.images.values())


@pytest.mark.parametrize("call", [1, 3, 7])
def test_ctrl_c_ends_all_after_the_calls_under_way_and_the_journal_or_the_plan_finishes(
    world: World, call: int
) -> None:
    world.plan()
    world.sandbox.before("BatchDeleteImage", lambda _: os.kill(os.getpid(), signal.SIGINT), call=call)
    done = world.carry_out("--concurrency", "4", "--output", "json")
    assert done.exit == 130
    counts = {part["repository"]["name"]: part["counts"] for part in json.loads(done.out)["repositories"]}
    begun = set(world.recorded().repositories)
    for name in NAMES:
        lost = WHOLE - world.left(name)
        assert lost <= WHOLE - GONE
        assert (name in counts) == (name in begun)
        assert len(lost) == (counts[name]["deleted"] if name in counts else 0)
        if name not in counts:
            assert f"repository {name}: not reached; apply the plan again to finish" in done.err
    (path,) = world.journals.glob("*.jsonl")
    resumed = world.apply("--resume", str(path), "--concurrency", "4")
    assert resumed.exit == 0, resumed.err
    assert world.recorded().remaining == 0
    assert {name for name in NAMES if world.left(name) == GONE} == begun
    again = world.apply(world.file, "--journal", "none")
    assert again.exit == 0
    assert all(world.left(name) == GONE for name in NAMES)


@pytest.mark.parametrize("workers", ["1", "4"])
def test_a_guard_in_one_repository_keeps_others_from_being_begun(world: World, workers: str) -> None:
    world.plan(guards={"canary": 1, "keep_at_least": 0})

    def push(request: dict[str, object]) -> None:
        """An index that comes meanwhile lists them, so ECR refuses."""
        if request["repositoryName"] == NAMES[0]:
            world.repositories[NAMES[0]].index("late", "late", children=[f"{NAMES[0]} {n}" for n in range(1, 4)])

    world.sandbox.before("BatchDeleteImage", push)
    done = world.carry_out("--concurrency", workers)
    assert done.exit == 5
    assert [world.left(name) for name in NAMES[1:]] == [WHOLE] * 7
    assert done.err.count(f"ended with repository {NAMES[0]}: the guard canary: 1 of the first 1 images failed") == 7
    assert set(world.recorded().repositories) == {NAMES[0]}  # so that a resume does not go where nobody was to go
    (path,) = world.journals.glob("*.jsonl")
    world.apply("--resume", str(path), "--concurrency", workers)
    assert [world.left(name) for name in NAMES[1:]] == [WHOLE] * 7


def test_what_a_guard_keeps_from_being_begun_is_not_copied(world: World) -> None:
    world.plan(guards={"canary": 1, "keep_at_least": 0})
    children = [f"{NAMES[0]} {number}" for number in range(1, 4)]

    def push(request: dict[str, object]) -> None:
        if request["repositoryName"] == NAMES[0]:
            world.repositories[NAMES[0]].index("late", "late", children=children)

    world.sandbox.before("BatchDeleteImage", push)
    copies = world.folder / "copies"
    assert world.carry_out("--concurrency", "8", "--backup", str(copies)).exit == 5
    assert len(list(copies.rglob("oci-layout"))) == 1


def test_a_journal_that_can_not_be_begun_is_told_once_and_nothing_is_deleted(world: World) -> None:
    world.plan()
    (world.folder / "file").write_text("")
    done = world.apply(world.file, "--journal", str(world.folder / "file" / "below"), "--concurrency", "8")
    assert (done.exit, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert "can't be written: Not a directory; nothing was deleted" in line
    assert not world.sandbox.deletions


def test_a_journal_that_is_lost_ends_all_and_what_was_done_is_on_record(world: World) -> None:
    """A limit on the size of files stands for a disk that fills up."""
    world.plan()
    limit = "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))"
    words = ["-m", "aws_ecr_gc", "apply", world.file, "--yes", "--max-rps", "1000", "--journal", str(world.journals)]
    limited = f"import resource, signal, os, sys; {limit}; os.execv(sys.executable, [sys.executable, *{words}])"
    environment = world.shell.with_changes({"PYTHONDONTWRITEBYTECODE": "1"})  # it would be cut short too
    done = subprocess.run([sys.executable, "-c", limited], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in {1, 2}, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    assert "can't be written: File too large" in done.stderr
    recorded = world.recorded()
    for each in world.sandbox.deletions:
        assert each.digest in recorded.repositories[each.repository].attempted
    (path,) = world.journals.glob("*.jsonl")
    assert world.apply("--resume", str(path)).exit == 0
    assert {name for name in NAMES if world.left(name) == GONE} == set(recorded.repositories)


def test_where_the_report_can_not_be_written_what_was_done_is_told_beside_it(world: World) -> None:
    world.plan()
    words = ["apply", world.file, "--yes", "--max-rps", "1000", "--concurrency", "2"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "aws_ecr_gc", *words],
            env=world.shell.with_changes({}),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1, done.stderr
    for name in NAMES:
        lost = len(WHOLE - world.left(name))
        told = f"aws-ecr-gc: {name}: {lost} of 5 images were deleted" in done.stderr
        assert told or not lost, done.stderr


def test_what_a_registry_takes_for_a_tag_is_found_out_in_one_repository(world: World) -> None:
    world.fill(pairs="image", more_tags=True)
    world.plan(action="untag")
    before = {name: world.left(name) for name in NAMES}
    done = world.carry_out("--concurrency", "8")
    assert done.exit in {4, 5}
    calls = [call for call in world.sandbox.calls if call.operation == "BatchDeleteImage"]
    assert [len(call.request["imageIds"]) for call in calls] == [1]
    assert {name: world.left(name) for name in NAMES} == before


def test_a_guard_that_has_spoken_keeps_no_other_repository_of_the_journal_from_being_finished(world: World) -> None:
    world.fill(pairs="image", more_tags=True)
    protect = {"grace": "0"}
    untag = policy(BUILDS, repositories={"include": NAMES[0]}, action="untag", protect=protect)
    delete = policy({**BUILDS, "match": {"any": True}}, repositories={"include": NAMES[1]}, protect=protect)
    file = policy_file(world.folder / "policy.json", untag, delete)
    assert world.shell("plan", "-f", file, "--out", world.file).exit == 0
    world.sandbox.faults = Faults(deny_on={NAMES[1].rpartition("/")[2]: ["BatchDeleteImage"]})
    both = threading.Barrier(2, timeout=60)
    read = sum(call.operation == "BatchGetImage" for call in world.sandbox.calls)

    def wait(_: dict[str, object]) -> None:
        """Both are on record by then."""
        both.wait()

    for call in (1, 2):
        world.sandbox.before("BatchGetImage", wait, call=read + call)
    assert world.carry_out("--concurrency", "2").exit in {4, 5}
    assert set(world.recorded().repositories) == {*NAMES[:2]}
    assert world.left(NAMES[1]) == WHOLE
    world.sandbox.faults = Faults()
    (path,) = world.journals.glob("*.jsonl")
    assert world.apply("--resume", str(path), "--concurrency", "1").exit in {4, 5}
    assert world.left(NAMES[0]) == WHOLE
    assert world.left(NAMES[1]) == GONE


def test_once_a_registry_took_only_the_tag_all_repositories_lose_theirs(world: World) -> None:
    world.fill(more_tags=True)
    world.plan(action="untag")
    assert world.carry_out("--concurrency", "8").exit == 0
    for name in NAMES:
        assert world.left(name) == WHOLE
        assert "build-1" not in world.repositories[name].repository.tags
        assert "also-1" in world.repositories[name].repository.tags


def test_what_is_in_use_is_asked_for_once_for_all_that_are_under_way(world: World) -> None:
    world.plan(in_use={"sources": ["lambda"]})
    kept = world.repositories[NAMES[3]]
    world.sandbox.workloads().functions.create("late", f"{kept.repository.uri}:build-1")
    before = len(world.sandbox.calls)
    assert world.carry_out("--concurrency", "8").exit == 0
    asked = [call for call in world.sandbox.calls[before:] if call.operation == "ListFunctions"]
    assert len(asked) == 1
    assert {name: world.left(name) for name in NAMES} == {**dict.fromkeys(NAMES, GONE), NAMES[3]: {"1", *GONE}}


def test_each_repository_is_copied_before_anything_of_it_goes(world: World) -> None:
    world.plan()
    place = world.folder / "backup"
    done = world.carry_out("--concurrency", "8", "--backup", str(place))
    assert done.exit == 0, done.err
    assert [line for line in done.err.splitlines() if "backed up to" in line] == [
        line for name in NAMES for line in done.err.splitlines() if f"repository {name}: backed up to" in line
    ]
    layouts = {path.parent.name.replace("+", "/") for path in place.rglob("oci-layout")}
    assert layouts == set(NAMES)
    assert {name: world.left(name) for name in NAMES} == dict.fromkeys(NAMES, GONE)
