"""The main job on the wire: output to the letter, calls counted, what stays and what goes."""

import json
import re
from pathlib import Path

import pytest

from aws_ecr_gc.sandbox import Behaviour, Faults, Sandbox, Scenario
from tests.conftest import Shell
from tests.wire.builder import Builder
from tests.wire.policies import besides_announcements


def operations(sandbox: Sandbox) -> list[str]:
    return [call.operation for call in sandbox.calls]


def test_the_output_is_the_originals_to_the_letter(sandbox: Sandbox, shell: Shell) -> None:
    repo = Builder(sandbox)
    repo.image("a", "build-64cd372", pushed_at=1489981901.9)
    repo.image("b", "build-2", "extra-b", "build-b")
    repo.image("c", pushed_at=1489770000)
    repo.image("d", "build-3", "build-new")
    finished = shell("--repo", "testrepo", "--delete-untagged=true", "--keep", "build=1", "-keep", "extra=0")
    a, b, c = (repo.digests[name][:16] for name in "abc")
    assert finished.out == (
        "Total images in testrepo (us-east-1): 4\n"
        "Images to delete (3)\n"
        f"  2017-03-22 08:53:20: {b}... [build-2, extra-b, build-b]\n"
        f"  2017-03-20 03:51:41: {a}... [build-64cd372]\n"
        f"  2017-03-17 17:00:00: {c}... []\n"
        "Deleted (3)\n"
        f"  {b}... (build-2, extra-b, build-b)\n"
        f"  {a}... (build-64cd372)\n"
        f"  {c}... ()\n"
        "Failures (0)\n"
    )
    assert finished.exit == 0
    assert finished.err == (
        "aws-ecr-gc: repository testrepo: 3 manifests will be read for the journal, which counts as a pull; "
        "--no-restore leaves that out\n"
    )
    assert repo.names() == {"d"}


def test_a_dry_run_ends_after_the_list_and_deletes_nothing(sandbox: Sandbox, shell: Shell) -> None:
    repo = Builder(sandbox)
    repo.image("a", "build-1", pushed_at=1489981901)
    finished = shell("--repo", "testrepo", "--keep", "build=0", "--dry-run")
    assert finished.out == (
        "Total images in testrepo (us-east-1): 1\n"
        "Images to delete (1)\n"
        f"  2017-03-20 03:51:41: {repo.digests['a'][:16]}... [build-1]\n"
        "Dry run only, nothing is deleted\n"
    )
    assert finished.exit == 0
    assert operations(sandbox) == ["DescribeImages"]
    assert not list((shell.home / "state").rglob("*.json"))


def test_an_empty_repository_is_fine(sandbox: Sandbox, shell: Shell) -> None:
    sandbox.registry().create_repository("testrepo")
    finished = shell("--repo", "testrepo", "--keep", "build=1", "--delete-untagged")
    assert finished.out == (
        "Total images in testrepo (us-east-1): 0\nImages to delete (0)\nDeleted (0)\nFailures (0)\n"
    )
    assert finished.exit == 0


def test_nothing_to_do_is_said_on_standard_error(sandbox: Sandbox, shell: Shell) -> None:
    Builder(sandbox).image("a", "build-1")
    finished = shell("--repo", "testrepo")
    assert finished.err == "aws-ecr-gc: nothing to do: neither --keep nor --delete-untagged is given\n"
    assert finished.out.startswith("Total images in testrepo (us-east-1): 1\nImages to delete (0)\n")
    assert finished.exit == 0


def test_reading_takes_one_call_for_each_thousand_images_and_no_index_without_need(
    sandbox: Sandbox, shell: Shell
) -> None:
    repo = Builder(sandbox)
    for number in range(2001):
        repo.image(f"image-{number}", f"build-{number}")
    repo.index("index", "build-index", children=["image-5"])
    finished = shell("--repo", "testrepo", "--keep", "build=3000", "--delete-untagged")
    assert finished.out.startswith("Total images in testrepo (us-east-1): 2002\nImages to delete (0)\n")
    assert operations(sandbox) == ["DescribeImages"] * 3
    assert {call.request["maxResults"] for call in sandbox.calls} == {1000}


def test_only_indexes_are_read_a_hundred_a_call_and_once_ever_where_the_cache_lasts(
    sandbox: Sandbox, shell: Shell
) -> None:
    repo = Builder(sandbox)
    for number in range(120):
        repo.image(f"child-{number}")
        repo.index(f"index-{number}", f"build-{number}", children=[f"child-{number}"])
    assert shell("--repo", "testrepo", "--keep", "build=119", "--dry-run").exit == 0
    reads = [call.request["imageIds"] for call in sandbox.calls if call.operation == "BatchGetImage"]
    assert sorted(map(len, reads)) == [20, 100]
    assert {each["imageDigest"] for ids in reads for each in ids} == {repo.digests[f"index-{n}"] for n in range(120)}
    assert all(repo[f"child-{number}"].pulled_at is None for number in range(120))
    assert shell("--repo", "testrepo", "--keep", "build=118", "--no-restore").out.count("(build-") == 2
    assert operations(sandbox).count("BatchGetImage") == 2
    assert "child-0" not in repo.names()


def test_a_broken_cache_entry_is_read_again_and_replaced(sandbox: Sandbox, shell: Shell) -> None:
    repo = Builder(sandbox)
    repo.image("child")
    repo.index("index", "build-1", children=["child"])
    arguments = ("--repo", "testrepo", "--keep", "build=0", "--dry-run", "--cache-dir", str(shell.home / "own"))
    shell(*arguments)
    (entry,) = [path for path in (shell.home / "own").rglob("*") if path.is_file()]
    entry.write_bytes(b'{"manifests": []}')
    first, second = shell(*arguments), shell(*arguments)
    assert first.out == second.out
    assert first.out.count("\n  ") == 2
    assert operations(sandbox).count("BatchGetImage") == 2


def test_a_cache_that_cannot_be_written_is_said_and_costs_nothing_else(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    repo = Builder(sandbox)
    repo.image("child")
    repo.index("index", "build-1", children=["child"])
    (tmp_path / "file").write_text("no directory")
    finished = shell("--repo", "testrepo", "--keep", "build=0", "--cache-dir", str(tmp_path / "file"))
    assert "the manifest cache is out of use" in finished.err
    assert finished.exit == 0
    assert repo.names() == set()


def test_an_old_index_goes_with_its_children_and_a_shared_child_stays(sandbox: Sandbox, shell: Shell) -> None:
    repo = Builder(sandbox)
    repo.image("own")
    repo.image("shared")
    repo.index("old", "build-1", children=["own", "shared"])
    repo.image("signature", subject="old")
    repo.index("new", "build-2", children=["shared"])
    finished = shell("--repo", "testrepo", "--keep", "build=1", "--journal", "none")
    assert finished.exit == 0
    assert repo.names() == {"shared", "new"}
    shared, new = repo.digests["shared"][:16], repo.digests["new"][:16]
    held = f"aws-ecr-gc: Held: {shared}... []: an index that stays lists it ({new}...)"
    assert besides_announcements(finished.err) == [held]
    deletions = [
        {each["imageDigest"] for each in call.request["imageIds"]}
        for call in sandbox.calls
        if call.operation == "BatchDeleteImage"
    ]
    assert deletions == [{repo.digests["old"]}, {repo.digests["own"], repo.digests["signature"]}]


@pytest.mark.parametrize("pair_deletes", ["tag", "image"])
@pytest.mark.parametrize("sweep", [False, True])
def test_tagged_images_go_by_digest_and_tag_under_either_reading_of_it(
    sandbox: Sandbox, shell: Shell, pair_deletes: str, *, sweep: bool
) -> None:
    sandbox.reset(Scenario(behaviour=Behaviour(pair_deletes=pair_deletes, sweep_referrers=sweep)))  # type: ignore[arg-type]
    repo = Builder(sandbox)
    repo.image("a", *(f"build-a{number}" for number in range(250)))
    repo.image("b", *(f"build-b{number}" for number in range(60)))
    repo.image("c", *(f"build-c{number}" for number in range(60)))
    repo.image("signature", subject="c")
    repo.image("untagged")
    finished = shell("--repo", "testrepo", "--keep", "build=0", "--delete-untagged")
    assert finished.exit == 0
    assert finished.out.endswith("Failures (0)\n")
    assert repo.names() == set()
    calls = [call.request["imageIds"] for call in sandbox.calls if call.operation == "BatchDeleteImage"]
    assert max(map(len, calls)) <= 100
    for name in "bc":
        assert sum(any(each["imageDigest"] == repo.digests[name] for each in ids) for ids in calls) == 1
    assert all("imageTag" in each for ids in calls for each in ids if each["imageDigest"] == repo.digests["a"])


def test_a_tag_that_moves_between_the_look_and_the_deletion_takes_nothing_with_it(
    sandbox: Sandbox, shell: Shell
) -> None:
    repo = Builder(sandbox)
    repo.image("a", "build-1")
    repo.image("b", "build-2")
    repo.image("c", "build-3")
    sandbox.before("BatchDeleteImage", lambda _: repo.repository.tag("build-1", repo.digests["c"]))
    finished = shell("--repo", "testrepo", "--keep", "build=1")
    assert repo.names() == {"a", "c"}
    assert repo.repository.tags == {"build-1": repo.digests["c"], "build-3": repo.digests["c"]}
    assert re.search(rf"Failures \(1\)\n  {repo.digests['a'][:16]}\.\.\. ChangedSincePlan: .+\n$", finished.out)
    assert finished.exit == 0


def test_what_changed_since_the_plan_is_skipped_and_only_strict_makes_it_an_error(
    sandbox: Sandbox, shell: Shell
) -> None:
    repo = Builder(sandbox)
    for name in "ab":
        repo.image(name, f"build-{name}")
    repo.image("signature", subject="a")
    for call in (2, 4):
        sandbox.before("DescribeImages", lambda _: repo.repository.tag("promoted", repo.digests["a"]), call=call)
    finished = shell("--repo", "testrepo", "--keep", "build=0", "--dry-run=false")
    a, signature = repo.digests["a"][:16], repo.digests["signature"][:16]
    assert f"  {a}... ChangedSincePlan: tagged [build-a, promoted] now, [build-a] in the plan\n" in finished.out
    assert f"  {signature}... StillNeeded: {repo.digests['a']} is still there\n" in finished.out
    assert finished.exit == 0
    assert repo.names() == {"a", "signature"}
    repo.repository.untag("promoted")
    strict = shell("--repo", "testrepo", "--keep", "build=0", "--strict")
    assert strict.exit == 5
    assert repo.names() == {"a", "signature"}


def test_an_image_that_is_gone_already_counts_as_deleted(sandbox: Sandbox, shell: Shell) -> None:
    repo = Builder(sandbox)
    for name in "abcd":
        repo.image(name, f"build-{name}")
    sandbox.before("DescribeImages", lambda _: repo.repository.remove(repo.digests["b"]), call=2)
    sandbox.before("BatchDeleteImage", lambda _: repo.repository.remove(repo.digests["c"]))
    finished = shell("--repo", "testrepo", "--keep", "build=0")
    assert "Deleted (4)\n" in finished.out
    assert finished.out.endswith("Failures (0)\n")
    assert repo.names() == set()


def test_an_index_pushed_meanwhile_keeps_its_child_and_the_refusal_is_reported(sandbox: Sandbox, shell: Shell) -> None:
    repo = Builder(sandbox)
    repo.image("child")
    repo.index("old", "build-1", children=["child"])

    def push(_request: object) -> None:
        repo.index("new", "release-1", children=["child"])

    sandbox.after("BatchDeleteImage", push)
    finished = shell("--repo", "testrepo", "--keep", "build=0")
    assert finished.exit == 5
    assert f"  {repo.digests['child'][:16]}... ImageReferencedByManifestList: " in finished.out
    assert finished.out.count(repo.digests["child"][:16]) == 2
    assert repo.names() == {"child", "new"}
    assert operations(sandbox).count("BatchDeleteImage") == 3


def test_an_index_that_vanishes_between_listing_and_reading_means_a_fresh_listing(
    sandbox: Sandbox, shell: Shell
) -> None:
    repo = Builder(sandbox)
    repo.image("child")
    repo.index("old", "build-1", children=["child"])
    repo.image("plain", "build-2")
    sandbox.before("BatchGetImage", lambda _: repo.repository.remove(repo.digests["old"]))
    finished = shell("--repo", "testrepo", "--keep", "build=0")
    assert finished.exit == 0
    assert "listing the repository again" in finished.err
    assert repo.names() == {"child"}


def test_pull_times_are_those_before_anything_was_read_even_after_a_fresh_listing(
    sandbox: Sandbox, shell: Shell
) -> None:
    repo = Builder(sandbox)
    repo.image("child")
    for name in ("old", "kept"):
        repo.index(name, f"build-{name}", children=["child"])
    repo.image("plain", "build-plain")
    sandbox.before("BatchGetImage", lambda _: repo.repository.remove(repo.digests["old"]))
    finished = shell("--repo", "testrepo", "--keep", "build=1", "--output", "json", "--dry-run")
    assert "listing the repository again" in finished.err
    assert repo["kept"].pulled_at is not None
    assert {image["pulled_at"] for image in json.loads(finished.out)["images"]} == {None}


def test_archived_images_are_counted_apart_and_left_alone(sandbox: Sandbox, shell: Shell) -> None:
    repo = Builder(sandbox)
    repo.image("a", "build-1")
    repo.image("b", "build-2")
    repo.image("c")
    repo.repository.archive(repo.digests["b"])
    repo.repository.archive(repo.digests["c"])
    finished = shell("--repo", "testrepo", "--keep", "build=1", "--delete-untagged")
    assert "Total images in testrepo (us-east-1): 1\nImages to delete (0)\n" in finished.out
    assert finished.err == "aws-ecr-gc: Left alone and not counted, for they are archived: 2 images\n"


def test_an_archived_index_in_the_cache_lets_the_other_untagged_images_go(sandbox: Sandbox, shell: Shell) -> None:
    repo = Builder(sandbox)
    repo.image("child")
    repo.index("index", "release-1", children=["child"])
    repo.image("loose")
    shell("--repo", "testrepo", "--delete-untagged", "--dry-run")
    repo.repository.archive(repo.digests["index"])
    unread = shell("--repo", "testrepo", "--delete-untagged", "--cache-dir", str(shell.home / "empty"))
    assert "Images to delete (0)" in unread.out
    assert repo.names() == {"child", "index", "loose"}
    assert shell("--repo", "testrepo", "--delete-untagged").exit == 0
    assert repo.names() == {"child", "index"}


def test_json_names_every_image_its_decision_and_its_outcome(sandbox: Sandbox, shell: Shell) -> None:
    repo = Builder(sandbox)
    repo.image("own")
    repo.index("old", "build-1", children=["own"])
    repo.image("new", "build-2")
    finished = shell("--repo", "testrepo", "--keep", "build=1", "--output", "json")
    document = json.loads(finished.out)
    images = {image["digest"]: image for image in document["images"]}
    assert [image["digest"] for image in document["images"]] == [repo.digests[name] for name in ("new", "old", "own")]
    assert images[repo.digests["new"]]["decision"] == "retained"
    assert images[repo.digests["new"]]["reasons"] == [
        {"rule": "keep build=1", "detail": "1st of 2; kept by newest 1", "via": None}
    ]
    assert images[repo.digests["own"]]["reasons"][0]["via"] == repo.digests["old"]
    assert images[repo.digests["old"]]["outcome"] == {"result": "done", "code": "", "detail": ""}
    assert "outcome" not in images[repo.digests["new"]]
    assert document["counts"] == {
        "active": 3,
        "archived": 0,
        "to_delete": 2,
        "to_archive": 0,
        "to_untag": 0,
        "deleted": 2,
        "moved_to_archive": 0,
        "untagged": 0,
        "skipped": 0,
        "failed": 0,
        "not_attempted": 0,
    }
    assert document["repository"]["account"] == "123456789012"


def test_another_accounts_registry_is_named_by_its_id(sandbox: Sandbox, shell: Shell) -> None:
    other = sandbox.registry("210987654321").create_repository("testrepo")
    other.put(b'{"schemaVersion": 2, "config": {}, "layers": []}', "application/vnd.oci.image.manifest.v1+json", "x")
    finished = shell("--repo", "testrepo", "--registry-id", "210987654321", "--dry-run")
    assert "Total images in testrepo (us-east-1): 1" in finished.out


def test_a_failed_deletion_ends_the_work_with_exit_5_and_says_what_was_not_attempted(
    sandbox: Sandbox, shell: Shell
) -> None:
    repo = Builder(sandbox)
    for number in range(250):
        repo.image(f"image-{number}", f"build-{number}")
    sandbox.faults = Faults(expire_credentials_after=4)
    finished = shell("--repo", "testrepo", "--keep", "build=0")
    assert finished.exit == 5
    assert "Deleted (100)\n" in finished.out
    assert "Failures (100)\n" in finished.out
    assert finished.out.count("... ExpiredTokenException: ") == 100
    assert "50 images were not attempted; run again to finish" in finished.err
    sandbox.faults = Faults()
    assert shell("--repo", "testrepo", "--keep", "build=0").exit == 0
    assert repo.names() == set()


def test_a_subject_that_gets_a_tag_while_it_is_deleted_keeps_its_referrers(sandbox: Sandbox, shell: Shell) -> None:
    repo = Builder(sandbox)
    repo.image("subject", "build-1")
    repo.image("signature", subject="subject")
    sandbox.before("BatchDeleteImage", lambda _: repo.repository.tag("v9", repo.digests["subject"]))
    finished = shell("--repo", "testrepo", "--keep", "build=0")
    assert repo.names() == {"subject", "signature"}
    assert repo["subject"].tags == ("v9",)
    assert "Deleted (0)\n" in finished.out
    assert "ChangedSincePlan: it got another tag while those of the plan were removed" in finished.out


def test_a_subject_whose_only_tag_was_removed_by_others_meanwhile_keeps_its_referrers(
    sandbox: Sandbox, shell: Shell
) -> None:
    repo = Builder(sandbox)
    repo.image("subject", "build-1")
    repo.image("signature", subject="subject")
    sandbox.before("BatchDeleteImage", lambda _: repo.repository.untag("build-1"))
    shell("--repo", "testrepo", "--keep", "build=0")
    assert repo.names() == {"subject", "signature"}


def test_an_image_that_was_deleted_and_pushed_again_since_the_plan_stays(sandbox: Sandbox, shell: Shell) -> None:
    repo = Builder(sandbox)
    repo.image("a", "build-1")
    repo.image("b", "build-2")

    def push_again(_request: object) -> None:
        manifest = repo["a"].manifest
        repo.repository.remove(repo.digests["a"])
        repo.repository.put(manifest, tag="build-1")

    sandbox.before("DescribeImages", push_again, call=2)
    finished = shell("--repo", "testrepo", "--keep", "build=1")
    assert "ChangedSincePlan: deleted and pushed again meanwhile" in finished.out
    assert repo.names() == {"a", "b"}


def test_a_run_that_ended_leaves_no_record_of_what_it_skipped(sandbox: Sandbox, shell: Shell) -> None:
    repo = Builder(sandbox)
    repo.image("child")
    repo.index("index", "build-1", children=["child"])
    sandbox.before("DescribeImages", lambda _: repo.repository.tag("prod", repo.digests["index"]), call=2)
    assert shell("--repo", "testrepo", "--keep", "build=0").exit == 0
    repo.repository.remove(repo.digests["index"])
    assert shell("--repo", "testrepo", "--keep", "build=0").exit == 0
    assert repo.names() == {"child"}


def test_what_an_unread_archived_index_retains_is_said(sandbox: Sandbox, shell: Shell) -> None:
    repo = Builder(sandbox)
    repo.image("child")
    repo.index("index", "build-1", children=["child"])
    repo.repository.archive(repo.digests["index"])
    finished = shell("--repo", "testrepo", "--delete-untagged")
    assert "Retained, for an archived index can't be read and these may be its children: 1 image\n" in finished.err
