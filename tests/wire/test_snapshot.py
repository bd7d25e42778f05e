"""`snapshot`, and the commands that read it in AWS's place."""

import json
import random
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from aws_ecr_gc.report import plans
from aws_ecr_gc.sandbox import Behaviour, Faults, Sandbox, Scenario
from aws_ecr_gc.sandbox.errors import ServiceError
from tests.conftest import Shell
from tests.wire.builder import Builder
from tests.wire.policies import (
    BUILDS,
    NONE,
    besides_announcements,
    going,
    operations,
    policy,
    policy_file,
    untouched,
)
from tests.wire.test_bad_input import one_line
from tests.wire.test_run import RULES, fill_at_random

pytestmark = pytest.mark.usefixtures("untouched")
__all__ = ["untouched"]

NOWHERE = {"AWS_ENDPOINT_URL_ECR": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": None, "AWS_DEFAULT_REGION": None}
"""No call can succeed, and none may be needed."""


@pytest.fixture
def saved(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> str:
    """A snapshot of three repositories, one of them empty, one with a resource tag. Taking it moves no pull time."""
    sandbox.reset(Scenario(behaviour=Behaviour(pulls_move_pull_time=False)))
    draw = random.Random(1)
    for name in ("ci/web", "web/one/two"):
        fill_at_random(Builder(sandbox, name), draw)
    sandbox.registry().create_repository("ci/empty")
    sandbox.registry().repository("web/one/two").settings.resource_tags["team"] = "web"
    path = tmp_path / "today.snapshot"
    finished = shell("snapshot", "--out", str(path))
    assert (finished.exit, besides_announcements(finished.err)) == (0, [])
    images = sum(len(each.images) for each in sandbox.registry().repositories.values())
    assert re.fullmatch(rf"{path}: {images} images of 3 repositories, [0-9.]+ kB\n", finished.out)
    return str(path)


@pytest.fixture
def file(tmp_path: Path) -> str:
    tagged = {"include": "web/*", "resource_tags": {"team": "web"}}
    return policy_file(
        tmp_path / "p.json",
        policy(*RULES[:3], repositories={"include": "ci/*"}),
        policy(*RULES[3:], repositories=tagged),
    )


def timeless(text: str) -> Any:
    """A document without the times at which it was made, and what only the registry knows."""
    document = json.loads(text)
    for part in [document, *document.get("repositories", [])]:
        for name in ("at", "taken_at", "replicates_deletes_to"):
            part.pop(name, None)
    return document


def test_every_command_says_the_same_of_a_snapshot_without_a_call(
    sandbox: Sandbox, shell: Shell, saved: str, file: str, tmp_path: Path
) -> None:
    other = policy_file(tmp_path / "other.json", policy(BUILDS))
    tag = next(iter(sandbox.registry().repository("ci/web").tags))
    at = ("--at", "2030-01-01")
    commands: list[tuple[str, ...]] = [
        ("plan", "-f", file, *at),
        ("plan", "-f", file, "--output", "json"),
        ("plan", "-f", file, "--repo", "ci/*", "--output", "json"),
        ("plan", "-f", file, "--repo", "ci/web", "--repo", "ci/empty", "--output", "json"),
        ("plan", "--keep", "build=1", "--delete-untagged", "--repo", "ci/*", *at),
        ("plan", "-f", file, "--forecast", "60d", *at),
        ("explain", f"ci/web:{tag}", "-f", file, "--output", "json", *at),
        ("policy", "diff", file, other, "--output", "json", *at),
        ("policy", "show", "-f", file, "--repo", "web/one/two"),
    ]
    live = [shell(*words) for words in commands]
    calls = len(sandbox.calls)
    for words, expected in zip(commands, live, strict=True):
        found = shell(*words, "--snapshot", saved, **NOWHERE)
        if "json" in words:
            assert timeless(found.out) == timeless(expected.out), words
        else:
            assert found.out == expected.out, words
        assert (found.exit, found.err) == (expected.exit, expected.err), words
        assert expected.exit == 0
    assert len(sandbox.calls) == calls


def test_a_snapshot_is_decided_about_as_at_the_time_it_was_taken(
    sandbox: Sandbox, shell: Shell, saved: str, file: str
) -> None:
    calls = len(sandbox.calls)
    document = json.loads(shell("plan", "-f", file, "--snapshot", saved, "--output", "json", **NOWHERE).out)
    jsonschema.validate(document, plans.schema())
    assert {part["taken_at"] for part in document["repositories"]} == {document["at"]}
    later = json.loads(
        shell("plan", "-f", file, "--snapshot", saved, "--output", "json", "--at", "2031-05-06", **NOWHERE).out
    )
    assert later["at"] == "2031-05-06T00:00:00Z"
    assert later["repositories"][0]["taken_at"] == document["at"]
    assert going(document)["ci/web"] < going(later)["ci/web"]
    assert len(sandbox.calls) == calls


def test_empty_repositories_and_resource_tags_are_kept(shell: Shell, saved: str, file: str) -> None:
    document = json.loads(shell("plan", "-f", file, "--snapshot", saved, "--output", "json", **NOWHERE).out)
    assert {part["repository"]["name"]: len(part["images"]) > 0 for part in document["repositories"]} == {
        "ci/empty": False,
        "ci/web": True,
        "web/one/two": True,
    }
    assert document["left_alone"] == []


def test_a_snapshot_outlives_what_it_was_taken_of(sandbox: Sandbox, shell: Shell, saved: str, file: str) -> None:
    before = json.loads(shell("plan", "-f", file, "--snapshot", saved, "--output", "json").out)
    for name in list(sandbox.registry().repositories):
        sandbox.registry().delete_repository(name)
    sandbox.deletions.clear()
    after = json.loads(shell("plan", "-f", file, "--snapshot", saved, "--output", "json").out)
    assert after == before


def test_only_the_chosen_repositories_are_read_whole_and_each_with_its_tags(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    for name in ("ci/a", "ci/b", "misc"):
        repo = Builder(sandbox, name)
        repo.image("child")
        repo.index(f"index of {name}", "build-1", children=["child"])
    path = str(tmp_path / "s")
    assert "4 images of 2 repositories" in shell("snapshot", "--out", path, "--repo", "ci/*").out
    assert operations(sandbox) == [
        "DescribeRepositories",
        *["DescribeImages", "BatchGetImage", "ListTagsForResource"] * 2,
    ]
    one = shell("snapshot", "--out", path, "--repo", "misc")
    assert "2 images of 1 repository" in one.out
    file = policy_file(tmp_path / "p.json", policy(NONE))
    one_line(shell("plan", "-f", file, "--snapshot", path, "--repo", "ci/a"), 2, "ci/a", "not in the snapshot", path)
    one_line(shell("plan", "-f", file, "--snapshot", path, "--repo", "ci/*"), 2, "no repository fits ci/*", path)
    one_line(shell("explain", "ci/a:build-1", "-f", file, "--snapshot", path), 2, "ci/a", "not in the snapshot")


def test_a_repository_that_cannot_be_read_means_no_snapshot_and_is_named(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    for name in ("ci/a", "ci/b"):
        Builder(sandbox, name).image("a", "build-1")
    path = tmp_path / "s"
    path.write_text("the one of yesterday")

    def deny(_request: object) -> None:
        raise ServiceError("AccessDeniedException", "not authorized to perform: ecr:DescribeImages on it")

    sandbox.before("DescribeImages", deny, call=2)
    one_line(shell("snapshot", "--out", str(path)), 3, "repository ci/b", "ecr:DescribeImages", "no snapshot")
    sandbox.faults = Faults(deny=["ListTagsForResource"])
    one_line(shell("snapshot", "--out", str(path)), 3, "repository ci/a", "ecr:ListTagsForResource")
    assert path.read_text() == "the one of yesterday"
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".writing")] == []


def test_what_is_missing_or_no_snapshot_is_exit_2(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    file = policy_file(tmp_path / "p.json", policy(NONE))
    assert "no file: give --out" in shell("snapshot").err
    assert shell("snapshot").exit == 2
    one_line(shell("snapshot", "--out", str(tmp_path)), 2, "is a directory")
    one_line(shell("snapshot", "--out", str(tmp_path / "s"), "--repo", "nope/*"), 2, "no repository fits nope/*")
    one_line(shell("plan", "-f", file, "--snapshot", str(tmp_path / "absent")), 2, "absent", "can't be read")
    one_line(shell("plan", "-f", file, "--snapshot", file), 2, "not a snapshot")
    assert not (tmp_path / "s").exists()
    assert "DescribeImages" not in operations(sandbox)


def test_a_snapshot_of_nothing_is_one(shell: Shell, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    assert "0 images of 0 repositories" in shell("snapshot", "--out", path).out
    file = policy_file(tmp_path / "p.json", policy(NONE))
    nothing = "aws-ecr-gc: the registry has no repositories\n"
    assert shell("plan", "-f", file, "--snapshot", path, **NOWHERE) == (0, "", nothing)
