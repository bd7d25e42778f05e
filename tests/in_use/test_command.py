"""`in-use`, and the file that it saves."""

import json
import time
from pathlib import Path

import jsonschema
import pytest
from msgspec.structs import replace

from aws_ecr_gc import usesfile
from aws_ecr_gc.errors import Misuse
from aws_ecr_gc.reference import Reference
from aws_ecr_gc.sandbox.faults import Faults
from aws_ecr_gc.usage import InUse, Origin, Unread, Use, by_repository
from tests.in_use.conftest import HOST, POLICY, World
from tests.policy.repositories import REPOSITORY, digest

PLACE = "123456789012/us-east-1"
SCHEMAS = Path(__file__).parent.parent.parent / "src" / "aws_ecr_gc" / "schemas"


def test_images_are_listed_with_what_uses_them(world: World) -> None:
    world.service("web", "build-1")
    world.service("api", "build-1")
    world.service("far", "999999999999.dkr.ecr.eu-west-1.amazonaws.com/elsewhere:v1")
    done = world.run("in-use", "--sources", "ecs")
    assert done.exit == 0, done.err
    short = world.repository.digests["image 1"][:16]
    lines = done.out.splitlines()
    assert lines[0] == "In use was read from ecs (3 uses) in 123456789012 us-east-1"
    assert lines[1:3] == ["app (123456789012 us-east-1)", f"  {short}... [build-1]"]
    assert {"    ecs:prod/web", "    ecs:prod/api"} < set(lines)
    far = "999999999999.dkr.ecr.eu-west-1.amazonaws.com/elsewhere:v1"
    assert f"  {far} (not looked for there)" in lines
    assert "elsewhere (999999999999 eu-west-1)" in lines


def test_workloads_are_listed_with_what_they_use(world: World) -> None:
    world.service("web", "build-1")
    done = world.run("in-use", "--sources", "ecs", "--by", "workload")
    assert done.exit == 0, done.err
    assert f"ecs:prod/web (123456789012/us-east-1)\n  {HOST}/app:build-1\n" in done.out


def test_a_missing_image_of_a_current_workload_is_a_finding(world: World) -> None:
    world.service("web", "build-9")
    world.service("lost", f"{HOST}/never:v1")
    done = world.run("in-use", "--sources", "ecs")
    assert done.exit == 6
    assert f"Broken: ecs:prod/web ({PLACE}) is to run {HOST}/app:build-9, which is not there to be pulled" in done.out
    assert f"Broken: ecs:prod/lost ({PLACE}) is to run {HOST}/never:v1, which is not there to be pulled" in done.out


def test_a_missing_image_of_an_old_revision_is_none(world: World) -> None:
    container = {"name": "main", "image": f"{HOST}/app:build-9", "memory": 8}
    world.aws("ecs").register_task_definition(family="old", containerDefinitions=[container])
    done = world.run("in-use", "--sources", "ecs", "--by", "workload")
    assert done.exit == 0, done.out
    assert f"  {HOST}/app:build-9 (to go back to) (missing)" in done.out


def test_the_document_is_of_its_schema_and_says_the_same(world: World) -> None:
    world.service("web", "build-1")
    world.service("lost", "build-9")
    done = world.run("in-use", "--sources", "ecs", "--output", "json", "--repo", "ap*")
    assert done.exit == 6
    content = json.loads(done.out)
    jsonschema.validate(content, json.loads((SCHEMAS / "in-use.schema.json").read_text()))
    there = [each for each in content["images"] if not each["missing"]]
    assert [(each["repository"], each["tags"]) for each in there] == [("app", ["build-1"])]
    assert [each["workload"] for each in content["broken"]] == ["prod/lost"]
    assert {"prod/web", "prod/lost"} <= {each["workload"] for each in content["workloads"]}


def test_a_source_that_can_not_be_read_is_named_and_no_file_is_written(world: World) -> None:
    world.cloud.deny("ecs", "ListClusters")
    out = world.folder / "uses.json"
    done = world.run("in-use", "--sources", "ecs", "--out", str(out))
    assert done.exit == 3
    assert "the permission ecs:ListClusters is missing" in done.err
    assert not out.exists()


def test_one_reading_serves_a_plan_of_what_was_read_before_it(world: World) -> None:
    world.service("web", "build-1")
    snapshot, uses = str(world.folder / "s.gz"), str(world.folder / "uses.json")
    assert world.run("snapshot", "--out", snapshot).exit == 0
    assert world.run("in-use", "--sources", "ecs", "--out", uses).exit == 0
    before = len(world.cloud.calls)
    done = world.run("plan", "-f", world.policy("{sources: [ecs]}"), "--snapshot", snapshot, "--in-use", uses)
    assert done.exit == 0, done.err
    assert "  in-use: 1" in done.out
    assert len(world.cloud.calls) == before


def test_a_reading_that_is_older_than_the_repositories_is_refused(world: World) -> None:
    world.service("web", "build-1")
    uses = str(world.folder / "uses.json")
    assert world.run("in-use", "--sources", "ecs", "--out", uses).exit == 0
    done = world.run("plan", "-f", world.policy("{sources: [ecs]}"), "--in-use", uses)
    assert done.exit == 4
    assert done.out == ""
    assert "before repository app" in done.err


def test_a_reading_without_what_the_policy_asks_for_is_refused(world: World) -> None:
    world.service("web", "build-1")
    uses = str(world.folder / "uses.json")
    assert world.run("in-use", "--sources", "ecs", "--out", uses).exit == 0
    done = world.run("plan", "-f", world.policy("{sources: [ecs, lambda]}"), "--in-use", uses)
    assert done.exit == 4
    assert "lambda was not read for it, and the policy asks for that" in done.err


def test_what_was_missing_when_it_was_read_is_missing_when_it_is_used(world: World) -> None:
    world.service("web", "build-1")
    world.cloud.deny("lambda", "ListFunctions")
    snapshot, uses = str(world.folder / "s.gz"), str(world.folder / "uses.json")
    assert world.run("snapshot", "--out", snapshot).exit == 0
    words = ("in-use", "--sources", "ecs,lambda", "--out", uses)
    assert world.run(*words).exit == 3
    assert world.run(*words, "--allow-unread", "lambda").exit == 0
    plan = ("plan", "-f", world.policy("{sources: [ecs, lambda]}"), "--snapshot", snapshot, "--in-use", uses)
    assert world.run(*plan).exit == 3
    done = world.run(*plan, "--allow-unread", "lambda@123456789012/us-east-1")
    assert done.exit == 0
    assert "Gone on without lambda@123456789012/us-east-1: access denied" in done.out


def test_run_takes_no_file_for_it_reads_what_is_in_use_itself(world: World) -> None:
    done = world.run("run", "-f", world.policy("{sources: [ecs]}"), "--yes", "--in-use", "x.json")
    assert done.exit == 2
    assert "--in-use" in done.err


def test_something_to_look_into_must_be_named(world: World) -> None:
    assert "say what to look into" in world.run("in-use").err
    path = world.folder / "plain.yaml"
    path.write_text("version: 1\npolicies: [{rules: [{name: a, match: {any: true}, keep: none}]}]\n")
    done = world.run("in-use", "-f", str(path))
    assert done.exit == 2
    assert "it has no in_use" in done.err


def whole() -> InUse:
    """A reading with everything in it."""
    read = (Origin("ecs", "123456789012", "us-east-1"), Origin("kubernetes", name="prod"))
    references = [
        Reference(REPOSITORY, "v1", digest("a")),
        Reference(REPOSITORY, None, digest("b")),
        Reference(REPOSITORY),
    ]
    uses = [
        Use(each, "prod/web", origin, current) for each in references for origin in read for current in (True, False)
    ]
    unread = (Unread(Origin("lambda", "123456789012", "us-east-1"), "access denied"),)
    return InUse(1_500_000_000.25, by_repository(uses), read, unread)


def test_what_is_saved_is_loaded_again_as_the_same(tmp_path: Path) -> None:
    path = tmp_path / "uses.json"
    usesfile.save(path, whole())
    assert usesfile.load(path) == whole()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("aws-ecr-gc in-use", "something else", "no file of aws-ecr-gc in-use --out"),
        ('"version": 1', '"version": 2', "of version 2, and this program knows 1"),
        ('"read": 1', '"read": 7', "no whole file"),
        (f"{HOST}/testrepo:v1", "nginx:1.25", "is no image of a private ECR registry"),
        ('"taken_at": 1', '"taken_at": -1', "no whole file"),
    ],
)
def test_a_file_that_is_not_one_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "uses.json"
    usesfile.save(path, whole())
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(Misuse, match=message):
        usesfile.load(path)


def test_a_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "uses.json"
    usesfile.save(path, whole())
    content = path.read_bytes()
    for length in range(0, len(content) - 2, 97):
        path.write_bytes(content[:length])
        with pytest.raises(Misuse, match="no whole file"):
            usesfile.load(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match=r"gone.json: can't be read: No such file or directory; write it with"):
        usesfile.load(tmp_path / "gone.json")


def test_a_plan_of_a_snapshot_asks_the_region_of_the_snapshot(world: World) -> None:
    world.service("web", "build-1")
    snapshot = str(world.folder / "s.gz")
    assert world.run("snapshot", "--out", snapshot).exit == 0
    path = world.policy("{sources: [ecs]}")
    done = world.run("plan", "-f", path, "--snapshot", snapshot, AWS_DEFAULT_REGION="eu-west-1")
    assert done.exit == 0, done.err
    assert "In use was read from ecs (1 use) in 123456789012 us-east-1" in done.out


def test_a_comparison_of_policies_says_that_they_would_ask_others(world: World) -> None:
    old = world.folder / "old.yaml"
    old.write_text(POLICY)
    words = ("policy", "diff", str(old), world.policy("{sources: [ecs]}"), "--exit-code")
    done = world.run(*words)
    assert done.exit == 6
    assert "in_use differs: other workloads are asked what they run" in done.out
    assert json.loads(world.run(*words, "--output", "json").out)["in_use_differs"] is True
    assert world.run("policy", "diff", str(old), str(old), "--exit-code").exit == 0


@pytest.mark.parametrize(
    ("asked", "missing"),
    [
        ("{sources: all}", "all"),
        ("{sources: [ecs], accounts: ['210987654321'], role: r}", "210987654321"),
        ("{sources: [ecs], regions: [us-east-1, eu-west-1]}", "ecs in eu-west-1"),
        ("{sources: [ecs], organization: true, role: r}", "the organization"),
        ("{sources: [ecs], task_definition_revisions: 9}", "9 revisions of task definitions"),
        ("{sources: [ecs], kubernetes: {contexts: [prod]}}", "kubernetes prod"),
    ],
)
def test_a_reading_that_is_narrower_than_the_policy_is_refused(world: World, asked: str, missing: str) -> None:
    world.service("web", "build-1")
    snapshot, uses = str(world.folder / "s.gz"), str(world.folder / "uses.json")
    assert world.run("snapshot", "--out", snapshot).exit == 0
    assert world.run("in-use", "--sources", "ecs", "--out", uses).exit == 0
    done = world.run("plan", "-f", world.policy(asked), "--snapshot", snapshot, "--in-use", uses)
    assert done.exit == 4
    assert f"{missing} was not read for it" in done.err


def test_a_reading_that_began_while_the_snapshot_was_taken_is_refused(world: World) -> None:
    world.service("web", "build-1")
    snapshot, uses = str(world.folder / "s.gz"), str(world.folder / "uses.json")

    def read(_: object) -> None:
        workloads = usesfile.load(Path(uses))
        usesfile.save(Path(uses), replace(workloads, taken_at=time.time()))

    assert world.run("in-use", "--sources", "ecs", "--out", uses).exit == 0
    world.sandbox.before("DescribeImages", read, call=2)
    assert world.run("snapshot", "--out", snapshot).exit == 0
    done = world.run("plan", "-f", world.policy("{sources: [ecs]}"), "--snapshot", snapshot, "--in-use", uses)
    assert done.exit == 4
    assert "before repository app" in done.err


def test_images_of_another_account_are_not_looked_for_in_this_one(world: World) -> None:
    world.service("far", "999999999999.dkr.ecr.us-east-1.amazonaws.com/app:v1")
    done = world.run("in-use", "--sources", "ecs")
    assert done.exit == 0, done.out
    assert "Broken" not in done.out


def test_a_repository_that_can_not_be_read_shows_in_the_exit_code(world: World) -> None:
    world.service("web", "build-1")
    world.sandbox.faults = Faults(deny=["DescribeImages"])
    done = world.run("in-use", "--sources", "ecs")
    assert done.exit == 3
    assert "repository app: can't be read: access denied" in done.err
