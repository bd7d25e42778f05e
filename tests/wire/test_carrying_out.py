"""How a plan is carried out: canaries, failures in a row, pulls since the plan, and what an earlier try left."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from aws_ecr_gc.apply import Applied, Earlier, Terms, apply
from aws_ecr_gc.errors import GuardStopped
from aws_ecr_gc.inventory import unread_indexes
from aws_ecr_gc.plan import Outcome, Plan, Result
from aws_ecr_gc.policy import make_plan, original_policy
from aws_ecr_gc.ports import RepositoryPort
from aws_ecr_gc.registries.ecr import open_repository
from aws_ecr_gc.registries.manifests import ManifestDirectory
from aws_ecr_gc.registries.reading import read_whole
from aws_ecr_gc.sandbox import Sandbox
from tests.wire.builder import Builder

NOW = 1_500_000_000.0


class World:
    """`app` with build-1 to build-6, of which all but the newest are planned to go."""

    def __init__(self, sandbox: Sandbox, port: RepositoryPort, manifests: ManifestDirectory) -> None:
        self.sandbox = sandbox
        self.repository = Builder(sandbox, "app")
        for number in range(1, 7):
            self.repository.image(f"image {number}", f"build-{number}", f"also-build-{number}")
        self._port = port
        self._manifests = manifests

    def plan(self) -> Plan:
        inventory = read_whole(
            self._port, NOW, unread_indexes, self._manifests, progress=lambda _: None, say=lambda _: None
        )
        return make_plan(inventory, original_policy({"build": 1, "also": 1}, delete_untagged=True, grace=0.0), NOW)

    def apply(self, plan: Plan, *, terms: Terms = Terms(), earlier: Earlier = Earlier()) -> Applied:  # noqa: B008 - they are values
        return apply(plan, self._port, stop=lambda: False, terms=terms, earlier=earlier)

    def digest(self, number: int) -> str:
        return self.repository.digests[f"image {number}"]

    def names(self) -> set[str]:
        return self.repository.names()


@pytest.fixture
def world(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    for name, value in {
        "AWS_ENDPOINT_URL_ECR": sandbox.url,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
    }.items():
        monkeypatch.setenv(name, value)
    opened = open_repository("app", region="us-east-1", registry_id=None, profile=None, endpoint_url=None)
    with closing(opened) as port:
        yield World(sandbox, port, ManifestDirectory(tmp_path / "cache"))


def results(applied: Applied, result: Result) -> set[str]:
    return {outcome.digest for outcome in applied.outcomes.values() if outcome.result is result}


def refuse(world: World, *numbers: int) -> Callable[[dict[str, object]], None]:
    """An action that makes ECR refuse these images, as children of indexes that came meanwhile."""

    def push(_: dict[str, object]) -> None:
        world.repository.index("late", "late", children=[f"image {number}" for number in numbers])

    return push


def test_a_canary_goes_first_and_alone(world: World) -> None:
    applied = world.apply(world.plan(), terms=Terms(canary=2))
    assert world.names() == {"image 6"}
    first = next(call for call in world.sandbox.calls if call.operation == "BatchDeleteImage")
    assert {each["imageDigest"] for each in first.request["imageIds"]} == {world.digest(5), world.digest(4)}
    assert applied.stopped_by is None


def test_where_a_canary_fails_no_more_are_tried(world: World) -> None:
    plan = world.plan()
    world.sandbox.before("BatchDeleteImage", refuse(world, 5))
    applied = world.apply(plan, terms=Terms(canary=2))
    assert isinstance(applied.stopped_by, GuardStopped)
    assert "the guard canary: 1 of the first 2 images failed" in str(applied.stopped_by)
    assert results(applied, Result.FAILED) == {world.digest(5)}
    assert world.names() == {"image 1", "image 2", "image 3", "image 5", "image 6", "late"}


def test_after_so_many_failures_in_a_row_nothing_more_is_tried(world: World) -> None:
    for number in range(1, 7):  # so many tags that each image takes a call of its own
        for more in range(60):
            world.repository.repository.tag(f"build-{number}-{more}", world.digest(number))
    plan = world.plan()
    world.sandbox.before("BatchDeleteImage", refuse(world, 1, 2, 3, 4, 5))
    applied = world.apply(plan, terms=Terms(max_failures=2))
    assert "the guard max_failures: 2 images in a row failed" in str(applied.stopped_by)
    assert len(results(applied, Result.FAILED)) == 2
    assert world.names() == {*(f"image {number}" for number in range(1, 7)), "late"}


def test_what_was_pulled_since_the_plan_is_skipped_where_a_rule_goes_by_pulls(world: World) -> None:
    plan = world.plan()
    pulled_at = world.sandbox.clock.now()
    world.repository.repository.pull(world.digest(2))
    applied = world.apply(plan, terms=Terms(pulled_since=pulled_at - 60))
    assert results(applied, Result.SKIPPED) == {world.digest(2)}
    assert applied.outcomes[world.digest(2)].detail == "pulled since the plan, and a rule goes by that"
    assert world.names() == {"image 2", "image 6"}


def test_a_pull_is_of_no_account_where_no_rule_goes_by_it(world: World) -> None:
    plan = world.plan()
    world.repository.repository.pull(world.digest(2))
    world.apply(plan)
    assert world.names() == {"image 6"}


def test_a_pull_before_the_reading_ended_is_the_readings_own(world: World) -> None:
    world.repository.repository.pull(world.digest(2))
    world.apply(world.plan(), terms=Terms(pulled_since=world.sandbox.clock.now() + 60))
    assert world.names() == {"image 6"}


def test_what_an_earlier_try_did_is_not_tried_again(world: World) -> None:
    plan = world.plan()
    done = Outcome(world.digest(5), Result.DONE)
    skipped = Outcome(world.digest(4), Result.SKIPPED, "InUse", "why")
    failed = Outcome(world.digest(3), Result.FAILED, "KmsError", "why")
    earlier = Earlier({each.digest: each for each in (done, skipped, failed)})
    applied = world.apply(plan, earlier=earlier)
    assert world.names() == {"image 4", "image 5", "image 6"}
    assert applied.outcomes[world.digest(4)] == skipped
    assert results(applied, Result.DONE) == {world.digest(number) for number in (1, 2, 3, 5)}


def test_an_image_that_an_earlier_try_may_have_robbed_of_a_tag_is_deleted_by_the_others(world: World) -> None:
    plan = world.plan()
    world.repository.repository.untag("build-2")
    attempted = {world.digest(2): frozenset({"build-2"})}
    assert world.apply(plan, earlier=Earlier(attempted=attempted)).stopped_by is None
    assert world.names() == {"image 6"}


def test_a_tag_that_no_earlier_try_removed_is_a_change(world: World) -> None:
    plan = world.plan()
    world.repository.repository.untag("build-2")
    attempted = {world.digest(2): frozenset({"also-build-2"})}
    applied = world.apply(plan, earlier=Earlier(attempted=attempted))
    assert results(applied, Result.SKIPPED) == {world.digest(2)}
    assert world.names() == {"image 2", "image 6"}
