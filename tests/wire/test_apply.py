"""`apply`: a plan file is carried out as far as what it was made by still holds."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from aws_ecr_gc import journal, planfile
from aws_ecr_gc.sandbox import Sandbox
from tests.conftest import Finished, Shell
from tests.wire.builder import Builder

POLICY = """
version: 1
protect: {grace: 0h}
policies: [{rules: [{name: builds, match: {prefix: build-}, keep: {newest: 1}}]}]
"""


class World:
    """`app` with build-1 to build-4, and a policy that keeps the newest."""

    def __init__(self, sandbox: Sandbox, shell: Shell) -> None:
        self.sandbox = sandbox
        self.folder = shell.home
        shell.environment["AWS_ENDPOINT_URL"] = sandbox.url
        self.run = shell
        self.repository = Builder(sandbox, "app")
        for number in range(1, 5):
            self.repository.image(f"image {number}", f"build-{number}")

    def policy(self, more: str = "", text: str = POLICY) -> str:
        path = self.folder / "policy.yaml"
        path.write_text(text + more)
        return str(path)

    def plan(self, *words: str, policy: str | None = None) -> str:
        """Make a plan file."""
        path = str(self.folder / "plan.json")
        done = self.run("plan", "-f", policy or self.policy(), "--out", path, *words)
        assert done.exit in {0, 4}, done.err
        return path

    def apply(self, *words: str) -> Finished:
        return self.run("apply", *words, "--yes")

    def digest(self, number: int) -> str:
        return self.repository.digests[f"image {number}"]

    def names(self) -> set[str]:
        return self.repository.names()


@pytest.fixture
def world(sandbox: Sandbox, shell: Shell) -> World:
    return World(sandbox, shell)


def test_a_plan_is_carried_out_by_another_process(world: World) -> None:
    done = world.apply(world.plan())
    assert done.exit == 0, done.err
    assert world.names() == {"image 4"}
    assert done.out.startswith("Carried out in app (us-east-1)\nDeleted (3)\n")
    again = world.apply(str(world.folder / "plan.json"))
    assert again.exit == 0
    assert "Deleted (3)" in again.out  # what is gone is done


def test_nothing_is_pushed_out_by_what_came_since(world: World) -> None:
    plan = world.plan()
    world.repository.image("image 5", "build-5")
    assert world.apply(plan).exit == 0
    assert world.names() == {"image 4", "image 5"}


def test_what_changed_since_is_left_as_it_is_and_reported(world: World) -> None:
    plan = world.plan()
    world.repository.repository.tag("prod", world.digest(1))
    world.repository.repository.archive(world.digest(2))
    done = world.apply(plan)
    assert done.exit == 0
    assert world.names() == {"image 1", "image 2", "image 4"}
    assert "ChangedSincePlan: tagged [build-1, prod] now, [build-1] in the plan" in done.out
    assert "ChangedSincePlan: ARCHIVED now, ACTIVE in the plan" in done.out
    assert world.apply(plan, "--strict").exit == 5


def test_a_pull_since_the_plan_counts_where_a_rule_goes_by_pulls(world: World) -> None:
    by_pulls = POLICY.replace("newest: 1", "newest: 1, pulled_within: 30d")
    plan = world.plan(policy=world.policy(text=by_pulls))
    world.repository.repository.pull(world.digest(1))
    done = world.apply(plan)
    assert done.exit == 0
    assert world.names() == {"image 1", "image 4"}
    assert "ChangedSincePlan: pulled since the plan, and a rule goes by that" in done.out


def test_what_came_into_use_since_the_plan_stays(world: World) -> None:
    plan = world.plan(policy=world.policy("in_use: {sources: [lambda]}\n"))
    world.sandbox.workloads().functions.create("late", world.repository.repository.uri + ":build-2")
    done = world.apply(plan)
    assert done.exit == 0, done.err
    assert world.names() == {"image 2", "image 4"}
    assert "InUse: in-use: lambda:function late:$LATEST uses it" in done.out


def test_a_source_that_can_not_be_read_any_more_stops_the_apply(world: World) -> None:
    plan = world.plan(policy=world.policy("in_use: {sources: [lambda]}\n"))
    world.sandbox.faults.deny = ["ListFunctions"]
    done = world.apply(plan)
    assert done.exit == 3
    assert len(world.names()) == 4
    assert world.apply(plan, "--allow-unread", "lambda").exit == 0


def test_a_saved_reading_serves_an_apply_if_it_is_younger_than_the_plan(world: World) -> None:
    uses = str(world.folder / "uses.json")
    policy = world.policy("in_use: {sources: [lambda]}\n")
    assert world.run("in-use", "-f", policy, "--out", uses).exit == 0
    plan = world.plan(policy=policy)
    refused = world.apply(plan, "--in-use", uses)
    assert refused.exit == 4
    assert "before repository app" in refused.err
    world.sandbox.workloads().functions.create("late", world.repository.repository.uri + ":build-2")
    assert world.run("in-use", "-f", policy, "--out", uses).exit == 0
    assert world.apply(plan, "--in-use", uses).exit == 0
    assert world.names() == {"image 2", "image 4"}


def test_a_plan_that_a_file_alone_protected_must_be_protected_so_again(world: World) -> None:
    uses, snapshot = str(world.folder / "uses.json"), str(world.folder / "s.gz")
    policy = world.policy("in_use: {sources: [lambda]}\n")
    world.sandbox.workloads().functions.create("old", world.repository.repository.uri + ":build-1")
    assert world.run("snapshot", "--out", snapshot).exit == 0
    assert world.run("in-use", "-f", policy, "--out", uses).exit == 0
    plan = world.plan("--snapshot", snapshot, "--in-use", uses)
    refused = world.apply(plan)
    assert refused.exit == 4
    assert "give --in-use with a younger file" in refused.err
    assert world.apply(plan, "--in-use", uses).exit == 0
    assert world.names() == {"image 1", "image 4"}


@pytest.mark.parametrize(("age", "words", "code"), [(90000, (), 4), (90000, ("--max-age", "2d"), 0), (80000, (), 0)])
def test_a_plan_that_is_too_old_is_refused(world: World, age: float, words: tuple[str, ...], code: int) -> None:
    plan = Path(world.plan())
    file = planfile.load(plan)
    planfile.save(plan, replace(file, made_at=time.time() - age))
    done = world.apply(str(plan), *words)
    assert done.exit == code
    assert len(world.names()) == (4 if code else 1)
    if code:
        assert "--max-age is 24h" in done.err or "--max-age is 1d" in done.err


def test_a_plan_that_was_altered_is_refused(world: World) -> None:
    plan = Path(world.plan())
    plan.write_text(plan.read_text().replace("build-4", "build-1", 1))
    done = world.apply(str(plan))
    assert done.exit in {2, 4}
    assert len(world.names()) == 4
    assert "plan.json" in done.err


def test_a_plan_of_another_region_or_account_is_refused(world: World) -> None:
    plan = world.plan()
    elsewhere = world.apply(plan, "--region", "eu-west-1")
    assert elsewhere.exit == 4
    assert "of the registry in us-east-1, and the region here is eu-west-1; give --region us-east-1" in elsewhere.err
    others = world.run("apply", plan, "--yes", AWS_ACCESS_KEY_ID="210987654321")
    assert others.exit == 4
    assert "of the registry of 123456789012, and this is 210987654321" in others.err
    assert len(world.names()) == 4


def test_the_region_of_the_plan_is_that_of_the_apply_where_none_is_set(world: World) -> None:
    plan = world.plan()
    assert world.run("apply", plan, "--yes", AWS_DEFAULT_REGION=None).exit == 0
    assert world.names() == {"image 4"}


def test_a_plan_of_another_policy_is_refused(world: World) -> None:
    plan = world.plan()
    assert world.apply(plan, "-f", world.policy("# a remark\n")).exit == 4
    assert len(world.names()) == 4
    assert world.apply(plan, "-f", world.policy()).exit == 0


def test_a_plan_that_a_guard_refused_is_not_carried_out(world: World) -> None:
    other = Builder(world.sandbox, "other")
    for number in range(1, 9):
        other.image(f"image {number}", f"build-{number}")
    plan = world.plan(policy=world.policy("guards: {max_delete: 5}\n"))
    done = world.apply(plan)
    assert done.exit == 4
    assert world.names() == {"image 4"}
    assert len(other.names()) == 8
    assert "repository other: refused by the guard max_delete" in done.err


def test_without_a_terminal_nothing_is_deleted_unless_yes_stands_there(world: World) -> None:
    plan = world.plan()
    done = world.run("apply", plan)
    assert done.exit == 2
    assert "give --yes" in done.err
    assert len(world.names()) == 4


def test_a_plan_of_a_snapshot_is_carried_out_too(world: World) -> None:
    snapshot = str(world.folder / "s.gz")
    assert world.run("snapshot", "--out", snapshot).exit == 0
    world.repository.repository.tag("prod", world.digest(3))
    assert world.apply(world.plan("--snapshot", snapshot)).exit == 0
    assert world.names() == {"image 3", "image 4"}


def test_the_document_says_how_every_step_ended(world: World) -> None:
    plan = world.plan()
    world.repository.repository.tag("prod", world.digest(1))
    (part,) = json.loads(world.apply(plan, "--output", "json").out)["repositories"]
    assert part["counts"]["deleted"] == 2
    assert part["counts"]["skipped"] == 1


def test_a_file_that_is_no_plan_is_refused(world: World) -> None:
    path = world.folder / "not.json"
    path.write_text("{}")
    done = world.apply(str(path))
    assert done.exit == 2
    assert "no plan file" in done.err
    assert world.apply(str(world.folder / "gone.json")).exit == 2


def journals(world: World) -> list[Path]:
    return sorted((world.folder / "state" / "aws-ecr-gc" / "journals").glob("*.jsonl"))


def test_every_deletion_is_on_record_with_manifest_and_outcome(world: World) -> None:
    manifests = {digest: image.manifest for digest, image in world.repository.repository.images.items()}
    done = world.apply(world.plan())
    (path,) = journals(world)
    assert f"journal: {path}" in done.err
    assert "3 manifests will be read for the journal, which counts as a pull; --no-restore leaves that out" in done.err
    recorded = journal.read(*journal.journal_at(path, lambda: pytest.fail("no S3 is asked for")))
    of_app = recorded.repositories["app"]
    assert {digest: seen.manifest for digest, seen in of_app.images.items()} == {
        world.digest(number): manifests[world.digest(number)] for number in (1, 2, 3)
    }
    assert recorded.remaining == 0
    assert recorded.end is not None


def test_without_restore_no_manifest_is_read(world: World) -> None:
    plan = world.plan()
    world.sandbox.calls.clear()
    assert world.apply(plan, "--no-restore").exit == 0
    assert "BatchGetImage" not in {call.operation for call in world.sandbox.calls}
    recorded = journal.read(*journal.journal_at(journals(world)[0], lambda: pytest.fail("no S3 is asked for")))
    assert not recorded.begin.restorable


def test_a_journal_that_can_not_be_written_stops_before_the_first_deletion(world: World) -> None:
    plan = world.plan()
    (world.folder / "file").write_text("")
    done = world.apply(plan, "--journal", str(world.folder / "file" / "below"))
    assert done.exit == 2
    assert (
        "can't be written: Not a directory; nothing was deleted without it; set --journal, or go without by --journal"
        in done.err
    )
    assert "see --journal" not in done.err
    assert len(world.names()) == 4
    assert world.apply(plan, "--journal", "none").exit == 0
    assert world.names() == {"image 4"}
    assert journals(world) == []


def test_what_an_interrupted_apply_left_is_finished_by_its_journal(world: World) -> None:
    for number in (1, 2, 3):  # so many tags that each image takes a call of its own
        for more in range(60):
            world.repository.repository.tag(f"build-{number}-{more}", world.digest(number))
    plan = world.plan()
    world.sandbox.after("BatchDeleteImage", lambda _: setattr(world.sandbox.faults, "deny", ["BatchDeleteImage"]))
    broken = world.apply(plan)
    assert broken.exit == 5
    assert len(world.names()) == 3
    world.sandbox.faults.deny = []
    (path,) = journals(world)
    done = world.run("apply", "--resume", str(path), "--yes")
    assert done.exit == 0, done.err
    assert world.names() == {"image 4"}
    assert "Deleted (3)" in done.out
    again = world.run("apply", "--resume", str(path), "--yes")
    assert again.exit == 0
    assert "nothing is left to do" in again.err


def test_an_answer_that_was_lost_is_looked_up_when_it_is_gone_on(world: World) -> None:
    plan = world.plan()
    world.sandbox.before("BatchDeleteImage", lambda _: setattr(world.sandbox.faults, "lost_answer_share", 1.0))
    world.sandbox.faults.lost_answer_share = 0.0
    world.sandbox.before("BatchGetImage", lambda _: setattr(world.sandbox.faults, "lost_answer_share", 0.0))
    first = world.apply(plan)
    assert first.exit in {0, 5}
    world.sandbox.faults.lost_answer_share = 0.0
    (path,) = journals(world)
    assert world.run("apply", "--resume", str(path), "--yes").exit == 0
    assert world.names() == {"image 4"}


def test_what_came_into_use_since_stays_when_a_journal_is_gone_on_with(world: World) -> None:
    plan = world.plan(policy=world.policy("in_use: {sources: [lambda]}\n"))
    world.sandbox.faults.deny = ["BatchDeleteImage"]
    assert world.apply(plan).exit == 5
    world.sandbox.faults.deny = []
    world.sandbox.workloads().functions.create("late", world.repository.repository.uri + ":build-2")
    (path,) = journals(world)
    assert world.run("apply", "--resume", str(path), "--yes").exit == 0
    assert world.names() == {"image 2", "image 4"}


def test_a_journal_of_another_account_is_refused(world: World) -> None:
    plan = world.plan()
    world.sandbox.faults.deny = ["BatchDeleteImage"]
    assert world.apply(plan).exit == 5
    (path,) = journals(world)
    others = world.run("apply", "--resume", str(path), "--yes", AWS_ACCESS_KEY_ID="210987654321")
    assert others.exit == 4
    assert "of the registry of 123456789012, and this is 210987654321" in others.err


def test_run_keeps_a_journal_too(world: World) -> None:
    assert world.run("run", "-f", world.policy(), "--yes").exit == 0
    (path,) = journals(world)
    assert journal.read(*journal.journal_at(path, lambda: pytest.fail("no S3 is asked for"))).end is not None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give a plan file, or --resume with a journal"),
        (("plan.json", "--resume", "j"), "a plan file and --resume: give one of them, not both"),
        (("plan.json", "--journal", "s3://"), "journal s3://: names no bucket; write s3://BUCKET/PREFIX\n"),
        (("--resume", "gone.jsonl"), "gone.jsonl"),
        (("--resume", "j", "--journal", "none"), "the journal says it all"),
    ],
)
def test_what_can_not_be_meant_is_refused(world: World, words: tuple[str, ...], message: str) -> None:
    done = world.apply(*words)
    assert done.exit == 2
    assert message in done.err


def test_a_journal_that_can_not_be_named_is_refused_before_anything_is_read(world: World) -> None:
    done = world.run("run", "-f", world.policy(), "--yes", "--journal", "s3:///x")
    assert (done.exit, done.err) == (
        2,
        "aws-ecr-gc: journal s3:///x: names no bucket; write s3://BUCKET/PREFIX\n",
    )
    assert not world.sandbox.calls


def test_a_plan_file_is_no_journal(world: World) -> None:
    plan = world.plan()
    for words in (("restore", plan), ("apply", "--resume", plan, "--yes")):
        done = world.run(*words)
        assert done.exit == 2
        assert done.err == (
            f"aws-ecr-gc: journal {plan}: is no journal of aws-ecr-gc; name one, such as .../journals/journal-...\n"
        )


def test_the_journal_is_named_before_the_first_deletion(world: World) -> None:
    """A killed run has no last line."""
    done = world.run("run", "-f", world.policy(), "--yes")
    (path,) = journals(world)
    said = done.err.splitlines()
    assert said[0] == f"aws-ecr-gc: journal: {path}"
    assert "will be read for the journal" in said[1]
    assert said[-1] == said[0]


def test_without_a_terminal_each_way_has_its_own_advice(world: World) -> None:
    for words, advice in (
        (("--resume", "j"), "give --yes to finish what the journal says was begun"),
        (("plan.json",), "give --yes, or look first with aws-ecr-gc show PLAN"),
    ):
        ended = subprocess.run(
            [sys.executable, "-m", "aws_ecr_gc", "apply", *words],
            env=world.run.with_changes({}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 2
        assert ended.stderr == f"aws-ecr-gc: this is no terminal, so nobody can be asked: {advice}\n"


@pytest.mark.parametrize(
    ("guards", "line"),
    [
        ("{canary: 1}", "aws-ecr-gc: 2 images were not attempted"),
        ("{canary: 2}", "aws-ecr-gc: 1 image was not attempted"),
    ],
)
def test_after_a_guard_stopped_the_work_it_is_no_advice_to_run_again(world: World, guards: str, line: str) -> None:
    """An index that comes meanwhile lists them, so ECR refuses."""
    plan = world.plan(policy=world.policy(text=POLICY.replace("rules", f"guards: {guards}, rules")))
    children = ["image 1", "image 2", "image 3"]

    def push(_: dict[str, object]) -> None:
        world.repository.index("late", "late", children=children)

    world.sandbox.before("BatchDeleteImage", push)
    done = world.apply(plan)
    assert line in done.err.splitlines(), done.err
    assert "again" not in done.err


@pytest.mark.parametrize("room", [200, 700, 1500, 3000, 5000, 6500])
def test_a_disk_that_fills_before_the_first_deletion_is_what_was_set_wrong(world: World, room: int) -> None:
    """A limit on the size of files stands for the disk; a journal of these three images has about 6,000 bytes."""
    plan = world.plan()
    words = ["-m", "aws_ecr_gc", "apply", plan, "--yes"]
    limit = (
        f"signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))"
    )
    limited = f"import resource, signal, os, sys; {limit}; os.execv(sys.executable, [sys.executable, *{words}])"
    environment = world.run.with_changes({"PYTHONDONTWRITEBYTECODE": "1"})  # it would be cut short too
    done = subprocess.run([sys.executable, "-c", limited], env=environment, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    if "BatchDeleteImage" in {call.operation for call in world.sandbox.calls}:
        assert world.names() == {"image 4"}
        assert done.returncode in {0, 1}, done.stderr
    else:
        assert len(world.names()) == 4
        assert done.returncode == 2, done.stderr
