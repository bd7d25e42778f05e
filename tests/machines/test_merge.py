"""`merge`: many results, one report, one exit code that speaks for all; whatever comes twice counts once."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.app.merging import Merge, Pair
from aws_ecr_gc.errors import Exit, worst
from aws_ecr_gc.report import document, fleets, merged
from tests.conftest import Shell

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
ACCOUNTS = [f"{number:012}" for number in range(1, 6)]
EXITS = st.sampled_from([Exit.DONE, Exit.AWS, Exit.REFUSED, Exit.SOME_FAILED, Exit.INTERRUPTED])


def _once_a_minute(each: tuple[str, str, Exit, int]) -> object:
    return each[0], each[1], each[3]


RESULTS = st.lists(
    st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(["us-east-1", "eu-west-1"]), EXITS, st.integers(0, 9)),
    min_size=1,
    unique_by=_once_a_minute,
)


def result(
    *places: tuple[str, str, Exit], at: int = 0, shard: str | None = None, absent: tuple[str, ...] = ()
) -> bytes:
    """A fleet's document; each place has deleted 2 of 2."""
    parts = [
        fleets.PlaceDocument(
            account=account,
            region=region,
            partition="aws",
            failure=None if code is Exit.DONE else "it went wrong",
            repositories=[],
            left_alone=[],
            unread=[],
            without_plan=[],
            exit=int(code),
            summary=fleets.Summary(repositories=1, images=4, planned=2, done=2, seconds=1.0),
        )
        for account, region, code in places
    ]
    made = fleets.FleetDocument(
        version=1,
        tool="aws-ecr-gc",
        at=NOON + timedelta(minutes=at),
        policy_files=[],
        policy_sha256="0" * 64,
        places=parts,
        absent=[fleets.AbsentPart(account, None, "access denied") for account in absent],
        in_use=None,
        exit=int(worst(code for _, _, code in places)),
        summary=fleets.Summary(),
        shard=shard,
    )
    return document.encode(made).encode()


def merged_of(*contents: bytes) -> merged.MergedDocument:
    merge = Merge()
    for number, content in enumerate(contents):
        merge.add(content, str(number))
    return merge.document()


@given(RESULTS, st.randoms())
def test_each_pair_is_told_once_by_its_youngest_result_in_whatever_order_they_come(
    results: list[tuple[str, str, Exit, int]], order: random.Random
) -> None:
    contents = [(result((account, region, code), at=at), str(at)) for account, region, code, at in results]
    order.shuffle(contents)
    merge = Merge()
    for content, name in contents:
        merge.add(content, name)
    told = merge.document()
    youngest = {(account, region): code for account, region, code, _ in sorted(results, key=lambda each: each[3])}
    assert {(place.account, place.region): place.exit for place in told.places} == youngest
    assert len(told.places) == len(youngest)
    assert sum(place.results for place in told.places) == len(results)
    assert told.exit == worst(youngest.values())
    assert told.summary.done == 2 * len(youngest)
    jsonschema.validate(msgspec.to_builtins(told), merged.schema())


def test_a_pair_without_a_result_is_told_with_exit_3(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_bytes(result((ACCOUNTS[0], "us-east-1", Exit.DONE)))
    pairs = [{"account": account, "region": "us-east-1"} for account in ACCOUNTS[:2]]
    (tmp_path / "pairs.list").write_text(json.dumps(pairs))
    finished = shell("merge", str(tmp_path / "one.json"), "--pairs", str(tmp_path / "pairs.list"))
    assert finished.exit == 3
    assert finished.out == (
        "Done in 1 repository of 1 place: 2 of 2 images\n"
        f"Not looked into, or not to the end (1): {ACCOUNTS[1]}, us-east-1 (no result)\n"
    )


def test_an_account_that_one_machine_could_not_ask_for_its_regions_stays_told() -> None:
    """The others know its regions, but not which of them would have been that machine's."""
    told = merged_of(
        result((ACCOUNTS[0], "us-east-1", Exit.DONE), shard="1/2"), result(shard="2/2", absent=(ACCOUNTS[0],))
    )
    assert [(each.account, each.region) for each in told.absent] == [(ACCOUNTS[0], None)]
    assert told.exit == Exit.AWS


def test_a_shard_that_nobody_handed_in_is_told() -> None:
    told = merged_of(result((ACCOUNTS[0], "us-east-1", Exit.DONE), shard="1/3"), result(shard="3/3"))
    assert (told.missing_shards, told.exit) == (["2/3"], Exit.AWS)
    told = merged_of(*(result(shard=f"{number}/3") for number in (1, 2, 3)), result(shard="1/5"))
    assert (told.missing_shards, told.exit) == ([], Exit.DONE)


def test_a_pair_that_was_missing_has_a_result_when_one_comes() -> None:
    merge = Merge()
    merge.has_none(Pair(ACCOUNTS[0], "us-east-1"), "no result")
    merge.add(result((ACCOUNTS[0], "us-east-1", Exit.DONE)), "late")
    assert (merge.document().absent, merge.document().exit) == ([], Exit.DONE)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "one.json: not a JSON document of plan or run over a fleet"),
        ('{"version": 1, "repositories": []}', "one.json: not a JSON document of plan or run over a fleet"),
        (result().decode().replace('"version": 1', '"version": 2'), "one.json: version 2 of the document is not known"),
        (result(shard="1 of 2").decode(), "one.json: shard '1 of 2' is not I/N"),
        (result((ACCOUNTS[0], "x", Exit.DONE)).decode().replace('"exit": 0', '"exit": 9'), "exit code 9 is none of"),
    ],
)
def test_what_is_no_result_is_one_line(shell: Shell, tmp_path: Path, content: str, complaint: str) -> None:
    (tmp_path / "one.json").write_text(content)
    finished = shell("merge", str(tmp_path / "one.json"))
    assert (finished.exit, finished.out) == (2, "")
    assert len(finished.err.splitlines()) == 1
    assert complaint in finished.err


def test_a_file_that_is_not_there_and_a_directory_without_results_are_one_line(shell: Shell, tmp_path: Path) -> None:
    assert "can't be read: No such file" in shell("merge", str(tmp_path / "absent.json")).err
    (tmp_path / "empty").mkdir()
    assert "holds no JSON file" in shell("merge", str(tmp_path / "empty")).err
