"""`--backup` on the wire: what will be deleted is copied first, and can be put back whole."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from aws_ecr_gc.aws.permissions import PERMISSIONS
from aws_ecr_gc.backup import copy, place_of
from aws_ecr_gc.errors import AwsFailure
from aws_ecr_gc.inventory import Status
from aws_ecr_gc.plan import Action, Step
from aws_ecr_gc.sandbox import Faults, Sandbox
from aws_ecr_gc.sandbox.manifests import DOCKER_IMAGE, OCI_IMAGE, layer, write
from tests.conftest import Shell
from tests.policy.repositories import REPOSITORY
from tests.registries.test_reading import InMemory
from tests.restore.conftest import run, state, the_policy
from tests.restore.conftest import shell as _shell
from tests.restore.standin import Repository as InMemoryContent
from tests.wire.builder import Builder
from tests.wire.policies import UNTAGGED, operations, policy, policy_file

shell = _shell
MIB = 1 << 20


@pytest.fixture
def repo(sandbox: Sandbox) -> Builder:
    """Builds that share one layer, and have one of their own each."""
    made = Builder(sandbox)
    for number in range(4):
        made.image(f"child-{number}")
        made.index(f"index-{number}", f"build-{number}", children=[f"child-{number}"])
        _image(made, f"single-{number}", f"also-build-{number}", size=6 * MIB + number)
    made.image("loose")
    return made


def _image(repo: Builder, name: str, *tags: str, size: int, media_type: str = OCI_IMAGE) -> str:
    layers = [layer("base", 1000, media_type), layer(name, size, media_type)]
    digest = repo.repository.put(write(name, media_type, layers=layers), media_type, pushed_at=1_480_000_000.0)
    for tag in tags:
        repo.repository.tag(tag, digest)
    repo.digests[name] = digest
    return digest


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def layout(place: Path, name: str = "testrepo") -> Path:
    return place / "123456789012/us-east-1" / name


def blobs(place: Path) -> dict[str, Path]:
    return {f"sha256:{path.name}": path for path in (layout(place) / "blobs/sha256").iterdir()}


def entries(place: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((layout(place) / "index.json").read_text())["manifests"]
    return found


def tags(place: Path) -> dict[str, str]:
    ref, stands_for = "org.opencontainers.image.ref.name", "dev.aws-ecr-gc.stands-for"
    named = [(each.get("annotations", {}), each["digest"]) for each in entries(place)]
    found = [(annotations[ref], digest) for annotations, digest in named if ref in annotations]
    assert len({(tag, digest) for tag, digest in found}) == len(found)
    return {
        annotations[ref]: digest
        for annotations, digest in named
        if ref in annotations and stands_for not in annotations
    }


def test_all_that_goes_is_copied_each_blob_once_and_right(repo: Builder, shell: Shell, place: Path) -> None:
    before = dict(repo.repository.images)
    run(shell, "--backup", str(place))
    gone = before.keys() - repo.repository.images.keys()
    needed = gone | {blob.digest for digest in gone for blob in before[digest].contents.blob_descriptors}
    assert blobs(place).keys() == needed
    for digest, path in blobs(place).items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest.removeprefix("sha256:")
    assert json.loads((layout(place) / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    assert tags(place) == {tag: digest for digest in gone for tag in before[digest].tags}
    untagged = [each["digest"] for each in entries(place) if "annotations" not in each]
    assert untagged == [repo.digests["loose"]], "children are found through their indexes"
    assert not [path for path in place.rglob("*") if path.name.startswith(".writing-")]


def test_everything_is_copied_before_the_first_deletion(
    repo: Builder, shell: Shell, sandbox: Sandbox, place: Path
) -> None:
    seen: list[set[str]] = []
    sandbox.before("BatchDeleteImage", lambda _: seen.append(set(blobs(place)) | set(tags(place))))
    run(shell, "--backup", str(place))
    called = operations(sandbox)
    assert max(at for at, each in enumerate(called) if each == "DownloadLayer") < called.index("BatchDeleteImage")
    assert set(tags(place)) <= seen[0]
    assert repo.names() >= {"index-3"}


@pytest.mark.parametrize("command", ["flags", "apply", "resume"])
def test_every_way_to_delete_copies_first(
    repo: Builder, shell: Shell, sandbox: Sandbox, place: Path, command: str
) -> None:
    words = ("--backup", str(place))
    if command == "flags":
        finished = shell("--repo", "testrepo", "--keep", "build=1", "--delete-untagged", *words)
    else:
        plan = str(shell.home / "plan.json")
        assert shell("plan", "-f", the_policy(shell), "--out", plan).exit == 0
        sandbox.faults = Faults(deny=["BatchDeleteImage"] if command == "resume" else [])
        with_backup = words if command == "apply" else ()
        finished = shell("apply", plan, "--yes", "--journal", str(shell.home / "j"), *with_backup)
    if command == "resume":
        assert finished.exit == 5
        sandbox.faults = Faults()
        (journal,) = (shell.home / "j").iterdir()
        finished = shell("apply", "--resume", str(journal), "--yes", *words)
    assert finished.exit == 0, finished.err
    assert repo.digests["index-0"] in blobs(place)
    assert "build-0" in tags(place)
    assert "index-0" not in repo.names()


def test_what_is_there_and_right_is_not_fetched_again(
    repo: Builder, shell: Shell, sandbox: Sandbox, place: Path
) -> None:
    pushed = {digest: image.pushed_at for digest, image in repo.repository.images.items()}
    base = layer("base", 1000, OCI_IMAGE).digest
    own = layer("single-0", 6 * MIB, OCI_IMAGE).digest
    run(shell, "--backup", str(place))
    there = dict(blobs(place))
    journal = next((shell.home / "state/aws-ecr-gc/journals").iterdir())
    assert shell("restore", str(journal)).exit == 0
    for digest, at in pushed.items():
        repo.repository.change(digest, pushed_at=at)
    there[own].write_bytes(b"half of it")
    (layout(place) / "blobs/sha256/.writing-killed").write_bytes(b"half of it")
    seen = len(sandbox.calls)
    run(shell, "--backup", str(place))
    fetched = [call.request["layerDigest"] for call in sandbox.calls[seen:] if call.operation == "DownloadLayer"]
    assert own in fetched
    assert base not in fetched
    assert len(fetched) == len(set(fetched))
    assert hashlib.sha256(there[own].read_bytes()).hexdigest() == own.removeprefix("sha256:")


def test_earlier_backups_stay_and_a_tag_is_the_later_ones(repo: Builder, shell: Shell, place: Path) -> None:
    run(shell, "--backup", str(place))
    earlier = tags(place)
    repo.image("again", "build-0", pushed_at=1_480_000_000.0)
    repo.image("more", "build-99", pushed_at=1_480_000_000.0)
    run(shell, "--backup", str(place))
    assert tags(place).items() >= {"build-0": repo.digests["again"], "build-99": repo.digests["more"]}.items()
    assert tags(place).keys() >= earlier.keys()
    (old,) = [each for each in entries(place) if each["digest"] == earlier["build-0"]]
    assert old["annotations"] == {"dev.aws-ecr-gc.earlier-tag": "build-0"}


def _nothing_deleted(sandbox: Sandbox) -> bool:
    return not sandbox.deletions and "BatchDeleteImage" not in operations(sandbox)


@pytest.mark.parametrize("command", ["run", "flags"])
def test_a_place_that_cannot_be_written_stops_before_the_first_deletion(
    repo: Builder, shell: Shell, sandbox: Sandbox, place: Path, command: str
) -> None:
    place.write_text("a file")
    words = ("--backup", str(place))
    if command == "run":
        finished = shell("run", "-f", the_policy(shell), "--yes", *words)
    else:
        finished = shell("--repo", "testrepo", "--keep", "build=1", *words)
    assert finished.exit == 2
    assert "repository testrepo: nothing was deleted, for it can't be copied: backup " in finished.err
    assert "can't be written: Not a directory; mend it, or go without a copy by leaving out --backup" in finished.err
    assert _nothing_deleted(sandbox)
    assert repo.names()
    assert not list((shell.home / "state").rglob("*.jsonl")), "nothing that --resume would delete without a copy"


@pytest.mark.parametrize(
    "faults",
    [
        Faults(deny=["GetDownloadUrlForLayer"]),
        Faults(garbage_share=1, operations=["GetDownloadUrlForLayer"]),
    ],
)
def test_what_cannot_be_read_stops_before_the_first_deletion(
    repo: Builder, shell: Shell, sandbox: Sandbox, place: Path, faults: Faults
) -> None:
    sandbox.faults = faults
    finished = shell("--repo", "testrepo", "--keep", "also-build=1", "--backup", str(place))
    assert finished.exit == 3
    assert "nothing was deleted, for it can't be copied: " in finished.err
    assert _nothing_deleted(sandbox)
    assert repo.names()


def test_a_layer_that_is_something_else_than_its_digest_says_is_never_kept(
    repo: Builder, shell: Shell, sandbox: Sandbox, place: Path
) -> None:
    sandbox.faults = Faults(garbage_share=0.4, lost_answer_share=0.2, seed=5, operations=["DownloadLayer"])
    run(shell, "--backup", str(place))
    assert repo.digests["single-0"] in blobs(place)
    for digest, path in blobs(place).items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest.removeprefix("sha256:")


def test_a_layer_that_is_missing_stops_before_the_first_deletion(
    repo: Builder, shell: Shell, sandbox: Sandbox, place: Path
) -> None:
    lost = layer("single-0", 6 * MIB, OCI_IMAGE).digest
    repo.repository.layers.remove(lost)
    finished = shell("run", "-f", the_policy(shell), "--yes", "--backup", str(place))
    assert finished.exit == 3
    assert f"{repo.digests['single-0']}: its layer {lost} can't be read: GetDownloadUrlForLayer" in finished.err
    assert _nothing_deleted(sandbox)


def test_an_image_that_vanishes_meanwhile_is_no_failure(
    repo: Builder, shell: Shell, sandbox: Sandbox, place: Path
) -> None:
    def vanish(_: dict[str, Any]) -> None:
        repo.repository.remove(repo.digests["single-0"])
        repo.repository.layers.collect_garbage()

    sandbox.before("GetDownloadUrlForLayer", vanish)
    finished = shell("run", "-f", the_policy(shell), "--yes", "--backup", str(place))
    assert finished.exit == 0, finished.err
    assert repo.digests["single-0"] not in blobs(place)
    assert "single-0" not in repo.names()
    assert repo.digests["single-1"] in blobs(place)


def test_an_archived_image_cannot_be_copied(tmp_path: Path) -> None:
    step = Step(Action.DELETE, "sha256:" + "0" * 64, (), Status.ARCHIVED, 1.0, 1, (), 0)
    to = place_of(str(tmp_path / "b"), lambda: pytest.fail("no S3 is asked for")).layout(REPOSITORY)
    with pytest.raises(AwsFailure, match="is archived, and ECR gives nothing of what is: take it out of the archive"):
        copy([step], {}, InMemory(), InMemoryContent(), to, stop=lambda: False, progress=lambda _: None)
    assert not (tmp_path / "b").exists()


def test_a_disk_without_room_is_told_before_anything_is_fetched(sandbox: Sandbox, shell: Shell, place: Path) -> None:
    repo = Builder(sandbox)
    free = shutil.disk_usage(shell.home).free
    _image(repo, "huge", "build-0", size=free + (1 << 30))
    for number in range(1, 3):
        repo.image(f"image-{number}", f"build-{number}")
    finished = shell("run", "-f", the_policy(shell), "--yes", "--backup", str(place))
    assert finished.exit == 2
    assert "there is no room: " in finished.err
    assert "GetDownloadUrlForLayer" not in operations(sandbox)
    assert _nothing_deleted(sandbox)


@pytest.mark.parametrize("call", [2, 3])
def test_our_own_reading_is_no_pull_where_a_rule_goes_by_pulls_but_others_are(
    sandbox: Sandbox, shell: Shell, place: Path, call: int
) -> None:
    """The first listing is the plan's, the second the backup's, the third look is right before the deletion."""
    repo = Builder(sandbox)
    for number in range(4):
        repo.image(f"image-{number}", f"build-{number}")
    file = shell.home / "policy.json"
    rule = {"name": "builds", "match": {"any": True}, "keep": {"pulled_within": "1d"}}
    file.write_text(
        json.dumps({"version": 1, "policies": [{"rules": [rule], "guards": {"keep_at_least": 0, "keep_tagged": 0}}]})
    )
    sandbox.before("DescribeImages", lambda _: repo.repository.pull(repo.digests["image-0"]), call=call)
    finished = shell("run", "-f", str(file), "--yes", "--backup", str(place))
    assert finished.exit == 0, finished.err
    assert repo.names() == {"image-0"}
    assert "pulled since the plan" in finished.out


def test_a_backup_gives_back_what_ecr_has_lost(repo: Builder, shell: Shell, sandbox: Sandbox, place: Path) -> None:
    before = state(repo)
    journal = run(shell, "--backup", str(place))
    repo.repository.layers.collect_garbage()
    assert shell("restore", journal).exit == 5
    finished = shell("restore", journal, "--from", str(place))
    assert finished.exit == 0, finished.out + finished.err
    assert state(repo) == before
    parts = [call.request for call in sandbox.calls if call.operation == "UploadLayerPart"]
    assert {"UploadLayerPart", "InitiateLayerUpload", "CompleteLayerUpload"} <= set(operations(sandbox))
    assert len(parts) >= 3
    for image in repo.repository.images.values():
        for blob in image.contents.blob_descriptors:
            assert repo.repository.layers.get(blob.digest) is not None


def test_a_backup_alone_gives_back_all_that_it_holds(repo: Builder, shell: Shell, place: Path) -> None:
    before = state(repo)
    run(shell, "--backup", str(place), "--journal", "none")
    repo.repository.layers.collect_garbage()
    finished = shell("restore", "--from", str(place), "--repo", "testrepo")
    assert finished.exit == 0, finished.out + finished.err
    assert state(repo) == before
    again = shell("restore", "--from", str(place), "--repo", "testrepo")
    assert again.exit == 0
    assert " back:" not in again.out


def test_a_backup_has_the_manifests_that_a_journal_lacks(repo: Builder, shell: Shell, place: Path) -> None:
    before = state(repo)
    journal = run(shell, "--no-restore", "--backup", str(place))
    assert shell("restore", journal).exit == 2
    assert shell("restore", journal, "--from", str(place)).exit == 0
    assert state(repo) == before


def test_uploads_outlast_faults(repo: Builder, shell: Shell, sandbox: Sandbox, place: Path) -> None:
    before = state(repo)
    journal = run(shell, "--backup", str(place))
    repo.repository.layers.collect_garbage()
    sandbox.faults = Faults(lost_answer_share=0.2, server_error_share=0.1, reset_share=0.1, seed=3)
    shell.environment["AWS_MAX_ATTEMPTS"] = "6"
    finished = shell("restore", journal, "--from", str(place))
    assert finished.exit == 0, finished.out + finished.err
    assert state(repo) == before


def test_layouts_of_all_repositories_are_apart(sandbox: Sandbox, shell: Shell, place: Path) -> None:
    for name in ("team/web", "team/web/blobs", "team_web"):
        repo = Builder(sandbox, name)
        for number in range(3):
            repo.image(f"image-{number}", f"build-{number}")
    run(shell, "--backup", str(place))
    found = {path.parent.relative_to(place).as_posix() for path in place.rglob("oci-layout")}
    assert found == {f"123456789012/us-east-1/{name}" for name in ("team+web", "team+web+blobs", "team_web")}


def test_the_permissions_are_those_of_the_calls(repo: Builder, shell: Shell, sandbox: Sandbox, place: Path) -> None:
    words = ("--repo", "testrepo", "--keep", "build=1", "--keep", "also-build=1")
    assert shell(*words, "--backup", str(place)).exit == 0
    called = {PERMISSIONS[call.operation].action for call in sandbox.calls if call.service == "ecr"}
    policy = json.loads(shell("iam-policy", *words, "--backup", str(place)).out)
    assert {action for statement in policy["Statement"] for action in statement["Action"]} == called
    assert repo.names()


def test_docker_images_are_copied_as_they_are(sandbox: Sandbox, shell: Shell, place: Path) -> None:
    repo = Builder(sandbox)
    _image(repo, "docker", "build-0", size=100, media_type=DOCKER_IMAGE)
    for number in range(1, 3):
        repo.image(f"image-{number}", f"build-{number}")
    before = state(repo)
    journal = run(shell, "--backup", str(place))
    repo.repository.layers.collect_garbage()
    assert shell("restore", journal, "--from", str(place)).exit == 0
    assert state(repo) == before
    entry, stand_in = entries(place)
    assert (entry["mediaType"], entry["digest"]) == (DOCKER_IMAGE, repo.digests["docker"])
    assert stand_in["annotations"]["dev.aws-ecr-gc.stands-for"] == repo.digests["docker"]


def test_what_is_archived_is_left_where_a_copy_is_wanted_and_the_others_are_copied_and_deleted(
    repo: Builder, shell: Shell, place: Path
) -> None:
    old = {"name": "old", "match": {"any": True, "archived_for": "0"}, "keep": "none"}
    rule = {"name": "builds", "match": {"regex": "(also-)?build-.*"}, "keep": {"newest": 2}}
    file = policy_file(shell.home / "policy.json", policy(old, rule, UNTAGGED))
    repo.repository.archive(repo.digests["single-0"])
    there = repo.names()
    finished = shell("run", "-f", file, "--yes", "--backup", str(place))
    assert finished.exit == 0, finished.err
    assert "NotBackedUp: it is in the archive, and ECR gives nothing of it to copy; go without --backup" in finished.out
    assert "single-0" in repo.names()
    assert {"index-0", "single-1", "loose"} <= there - repo.names()
    assert {repo.digests[name] for name in there - repo.names()} <= blobs(place).keys()
    assert shell("run", "-f", file, "--yes", "--strict", "--backup", str(place)).exit == 5
    assert shell("run", "-f", file, "--yes").exit == 0
    assert "single-0" not in repo.names()


@pytest.mark.parametrize("action", ["archive", "untag"])
def test_where_nothing_is_deleted_it_is_said_that_nothing_is_copied(
    repo: Builder, shell: Shell, place: Path, action: str
) -> None:
    rule = {"name": "builds", "match": {"regex": "build-.*"}, "keep": {"newest": 1}}
    repo.repository.tag("other", repo.digests["index-0"])
    file = policy_file(shell.home / "policy.json", policy(rule, action=action))
    finished = shell("run", "-f", file, "--yes", "--backup", str(place))
    assert finished.exit == 0, finished.err
    assert "repository testrepo: nothing is deleted here, so nothing is copied\n" in finished.err
    assert not place.exists()


@pytest.mark.usefixtures("repo")
def test_the_numbers_that_are_told_are_true(shell: Shell, place: Path) -> None:
    file = policy_file(
        shell.home / "policy.json",
        policy({"name": "builds", "match": {"prefix": "build-"}, "keep": {"newest": 3}}),
    )
    finished = shell("run", "-f", file, "--yes", "--backup", str(place))
    assert finished.exit == 0, finished.err
    assert "repository testrepo: 2 manifests will be read for the backup, which counts as a pull\n" in finished.err
    manifests = [path for path in blobs(place).values() if b'"schemaVersion"' in path.read_bytes()[:100]]
    assert len(manifests) == 2
    assert f": 2 images, layers and configs fetched: {len(blobs(place)) - 2} (" in finished.err


def test_what_a_copied_index_lists_and_the_archive_holds_is_said_to_be_lacking(
    repo: Builder, shell: Shell, place: Path
) -> None:
    repo.repository.archive(repo.digests["child-0"])
    rule = {"name": "builds", "match": {"prefix": "build-"}, "keep": {"newest": 3}}
    file = policy_file(shell.home / "policy.json", policy(rule))
    finished = shell("run", "-f", file, "--yes", "--backup", str(place))
    assert finished.exit == 0, finished.err
    assert repo.digests["index-0"] in blobs(place)
    assert (
        "warning: repository testrepo: the copy lacks 1 image that copied indexes list, "
        f"for ECR gives nothing of what is in the archive: {repo.digests['child-0']}\n"
    ) in finished.err


@pytest.mark.parametrize("stated", ["ftp://x", "s3:///x"])
def test_what_is_no_place_of_backups_is_refused_before_anything_is_read(
    repo: Builder, shell: Shell, sandbox: Sandbox, place: Path, stated: str
) -> None:
    file = the_policy(shell)
    plan = str(place.parent / "plan.json")
    assert shell("plan", "-f", file, "--out", plan).exit == 0
    sandbox.calls.clear()
    for words in (
        ("run", "-f", file, "--yes"),
        ("apply", plan, "--yes"),
        ("apply", "--resume", "gone.jsonl", "--yes"),
        ("--repo", "testrepo", "--keep", "build=1"),
    ):
        finished = shell(*words, "--backup", stated)
        assert (finished.exit, len(finished.err.splitlines())) == (2, 1), words
        assert f"backup {stated}: " in finished.err
    assert not sandbox.calls
    assert len(repo.names()) == 13
