"""`plan --out` and `show`, on the wire."""

import json
import time
from pathlib import Path

import jsonschema
import pytest

from aws_ecr_gc import planfile
from aws_ecr_gc.app.planfiles import settings_of
from aws_ecr_gc.discovery.settings import Settings
from aws_ecr_gc.reference import Registry
from aws_ecr_gc.sandbox import Sandbox
from aws_ecr_gc.usage import Origin
from tests.conftest import Shell
from tests.in_use.conftest import HOST, World, aws, cloud, credentials, running_cloud, world
from tests.planfile.files import edited, everything
from tests.wire.builder import Builder
from tests.wire.policies import BUILDS, operations, policy, policy_file, untouched
from tests.wire.test_bad_input import one_line
from tests.wire.test_plan import deny, fill

pytestmark = pytest.mark.usefixtures("untouched")
__all__ = ["aws", "cloud", "credentials", "running_cloud", "untouched", "world"]

SCHEMA = Path(__file__).parents[2] / "src/aws_ecr_gc/schemas/plan-file.schema.json"
FLAGS = ("--keep", "build=2", "--repo", "ci/*")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where the plan file goes."""
    return tmp_path / "plan.json"


def two(sandbox: Sandbox) -> tuple[Builder, Builder]:
    """ci/a and ci/b, of three and eight builds."""
    return fill(sandbox, "ci/a", 3), fill(sandbox, "ci/b", 8)


def test_the_plan_is_written_beside_the_report_and_shown_as_the_same_lines(
    sandbox: Sandbox, shell: Shell, tmp_path: Path, out: Path
) -> None:
    two(sandbox)
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    plain = shell("plan", "-f", file)
    finished = shell("plan", "-f", file, "--out", str(out))
    assert (finished.exit, finished.out) == (0, plain.out)
    written = f"aws-ecr-gc: Plan written to {out}: 7 images to delete in 2 repositories, at most 17.5 kB\n"
    assert finished.err == plain.err + written
    before = len(sandbox.calls)
    shown = shell("show", str(out), AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    assert (shown.exit, shown.err) == (0, "")
    assert shown.out.endswith(plain.out)
    header = shown.out.removesuffix(plain.out).splitlines()
    saved = planfile.load(out)
    assert header[0].startswith(f"Plan of {time.strftime('%Y-', time.gmtime())}")
    assert header[1:] == [
        "Registry: 123456789012 us-east-1 (aws)",
        f"Policy: {file} (sha256 {saved.policy.sha256})",
        "In use was not asked for",
        f"Checksum: {saved.checksum}",
    ]
    assert len(sandbox.calls) == before


def test_the_file_is_of_its_schema_and_show_gives_it_as_it_is(
    sandbox: Sandbox, shell: Shell, tmp_path: Path, out: Path
) -> None:
    repo, _ = two(sandbox)
    repo.image("child")
    repo.index("index", "build-old", children=["child"], pushed_at=1_400_000_000.0)
    repo.image("archived", "build-9")
    repo.repository.archive(repo.digests["archived"])
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    by_plan = json.loads(shell("plan", "-f", file, "--out", str(out), "--output", "json").out)
    document = json.loads(out.read_text())
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    assert shell("show", str(out), "--output", "json").out == out.read_text()
    assert document["policy"] == {"files": [file], "sha256": by_plan["policy_sha256"], "flags": None}
    for part, said in zip(document["repositories"], by_plan["repositories"], strict=True):
        assert (part["active"], part["size"]) == (said["counts"]["active"], said["size_to_delete"])
        assert [each["decision"] for each in part["images"]] == [each["decision"] for each in said["images"]]
        assert [each["reasons"] for each in part["images"]] == [each["reasons"] for each in said["images"]]
    assert [part["name"] for part in document["repositories"]] == ["ci/a", "ci/b"]


def test_the_originals_flags_are_written_in_the_place_of_a_policy_file(
    sandbox: Sandbox, shell: Shell, out: Path
) -> None:
    two(sandbox)
    finished = shell("plan", *FLAGS, "--delete-untagged", "--grace", "2h", "--out", str(out))
    assert finished.exit == 0, finished.err
    flags = planfile.Flags({"build": 2}, delete_untagged=True, grace=7200.0)
    assert planfile.load(out).policy == planfile.PolicySource(flags=flags)
    assert "\nPolicy: the command line, --keep build=2 --delete-untagged --grace 2h\n" in shell("show", str(out)).out


def test_a_plan_of_a_snapshot_is_written_too(sandbox: Sandbox, shell: Shell, tmp_path: Path, out: Path) -> None:
    two(sandbox)
    snapshot = str(tmp_path / "s.gz")
    assert shell("snapshot", "--out", snapshot).exit == 0
    before = len(sandbox.calls)
    assert shell("plan", *FLAGS, "--snapshot", snapshot, "--out", str(out)).exit == 0
    assert len(sandbox.calls) == before
    (part, _) = planfile.load(out).repositories
    assert part.plan.repository.registry == Registry("123456789012", "us-east-1", "aws")
    assert part.inventory.ended_at is not None
    assert part.plan.taken_at <= part.inventory.ended_at < planfile.load(out).made_at


@pytest.mark.parametrize("words", [("--at", "2027-01-01"), ("--forecast", "9d")])
def test_what_is_decided_as_at_another_time_is_not_written(
    sandbox: Sandbox, shell: Shell, out: Path, words: tuple[str, str]
) -> None:
    two(sandbox)
    one_line(shell("plan", *FLAGS, "--out", str(out), *words), 2, "--out", words[0], "can't be applied")
    assert not sandbox.calls
    assert not out.exists()


def test_a_plan_that_a_guard_refuses_is_in_the_file_and_marked(
    sandbox: Sandbox, shell: Shell, tmp_path: Path, out: Path
) -> None:
    two(sandbox)
    file = policy_file(tmp_path / "p.json", policy(BUILDS, guards={"max_delete": 2}))
    finished = shell("plan", "-f", file, "--out", str(out))
    assert finished.exit == 4
    going = "1 image to delete in 1 repository, at most 2.5 kB; guards refuse 6 images in 1 repository"
    assert finished.err.endswith(f"Plan written to {out}: {going}\n")
    small, large = planfile.load(out).repositories
    assert (small.refused, [each.guard for each in large.refused]) == ((), ["max_delete"])
    assert "Refused by the guard max_delete: 6 images would go, and at most 2 may" in shell("show", str(out)).out


def test_what_can_not_be_read_is_not_in_the_file(sandbox: Sandbox, shell: Shell, out: Path) -> None:
    two(sandbox)
    sandbox.before("DescribeImages", deny)
    finished = shell("plan", *FLAGS, "--concurrency", "1", "--out", str(out))
    assert finished.exit == 3
    assert "Plan written to" in finished.err
    assert [each.plan.repository.name for each in planfile.load(out).repositories] == ["ci/b"]


def test_where_nothing_can_be_planned_no_file_is_written_and_an_earlier_one_is_named(
    sandbox: Sandbox, shell: Shell, out: Path
) -> None:
    fill(sandbox, "ci/a")
    for call, earlier in enumerate(("", "; what is there is of an earlier plan"), 1):
        sandbox.before("DescribeImages", deny, call=call)
        finished = shell("plan", *FLAGS, "--out", str(out))
        assert finished.exit == 3
        none = f"no plan was written to {out}, for no repository could be planned{earlier}\n"
        assert finished.err.endswith(none)
        assert out.exists() == bool(earlier)
        out.write_text("earlier")
    assert out.read_text() == "earlier"


def test_a_registry_without_repositories_makes_no_file(shell: Shell, tmp_path: Path, out: Path) -> None:
    finished = shell("plan", "-f", policy_file(tmp_path / "p.json", policy(BUILDS)), "--out", str(out))
    assert finished.exit == 0
    assert "no plan was written" in finished.err
    assert not out.exists()


def test_an_empty_repository_is_of_the_account_of_the_others(sandbox: Sandbox, shell: Shell, out: Path) -> None:
    sandbox.registry().create_repository("ci/0")
    fill(sandbox, "ci/a")
    assert shell("plan", *FLAGS, "--out", str(out)).exit == 0
    assert {each.plan.repository.registry.account for each in planfile.load(out).repositories} == {"123456789012"}
    assert shell("plan", "--keep", "build=2", "--repo", "ci/0", "--out", str(out)).exit == 0
    assert planfile.load(out).registry.account is None
    assert "Registry: account not known us-east-1 (aws)" in shell("show", str(out)).out


def test_a_rule_on_pull_times_makes_them_a_precondition_and_guards_on_the_work_are_kept(
    sandbox: Sandbox, shell: Shell, tmp_path: Path, out: Path
) -> None:
    two(sandbox)
    pulled = {"name": "pulled", "match": {"prefix": "x"}, "keep": {"pulled_within": "9d"}}
    guards = {"canary": 2, "max_failures": 3}
    file = policy_file(
        tmp_path / "p.json",
        policy(BUILDS, pulled, repositories={"include": "ci/a"}, guards=guards),
        policy(BUILDS, repositories={"include": "ci/b"}),
    )
    assert shell("plan", "-f", file, "--out", str(out)).exit == 0
    heeding, other = planfile.load(out).repositories
    assert (heeding.heeds_pulls, heeding.canary, heeding.max_failures) == (True, 2, 3)
    assert (other.heeds_pulls, other.canary, other.max_failures) == (False, None, None)


def test_a_file_that_can_not_be_written_is_one_line(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    two(sandbox)
    one_line(shell("plan", *FLAGS, "--out", str(tmp_path)), 2, "--out", "is a directory; name a file")
    assert not sandbox.calls
    one_line(shell("plan", *FLAGS, "--out"), 2, "--out needs a value")
    blocked = tmp_path / "file"
    blocked.write_text("")
    finished = shell("plan", *FLAGS, "--out", str(blocked / "plan.json"))
    assert finished.exit == 1
    assert "plan.json: can't be written: " in finished.err
    assert finished.err.count("\n") == 1


def test_what_is_no_plan_or_was_altered_is_one_line(shell: Shell, out: Path) -> None:
    one_line(shell("show"), 2, "FILE")
    one_line(shell("show", str(out)), 2, "plan.json", "can't be read")
    out.write_text("{}")
    one_line(shell("show", str(out)), 2, "plan.json", "no plan file")
    planfile.save(out, everything())
    out.write_text(out.read_text().replace("build-1", "build-3"))
    for output in ("text", "markdown", "json"):
        finished = shell("show", str(out), "--output", output)
        assert finished.out == ""
        one_line(finished, 4, "plan.json", "it was altered since it was written")


def test_letters_that_move_the_cursor_are_shown_as_escapes(shell: Shell, out: Path) -> None:
    detail = "gone\u001b[2J\u009b1m\u202e\nRefused"
    change = {"rule": "builds", "detail": detail, "via": None}
    out.write_bytes(edited(everything(), lambda d: d["repositories"][0]["images"][-2].update(reasons=[change])))
    shown = shell("show", str(out))
    assert shown.exit == 0, shown.err
    assert "    builds: gone\\x1b[2J\\x9b1m\\u202e\\nRefused\n" in shown.out


def test_what_was_asked_for_what_is_in_use_is_in_the_file(world: World) -> None:
    world.service("web", "build-1")
    world.service("lost", "build-9")
    world.cloud.deny("lambda", "ListFunctions")
    out = world.folder / "plan.json"
    file = world.policy("{sources: [ecs, lambda]}")
    finished = world.run("plan", "-f", file, "--out", str(out), "--allow-unread", "lambda")
    assert finished.exit == 0, finished.err
    saved = planfile.load(out)
    assert settings_of(saved.asked) == Settings(("ecs", "lambda"))
    assert saved.allow_unread == ("lambda",)
    assert saved.seen is not None
    assert saved.seen.read == (Origin("ecs", "123456789012", "us-east-1"),)
    assert [each.origin.source for each in saved.seen.unread] == ["lambda"]
    assert saved.seen.taken_at >= saved.repositories[0].plan.taken_at
    place = "123456789012/us-east-1"
    lost = f"ecs:prod/lost ({place}) is to run {HOST}/app:build-9, which is not there to be pulled"
    assert saved.repositories[0].broken == (lost,)
    shown = world.run("show", str(out)).out
    assert "\nIn use was read from ecs in 123456789012 us-east-1, at " in shown
    assert f"\nGone on without lambda@{place}: access denied" in shown
    assert f"\nBroken: {lost}\n" in shown
    assert "Kept by what uses them, and by no rule\n" in shown


def test_what_is_in_use_and_was_not_read_for_nothing_goes_is_told(world: World) -> None:
    out = world.folder / "plan.json"
    words = ("plan", "--repo", "app", "--keep", "build=9", "--protect-in-use", "ecs", "--out", str(out))
    assert world.run(*words).exit == 0
    assert planfile.load(out).seen is None
    assert settings_of(planfile.load(out).asked) == Settings(("ecs",))
    assert "In use was not read, for nothing would be changed" in world.run("show", str(out)).out


def test_a_file_of_uses_protects_the_plan_and_nobody_is_to_be_asked_again(world: World) -> None:
    world.service("web", "build-1")
    snapshot, uses, out = (str(world.folder / name) for name in ("s.gz", "uses.json", "plan.json"))
    assert world.run("snapshot", "--out", snapshot).exit == 0
    assert world.run("in-use", "--sources", "ecs", "--out", uses).exit == 0
    words = ("plan", "--repo", "app", "--keep", "build=1", "--snapshot", snapshot, "--in-use", uses, "--out", out)
    assert world.run(*words).exit == 0
    saved = planfile.load(Path(out))
    assert saved.asked is None
    assert saved.seen is not None
    assert len(saved.repositories[0].plan.steps) == 2


def test_a_source_that_can_not_be_read_leaves_no_file(world: World) -> None:
    world.cloud.deny("ecs", "ListClusters")
    out = world.folder / "plan.json"
    assert world.run("plan", "-f", world.policy("{sources: [ecs]}"), "--out", str(out)).exit == 3
    assert not out.exists()


def test_markdown_is_for_a_comment(sandbox: Sandbox, shell: Shell, out: Path) -> None:
    _, repo = two(sandbox)
    assert shell("plan", *FLAGS, "--out", str(out)).exit == 0
    shown = shell("show", str(out), "--output", "markdown")
    assert shown.exit == 0
    lines = shown.out.splitlines()
    assert lines[0] == "### aws-ecr-gc: 7 images to delete in 2 repositories, at most 17.5 kB"
    assert "| <code>ci/b</code> | 8 | 6 | 15.0 kB |  |" in lines
    assert "<details><summary><code>ci/b</code>: 6 images to delete, at most 15.0 kB</summary>" in lines
    short = repo.digests["ci/b-5"][:16]
    row = (
        f"| <code>{short}...</code> | <code>build-5</code> | 2017-03-26 08:53:20 | 2.5 kB "
        "| <code>keep build=2: 3rd of 8; not kept by newest 2</code> |"
    )
    assert row in lines
    assert operations(sandbox).count("DescribeImages") == 2
