"""Which part of a fleet a machine does: laws of the division, and where it reads its place from."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.errors import Misuse
from aws_ecr_gc.shards import Shard, from_environment, part_of
from tests.fleet.test_reach import EVERYWHERE, PLACES, Fleet, fleet
from tests.wire.policies import BUILDS, policy, policy_file

__all__ = ["fleet"]

NAMES = st.from_regex(r"[0-9]{12}/[a-z]{2}-[a-z]{4,9}-[1-9]", fullmatch=True)
TOTALS = st.integers(1, 300)


@given(NAMES, TOTALS)
def test_every_pair_falls_to_exactly_one_part(name: str, total: int) -> None:
    account, _, region = name.partition("/")
    assert sum(Shard(number, total).holds(account, region) for number in range(1, total + 1)) == 1


@given(NAMES, TOTALS)
def test_one_part_more_moves_only_what_falls_to_that_one(name: str, total: int) -> None:
    assert part_of(name, total + 1) in {part_of(name, total), total + 1}


@pytest.mark.parametrize("total", [2, 7, 16, 50])
def test_the_parts_of_an_organization_are_of_like_size(total: int) -> None:
    names = [f"{account:012}/{region}" for account in range(500) for region in ("us-east-1", "eu-west-1", "eu-west-3")]
    sizes = [sum(part_of(name, total) == number for name in names) for number in range(1, total + 1)]
    mean = len(names) / total
    assert max(sizes) - mean < 5 * mean**0.5
    assert mean - min(sizes) < 5 * mean**0.5


def test_the_division_is_the_same_in_every_version() -> None:
    """Machines of a run may have different versions, and journals are looked for where they were written."""
    assert [part_of(f"{each:012}/us-east-1", 8) for each in range(12)] == KNOWN


KNOWN = [4, 5, 6, 4, 1, 3, 1, 8, 8, 8, 4, 1]


@pytest.mark.parametrize(
    ("environment", "stated", "shard"),
    [
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "0", "AWS_BATCH_JOB_ARRAY_SIZE": "4"}, None, "1/4"),
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "3", "AWS_BATCH_JOB_ARRAY_SIZE": "4"}, 4, "4/4"),
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "3"}, 4, "4/4"),
        ({"JOB_COMPLETION_INDEX": "7"}, 8, "8/8"),
        ({"BUILDKITE_PARALLEL_JOB": "1", "BUILDKITE_PARALLEL_JOB_COUNT": "2"}, None, "2/2"),
        ({"CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "3"}, None, "1/3"),
        ({"CI_NODE_INDEX": "3", "CI_NODE_TOTAL": "3"}, None, "3/3"),
        ({"CI_NODE_TOTAL": "1"}, None, "1/1"),
        ({"STRATEGY_JOB_INDEX": "0", "STRATEGY_JOB_TOTAL": "3"}, None, "1/3"),
        ({"CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "3", "JOB_COMPLETION_INDEX": "1"}, 3, "2/3"),
    ],
)
def test_schedulers_of_jobs_say_which_part_this_is(environment: dict[str, str], stated: int | None, shard: str) -> None:
    assert str(from_environment(environment, stated)) == shard


@pytest.mark.parametrize(
    ("environment", "stated", "complaint"),
    [
        ({}, None, "no scheduler says which part this is"),
        (
            {"JOB_COMPLETION_INDEX": "0"},
            None,
            "Kubernetes says JOB_COMPLETION_INDEX=0, but not of how many: give auto/N",
        ),
        ({"JOB_COMPLETION_INDEX": "8"}, 8, "JOB_COMPLETION_INDEX=8 is no part of 8"),
        ({"CI_NODE_INDEX": "0", "CI_NODE_TOTAL": "3"}, None, "CI_NODE_INDEX=0 is no part of 3"),
        ({"CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "3"}, 4, "CI_NODE_TOTAL is 3"),
        ({"BUILDKITE_PARALLEL_JOB": "x", "BUILDKITE_PARALLEL_JOB_COUNT": "2"}, None, "is 'x', not a whole number"),
        (
            {"CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "3", "JOB_COMPLETION_INDEX": "1"},
            3,
            "Kubernetes says 2/3, GitLab says 1/3; which is meant?",
        ),
        ({"CI_NODE_TOTAL": "2"}, None, "no scheduler says"),
    ],
)
def test_a_place_that_is_not_certain_is_asked_for(
    environment: dict[str, str], stated: int | None, complaint: str
) -> None:
    with pytest.raises(Misuse) as caught:
        from_environment(environment, stated)
    assert complaint in str(caught.value)


def test_the_parts_of_a_run_are_together_the_whole(fleet: Fleet) -> None:
    seen = []
    for index in range(3):
        finished = fleet(
            "run",
            "-f",
            fleet.policy,
            "--yes",
            "--output",
            "json",
            "--shard",
            "auto",
            *EVERYWHERE,
            AWS_BATCH_JOB_ARRAY_INDEX=str(index),
            AWS_BATCH_JOB_ARRAY_SIZE="3",
        )
        assert finished.exit == 0, finished.err
        (fleet.folder / f"part-{index}.json").write_text(finished.out)
        merged = fleet("merge", str(fleet.folder / f"part-{index}.json"))
        assert merged.exit == 3
        assert "Shards without a result: " in merged.out
        seen.append(finished.out.count('"failure": null'))
    assert sum(seen) == len(PLACES)
    assert set(fleet.left().values()) == {2}
    merged = fleet("merge", *(str(fleet.folder / f"part-{index}.json") for index in range(3)))
    assert (merged.exit, merged.out) == (0, "Done in 8 repositories of 4 places: 16 of 16 images\n")


def test_a_part_that_nothing_falls_to_does_nothing(fleet: Fleet) -> None:
    empty = next(
        number
        for number in range(1, 50)
        if not any(Shard(number, 49).holds(account, region) for account, region in PLACES)
    )
    finished = fleet("run", "-f", fleet.policy, "--yes", "--shard", f"{empty}/49", *EVERYWHERE)
    assert finished.exit == 0
    assert f"no account and region falls to shard {empty}/49: nothing to do" in finished.err
    assert set(fleet.left().values()) == {4}


def test_workloads_are_looked_for_in_the_parts_of_other_machines_too(fleet: Fleet) -> None:
    """What runs in one region may be of another one's registry, which another machine looks after."""
    at, home = PLACES[0], PLACES[1]
    ecs = fleet.sandbox.workloads(*at).ecs
    image = f"{home[0]}.dkr.ecr.{home[1]}.amazonaws.com/app:build-0"
    ecs.create_cluster("main").create_service("web", ecs.register("web", image).name, 1)
    file = policy_file(fleet.folder / "uses.json", policy(BUILDS), in_use={"sources": ["ecs"]})
    part = Shard(part_of("/".join(home), 9), 9)
    assert not part.holds(*at)
    words = ("-f", file, "--yes", "--shard", str(part), *EVERYWHERE)
    assert fleet("run", *words, AWS_ENDPOINT_URL=fleet.sandbox.url).exit == 0
    assert fleet.left()[(*home, "app")] == 3


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--shard", "1/2"), "--shard: there is one account and region, whose limits all machines would share"),
        (("--shard", "0/2", *EVERYWHERE), "I is 1 to N"),
        (("--shard", "3/2", *EVERYWHERE), "I is 1 to N"),
        (("--shard", "half", *EVERYWHERE), "'half' is not I/N, such as 2/8, or auto, or auto/N"),
        (("--shard", "auto", *EVERYWHERE), "--shard auto: no scheduler says which part this is"),
    ],
)
def test_a_shard_that_makes_no_sense_is_one_line(fleet: Fleet, words: tuple[str, ...], complaint: str) -> None:
    finished = fleet("plan", "-f", fleet.policy, *words)
    assert (finished.exit, finished.out) == (2, "")
    assert len(finished.err.splitlines()) == 1
    assert complaint in finished.err


def test_a_plan_of_one_place_is_written_and_carried_out_with_its_role(fleet: Fleet, tmp_path: Path) -> None:
    out, (account, region) = tmp_path / "plan.out", PLACES[3]
    words = ("--account", account, "--role", "gc", "--region", region)
    assert fleet("plan", "-f", fleet.policy, "--out", str(out), *words).exit == 0
    finished = fleet("apply", str(out), "--yes", "--role", "gc", "--region", region)
    assert finished.exit == 0, finished.err
    assert {key[:2] for key, left in fleet.left().items() if left == 2} == {(account, region)}
    assert fleet("plan", "-f", fleet.policy, "--out", str(out), *EVERYWHERE).exit == 2
