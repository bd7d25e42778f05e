"""Journals in S3, against moto: an object a record, and none is ever written twice."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from aws_ecr_gc.aws.client import Client
from aws_ecr_gc.errors import AccessDenied, AwsFailure, JournalLost, Misuse
from aws_ecr_gc.journal import Journal, Place, create, journal_at, latest, place_of, read, resume
from aws_ecr_gc.journal.s3 import PERMISSIONS
from tests.aws.calls import Call
from tests.aws.conftest import Aws
from tests.aws.server import Cloud
from tests.journal.histories import NOW, ONE_OF_EACH, REGISTRY, History, beginning, closing, planning, step


@pytest.fixture
def place(s3: Client) -> Place:
    return place_of("s3://journals/ecr/gc/", lambda: s3)


def opened(place: Place, now: float = NOW) -> Journal:
    return create(place, REGISTRY, clock=lambda: now)


def name_of(journal: Journal) -> str:
    return journal.name.rpartition("/")[2]


def objects(aws: Aws) -> dict[str, bytes]:
    s3 = aws("s3")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket="journals").get("Contents", [])]
    return {key: s3.get_object(Bucket="journals", Key=key)["Body"].read() for key in keys}


def lost(write: Callable[[], object]) -> str:
    with pytest.raises(JournalLost) as caught:
        write()
    (line,) = caught.value.lines
    return line


def is_put(call: Call) -> bool:
    return call.arrival.method == "PUT"


def is_get(call: Call) -> bool:
    return call.arrival.method == "GET" and "list-type" not in call.arrival.query


def is_listing(call: Call) -> bool:
    return "list-type" in call.arrival.query


def test_every_record_is_an_object_and_all_are_read_back(place: Place, s3: Client, aws: Aws) -> None:
    with opened(place) as journal:
        assert journal.name.startswith(
            "s3://journals/ecr/gc/journal-20251125T184000.250000Z-123456789012-eu-central-1-"
        )
        for number, write in enumerate(ONE_OF_EACH.writes):
            write(journal)
            assert len(objects(aws)) == number + 1, "there when the method returns"
    inside = objects(aws)
    assert list(inside) == [f"ecr/gc/{name_of(journal)}/{number:09}.json" for number in range(len(inside))]
    assert json.loads(list(inside.values())[-1])["record"] == "end"
    found = read(*journal_at(journal.name, lambda: s3))
    assert found.name == journal.name
    assert found.position.length == len(b"".join(inside.values()))
    assert found.repositories["team/web"].doubtful == []
    assert found.repositories["api"].doubtful == [step(7).digest]
    assert (found.torn, found.end and found.end.exit) == (0, 5)


def test_a_journal_may_lie_in_the_bucket_itself(s3: Client, aws: Aws) -> None:
    for stated in ("s3://journals", "s3://journals/"):
        with opened(place_of(stated, lambda: s3)) as journal:
            beginning()(journal)
        assert read(*journal_at(journal.name, lambda: s3)).position.number == 1
    assert len(objects(aws)) == 2


@pytest.mark.parametrize("stated", ["s3://", "s3:///prefix"])
def test_an_address_without_a_bucket_is_refused(s3: Client, stated: str) -> None:
    with pytest.raises(Misuse, match="names no bucket; write s3://BUCKET/PREFIX"):
        place_of(stated, lambda: s3)


@pytest.mark.parametrize("stated", ["s3://", "s3://journals", "s3://journals/"])
def test_an_address_of_no_journal_is_refused(s3: Client, stated: str) -> None:
    with pytest.raises(Misuse, match="names no journal; write s3://BUCKET/PREFIX/journal-"):
        journal_at(stated, lambda: s3)


def test_s3_is_asked_to_overwrite_nothing(place: Place, cloud: Cloud) -> None:
    with opened(place) as journal:
        ONE_OF_EACH.play(journal)
    puts = [call for call in cloud.named("s3") if is_put(call) and "journal-" in call.arrival.path]
    assert len(puts) == len(ONE_OF_EACH.writes)
    assert {call.arrival.headers["if-none-match"] for call in puts} == {"*"}


def test_of_two_that_go_on_with_a_journal_one_can(place: Place, aws: Aws) -> None:
    with opened(place) as journal:
        beginning()(journal)
    before = objects(aws)
    first, _ = resume(place, name_of(journal))
    assert "another process has written record 1; let only one work with it" in lost(
        lambda: planning("r", step(1))(journal)
    )
    assert "another process has written record 1" in lost(lambda: closing()(journal)), "ever after"
    second, _ = resume(place, name_of(journal))
    assert "another process has written record 2" in lost(lambda: planning("r", step(1))(first))
    closing()(second)
    inside = objects(aws)
    assert before.items() <= inside.items()
    assert read(place, name_of(journal)).position.number == len(inside) == 4


def test_a_record_that_was_written_though_its_answer_was_lost_is_ones_own(place: Place, aws: Aws) -> None:
    sink = place.create("journal-x")
    sink.append(0, b"line\n")
    sink.append(0, b"line\n")
    assert "another process has written record 0" in lost(lambda: sink.append(0, b"other\n"))
    assert list(objects(aws).values()) == [b"line\n"]


def test_a_failure_in_passing_is_tried_again(place: Place, cloud: Cloud) -> None:
    cloud.fail("s3", when=is_put, nth=1, status=503, code="SlowDown")
    cloud.fail("s3", when=is_put, nth=3, status=409, code="ConditionalRequestConflict")
    with opened(place) as journal:
        ONE_OF_EACH.play(journal)
    assert read(place, name_of(journal)).position.number == len(ONE_OF_EACH.writes)


def test_a_conflict_that_does_not_end_loses_the_journal(place: Place, cloud: Cloud) -> None:
    cloud.fail("s3", when=is_put, status=409, code="ConditionalRequestConflict")
    with opened(place) as journal:
        assert "can't be written: PutObject: ConditionalRequestConflict" in lost(lambda: beginning()(journal))


def test_who_may_not_write_has_no_journal(place: Place, cloud: Cloud) -> None:
    cloud.deny("s3", when=is_put, message="Access Denied")
    with opened(place) as journal:
        said = lost(lambda: beginning()(journal))
        assert "access denied: the permission s3:PutObject" in said
        assert said.endswith("; see --journal")
        cloud.mend()
        assert lost(lambda: beginning()(journal)) == said, "a journal that is lost stays lost"


def test_what_is_in_the_way_and_can_not_be_read_is_not_taken_for_ones_own(place: Place, cloud: Cloud) -> None:
    sink = place.create("journal-x")
    sink.append(0, b"line\n")
    cloud.deny("s3", when=is_get, message="Access Denied")
    assert "can't be written: access denied: the permission s3:GetObject" in lost(lambda: sink.append(0, b"line\n"))


@pytest.mark.parametrize(("which", "action"), [(is_get, "s3:GetObject"), (is_listing, "s3:ListBucket")])
def test_who_may_not_read_is_told_which_permission_is_missing(
    place: Place, cloud: Cloud, which: Callable[[Call], bool], action: str
) -> None:
    with opened(place) as journal:
        beginning()(journal)
    cloud.deny("s3", when=which, message="Access Denied")
    with pytest.raises(AccessDenied, match=f"access denied: the permission {action} on s3://journals/ecr/gc/"):
        read(place, name_of(journal))


def test_where_there_is_no_bucket_there_is_no_journal(s3: Client) -> None:
    nowhere = place_of("s3://no-such-bucket/x", lambda: s3)
    with opened(nowhere) as journal:
        assert "can't be written: PutObject: NoSuchBucket" in lost(lambda: beginning()(journal))
    for way in (lambda: read(nowhere, "journal-x"), lambda: list(latest(nowhere))):
        with pytest.raises(AwsFailure, match="NoSuchBucket"):
            way()


def test_no_journal_is_nothing_on_record(place: Place) -> None:
    for way in (read, resume):
        with pytest.raises(Misuse, match="nothing is on record"):
            way(place, "journal-none")


def test_a_missing_a_cut_and_a_changed_record_are_refused(place: Place, aws: Aws) -> None:
    def changed(change: Callable[[Any, str], object]) -> str:
        with opened(place) as journal:
            ONE_OF_EACH.play(journal)
        change(aws("s3"), f"ecr/gc/{name_of(journal)}/000000002.json")
        with pytest.raises(Misuse) as caught:
            read(place, name_of(journal))
        return str(caught.value).removeprefix(f"journal {journal.name}: ")

    def drop(s3: Any, key: str) -> None:
        s3.delete_object(Bucket="journals", Key=key)

    def rewrite(s3: Any, key: str, content: Callable[[bytes], bytes]) -> None:
        body = s3.get_object(Bucket="journals", Key=key)["Body"].read()
        s3.put_object(Bucket="journals", Key=key, Body=content(body))

    assert changed(drop) == "record 2 is missing; nothing can be told from it"
    assert changed(lambda s3, key: rewrite(s3, key, lambda body: body[:-1])) == (
        "record 2 is cut off; nothing can be told from it"
    )
    assert changed(lambda s3, key: rewrite(s3, key, lambda body: body.replace(b"v1", b"v2"))).startswith(
        "record 2 was changed"
    )


def test_a_record_that_breaks_off_on_its_way_is_an_error_of_aws(place: Place, cloud: Cloud) -> None:
    with opened(place) as journal:
        beginning()(journal)
    cloud.cut("s3", when=is_get)
    with pytest.raises(AwsFailure, match="GetObject"):
        read(place, name_of(journal))


def test_a_journal_of_more_records_than_a_page_has_is_read_whole(place: Place, cloud: Cloud) -> None:
    with opened(place) as journal:
        beginning()(journal)
        for number in range(1005):
            planning(f"r{number}")(journal)
    assert read(place, name_of(journal)).position.number == 1006
    assert len([call for call in cloud.named("s3") if is_listing(call)]) == 2


def test_the_latest_come_first_and_say_whether_they_ended(place: Place, aws: Aws) -> None:
    assert list(latest(place)) == []
    with opened(place, NOW) as ended, opened(place, NOW + 1) as killed:
        ONE_OF_EACH.play(ended)
        History(ONE_OF_EACH.writes[:3]).play(killed)
    aws("s3").put_object(Bucket="journals", Key="ecr/gc/other/000000000.json", Body=b"x")
    found = list(latest(place))
    assert [each.name for each in found] == [name_of(killed), name_of(ended)]
    assert [each.end and each.end.exit for each in found] == [None, 5]
    assert {each.under_way for each in found} == {None}


def test_the_permissions_are_those_of_the_calls(place: Place, cloud: Cloud) -> None:
    with opened(place) as journal:
        ONE_OF_EACH.play(journal)
    resume(place, name_of(journal))
    list(latest(place))
    seen = [call for call in cloud.named("s3") if "journal-" in call.arrival.target or is_listing(call)]
    kinds = {"PutObject": is_put, "GetObject": is_get, "ListObjectsV2": is_listing}
    assert {name for call in seen for name, fits in kinds.items() if fits(call)} == PERMISSIONS.keys()
    assert all(any(fits(call) for fits in kinds.values()) for call in seen)


def test_what_is_stored_is_what_was_sent(place: Place, aws: Aws) -> None:
    line = bytes(range(256)) * 40_000 + b"\n"
    place.create("journal-x").append(0, line)
    (stored,) = objects(aws).values()
    assert hashlib.sha256(stored).hexdigest() == hashlib.sha256(line).hexdigest()
    assert list(place.lines("journal-x")) == [line]
