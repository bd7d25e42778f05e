"""botocore's events on which the pace of calls rides: little documented, so pinned here."""

import gc
import time
from datetime import UTC, datetime, timedelta

import pytest

from aws_ecr_gc.aws.pacing import Limits, Traffic
from aws_ecr_gc.aws.session import Granted, Session
from aws_ecr_gc.errors import Error
from aws_ecr_gc.sandbox import Sandbox
from aws_ecr_gc.sandbox.errors import ServiceError
from tests.wire.builder import Builder


class Listening(Traffic):
    """Traffic that keeps what it hears, in order."""

    def __init__(self) -> None:
        super().__init__(Limits(), "123456789012", "us-east-1")
        self.heard: list[str] = []

    def leaving(self, operation: str) -> None:
        self.heard.append(f"leaving {operation}")
        super().leaving(operation)

    def refused(self, operation: str) -> None:
        self.heard.append(f"refused {operation}")
        super().refused(operation)


def throttled(_: object) -> None:
    raise ServiceError("ThrottlingException", "Rate exceeded")


def broken(_: object) -> None:
    raise ServiceError("ServerException", "it broke", status=500)


@pytest.mark.usefixtures("credentials")
def test_every_try_waits_before_it_is_signed_and_those_refused_for_their_pace_are_heard_of(sandbox: Sandbox) -> None:
    Builder(sandbox).image("one", "a")
    sandbox.before("DescribeImages", throttled, call=1)
    sandbox.before("DescribeImages", broken, call=2)
    traffic = Listening()
    client = Session(None, "us-east-1").client("ecr", endpoint_url=sandbox.url, attempts=4, traffic=traffic)
    client._client.meta.events.register_first("before-sign.ecr", lambda **_: traffic.heard.append("signed"))
    client.call("DescribeImages", "imageDetails", repositoryName="testrepo")
    client.close()
    one_try = ["leaving DescribeImages", "signed"]
    assert traffic.heard == [*one_try, "refused DescribeImages", *one_try, *one_try]
    assert (traffic.tally.calls, traffic.tally.tries, traffic.tally.retries, traffic.tally.throttled) == (1, 3, 2, 1)


@pytest.mark.usefixtures("credentials")
def test_calls_leave_no_cycles_behind_for_nobody_looks_for_them_in_a_run(sandbox: Sandbox) -> None:
    repo = Builder(sandbox)
    repo.image("one", "a")
    client = Session(None, "us-east-1").ecr(sandbox.url)
    ids = [{"imageDigest": repo.digests["one"]}]

    def call() -> None:
        client.call("DescribeImages", "imageDetails", repositoryName="testrepo")
        client.call("BatchGetImage", "images", repositoryName="testrepo", imageIds=ids)

    call()
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            call()
        assert gc.collect() == 0
    finally:
        gc.enable()
        client.close()


@pytest.mark.usefixtures("credentials")
def test_a_try_that_got_no_answer_is_no_refusal() -> None:
    traffic = Listening()
    client = Session(None, "us-east-1").client("ecr", endpoint_url="http://127.0.0.1:1", attempts=2, traffic=traffic)
    with pytest.raises(Error, match="can't be reached"):
        client.call("DescribeImages", "imageDetails", repositoryName="testrepo")
    client.close()
    assert traffic.heard == ["leaving DescribeImages"] * 2
    assert traffic.tally.throttled == 0


@pytest.mark.usefixtures("credentials")
def test_a_turn_that_was_waited_for_is_not_waited_for_again(sandbox: Sandbox) -> None:
    Builder(sandbox).image("one", "a")
    traffic = Traffic(Limits(), "123456789012", "us-east-1", stated=1)
    client = Session(None, "us-east-1").client("ecr", endpoint_url=sandbox.url, attempts=1, traffic=traffic)
    client.turn("DescribeImages")  # the first call of all; the next one may leave a second later
    started = time.monotonic()
    client.call("DescribeImages", "imageDetails", repositoryName="testrepo")
    taken = time.monotonic() - started
    client.call("DescribeImages", "imageDetails", repositoryName="testrepo")
    client.close()
    assert taken < 1 <= time.monotonic() - started + taken


@pytest.mark.usefixtures("credentials")
def test_credentials_of_a_role_are_renewed_before_they_expire(sandbox: Sandbox) -> None:
    granted: list[str] = []

    def grant() -> Granted:
        granted.append(f"{len(granted) + 1:012}")
        lasts = timedelta(minutes=1 if len(granted) == 1 else 60)
        return Granted(granted[-1], "secret", "token", datetime.now(UTC) + lasts)

    client = Session(None, "us-east-1").entered(grant).ecr(sandbox.url)
    for _ in range(3):
        client.call("DescribeRepositories", "repositories")
    client.close()
    assert granted == ["000000000001", "000000000002"]
    assert {call.access_key for call in sandbox.calls} == {"000000000002"}
