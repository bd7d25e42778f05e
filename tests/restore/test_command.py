"""`restore` on the wire: what a run deleted is back, by its journal."""

import base64
import fcntl
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from aws_ecr_gc.sandbox import Behaviour, Faults, Sandbox, Scenario
from aws_ecr_gc.sandbox.manifests import OCI_IMAGE, layer
from tests.conftest import Finished, Shell
from tests.restore.conftest import run, state, the_policy
from tests.wire.builder import Builder
from tests.wire.policies import operations, policy, policy_file


def restored(finished: Finished) -> dict[str, dict[str, Any]]:
    (part,) = json.loads(finished.out)["repositories"]
    return {image["digest"]: image for image in part["images"]}


def test_what_was_deleted_is_back_with_all_that_belongs_to_it(repo: Builder, shell: Shell, sandbox: Sandbox) -> None:
    before = state(repo)
    journal = run(shell)
    assert len(repo.repository.images) == 6
    finished = shell("restore", journal)
    assert finished.exit == 0, finished.err
    assert state(repo) == before
    assert repo.repository.referrers_of(repo.digests["index-0"]) == [repo.digests["signature-0"]]
    index = repo.digests["index-1"]
    assert f"  {index} back: build-1, also-build-1\n" in finished.out
    assert f"  {repo.digests['loose']} back, untagged\n" in finished.out
    assert "Images: 10 back\n" in finished.out
    puts = [call.request for call in sandbox.calls if call.operation == "PutImage"]
    assert {each["imageManifestMediaType"] for each in puts} == {
        repo[f"{n}"].media_type for n in ("child-0", "index-0")
    }
    assert all("imageDigest" in each for each in puts)


def test_twice_is_once(repo: Builder, shell: Shell, sandbox: Sandbox) -> None:
    journal = run(shell)
    assert shell("restore", journal).exit == 0
    before, seen = state(repo), len(sandbox.calls)
    finished = shell("restore", journal)
    assert finished.exit == 0
    assert "Images: 10 there already\n" in finished.out
    assert "protect:" not in finished.out
    assert state(repo) == before
    assert set(operations(sandbox, seen)) == {"GetCallerIdentity", "DescribeImages"}


@pytest.mark.usefixtures("repo")
def test_what_is_back_can_be_protected_by_the_lines_that_are_printed(shell: Shell) -> None:
    journal = run(shell)
    finished = shell("restore", journal)
    advice = finished.out.partition("write in the policy file:\n")[2]
    digests = [line.strip(" -") for line in advice.splitlines()[2:]]
    assert advice.startswith("  protect:\n    digests:\n      - sha256:")
    file = the_policy(shell, protect={"digests": digests})
    planned = json.loads(shell("plan", "-f", file, "--output", "json").out)
    going = {image["digest"] for image in planned["repositories"][0]["images"] if image["decision"] == "collected"}
    assert not going & set(digests)


@pytest.mark.parametrize("mutability", ["MUTABLE", "IMMUTABLE"])
def test_a_tag_that_another_image_got_meanwhile_is_left_there(repo: Builder, shell: Shell, mutability: str) -> None:
    journal = run(shell)
    repo.image("new", "build-0", "also-build-1", "build-1")
    repo.repository.settings.tag_mutability = mutability
    finished = shell("restore", journal, "--output", "json")
    assert finished.exit == 5
    new, images = repo.digests["new"], restored(finished)
    assert repo.repository.tags["build-0"] == new
    assert images[repo.digests["index-0"]]["result"] == "partly"
    assert images[repo.digests["index-0"]]["elsewhere"] == {"build-0": new}
    assert images[repo.digests["index-0"]]["tags"] == ["also-build-0"]
    assert repo["index-0"].tags == ("also-build-0",)
    assert repo["index-1"].tags == (), "its content is back all the same"
    assert images[repo.digests["index-1"]]["elsewhere"] == {"build-1": new, "also-build-1": new}


@pytest.mark.parametrize("mutability", ["MUTABLE", "IMMUTABLE"])
def test_a_tag_is_looked_for_right_before_it_is_put(
    repo: Builder, shell: Shell, sandbox: Sandbox, mutability: str
) -> None:
    journal = run(shell)
    repo.repository.settings.tag_mutability = mutability
    new = repo.image("new")
    # The listing is one call, and the first look at a tag another: what comes between is seen.
    looks = sum(call.operation == "DescribeImages" for call in sandbox.calls)
    sandbox.after("DescribeImages", lambda _: repo.repository.tag("build-0", new), call=looks + 1)
    finished = shell("restore", journal, "--image", "build-0")
    assert finished.exit == 5, finished.err
    assert repo.repository.tags["build-0"] == new
    assert f"left there: build-0 is on {new} now" in finished.out


def test_in_an_immutable_repository_even_the_last_window_is_closed(
    repo: Builder, shell: Shell, sandbox: Sandbox
) -> None:
    journal = run(shell)
    repo.repository.settings.tag_mutability = "IMMUTABLE"
    new = repo.image("new")

    def take(request: dict[str, Any]) -> None:
        repo.repository.tag(request["imageTag"], new)

    sandbox.before("PutImage", take, call=2)  # the first is the child's
    assert shell("restore", journal, "--image", "build-0").exit == 5
    assert repo["new"].tags == ("build-0",)
    assert repo["index-0"].tags == ("also-build-0",)


@pytest.mark.parametrize("of_what", ["layer", "config"])
def test_missing_layers_are_named_with_their_size_and_stop_nothing_else(
    repo: Builder, shell: Shell, of_what: str
) -> None:
    journal = run(shell)
    contents = repo.repository.layers
    lost = repo.digests["child-0"]
    missing = layer("base", 1000, OCI_IMAGE).digest
    if of_what == "config":
        manifest = json.loads(next(seen["manifest"] for seen in _seen(Path(journal)) if seen["digest"] == lost))
        missing = manifest["config"]["digest"]
    contents.remove(missing)
    finished = shell("restore", journal)
    assert finished.exit == 5
    size = "1.0 kB" if of_what == "layer" else "1.5 kB"
    assert f"  {lost} not back: layers are gone: {missing} ({size})\n" in finished.out
    assert f"  {repo.digests['index-0']} not back: it lists what is not there: {lost}\n" in finished.out
    if of_what == "config":
        assert "Images: 8 back, 2 not back\n" in finished.out


def _seen(journal: Path) -> list[dict[str, Any]]:
    records = [json.loads(line) for line in journal.read_text().splitlines()]
    images = [image for record in records if record["record"] == "about" for image in record["images"]]
    return [{**image, "manifest": base64.b64decode(image["manifest"])} for image in images]


def test_layers_that_ecr_has_collected_are_missing(sandbox: Sandbox, shell: Shell) -> None:
    sandbox.reset(Scenario(behaviour=Behaviour(layer_garbage="at-once")))
    repo = Builder(sandbox)
    repo.image("a", "build-1")
    repo.image("b", "build-2")
    repo.image("c", "build-3")
    finished = shell("restore", run(shell))
    assert finished.exit == 5
    assert "not back: layers are gone: sha256:" in finished.out
    assert repo.names() == {"b", "c"}


@pytest.mark.parametrize("ref", ["build-1", "testrepo:build-1", "{digest}", "testrepo@{digest}", "testrepo:x@{digest}"])
def test_one_image_is_chosen_by_tag_or_digest_and_comes_with_its_own(repo: Builder, shell: Shell, ref: str) -> None:
    journal = run(shell)
    there = repo.names()
    finished = shell("restore", journal, "--image", ref.format(digest=repo.digests["index-1"]))
    assert finished.exit == 0, finished.err
    assert repo.names() - there == {"index-1", "child-1", "signature-1"}


@pytest.mark.usefixtures("repo")
@pytest.mark.parametrize("ref", ["build-4", "other:build-1", "sha256:" + "0" * 64])
def test_what_was_not_deleted_cannot_be_chosen(shell: Shell, sandbox: Sandbox, ref: str) -> None:
    journal = run(shell)
    finished = shell("restore", journal, "--image", ref)
    assert finished.exit == 2
    assert finished.err == (
        f"aws-ecr-gc: --image {ref}: there is no such image among those that can be put back; "
        "leave out --image, with --dry-run, to list them\n"
    )
    assert "PutImage" not in operations(sandbox)


def test_a_dry_run_puts_nothing_back_and_says_what_it_would(repo: Builder, shell: Shell, sandbox: Sandbox) -> None:
    journal = run(shell)
    repo.image("new", "build-0")
    before = state(repo)
    finished = shell("restore", journal, "--dry-run")
    assert finished.exit == 0
    assert f"  {repo.digests['index-1']} would be put back: build-1, also-build-1\n" in finished.out
    assert f"left there: build-0 is on {repo.digests['new']} now" in finished.out
    assert "Images: 10 would be put back\n" in finished.out
    assert state(repo) == before
    assert "PutImage" not in operations(sandbox)


def test_an_image_that_is_still_there_gets_its_tags_back(repo: Builder, shell: Shell) -> None:
    journal = run(shell)
    assert shell("restore", journal).exit == 0
    repo.repository.untag("also-build-0")
    finished = shell("restore", journal, "--output", "json")
    assert finished.exit == 0
    image = restored(finished)[repo.digests["index-0"]]
    assert (image["result"], image["tags"], image["pushed_anew"]) == ("back", ["also-build-0"], False)
    assert json.loads(finished.out)["protect"] == []
    assert set(repo["index-0"].tags) == {"build-0", "also-build-0"}


@pytest.mark.usefixtures("repo")
def test_without_manifests_on_record_nothing_can_be_put_back(shell: Shell) -> None:
    journal = run(shell, "--no-restore")
    finished = shell("restore", journal)
    assert finished.exit == 2
    assert "no manifest is on record, for the journal was kept with --no-restore; give --from" in finished.err


def test_another_region_is_refused(repo: Builder, shell: Shell, sandbox: Sandbox) -> None:
    journal = run(shell)
    assert shell("restore", journal, "--region", "eu-west-1").exit == 4
    other = shell("restore", journal, AWS_ACCESS_KEY_ID="210987654321")
    assert other.exit == 4
    assert "of the registry of 123456789012, and this is 210987654321" in other.err
    assert repo.names()
    assert "PutImage" not in operations(sandbox)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give a journal, or --from with a backup and --repo"),
        (("--from", "x"), "--from without a journal: give --repo"),
        (("x", "--repo", "app"), "--repo: the journal names its repositories"),
        (("nowhere",), "journal nowhere: can't be read: No such file or directory"),
        (("--from", "ftp://x", "--repo", "app"), "is neither a directory nor s3://BUCKET/PREFIX"),
        (("--from", "s3://", "--repo", "app"), "names no bucket"),
        (("--from", "nowhere", "--repo", "app"), "there is none; check --from, --repo"),
    ],
)
def test_what_cannot_be_meant_is_told(shell: Shell, words: tuple[str, ...], said: str) -> None:
    finished = shell("restore", *words)
    assert finished.exit == 2
    assert said in finished.err


@pytest.mark.usefixtures("repo")
def test_a_repository_that_is_gone_is_told(shell: Shell, sandbox: Sandbox) -> None:
    journal = run(shell)
    sandbox.registry().delete_repository("testrepo")
    finished = shell("restore", journal)
    assert finished.exit == 2
    assert "repository testrepo: not found in us-east-1" in finished.err
    assert "10 images not attempted" in finished.err


@pytest.mark.parametrize("resumed", [False, True])
def test_what_a_lost_answer_leaves_open_is_put_back(
    repo: Builder, shell: Shell, sandbox: Sandbox, resumed: bool
) -> None:
    before = state(repo)
    sandbox.faults = Faults(lost_answer_share=1, operations=["BatchDeleteImage"])
    done = shell("run", "-f", the_policy(shell), "--yes")
    assert done.exit == 5
    assert len(repo.repository.images) < len(before), "the call took effect"
    journal = done.err.rpartition("journal: ")[2].strip()
    sandbox.faults = Faults()
    if resumed:
        assert shell("apply", "--resume", journal, "--yes").exit == 0
    finished = shell("restore", journal)
    assert finished.exit == 0, finished.out + finished.err
    assert state(repo) == before


def test_all_tags_of_an_image_come_back_where_ecr_removed_it_whole_for_one(sandbox: Sandbox, shell: Shell) -> None:
    """More tags than one call takes: the image is gone with the first call, and the others are never called for."""
    sandbox.reset(Scenario(behaviour=Behaviour(pair_deletes="image")))
    repo = Builder(sandbox)
    tags = [f"build-{number}" for number in range(102)]
    repo.image("many", *tags)
    repo.image("new", "build-a")
    repo.image("newer", "build-b")
    before = state(repo)
    journal = run(shell)
    assert repo.names() == {"new", "newer"}
    assert shell("restore", journal).exit == 0
    assert state(repo) == before


def test_calls_that_fail_for_all_end_the_work(repo: Builder, shell: Shell, sandbox: Sandbox) -> None:
    journal = run(shell)
    sandbox.faults = Faults(deny=["PutImage"])
    finished = shell("restore", journal, "--output", "json")
    assert finished.exit == 3
    assert "access denied: the permission ecr:PutImage is missing" in finished.err
    assert operations(sandbox).count("PutImage") == 1
    (part,) = json.loads(finished.out)["repositories"]
    assert (part["images"], part["not_attempted"]) == ([], 10)
    assert "the permission ecr:PutImage" in part["stopped_by"]
    assert len(repo.repository.images) == 6


def test_a_document_fits_its_schema(repo: Builder, shell: Shell) -> None:
    journal = run(shell)
    repo.image("new", "build-0")
    repo.repository.layers.remove(layer("base", 1000, OCI_IMAGE).digest)
    schema = json.loads((Path(__file__).parents[2] / "src/aws_ecr_gc/schemas/restoration.schema.json").read_text())
    for words in ((), ("--dry-run",)):
        jsonschema.validate(json.loads(shell("restore", journal, "--output", "json", *words).out), schema)


def test_a_journal_that_is_being_written_is_left_alone(repo: Builder, shell: Shell) -> None:
    path = Path(run(shell))
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        finished = shell("restore", str(path))
    assert finished.exit == 2
    assert "another process is at work with it; wait until it has ended" in finished.err
    assert len(repo.repository.images) == 6


def test_tags_that_a_policy_removed_are_put_back_and_what_it_archived_is_left(
    repo: Builder, shell: Shell, sandbox: Sandbox
) -> None:
    before = state(repo)
    for action, tags in (("untag", "build-.*"), ("archive", "(also-)?build-.*")):
        rule = {"name": "builds", "match": {"regex": tags}, "keep": {"newest": 2}}
        file = policy_file(shell.home / "policy.json", policy(rule, action=action))
        done = shell("run", "-f", file, "--yes")
        assert done.exit == 0, done.err
        assert state(repo).keys() == before.keys()
        seen = len(sandbox.calls)
        finished = shell("restore", done.err.rpartition("journal: ")[2].strip())
        assert finished.exit == 0, finished.out + finished.err
        assert state(repo) == before
        assert ("PutImage" in operations(sandbox, seen)) == (action == "untag")
    assert {image.status for image in repo.repository.images.values()} == {"ACTIVE", "ARCHIVED"}
