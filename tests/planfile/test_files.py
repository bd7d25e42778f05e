"""Plan files: what is in them, and what is none."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from aws_ecr_gc import planfile
from aws_ecr_gc.app.planfiles import asked_of, settings_of
from aws_ecr_gc.discovery.settings import Kind, Kubernetes, Listing, Settings
from aws_ecr_gc.errors import Altered, Exit, Misuse, OutputLost
from aws_ecr_gc.inventory import Image
from aws_ecr_gc.policy import original_policy
from aws_ecr_gc.reference import Registry, Repository
from tests.planfile.files import edited, everything, file_of, loaded, planned, saved
from tests.policy.repositories import MANIFEST, NOW, digest, inventory_of

SCHEMA = Path(__file__).parents[2] / "src/aws_ecr_gc/schemas/plan-file.schema.json"
Edit = Callable[[dict[str, Any]], object]


def first(document: dict[str, Any], what: str, at: int = 0) -> Any:
    """A part of the first repository."""
    return document["repositories"][0][what][at]


def test_a_file_is_of_its_schema_indented_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "plan.json"
    checksum = planfile.save(path, everything())
    document = json.loads(path.read_text())
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().startswith('{\n "format": "aws-ecr-gc plan",\n "version": 1,\n "tool": ')
    assert document["checksum"] == checksum == planfile.load(path).checksum
    assert [each.name for each in path.parent.iterdir()] == ["plan.json"]


def test_a_step_names_its_image_and_what_was_seen_stands_with_the_image() -> None:
    document = json.loads(saved(everything()))
    assert set(first(document, "steps")) == {"digest", "action", "after", "wave", "subjects", "untag", "put_away"}
    index, *_, child = loaded(saved(everything())).repositories[0].plan.steps
    assert (index.tags, index.pushed_at, index.wave) == (("build-1",), NOW - 89_000.5, 0)
    assert (child.after, child.wave) == ((digest("index"),), 1)


def test_white_space_and_the_way_that_a_letter_is_written_are_of_no_account() -> None:
    content = saved(everything())
    compact = json.dumps(json.loads(content), separators=(",", ":")).encode()
    assert loaded(compact.replace(b"build-1", b"\\u0062uild-1")) == loaded(content)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: first(d, "steps").update(digest=digest("none")), "no image that goes"),
        (lambda d: first(d, "steps").update(digest=digest("new")), "no image that goes"),
        (lambda d: d["repositories"][0]["steps"].append(first(d, "steps")), "one of an earlier step"),
        (lambda d: d["repositories"][0]["steps"].pop(), "images that go and no step"),
        (lambda d: d["repositories"][0]["steps"].reverse(), "goes before what it waits for"),
        (lambda d: first(d, "steps").update(after=[first(d, "steps", 1)["digest"]]), "goes before what it waits for"),
        (lambda d: first(d, "steps").update(after=[first(d, "steps")["digest"]]), "goes before what it waits for"),
        (lambda d: first(d, "steps", 1).update(after=[]), "and what it waits for says another"),
        (lambda d: first(d, "steps").update(wave=2), "is of wave 2"),
        (lambda d: first(d, "steps", 1).update(subjects=[digest("new")]), "does not wait for all its subjects"),
        (lambda d: first(d, "steps").update(action="purge"), "Invalid enum value 'purge'"),
        (lambda d: first(d, "steps").update(action="archive"), "is to archive, and that is none of the policy's"),
        (lambda d: d["repositories"][0].update(action="archive"), "is to delete, and that is none of the policy's"),
        (lambda d: first(d, "steps").update(untag=["build-1"]), "removes tags that it has not, none, or all"),
        (lambda d: first(d, "images").update(status="GONE"), "Invalid enum value 'GONE'"),
        (lambda d: first(d, "images").update(decision="perhaps"), "Invalid enum value 'perhaps'"),
        (lambda d: first(d, "images").pop("decision"), "missing required field `decision`"),
        (lambda d: first(d, "images").update(reasons=[]), "length >= 1"),
        (lambda d: first(d, "images").update(children="sha256:1"), "Expected `array | null`"),
        (lambda d: first(d, "images").update(tags=["a\u001b[2J"]), "matching regex"),
        (lambda d: first(d, "images").update(digest="sha256:12\n"), "matching regex"),
        (lambda d: first(d, "images").update(pushed_at=-1), ">= 0"),
        (lambda d: first(d, "images").update(pushed_at=1e18), "<= 2"),
        (lambda d: first(d, "images").update(precondition=True), "unknown field `precondition`"),
        (lambda d: d["repositories"][0]["images"].append(first(d, "images")), "an image is there twice"),
        (lambda d: d["repositories"][0]["images"].reverse(), "not in order, newest first"),
        (lambda d: d["repositories"].append(d["repositories"][0]), "a repository is there twice"),
        (lambda d: d["repositories"][0].update(active=4), "how many images are active"),
        (lambda d: d["repositories"][0].update(size=0), "the size of what goes"),
        (lambda d: d.pop("in_use"), "missing required field `in_use`"),
        (lambda d: d["in_use"]["asked"]["lists"][0].update(kind="guess"), "Invalid enum value 'guess'"),
    ],
)
def test_a_document_that_contradicts_itself_is_damaged(change: Edit, message: str) -> None:
    with pytest.raises(Misuse) as raised:
        loaded(edited(everything(), change))
    assert "plan.json: a plan file that is cut off or damaged: " in str(raised.value)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: first(d, "images").update(tags=["release-1"]),
        lambda d: first(d, "images")["reasons"][0].update(detail="something else"),
        lambda d: d["repositories"].pop(),
        lambda d: d["registry"].update(account="210987654321"),
        lambda d: d["policy"]["flags"].update(keep={"build": 2}),
        lambda d: d["in_use"].update(asked=None),
        lambda d: d["in_use"]["allow_unread"].append("ecs"),
        lambda d: d["repositories"][0].update(heeds_pulls=False),
        lambda d: d.update(made_at=NOW + 1),
        lambda d: d.update(checksum=""),
    ],
)
def test_a_file_that_was_altered_is_told_by_its_checksum(change: Edit) -> None:
    document = json.loads(saved(everything()))
    change(document)
    with pytest.raises(Altered, match=r"plan\.json: it was altered since it was written") as raised:
        loaded(json.dumps(document).encode())
    assert raised.value.exit is Exit.REFUSED


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cut off or damaged"),
        (b"version: 1\n", "cut off or damaged"),
        (b"\xff\xfe", "cut off or damaged"),
        (b"[" * 100_000, "no plan file"),
        (b"[]", "no plan file"),
        (b'{"version": 1}', "no plan file"),
        (b'{"format": "aws-ecr-gc in-use", "version": 1}', "no plan file; give one that aws-ecr-gc plan --out wrote"),
        (
            b'{"format": "aws-ecr-gc plan", "version": 2, "new": []}',
            "of version 2, and this aws-ecr-gc reads version 1",
        ),
    ],
)
def test_what_is_no_plan_file_is_told_with_the_mend(content: bytes, message: str) -> None:
    with pytest.raises(Misuse, match=message):
        loaded(content)


def test_a_file_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match=r"gone.json: can't be read: No such file or directory; give a file of"):
        planfile.load(tmp_path / "gone.json")
    with pytest.raises(Misuse, match="can't be read: Is a directory"):
        planfile.load(tmp_path)


def test_what_can_not_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("earlier")
    odd = Image(digest("odd"), NOW, ("two words",), MANIFEST)
    with pytest.raises(OutputLost, match="no plan file holds this"):
        planfile.save(path, file_of(planned(inventory_of([odd]), original_policy({}, delete_untagged=False))))
    with pytest.raises(OutputLost, match="can't be written"):
        planfile.save(path / "below", everything())
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_plans_of_two_registries_make_no_file() -> None:
    file = everything()
    other = Repository(Registry("210987654321", "us-east-1", "aws"), "testrepo")
    first_plan = file.repositories[0]
    moved = replace(first_plan, plan=replace(first_plan.plan, repository=other))
    with pytest.raises(ValueError, match="not of the registry of the file"):
        saved(replace(file, repositories=(moved,)))


def test_whole_numbers_for_times_are_times() -> None:
    image = Image(digest("a"), 1_400_000_000, ("build-1",), MANIFEST)
    file = file_of(planned(inventory_of([image]), original_policy({"build": 0}, delete_untagged=False)))
    again = loaded(saved(file))
    assert again == replace(file, checksum=again.checksum)


def test_a_path_of_bytes_that_are_no_text_can_be_told() -> None:
    file = replace(everything(), policy=planfile.PolicySource(("caf\udce9.yaml",), "00"))
    assert loaded(saved(file)).policy.files == ("caf\\udce9.yaml",)


@pytest.mark.parametrize(
    "settings",
    [
        None,
        Settings(("ecs", "lambda")),
        Settings(
            ("ecs",),
            every=True,
            revisions=9,
            accounts=("210987654321",),
            organization=True,
            role="reader",
            external_id="x",
            regions=("us-east-1",),
            kubernetes=Kubernetes(("prod",), "/kube/config", in_cluster=True),
            lists=tuple(Listing(kind, ("a", "b")) for kind in Kind),
        ),
    ],
)
def test_what_is_to_be_asked_comes_back_as_it_was(settings: Settings | None) -> None:
    assert settings_of(asked_of(settings)) == settings
    again = loaded(saved(replace(everything(), asked=asked_of(settings))))
    assert settings_of(again.asked) == settings


def test_a_hundred_thousand_images_come_back(tmp_path: Path) -> None:
    order = list(range(100_000))
    random.Random(7).shuffle(order)
    images = [Image(digest(number), NOW - number // 3, (f"build-{number}",), MANIFEST, 1000) for number in order]
    file = file_of(planned(inventory_of(images), original_policy({"build": 10}, delete_untagged=True)))
    planfile.save(tmp_path / "plan.json", file)
    plan = planfile.load(tmp_path / "plan.json").repositories[0].plan
    assert plan.steps == file.repositories[0].plan.steps
    assert len(plan.steps) == 99_990
