"""`restore` by the journals of runs that did other things than delete what was active."""

import json
from typing import Any

import pytest

from aws_ecr_gc.sandbox import Sandbox
from tests.conftest import Finished, Shell
from tests.restore.conftest import the_policy
from tests.wire import test_untag
from tests.wire.builder import Builder
from tests.wire.policies import policy, policy_file

OUT_OF_THE_ARCHIVE = {"name": "old", "match": {"any": True, "archived_for": "0"}, "keep": "none"}
EVERYTHING = {"name": "builds", "match": {"prefix": "build-"}, "keep": {"newest": 1}}


def journal_of(finished: Finished) -> str:
    assert finished.exit == 0, finished.err
    return finished.err.rpartition("journal: ")[2].strip()


def run(shell: Shell, *rules: dict[str, Any], **settings: Any) -> str:
    file = policy_file(shell.home / "policy.json", policy(*rules, **settings))
    return journal_of(shell("run", "-f", file, "--yes"))


@pytest.fixture
def archived(sandbox: Sandbox) -> Builder:
    repo = Builder(sandbox)
    repo.image("archived", "build-1")
    repo.image("active", "build-2")
    repo.image("newest", "build-3")
    repo.repository.archive(repo.digests["archived"])
    return repo


def test_what_was_deleted_from_the_archive_is_told_so(archived: Builder, shell: Shell) -> None:
    finished = shell("restore", run(shell, OUT_OF_THE_ARCHIVE, EVERYTHING))
    assert finished.exit == 5
    assert (
        f"  {archived.digests['archived']} not back: it was archived when it was deleted, so ECR gave no manifest; "
        "it can't be put back\n"
    ) in finished.out
    assert f"  {archived.digests['active']} back: build-2\n" in finished.out
    assert "--no-restore" not in finished.out + finished.err


@pytest.mark.usefixtures("archived")
def test_a_journal_of_nothing_but_archived_images_says_why_nothing_can_be_put_back(shell: Shell) -> None:
    finished = shell("restore", run(shell, OUT_OF_THE_ARCHIVE))
    assert finished.exit == 2
    assert finished.err == (
        "aws-ecr-gc: nothing can be put back: all of it was archived when it was deleted, so ECR gave no manifest\n"
    )


@pytest.mark.usefixtures("repo")
def test_a_journal_of_what_was_archived_names_the_way_out_of_the_archive(shell: Shell) -> None:
    finished = shell("restore", journal_of(shell("run", "-f", the_policy(shell, action="archive"), "--yes")))
    assert finished.exit == 0
    assert "archived, not deleted: 10 images; to take them out: aws-ecr-gc unarchive testrepo:" in finished.err
    command = finished.err.partition("to take them out: aws-ecr-gc ")[2].partition("\n")[0].partition(";")[0]
    assert shell(*command.split()).exit == 0


def test_an_image_that_lost_tags_and_was_deleted_by_somebody_since_stays_deleted(
    sandbox: Sandbox, shell: Shell
) -> None:
    world = test_untag.World(sandbox, shell)
    journal = journal_of(world.run())
    first = next(call for call in sandbox.calls if call.operation == "BatchDeleteImage").request["imageIds"][0]
    world.builder.repository.remove(first["imageDigest"])
    finished = shell("restore", journal, "--output", "json")
    assert finished.exit == 5
    (part,) = json.loads(finished.out)["repositories"]
    (gone,) = [image for image in part["images"] if image["digest"] == first["imageDigest"]]
    assert (gone["result"], gone["detail"]) == ("not-back", "deleted since, by somebody else")
    assert first["imageDigest"] not in world.builder.repository.images
    assert [image["result"] for image in part["images"]].count("back") == 2


def test_all_tags_that_were_to_stay_come_back_where_ecr_took_the_image_for_one(sandbox: Sandbox, shell: Shell) -> None:
    world = test_untag.World(sandbox, shell, pairs="image")
    done = world.run()
    assert done.exit == 5
    world.builder.repository.untag("latest")
    finished = shell("restore", done.err.rpartition("journal: ")[2].strip())
    assert finished.exit == 0, finished.out + finished.err
    assert world.tags()["c"] == {"build-4", "latest"}
