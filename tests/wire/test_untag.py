"""`action: untag` on the wire, under both readings of what ECR deletes for a pair of digest and tag."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from aws_ecr_gc.sandbox import Behaviour, Faults, Sandbox, Scenario
from tests.conftest import Finished, Shell
from tests.wire.builder import Builder
from tests.wire.policies import policy, policy_file
from tests.wire.test_interruption import Started

BUILDS = {"name": "builds", "match": {"prefix": "build-"}, "keep": {"newest": 1}}


class World:
    """`app` with images of several tags."""

    def __init__(self, sandbox: Sandbox, shell: Shell, *, pairs: str = "tag") -> None:
        self.sandbox, self.shell = sandbox, shell
        sandbox.reset(Scenario(behaviour=Behaviour(pair_deletes=pairs)))  # type: ignore[arg-type]  # one of the two
        shell.environment["AWS_ENDPOINT_URL"] = sandbox.url
        self.builder = Builder(sandbox, "app")
        self.builder.image("a", "build-1", "prod")
        self.builder.image("b", "build-2", "build-3")
        self.builder.image("c", "build-4", "latest")
        self.builder.image("d", "build-5", "stable")
        self.journals = shell.home / "j"

    def run(self, *words: str, **settings: Any) -> Finished:
        stated = {"action": "untag", "protect": {"grace": "0"}, **settings}
        path = policy_file(self.shell.home / "policy.json", policy(BUILDS, **stated))
        return self.shell("run", "-f", path, "--yes", "--journal", str(self.journals), *words)

    def tags(self) -> dict[str, set[str]]:
        return {name: set(self.builder[name].tags) for name in sorted(self.builder.names())}


@pytest.fixture
def world(sandbox: Sandbox, shell: Shell) -> World:
    return World(sandbox, shell)


UNTAGGED = {"a": {"prod"}, "b": {"build-2"}, "c": {"latest"}, "d": {"build-5", "stable"}}


def test_tags_are_removed_and_no_image_goes_nor_its_last_tag(world: World) -> None:
    done = world.run()
    assert done.exit == 0, done.err
    assert world.tags() == UNTAGGED
    assert all(each.tag is not None for each in world.sandbox.deletions)
    assert "Tags to remove (3), from 3 images\n" in done.out
    assert "loses [build-4] of [build-4, latest]" in done.out
    assert "Tags removed (3)\n" in done.out
    again = world.run()
    assert again.exit == 0
    assert "Tags to remove (0), from 0 images\n" in again.out
    assert world.tags() == UNTAGGED


def test_the_first_goes_alone_and_all_others_in_one_call_once_ecr_was_seen_to_take_tags_only(world: World) -> None:
    world.run()
    sizes = [len(call.request["imageIds"]) for call in world.sandbox.calls if call.operation == "BatchDeleteImage"]
    assert sizes == [1, 2]
    read = [call.request["imageIds"] for call in world.sandbox.calls if call.operation == "BatchGetImage"]
    assert [len(each) for each in read] == [3]


@pytest.mark.parametrize("words", [(), ("--no-restore",), ("--journal", "none")])
def test_where_ecr_takes_the_image_for_a_tag_it_is_put_back_and_nothing_more_is_removed(
    sandbox: Sandbox, shell: Shell, words: tuple[str, ...]
) -> None:
    world = World(sandbox, shell, pairs="image")
    done = world.run(*words)
    assert done.exit == 5
    assert world.tags() == {**world.tags(), "c": {"latest"}}
    assert world.tags().keys() == {"a", "b", "c", "d"}
    assert world.tags()["a"] == {"build-1", "prod"}
    assert (
        "TakenWhole: ECR took the whole image for one of its tags; it is back, pushed anew, with [latest]" in done.out
    )
    assert "this registry takes a whole image for a pair of digest and tag" in done.err
    assert len([call for call in sandbox.calls if call.operation == "BatchDeleteImage"]) == 1


def test_what_was_found_out_is_remembered_so_that_no_further_run_tries_it(sandbox: Sandbox, shell: Shell) -> None:
    world = World(sandbox, shell, pairs="image")
    assert world.run().exit == 5
    before = world.tags()
    again = world.run()
    assert again.exit == 4
    assert "it was found out earlier: to try again, remove " in again.err
    assert world.tags() == before
    assert len([call for call in sandbox.calls if call.operation == "BatchDeleteImage"]) == 1
    (found,) = [path for path in (shell.home / "state").rglob("us-east-1") if path.is_file()]
    found.unlink()
    assert world.run().exit == 5


def test_no_tag_is_taken_from_another_image_when_one_is_put_back(sandbox: Sandbox, shell: Shell) -> None:
    world = World(sandbox, shell, pairs="image")
    sandbox.after("BatchDeleteImage", lambda _: setattr(sandbox, "faults", Faults(reset_share=1.0)))
    assert world.run().exit == 5
    sandbox.faults = Faults()
    world.builder.image("new", "latest")
    (journal,) = Path(world.journals).glob("*.jsonl")
    again = shell("apply", "--resume", str(journal), "--yes")
    assert world.tags()["new"] == {"latest"}
    assert world.tags()["c"] == {"build-4"}, again.out
    world.builder.repository.tag("latest", world.builder.digests["new"])
    assert shell("apply", "--resume", str(journal), "--yes").exit in {0, 4, 5}
    assert world.tags()["new"] == {"latest"}


def test_an_image_whose_other_tags_move_in_that_instant_is_put_back_under_its_last(world: World) -> None:
    def move(_: dict[str, Any]) -> None:
        world.builder.image("new", pushed_at=1.0)
        world.builder.repository.tag("prod", world.builder.digests["new"])

    world.sandbox.before("BatchDeleteImage", move, call=2)
    done = world.run()
    assert done.exit == 0, done.err
    assert world.tags() == {**UNTAGGED, "a": {"build-1"}, "new": {"prod"}}
    assert "others took its other tags in that instant, and it went with its last; it is back" in done.out


def test_the_same_with_the_first_image_says_nothing_of_the_registry(world: World) -> None:
    def move(_: dict[str, Any]) -> None:
        world.builder.image("new", pushed_at=1.0)
        world.builder.repository.tag("latest", world.builder.digests["new"])

    world.sandbox.before("BatchDeleteImage", move, call=1)
    done = world.run()
    assert done.exit == 0, done.err
    assert world.tags() == {**UNTAGGED, "c": {"build-4"}, "new": {"latest"}}
    assert "takes a whole image" not in done.err


def test_a_lost_answer_while_it_is_put_back_loses_no_tag(sandbox: Sandbox, shell: Shell) -> None:
    world = World(sandbox, shell, pairs="image")
    world.builder.repository.tag("zz-other", world.builder.digests["c"])
    lost = Faults(lost_answer_share=1.0, operations=["PutImage"])
    sandbox.after("BatchDeleteImage", lambda _: setattr(sandbox, "faults", lost))
    sandbox.after("PutImage", lambda _: setattr(sandbox, "faults", Faults()))
    done = world.run()
    assert done.exit == 5
    assert world.tags()["c"] == {"latest", "zz-other"}
    assert "it is back, pushed anew, with [latest, zz-other]" in done.out


def test_without_a_journal_a_lost_answer_loses_no_image(sandbox: Sandbox, shell: Shell) -> None:
    world = World(sandbox, shell, pairs="image")
    lost = Faults(lost_answer_share=1.0, operations=["BatchDeleteImage"])
    sandbox.before("BatchDeleteImage", lambda _: None)
    sandbox.faults = lost
    done = world.run("--journal", "none")
    assert done.exit == 5
    assert world.tags().keys() == {"a", "b", "c", "d"}
    assert world.tags()["c"] == {"latest"}


def test_an_image_whose_manifest_can_not_be_read_keeps_its_tags(world: World) -> None:
    repository = world.builder.repository
    broken = repository.images[world.builder.digests["c"]].manifest + b" "
    repository.change(world.builder.digests["c"], manifest=broken)
    done = world.run()
    assert done.exit == 5
    assert world.tags() == {**UNTAGGED, "c": {"build-4", "latest"}}
    assert "ManifestUnread: its manifest can't be read" in done.out


def test_what_a_kill_leaves_gone_there_is_put_back_by_resume(sandbox: Sandbox, shell: Shell) -> None:
    world = World(sandbox, shell, pairs="image")
    sandbox.faults = Faults()
    sandbox.after("BatchDeleteImage", lambda _: setattr(sandbox, "faults", Faults(reset_share=1.0)))
    done = world.run()
    assert done.exit in {3, 5}
    assert world.tags().keys() == {"a", "b", "d"}
    sandbox.faults = Faults()
    (journal,) = Path(world.journals).glob("*.jsonl")
    again = shell("apply", "--resume", str(journal), "--yes")
    assert again.exit == 5, again.out + again.err
    assert world.tags()["c"] == {"latest"}
    assert "it is back, pushed anew" in again.out


def lost_and_not_known(world: World) -> str:
    """The journal of a run that could not look whether an image went with its tag; it did."""
    sandbox = world.sandbox
    sandbox.after("BatchDeleteImage", lambda _: setattr(sandbox, "faults", Faults(reset_share=1.0)))
    assert world.run().exit in {3, 5}
    assert "c" not in world.tags()
    sandbox.faults = Faults()
    (journal,) = Path(world.journals).glob("*.jsonl")
    assert '"code":"Unconfirmed"' in journal.read_text()
    return str(journal)


def test_what_may_be_lost_is_put_back_by_resume_where_others_found_out_that_no_tag_can_be_removed(
    sandbox: Sandbox, shell: Shell
) -> None:
    world = World(sandbox, shell, pairs="image")
    journal = lost_and_not_known(world)
    known = shell.home / "state" / "aws-ecr-gc" / "takes-whole-images" / "123456789012" / "us-east-1"
    known.parent.mkdir(parents=True)
    known.touch()
    calls = len(sandbox.deletions)
    resumed = shell("apply", "--resume", journal, "--yes")
    assert resumed.exit == 5, resumed.out + resumed.err
    assert world.tags()["c"] == {"latest"}
    assert "it is back, pushed anew" in resumed.out
    assert "it was found out earlier: to try again, remove " in resumed.err
    assert len(sandbox.deletions) == calls
    assert shell("apply", "--resume", journal, "--yes").exit == 4


def test_what_may_be_lost_is_put_back_by_resume_though_it_is_in_use_since(sandbox: Sandbox, shell: Shell) -> None:
    world = World(sandbox, shell, pairs="image")
    sandbox.workloads().functions.create("idle", world.builder.repository.uri + ":stable")
    path = policy_file(
        shell.home / "policy.json",
        policy(BUILDS, action="untag", protect={"grace": "0"}),
        in_use={"sources": ["lambda"]},
    )
    sandbox.after("BatchDeleteImage", lambda _: setattr(sandbox, "faults", Faults(reset_share=1.0)))
    assert shell("run", "-f", path, "--yes", "--journal", str(world.journals)).exit in {3, 5}
    assert "c" not in world.tags()
    sandbox.faults = Faults()
    sandbox.workloads().functions.create("web", world.builder.repository.uri + ":latest")
    (journal,) = Path(world.journals).glob("*.jsonl")
    resumed = shell("apply", "--resume", str(journal), "--yes")
    assert world.tags()["c"] == {"latest"}, resumed.out + resumed.err


def test_a_tag_that_is_moved_in_between_takes_nothing_with_it(world: World) -> None:
    def move(_: dict[str, Any]) -> None:
        world.builder.image("late", pushed_at=1.0)
        world.builder.repository.tag("build-1", world.builder.digests["late"])

    world.sandbox.before("BatchDeleteImage", move, call=2)
    done = world.run()
    assert done.exit == 0, done.err
    assert world.tags()["late"] == {"build-1"}
    assert "a tag was moved meanwhile" in done.out


def test_an_image_whose_tags_changed_since_the_plan_keeps_them(world: World) -> None:
    path = policy_file(world.shell.home / "policy.json", policy(BUILDS, action="untag", protect={"grace": "0"}))
    plan = str(world.shell.home / "plan.json")
    made = world.shell("plan", "-f", path, "--out", plan)
    assert "3 tags to remove from 3 images in 1 repository" in made.err
    world.builder.repository.untag("prod")
    done = world.shell("apply", plan, "--yes")
    assert done.exit == 0
    assert world.tags()["a"] == {"build-1"}
    assert "ChangedSincePlan: tagged [build-1] now, [build-1, prod] in the plan" in done.out
    shown = json.loads(world.shell("show", plan, "--output", "json").out)
    assert [step["action"] for step in shown["repositories"][0]["steps"]] == ["untag"] * 3


def test_explain_counts_every_tag_for_itself(world: World) -> None:
    path = policy_file(world.shell.home / "policy.json", policy(BUILDS, action="untag", protect={"grace": "0"}))
    done = world.shell("explain", "app:build-4", "-f", path)
    assert done.exit == 0, done.err
    assert done.out.startswith("app:build-4 stays, and loses build-4\n")
    assert "    build-4: 2nd of 5\n" in done.out
    assert "build-4: rule builds keeps newest 2 or more" in done.out
    spared = world.shell("explain", "app:build-2", "-f", path).out
    assert "last-tag: the last tag of an image is never removed (build-2)" in spared


def test_an_image_in_use_keeps_all_its_tags(world: World) -> None:
    world.sandbox.workloads().functions.create("web", world.builder.repository.uri + ":build-4")
    path = policy_file(
        world.shell.home / "policy.json",
        policy(BUILDS, action="untag", protect={"grace": "0"}),
        in_use={"sources": ["lambda"]},
    )
    assert world.shell("run", "-f", path, "--yes").exit == 0
    assert world.tags() == {**UNTAGGED, "c": {"build-4", "latest"}}


def killed_after(world: World, call: int) -> str:
    """The journal of a run that was killed right after this deletion call took effect."""
    world.sandbox.after("BatchDeleteImage", lambda _: started.send(signal.SIGKILL), call=call)
    path = policy_file(world.shell.home / "policy.json", policy(BUILDS, action="untag", protect={"grace": "0"}))
    started = Started(world.shell, "run", "-f", path, "--yes", "--journal", str(world.journals))
    assert started.finished().exit == -signal.SIGKILL
    time.sleep(0.5)  # what was sent before the kill takes effect
    (journal,) = Path(world.journals).glob("*.jsonl")
    return str(journal)


def test_what_others_did_after_an_answered_call_is_not_undone_by_a_resume(world: World) -> None:
    """The first call was looked after before there was a second one, whatever the journal had no time to say."""
    journal = killed_after(world, 2)
    repository, digest = world.builder.repository, world.builder.digests["c"]
    image = repository.images[digest]
    repository.remove(digest, "event")
    repository.put(image.manifest, image.media_type)
    repository.tag("dev", digest)
    resumed = world.shell("apply", "--resume", journal, "--yes")
    assert world.tags()["c"] == {"dev"}, resumed.out
    assert world.tags() == {**UNTAGGED, "c": {"dev"}}
    assert "TakenWhole" not in resumed.out


def test_what_the_last_call_may_have_taken_is_put_back_by_a_resume_and_nobody_is_blamed(
    sandbox: Sandbox, shell: Shell
) -> None:
    world = World(sandbox, shell, pairs="image")
    journal = killed_after(world, 1)
    assert "c" not in world.tags()
    resumed = shell("apply", "--resume", journal, "--yes")
    assert resumed.exit == 5
    assert world.tags()["c"] == {"latest"}
    assert (
        "PutBack: after an interrupted try to remove a tag ECR had taken the whole image, or others had" in resumed.out
    )
    again = shell("apply", "--resume", journal, "--yes")
    assert world.tags()["c"] == {"latest"}, again.out


def test_what_is_missing_of_an_image_that_was_put_back_by_half_comes_back_too(sandbox: Sandbox, shell: Shell) -> None:
    world = World(sandbox, shell, pairs="image")
    world.builder.repository.tag("zz-other", world.builder.digests["c"])
    journal = killed_after(world, 1)
    repository = world.builder.repository
    image = next(each for each in sandbox.deletions if each.digest == world.builder.digests["c"])
    assert set(image.tags) == {"build-4", "latest", "zz-other"}
    manifest = shell("restore", journal, "--image", f"app@{image.digest}")
    assert manifest.exit == 0, manifest.err
    repository.untag("zz-other")
    repository.untag("build-4")
    resumed = shell("apply", "--resume", journal, "--yes")
    assert world.tags()["c"] == {"latest", "zz-other"}, resumed.out
