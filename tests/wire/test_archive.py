"""`action: archive`, rules about the archive, and the way back."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from aws_ecr_gc.sandbox import Behaviour, Faults, Repository, Sandbox, Scenario
from aws_ecr_gc.sandbox.errors import ServiceError
from tests.conftest import Finished, Shell
from tests.wire.builder import Builder
from tests.wire.policies import policy, policy_file

DAY = 86400.0
BUILDS = {"name": "builds", "match": {"prefix": "build-"}, "keep": {"newest": 1}}
OLD = {"name": "old", "match": {"any": True, "archived_for": "90d"}, "keep": "none"}


class World:
    """`app` with four builds, of which build-2 is an index of two platforms with a signature; archiving, but one."""

    def __init__(self, sandbox: Sandbox, shell: Shell) -> None:
        self.sandbox = sandbox
        self.shell = shell
        sandbox.reset(Scenario(behaviour=Behaviour(activation_seconds=0.3)))
        shell.environment["AWS_ENDPOINT_URL"] = sandbox.url
        self.builder = Builder(sandbox, "app")
        self.builder.image("first", "build-1")
        self.builder.image("amd64")
        self.builder.image("arm64")
        self.builder.index("second", "build-2", children=["amd64", "arm64"])
        self.builder.image("signature", subject="second")
        self.builder.image("third", "build-3")
        self.builder.image("newest", "build-4")
        self.policy: dict[str, Any] = policy(BUILDS, action="archive", protect={"grace": "0"})

    @property
    def repository(self) -> Repository:
        return self.builder.repository

    def file(self, **changes: Any) -> str:
        return policy_file(self.shell.home / "policy.json", {**self.policy, **changes})

    def run(self, *words: str, **changes: Any) -> Finished:
        return self.shell("run", "-f", self.file(**changes), "--yes", *words)

    def status(self) -> dict[str, str]:
        images = self.repository.images
        return {name: images[digest].status for name, digest in self.builder.digests.items() if digest in images}

    def archived(self) -> set[str]:
        return {name for name, status in self.status().items() if status == "ARCHIVED"}


@pytest.fixture
def world(sandbox: Sandbox, shell: Shell) -> World:
    return World(sandbox, shell)


ALL_OLD = {"first", "amd64", "arm64", "second", "signature", "third"}


def test_what_does_not_stay_goes_to_the_archive_whole_and_nothing_is_deleted(world: World) -> None:
    done = world.run()
    assert done.exit == 0, done.err
    assert world.archived() == ALL_OLD
    assert not world.sandbox.deletions
    assert "Images to archive (6), at most " in done.out
    assert "Archived (6)\n" in done.out
    assert "Failures (0)\n" in done.out
    assert "Deleted" not in done.out


def test_a_second_run_changes_nothing(world: World) -> None:
    world.run()
    again = world.run()
    assert again.exit == 0
    assert "Archived or on the way back, left alone (6)" in again.out
    assert world.archived() == ALL_OLD


def test_the_plan_names_the_minimum_charge_and_what_follows_for_indexes(world: World) -> None:
    for image in list(world.repository.images.values()):
        world.repository.change(image.digest, size=1 << 30)
    done = world.shell("plan", "-f", world.file())
    assert "The archive bills at least 90 days: at most $1.50 for these." in done.out
    assert "$0.10 a month, and $0.03 to come back" in done.out
    assert "Indexes among them: 1. ECR hands out no manifest from the archive: keep the cache directory" in done.out
    (part,) = json.loads(world.shell("plan", "-f", world.file(), "--output", "json").out)["repositories"]
    assert part["action"] == "archive"
    assert part["archive_minimum_usd"] == 1.5
    assert part["counts"]["to_archive"] == 6
    assert part["counts"]["to_delete"] == 0


def test_an_archived_image_is_deleted_once_it_was_there_long_enough(world: World) -> None:
    world.run()
    for name in ("first", "second", "amd64", "arm64", "signature"):
        world.repository.change(world.builder.digests[name], archived_at=world.sandbox.clock.now() - 91 * DAY)
    done = world.run(rules=[BUILDS, OLD])
    assert done.exit == 0, done.err
    assert world.status() == {"third": "ARCHIVED", "newest": "ACTIVE"}
    assert "Images to delete (5)" in done.out
    assert "Images to archive (0)" in done.out
    assert "Deleted (5)\n" in done.out
    assert "Archived (0)\n" in done.out


def test_what_is_deleted_from_the_archive_too_early_is_billed_and_the_plan_says_so(world: World) -> None:
    world.run()
    world.repository.change(world.builder.digests["first"], size=100 << 30)
    early = {"name": "old", "match": {"any": True, "archived_for": "0"}, "keep": "none"}
    done = world.shell("plan", "-f", world.file(rules=[BUILDS, early], action="delete"))
    assert "Some of them were archived less than 90 days ago: the rest is billed, at most $30.0" in done.out


def test_archiving_is_several_calls_at_once_one_for_each_image(sandbox: Sandbox, shell: Shell) -> None:
    builder = Builder(sandbox, "many")
    for number in range(40):
        builder.image(f"image {number}", f"build-{number}")
    sandbox.faults.latency = 0.05
    path = policy_file(shell.home / "policy.json", policy(BUILDS, action="archive", protect={"grace": "0"}))
    shell.environment["AWS_ENDPOINT_URL"] = sandbox.url
    assert shell("run", "-f", path, "--yes").exit == 0
    calls = [call for call in sandbox.calls if call.operation == "UpdateImageStorageClass"]
    assert len(calls) == 39
    assert 1 < sandbox.most_at_once <= 8


def test_an_image_that_changed_since_the_plan_is_not_archived(world: World) -> None:
    plan = str(world.shell.home / "plan.json")
    assert world.shell("plan", "-f", world.file(), "--out", plan).exit == 0
    world.repository.tag("prod", world.builder.digests["third"])
    world.repository.archive(world.builder.digests["first"])
    done = world.shell("apply", plan, "--yes")
    assert done.exit == 0, done.err
    assert world.archived() == ALL_OLD - {"third"}
    assert "ChangedSincePlan: tagged [build-3, prod] now, [build-3] in the plan" in done.out


def test_what_ecr_does_not_archive_now_is_tried_once_more_and_then_reported(world: World) -> None:
    def refuse(request: dict[str, Any]) -> None:
        if request["imageId"]["imageDigest"] == world.builder.digests["third"]:
            raise ServiceError("ImageStorageClassUpdateNotSupportedException", "not now")

    for call in range(1, 9):
        world.sandbox.before("UpdateImageStorageClass", refuse, call=call)
    done = world.run()
    assert done.exit == 5
    assert world.archived() == ALL_OLD - {"third"}
    assert "ImageStorageClassUpdateNotSupported: UpdateImageStorageClass" in done.out
    tried = [
        call.request["imageId"]["imageDigest"]
        for call in world.sandbox.calls
        if call.operation == "UpdateImageStorageClass"
    ]
    assert tried.count(world.builder.digests["third"]) == 2


def test_a_permission_that_is_missing_is_named_and_the_work_ends(world: World) -> None:
    world.sandbox.faults = Faults(deny=["UpdateImageStorageClass"])
    done = world.run()
    assert done.exit == 5
    assert "the permission ecr:UpdateImageStorageClass is missing" in done.err
    assert not world.archived()


def test_answers_that_are_lost_are_settled_by_a_look_and_resume_finishes(world: World) -> None:
    plan = str(world.shell.home / "plan.json")
    assert world.shell("plan", "-f", world.file(), "--out", plan).exit == 0
    world.sandbox.before(
        "UpdateImageStorageClass", lambda _: setattr(world.sandbox, "faults", Faults(lost_answer_share=1.0)), call=1
    )
    done = world.shell("apply", plan, "--yes", "--journal", str(world.shell.home / "j"))
    assert done.exit in {3, 5}, done.out
    world.sandbox.faults = Faults()
    (journal,) = (world.shell.home / "j").glob("*.jsonl")
    again = world.shell("apply", "--resume", str(journal), "--yes")
    assert again.exit == 0, again.out + again.err
    assert world.archived() == ALL_OLD
    assert world.shell("apply", "--resume", str(journal), "--yes").err.strip().endswith("nothing is left to do")


def test_the_question_names_what_is_archived_and_the_summary_too(world: World) -> None:
    other = Builder(world.sandbox, "other")
    other.image("a", "build-1")
    other.image("b", "build-2")
    done = world.run()
    assert "Done in 2 repositories: 7 of 7 images\n" in done.out
    plan = str(world.shell.home / "plan.json")
    world.repository.restore(world.builder.digests["third"])
    world.sandbox.clock.advance(1)
    made = world.shell("plan", "-f", world.file(), "--out", plan)
    assert "1 image to archive in 1 repository, at most " in made.err
    assert "| <code>app</code> | 2 | 1 image to archive |" in world.shell("show", plan, "--output", "markdown").out


def test_the_least_policy_allows_to_archive_only_where_a_policy_does(world: World) -> None:
    archiving = world.shell("iam-policy", "-f", world.file(), "--repo", "app").out
    assert "ecr:UpdateImageStorageClass" in archiving
    assert "ecr:PutImage" not in archiving
    assert "ecr:UpdateImageStorageClass" not in world.shell("iam-policy", "-f", world.file(action="delete")).out
    assert "ecr:PutImage" in world.shell("iam-policy", "-f", world.file(action="untag")).out
    back = json.loads(world.shell("iam-policy", "--for-unarchive", "--repo", "app").out)
    assert back["Statement"][0]["Action"] == [
        "ecr:BatchGetImage",
        "ecr:DescribeImages",
        "ecr:UpdateImageStorageClass",
    ]


def test_an_image_comes_back_with_what_it_lists_and_what_refers_to_it(world: World) -> None:
    world.run()
    done = world.shell("unarchive", "app:build-2", "--wait")
    assert done.exit == 0, done.err
    assert world.archived() == {"first", "third"}
    assert {name for name, status in world.status().items() if status == "ACTIVE"} == {
        "second",
        "amd64",
        "arm64",
        "signature",
        "newest",
    }
    assert f"protect: {{digests: [{world.builder.digests['second']}]}}" in done.out


def test_without_the_cache_what_an_index_lists_is_read_once_it_is_active(world: World) -> None:
    world.run()
    empty = str(world.shell.home / "empty")
    first = world.shell("unarchive", "app:build-2", "--cache-dir", empty)
    assert first.exit == 0
    assert world.status()["second"] == "ACTIVATING"
    assert world.status()["amd64"] == "ARCHIVED"
    assert "can't be read before it is active; give the same command again then, or --wait" in first.err
    assert world.shell("unarchive", "app:build-2", "--cache-dir", empty, "--wait").exit == 0
    assert world.archived() == {"first", "third"}


def test_what_is_active_already_is_left_as_it_is_and_an_unknown_image_is_refused(world: World) -> None:
    done = world.shell("unarchive", "app:build-4", "--output", "json")
    (row,) = json.loads(done.out)["images"]
    assert row["status"] == "ACTIVE"
    assert world.shell("unarchive", "app:build-4", "app:nothing").exit == 2
    assert world.shell("unarchive").exit == 2
    assert "UpdateImageStorageClass" not in {call.operation for call in world.sandbox.calls}


def test_an_image_that_came_back_is_not_archived_again_within_the_grace(world: World) -> None:
    world.run()
    assert world.shell("unarchive", "app:build-1", "--wait").exit == 0
    assert world.run(protect={"grace": "1h"}).exit == 0
    assert world.status()["first"] == "ACTIVE"


def test_a_journal_says_what_was_archived(world: World) -> None:
    folder = world.shell.home / "j"
    assert world.run("--journal", str(folder)).exit == 0
    (path,) = folder.glob("*.jsonl")
    records = [json.loads(line) for line in Path(path).read_text().splitlines()]
    asked = [record for record in records if record["record"] == "about"]
    assert {record["action"] for record in asked} == {"archive"}
    assert all(image["manifest"] is None for record in asked for image in record["images"])


def test_what_refers_to_an_image_that_came_back_meanwhile_is_not_archived(world: World) -> None:
    world.shell("plan", "-f", world.file())  # so that the index is in the cache
    world.repository.archive(world.builder.digests["second"])
    plan = str(world.shell.home / "plan.json")
    assert world.shell("plan", "-f", world.file(), "--out", plan).exit == 0
    assert world.shell("unarchive", "app:build-2", "--wait").exit == 0
    done = world.shell("apply", plan, "--yes")
    assert done.exit == 0, done.err
    assert world.archived() == {"first", "third"}
    assert f"StillNeeded: {world.builder.digests['second']} is ACTIVE again" in done.out


def test_an_image_that_was_in_the_archive_and_back_since_the_plan_is_not_touched(world: World) -> None:
    plan = str(world.shell.home / "plan.json")
    assert world.shell("plan", "-f", world.file(action="delete"), "--out", plan).exit == 0
    world.repository.archive(world.builder.digests["first"])
    assert world.shell("unarchive", "app:build-1", "--wait").exit == 0
    done = world.shell("apply", plan, "--yes")
    assert done.exit == 0
    assert world.status() == {"first": "ACTIVE", "newest": "ACTIVE"}
    assert "ChangedSincePlan: archived, or taken out of the archive, since the plan" in done.out


def test_an_image_that_was_archived_anew_since_the_plan_is_not_deleted(world: World) -> None:
    world.run()
    first = world.builder.digests["first"]
    world.repository.change(first, archived_at=world.sandbox.clock.now() - 91 * DAY)
    plan = str(world.shell.home / "plan.json")
    assert world.shell("plan", "-f", world.file(rules=[BUILDS, OLD]), "--out", plan).exit == 0
    world.repository.change(first, archived_at=world.sandbox.clock.now())
    assert world.shell("apply", plan, "--yes").exit == 0
    assert world.status()["first"] == "ARCHIVED"


def test_an_image_that_others_deleted_is_not_said_to_be_archived(world: World) -> None:
    plan = str(world.shell.home / "plan.json")
    assert world.shell("plan", "-f", world.file(), "--out", plan).exit == 0
    world.repository.remove(world.builder.digests["first"])
    done = world.shell("apply", plan, "--yes")
    assert done.exit == 0
    assert "Archived (5)\n" in done.out
    assert "ChangedSincePlan: deleted meanwhile" in done.out


def test_ctrl_c_while_it_archives_ends_after_the_calls_under_way_with_exit_130(sandbox: Sandbox, shell: Shell) -> None:
    builder = Builder(sandbox, "many")
    for number in range(40):
        builder.image(f"image {number}", f"build-{number}")
    shell.environment["AWS_ENDPOINT_URL"] = sandbox.url
    path = policy_file(shell.home / "policy.json", policy(BUILDS, action="archive", protect={"grace": "0"}))
    sandbox.faults.latency = 0.05
    sandbox.before("UpdateImageStorageClass", lambda _: os.kill(os.getpid(), signal.SIGINT), call=10)
    done = shell("run", "-f", path, "--yes")
    assert done.exit == 130
    statuses = [image.status for image in builder.repository.images.values()]
    assert 1 <= statuses.count("ARCHIVED") < 39
    assert "were not attempted" in done.err
