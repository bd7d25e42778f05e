"""Every kind of fault, as a botocore client without retries meets it."""

import time
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from aws_ecr_gc.sandbox import Faults, Sandbox

from .wire import ACCOUNT, Wire, client, refused, repository, scenario


def _tag_again(ecr: Any, number: int) -> None:
    tags = [{"Key": f"k{number}", "Value": ""}]
    ecr.tag_resource(resourceArn=f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/app", tags=tags)


def _tags(sandbox: Sandbox) -> dict[str, str]:
    return sandbox.registry().repository("app").settings.resource_tags


def test_latency_makes_every_call_slower(sandbox: Sandbox, ecr: Any) -> None:
    sandbox.faults.latency = 0.2
    begun = time.monotonic()

    ecr.describe_registry()

    assert time.monotonic() - begun >= 0.2


def test_calls_beyond_the_rate_are_throttled_by_operation_account_and_region(sandbox: Sandbox, ecr: Any) -> None:
    sandbox.faults.throttle = 3
    for _ in range(3):
        ecr.describe_registry()

    with refused("ThrottlingException", "Rate exceeded"):
        for _ in range(50):
            ecr.describe_registry()
    ecr.describe_repositories()
    with client(sandbox, region="eu-west-1") as elsewhere, client(sandbox, "210987654321") as other:
        elsewhere.describe_registry()
        other.describe_registry()
    time.sleep(0.4)
    ecr.describe_registry()


def test_a_throttled_call_has_status_400(sandbox: Sandbox, ecr: Any) -> None:
    sandbox.faults.throttle = 0.001
    ecr.describe_registry()

    with pytest.raises(ClientError) as caught:
        ecr.describe_registry()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_server_errors_are_of_two_kinds_and_have_no_effect(sandbox: Sandbox, ecr: Any) -> None:
    sandbox.faults = Faults(server_error_share=1.0)
    seen = set()
    for number in range(20):
        with pytest.raises(ClientError) as caught:
            _tag_again(ecr, number)
        response = caught.value.response
        seen.add((response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]))

    assert seen == {("ServerException", 500), ("ServiceUnavailable", 503)}
    assert _tags(sandbox) == {}


def test_a_reset_has_no_effect_and_a_lost_answer_has(sandbox: Sandbox, ecr: Any) -> None:
    sandbox.faults = Faults(reset_share=1.0)
    with pytest.raises(ConnectionClosedError):
        _tag_again(ecr, 1)
    assert _tags(sandbox) == {}

    sandbox.faults = Faults(lost_answer_share=1.0)
    with pytest.raises(ConnectionClosedError):
        _tag_again(ecr, 2)
    assert _tags(sandbox) == {"k2": ""}
    assert [(call.status, call.error) for call in sandbox.calls] == [(0, "reset"), (0, "lost answer")]


def test_garbage_is_a_page_where_json_is_expected(sandbox: Sandbox, ecr: Any, raw: Wire) -> None:
    sandbox.faults = Faults(garbage_share=1.0)

    # botocore takes a page with status 200 for an answer without members: no exception comes.
    assert ecr.list_images(repositoryName="app").keys() == {"ResponseMetadata"}
    _tag_again(ecr, 1)
    assert _tags(sandbox) == {}
    status, body, headers = raw.post("DescribeRegistry", b"{}")
    assert (status, headers["Content-Type"]) == (200, "text/html")
    assert body.startswith(b"<!DOCTYPE html>")


def test_credentials_expire_after_so_many_calls_of_an_access_key(sandbox: Sandbox, ecr: Any) -> None:
    sandbox.faults.expire_credentials_after = 2
    ecr.describe_registry()
    ecr.describe_registry()

    for _ in range(2):
        with refused("ExpiredTokenException", "The security token included in the request is expired"):
            ecr.describe_registry()
    with client(sandbox, "AKIDFRESH") as refreshed:
        refreshed.describe_registry()


def test_denied_operations_are_named_with_who_and_what(sandbox: Sandbox, ecr: Any) -> None:
    sandbox.faults.deny = ["BatchDeleteImage"]
    message = (
        f"User: arn:aws:iam::{ACCOUNT}:user/sandbox is not authorized to perform: ecr:BatchDeleteImage on resource: "
        f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/app because no identity-based policy allows the "
        "ecr:BatchDeleteImage action"
    )

    with refused("AccessDeniedException", message):
        ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageTag": "a"}])
    ecr.list_images(repositoryName="app")


def test_random_faults_hit_only_the_operations_named(sandbox: Sandbox, ecr: Any) -> None:
    sandbox.faults = Faults(reset_share=1.0, operations=["ListImages"])

    ecr.describe_registry()
    with pytest.raises(ConnectionClosedError):
        ecr.list_images(repositoryName="app")


def test_the_same_seed_brings_the_same_faults(sandbox: Sandbox, ecr: Any) -> None:
    def outcomes(seed: int) -> list[str | None]:
        faults = {"seed": seed, "server_error_share": 0.2, "reset_share": 0.2, "lost_answer_share": 0.2}
        sandbox.reset(scenario(repositories=[repository()], faults={**faults, "garbage_share": 0.2}))
        for _ in range(40):
            try:
                ecr.describe_registry()
            except (ClientError, ConnectionClosedError):
                continue
        return [call.error for call in sandbox.calls]

    first = outcomes(1)
    assert first == outcomes(1) != outcomes(2)
    kinds = Counter("server error" if error and error.startswith("Ser") else error for error in first)
    assert kinds.keys() == {None, "server error", "reset", "lost answer", "garbage"}


def test_a_scenario_keeps_its_faults_when_those_of_the_sandbox_change(sandbox: Sandbox) -> None:
    played = scenario(faults={"deny": ["ListImages"]})
    sandbox.reset(played)
    sandbox.faults.deny.clear()
    sandbox.reset(played)

    assert sandbox.faults.deny == ["ListImages"]
