"""`policy diff` on the wire: which images change sides, and that it is the same seen from either side."""

import json
import random
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from aws_ecr_gc.report import differences
from aws_ecr_gc.sandbox import Sandbox
from aws_ecr_gc.sandbox.errors import ServiceError
from tests.conftest import Shell
from tests.wire.builder import Builder
from tests.wire.policies import BUILDS, NONE, UNTAGGED, going, operations, policy, policy_file, untouched
from tests.wire.test_bad_input import one_line
from tests.wire.test_run import RULES, fill_at_random

pytestmark = pytest.mark.usefixtures("untouched")
__all__ = ["untouched"]

ONE = {**BUILDS, "keep": {"newest": 1}}


def fill(sandbox: Sandbox, name: str, images: int = 4) -> Builder:
    repo = Builder(sandbox, name)
    for number in range(images):
        repo.image(f"{name}-{number}", f"build-{number}")
    return repo


def test_the_same_file_twice_makes_no_difference(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    fill(sandbox, "ci/web")
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    finished = shell("policy", "diff", file, file, "--exit-code")
    assert finished == (
        0,
        "Compared in 1 repository: goes now: 0 images, at most 0 bytes; stays now: 0 images, at most 0 bytes\n",
        "",
    )


def test_what_changes_sides_is_told_with_both_reasons_and_sizes(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    repo = fill(sandbox, "ci/web")
    fill(sandbox, "ci/small", 1)
    old = policy_file(tmp_path / "old.json", policy(BUILDS))
    new = policy_file(tmp_path / "new.json", policy(ONE, protect={"tags": ["build-0"]}))
    finished = shell("policy", "diff", old, new)
    assert finished.out == (
        "ci/web (us-east-1)\n"
        f"  old: {old}: policies[0]\n"
        f"  new: {new}: policies[0]\n"
        "  Goes now (1), at most 2.5 kB\n"
        f"    2017-03-23 08:53:20: {repo.digests['ci/web-2'][:16]}... [build-2]\n"
        "      old: builds: 2nd of 4; kept by newest 2\n"
        "      new: builds: 2nd of 4; not kept by newest 1\n"
        "  Stays now (1), at most 2.5 kB\n"
        f"    2017-03-21 08:53:20: {repo.digests['ci/web-0'][:16]}... [build-0]\n"
        "      old: builds: 4th of 4; not kept by newest 2\n"
        "      new: protected-tag: a protected tag (build-0)\n"
        "Compared in 2 repositories: goes now: 1 image, at most 2.5 kB; stays now: 1 image, at most 2.5 kB\n"
    )
    assert (finished.exit, finished.err) == (0, "")
    assert shell("policy", "diff", old, new, "--exit-code").exit == 6
    assert shell("policy", "diff", new, old, "--exit-code", "--repo", "ci/small").exit == 0


def test_what_comes_under_management_is_counted_also_where_it_stays(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    repo = fill(sandbox, "ci/web")
    repo.image("other", "v1")
    repo.image("loose")
    old = policy_file(tmp_path / "old.json", policy(BUILDS))
    more = {"name": "more", "match": {"prefix": "v"}, "keep": {"newest": 9}}
    kept_untagged = {**UNTAGGED, "keep": {"newest": 9}}
    for rules, count in (((BUILDS, more), 1), ((BUILDS, kept_untagged), 1), ((BUILDS, more, kept_untagged), 2)):
        new = policy_file(tmp_path / "new.json", policy(*rules))
        finished = shell("policy", "diff", old, new, "--exit-code", "--output", "json")
        (difference,) = json.loads(finished.out)["repositories"]
        assert (difference["newly_managed"], difference["goes"], difference["stays"]) == (count, [], [])
        assert finished.exit == 6
    assert "  Newly under management: 2 images\n" in shell("policy", "diff", old, new).out
    assert shell("policy", "diff", new, old, "--exit-code").exit == 0


def test_a_repository_that_one_of_the_files_leaves_alone_is_told(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    repo = fill(sandbox, "misc", 2)
    old = policy_file(tmp_path / "old.json", policy(NONE, repositories={"include": "ci/*"}))
    new = policy_file(tmp_path / "new.json", policy(NONE))
    finished = shell("policy", "diff", old, new)
    assert "misc (us-east-1)\n  old: no policy fits\n" in finished.out
    assert "  Newly under management: 2 images\n  Goes now (2), at most 5.0 kB\n" in finished.out
    document = json.loads(shell("policy", "diff", old, new, "--output", "json").out)
    (difference,) = document["repositories"]
    assert difference["old_policy"] is None
    assert {each["image"]["digest"] for each in difference["goes"]} == set(repo.digests.values())
    assert {each["old_decision"] for each in difference["goes"]} == {"retained"}


def test_what_neither_file_is_for_is_not_even_read(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    for name in ("ci/web", "misc", "other"):
        fill(sandbox, name)
    tagged = {"include": "ci/*", "resource_tags": {"team": "web"}}
    sandbox.registry().repository("ci/web").settings.resource_tags["team"] = "web"
    old = policy_file(tmp_path / "old.json", policy(BUILDS, repositories=tagged))
    new = policy_file(tmp_path / "new.json", policy(ONE, repositories=tagged))
    assert "Compared in 3 repositories: goes now: 1 image" in shell("policy", "diff", old, new).out
    assert operations(sandbox) == ["DescribeRepositories", "ListTagsForResource", "DescribeImages"]


def test_a_repository_that_cannot_be_read_is_named_and_the_others_are_compared(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    for name in ("ci/a", "ci/b"):
        fill(sandbox, name)

    def fail(_request: object) -> None:
        raise ServiceError("ServerException", "a server-side issue")

    sandbox.before("DescribeImages", fail)
    old, new = policy_file(tmp_path / "old.json", policy(BUILDS)), policy_file(tmp_path / "new.json", policy(ONE))
    finished = shell("policy", "diff", old, new, "--exit-code", "--output", "json")
    document = json.loads(finished.out)
    jsonschema.validate(document, differences.schema())
    assert finished.exit == 3
    assert [each["repository"]["name"] for each in document["repositories"]] == ["ci/b"]
    assert [each["repository"] for each in document["unread"]] == ["ci/a"]
    assert document["compared"] == 1
    assert "repository ci/a" in finished.err


def test_mistakes_in_either_file_and_missing_words_are_exit_2(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    right = policy_file(tmp_path / "right.json", policy(BUILDS))
    wrong = policy_file(tmp_path / "wrong.json", policy({**BUILDS, "keep": {"newest": -1}}))
    for words in ((right, wrong), (wrong, right)):
        one_line(shell("policy", "diff", *words), 2, "wrong.json:")
    one_line(shell("policy", "diff", right), 2, "NEW")
    one_line(shell("policy", "diff", right, right, right), 2)
    assert not sandbox.calls


def sides(document: dict[str, Any], side: str) -> dict[str, set[str]]:
    return {
        each["repository"]["name"]: {turned["image"]["digest"] for turned in each[side]}
        for each in document["repositories"]
        if each[side]
    }


@pytest.mark.parametrize("seed", range(5))
def test_the_difference_is_that_of_the_plans_and_turns_round_with_the_files(
    sandbox: Sandbox, shell: Shell, tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)
    for name in ("ci/web", "lib/x"):
        fill_at_random(Builder(sandbox, name), draw)
    files = [policy_file(tmp_path / f"{name}.json", policy(*draw.sample(RULES, 3))) for name in "ab"]
    at = ("--output", "json", "--at", "2027-01-01")
    plans = [going(json.loads(shell("plan", "-f", file, *at).out)) for file in files]
    there, back = (json.loads(shell("policy", "diff", *each, *at).out) for each in (files, files[::-1]))
    for document in (there, back):
        jsonschema.validate(document, differences.schema())
    assert sides(there, "goes") == {
        name: plans[1][name] - plans[0][name] for name in plans[0] if plans[1][name] - plans[0][name]
    }
    assert sides(there, "goes") == sides(back, "stays")
    assert sides(there, "stays") == sides(back, "goes")
    sizes = [
        {each["repository"]["name"]: (each["size_goes"], each["size_stays"]) for each in side["repositories"]}
        for side in (there, back)
    ]
    for name in sizes[0].keys() & sizes[1].keys():
        assert sizes[0][name] == sizes[1][name][::-1]


def test_what_comes_under_management_is_counted_though_the_grace_still_keeps_it(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    repo = Builder(sandbox, "ci/web")
    repo.image("young", pushed_at=time.time() - 600)
    untagged = {"name": "untagged", "match": {"untagged": True}, "keep": "none"}
    old = policy_file(tmp_path / "old.json", policy(BUILDS))
    new = policy_file(tmp_path / "new.json", policy(BUILDS, untagged))
    finished = shell("policy", "diff", old, new, "--exit-code", "--output", "json")
    assert finished.exit == 6
    assert json.loads(finished.out)["repositories"][0]["newly_managed"] == 1


def archiving(sandbox: Sandbox) -> Builder:
    """Four builds, one of which has been in the archive for long."""
    repo = fill(sandbox, "ci/web")
    repo.repository.archive(repo.digests["ci/web-0"])
    repo.repository.change(repo.digests["ci/web-0"], archived_at=time.time() - 200 * 86400)
    return repo


def compared(shell: Shell, old: str, new: str) -> tuple[int, list[str], dict[str, Any]]:
    """The exit code, the lines without those of the reasons, and the one repository of the document."""
    finished = shell("policy", "diff", old, new, "--exit-code")
    document = json.loads(shell("policy", "diff", old, new, "--output", "json").out)
    jsonschema.validate(document, differences.schema())
    (found,) = document["repositories"]
    return finished.exit, [line for line in finished.out.splitlines() if not line.startswith("      ")], found


def test_a_change_of_action_alone_is_a_difference_though_the_same_images_go(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    repo = archiving(sandbox)
    archive = policy_file(tmp_path / "archive.json", policy(ONE, action="archive"))
    delete = policy_file(tmp_path / "delete.json", policy(ONE))
    code, lines, found = compared(shell, archive, delete)
    assert code == 6
    assert "  Deleted now, archived before (2), at most 5.0 kB" in lines
    assert lines[-1].endswith(
        "stays now: 0 images, at most 0 bytes; deleted now, archived before: 2 images, at most 5.0 kB"
    )
    changed = {repo.digests["ci/web-1"], repo.digests["ci/web-2"]}
    assert {each["image"]["digest"] for each in found["deleted_now"]} == changed
    assert [(each["old_action"], each["image"]["action"]) for each in found["deleted_now"]] == [
        ("archive", "delete")
    ] * 2
    assert (found["goes"], found["stays"], found["size_deleted_now"]) == ([], [], 5000)
    code, lines, found = compared(shell, delete, archive)
    assert code == 6
    assert "  Archived now, deleted before (2), at most 5.0 kB" in lines
    assert {each["image"]["digest"] for each in found["archived_now"]} == changed
    assert shell("policy", "diff", archive, archive, "--exit-code").exit == 0


def test_what_goes_to_the_archive_stands_apart_from_what_is_deleted(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    repo = archiving(sandbox)
    nothing = policy_file(tmp_path / "nothing.json", policy({**BUILDS, "keep": {"newest": 9}}))
    old = {"name": "old", "match": {"any": True, "archived_for": "180d"}, "keep": "none"}
    both = policy_file(tmp_path / "both.json", policy(ONE, old, action="archive"))
    code, lines, found = compared(shell, nothing, both)
    assert code == 6
    assert "  Goes now (1), at most 2.5 kB" in lines
    assert "  Goes to the archive now (2), at most 5.0 kB" in lines
    assert lines[-1] == (
        "Compared in 1 repository: goes now: 1 image, at most 2.5 kB; stays now: 0 images, at most 0 bytes; "
        "goes to the archive now: 2 images, at most 5.0 kB"
    )
    assert {each["image"]["digest"]: each["image"]["action"] for each in found["goes"]} == {
        repo.digests["ci/web-0"]: "delete",
        repo.digests["ci/web-1"]: "archive",
        repo.digests["ci/web-2"]: "archive",
    }
    _, lines, found = compared(shell, both, nothing)
    assert "  Stays now (1), at most 2.5 kB" in lines
    assert "  Stays now, archived before (2), at most 5.0 kB" in lines
    assert len(found["stays"]) == 3


def test_tags_that_are_lost_now_and_tags_that_are_kept_now_are_differences(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    repo = Builder(sandbox, "ci/web")
    for number in range(3):
        repo.image(f"image {number}", f"build-{number}", f"v{number}")
    two = policy_file(tmp_path / "two.json", policy(BUILDS, action="untag"))
    one = policy_file(tmp_path / "one.json", policy(ONE, action="untag"))
    code, lines, found = compared(shell, two, one)
    short = f"{repo.digests['image 1'][:16]}..."
    assert code == 6
    assert lines[3:-1] == [
        "  Loses tags now (1)",
        f"    2017-03-22 08:53:20: {short} loses [build-1] of [build-1, v1]",
    ]
    assert lines[-1].endswith("; stays now: 0 images, at most 0 bytes; loses tags now: 1 image")
    assert [(each["old_untag"], each["image"]["untag"]) for each in found["other_tags"]] == [([], ["build-1"])]
    code, lines, _ = compared(shell, one, two)
    assert code == 6
    assert lines[3:5] == ["  Keeps tags now (1)", f"    2017-03-22 08:53:20: {short} keeps [build-1] of [build-1, v1]"]


def test_an_image_that_only_loses_tags_now_stays(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    repo = Builder(sandbox, "ci/web")
    repo.image("old", "build-0", "build-a")
    repo.image("new", "build-1")
    delete = policy_file(tmp_path / "delete.json", policy(ONE))
    untag = policy_file(tmp_path / "untag.json", policy(ONE, action="untag"))
    _, lines, found = compared(shell, delete, untag)
    assert lines[3:5] == [
        "  Stays now (1), at most 2.5 kB",
        f"    2017-03-21 08:53:20: {repo.digests['old'][:16]}... loses [build-a] of [build-0, build-a]",
    ]
    assert (found["stays"][0]["old_action"], found["stays"][0]["image"]["action"]) == ("delete", "untag")
    assert found["other_tags"] == []
