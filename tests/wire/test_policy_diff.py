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
