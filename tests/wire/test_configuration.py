"""AWS's own conventions are botocore's, and reach it."""

import pytest

from aws_ecr_gc.aws.session import Session
from aws_ecr_gc.sandbox import Faults, Sandbox
from tests.conftest import Shell
from tests.wire.builder import Builder


def test_the_region_comes_from_the_flag_then_the_environment_then_the_profile(sandbox: Sandbox, shell: Shell) -> None:
    for region in ("us-east-1", "us-east-2", "eu-west-1", "eu-central-1"):
        sandbox.registry(region=region).create_repository("testrepo")
    keys = "aws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = secret\n"
    (shell.home / "aws-config").write_text(f"[profile mine]\nregion = eu-central-1\n{keys}")
    run = ("--repo", "testrepo", "--dry-run", "--profile", "mine")
    nowhere: dict[str, str | None] = {"AWS_DEFAULT_REGION": None}
    assert "(eu-central-1)" in shell(*run, **nowhere).out
    assert "(us-east-2)" in shell(*run, AWS_DEFAULT_REGION="us-east-2").out
    assert "(eu-west-1)" in shell(*run, AWS_REGION="eu-west-1", AWS_DEFAULT_REGION="us-east-2").out
    assert "(us-east-1)" in shell(*run, "--region", "us-east-1", AWS_REGION="eu-west-1").out
    assert {call.region for call in sandbox.calls} == {"us-east-1", "us-east-2", "eu-west-1", "eu-central-1"}


def test_the_endpoint_comes_from_the_flag_or_either_variable(sandbox: Sandbox, shell: Shell) -> None:
    Builder(sandbox).image("a", "x")
    run = ("--repo", "testrepo", "--dry-run")
    assert shell(*run, AWS_ENDPOINT_URL_ECR=None, AWS_ENDPOINT_URL=sandbox.url).exit == 0
    assert shell(*run, "--endpoint-url", sandbox.url, AWS_ENDPOINT_URL_ECR="http://127.0.0.1:9").exit == 0


def attempts(sandbox: Sandbox, shell: Shell, **environment: str | None) -> int:
    seen = len(sandbox.calls)
    assert shell("--repo", "testrepo", "--dry-run", **environment).exit == 3
    return len(sandbox.calls) - seen


def test_a_failing_call_is_tried_as_often_as_the_users_configuration_says(sandbox: Sandbox, shell: Shell) -> None:
    sandbox.faults = Faults(server_error_share=1)
    assert attempts(sandbox, shell, AWS_MAX_ATTEMPTS="2") == 2
    (shell.home / "aws-config").write_text("[default]\nmax_attempts = 3\nretry_mode = standard\n")
    assert attempts(sandbox, shell, AWS_MAX_ATTEMPTS=None) == 3


def test_eight_attempts_in_standard_mode_where_nothing_else_is_said(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_MAX_ATTEMPTS", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    client = Session(None, "us-east-1").ecr(sandbox.url)
    retries = client._client.meta.config.retries
    assert (retries["mode"], retries["total_max_attempts"]) == ("standard", 8)
    client.close()
