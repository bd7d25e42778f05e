"""Bad input, and an AWS that refuses: one clear line, the right exit code, nothing changed."""

import pytest

from aws_ecr_gc.sandbox import Faults, Sandbox
from tests.conftest import Finished, Shell
from tests.wire.builder import Builder


def one_line(finished: Finished, exit_code: int, *fragments: str, reads: bool = False) -> None:
    """The error, alone; where the command `reads` manifests, after the one line that says so."""
    assert finished.exit == exit_code, finished
    assert finished.out == ""
    assert finished.err.endswith("\n")
    *said, error = finished.err.splitlines()
    assert ["that counts as a pull" in line for line in said] == [True] * reads, finished.err
    assert error.startswith("aws-ecr-gc: ")
    for fragment in fragments:
        assert fragment in error


def test_no_repository_and_no_region_are_answered_with_the_usage(shell: Shell) -> None:
    for finished, missing in (
        (shell(), "no repository: give --repo"),
        (shell("--repo", "testrepo", AWS_DEFAULT_REGION=None), "no region: give --region"),
    ):
        assert finished.exit == 2
        assert missing in finished.err
        assert "usage: aws-ecr-gc --repo NAME" in finished.err
        assert finished.out == ""


@pytest.mark.parametrize(
    ("words", "fragments"),
    [
        (["--repo", "Nope"], ["--repo", "'Nope'", "not a repository name"]),
        (["--repo", "testrepo", "--keep", "x"], ["'x' is not PREFIX=N"]),
        (["--repo", "testrepo", "--keep", "x=-1"], ["'x=-1'"]),
        (["--repo", "testrepo", "--keep", "x=1.5"], ["'x=1.5'"]),
        (["--repo", "testrepo", "--keep", "x=1", "--keep", "x=2"], ["given twice"]),
        (["--repo", "testrepo", "--unknown"], ["unknown option --unknown"]),
        (["frobnicate"], ["unknown command 'frobnicate'"]),
        (["--repo", "absent"], ["repository absent: not found in us-east-1", "--region"]),
        (["--repo", "testrepo", "--profile", "absent"], ["profile", "absent"]),
        (["--repo", "testrepo", "--region", "not a region"], ["not a region"]),
    ],
)
def test_what_was_typed_wrong_is_named_with_its_mend(shell: Shell, words: list[str], fragments: list[str]) -> None:
    one_line(shell(*words), 2, *fragments)


def test_missing_credentials_are_exit_2(shell: Shell) -> None:
    finished = shell("--repo", "testrepo", AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    one_line(finished, 2, "credentials")


def test_expired_credentials_are_exit_2_before_anything_is_changed(sandbox: Sandbox, shell: Shell) -> None:
    repo = Builder(sandbox)
    repo.image("a", "build-1")
    sandbox.faults = Faults(expire_credentials_after=0)
    one_line(shell("--repo", "testrepo", "--keep", "build=0"), 2, "credentials", "ExpiredTokenException")
    assert repo.names() == {"a"}


@pytest.mark.parametrize(
    ("operation", "exit_code"), [("DescribeImages", 3), ("BatchGetImage", 3), ("BatchDeleteImage", 5)]
)
def test_access_denied_names_the_missing_action(sandbox: Sandbox, shell: Shell, operation: str, exit_code: int) -> None:
    repo = Builder(sandbox)
    repo.image("child")
    repo.index("index", "build-1", children=["child"])
    sandbox.faults = Faults(deny=[operation])
    finished = shell("--repo", "testrepo", "--keep", "build=0")
    assert finished.exit == exit_code
    assert f"the permission ecr:{operation} is missing" in finished.err
    assert repo.names() == {"child", "index"}
    if exit_code == 3:
        one_line(finished, 3, reads=operation == "BatchGetImage")


def test_an_endpoint_that_cannot_be_reached_is_exit_3(shell: Shell) -> None:
    one_line(shell("--repo", "testrepo", "--endpoint-url", "http://127.0.0.1:9"), 3, "http://127.0.0.1:9", "reached")


@pytest.mark.parametrize("operation", ["DescribeImages", "BatchGetImage"])
def test_an_answer_that_is_not_json_is_exit_3_and_no_empty_repository(
    sandbox: Sandbox, shell: Shell, operation: str
) -> None:
    repo = Builder(sandbox)
    repo.image("child")
    repo.index("index", "build-1", children=["child"])
    sandbox.faults = Faults(garbage_share=1, operations=[operation])
    one_line(shell("--repo", "testrepo", "--keep", "build=0"), 3, operation, reads=operation == "BatchGetImage")
    assert repo.names() == {"child", "index"}


def test_a_page_that_fails_after_all_retries_means_no_plan(sandbox: Sandbox, shell: Shell) -> None:
    repo = Builder(sandbox)
    for number in range(1500):
        repo.image(f"image-{number}", f"build-{number}")
    sandbox.before("DescribeImages", lambda _: setattr(sandbox, "faults", Faults(server_error_share=1)), call=1)
    finished = shell("--repo", "testrepo", "--keep", "build=0")
    one_line(finished, 3, "DescribeImages")
    assert len(repo.names()) == 1500


def test_an_index_that_cannot_be_parsed_stops_the_plan(sandbox: Sandbox, shell: Shell) -> None:
    repo = Builder(sandbox)
    repo.image("a", "build-1")
    odd = b'{"schemaVersion": 2, "manifests": [{"mediaType": "text/plain"}]}'
    digest = repo.repository.put(odd, "application/vnd.oci.image.index.v1+json", "odd")
    one_line(shell("--repo", "testrepo", "--keep", "build=0"), 3, f"index {digest}", "can't be parsed", reads=True)
    assert repo.names() == {"a"}


def test_help_and_version_go_to_standard_output(shell: Shell) -> None:
    for words in (["--help"], ["-h"], ["-help"]):
        finished = shell(*words)
        assert finished.exit == 0
        assert "--keep PREFIX=N" in finished.out
        assert "130  interrupted" in finished.out
        assert finished.err == ""
    assert shell("--version").out.startswith("aws-ecr-gc ")


_SSO = """[default]
sso_session = s
sso_account_id = 123456789012
sso_role_name = r
[sso-session s]
sso_region = us-east-1
sso_start_url = https://example.com
"""


@pytest.mark.parametrize(
    ("environment", "config", "fragments"),
    [
        ({"AWS_MAX_ATTEMPTS": "abc"}, "", ["AWS_MAX_ATTEMPTS", "'abc'"]),
        ({"AWS_RETRY_MODE": "bogus"}, "", ["bogus"]),
        ({"AWS_CA_BUNDLE": "/nonexistent/ca.pem"}, "", ["/nonexistent/ca.pem", "AWS_CA_BUNDLE"]),
        ({"AWS_ENDPOINT_URL_ECR": "http://localhost:abc"}, "", ["http://localhost:abc"]),
        ({"AWS_ENDPOINT_URL_ECR": "nonsense"}, "", ["nonsense"]),
        ({"AWS_PROFILE": "absent"}, "", ["absent"]),
        ({}, "[default\nnonsense", ["aws-config"]),
        ({"AWS_SESSION_TOKEN": "a\nb"}, "", ["credentials", "line break"]),
        (
            {
                "AWS_ACCESS_KEY_ID": None,
                "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/x",
                "AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent/token",
            },
            "",
            ["credentials", "/nonexistent/token"],
        ),
        ({"AWS_ACCESS_KEY_ID": None}, "[default]\ncredential_process = /nonexistent/program\n", ["credentials"]),
        ({"AWS_ACCESS_KEY_ID": None}, "[default]\ncredential_process = false\n", ["credentials"]),
        ({"AWS_ACCESS_KEY_ID": None}, "[default]\ncredential_process = echo hi\n", ["credentials"]),
        (
            {"AWS_ACCESS_KEY_ID": None},
            _SSO,
            ["credentials", "aws sso login"],
        ),
        ({"HOME": "~nobody-of-this-name", "XDG_CACHE_HOME": None}, "", ["no home directory", "--cache-dir"]),
    ],
)
def test_an_odd_configuration_is_exit_2_and_one_line(
    shell: Shell, environment: dict[str, str | None], config: str, fragments: list[str]
) -> None:
    (shell.home / "aws-config").write_text(config)
    finished = shell("--repo", "testrepo", **environment)
    one_line(finished, 2, *fragments)
    assert "a\nb" not in finished.err


@pytest.mark.parametrize(
    "words",
    [
        ("--keep", "v*=3"),
        ("--keep", "x=" + "9" * 5000),
        ("--grace", "9" * 400 + "d"),
        ("--region", "us-east-1\n"),
        ("--region", ""),
        ("--profile", ""),
        ("--state-dir", "--dry-run"),
        ("--cache-dir="),
        ("--endpoint-url", "http://localhost:99999"),
        ("--repo", "a\x01b"),
    ],
)
def test_odd_values_are_exit_2_and_one_printable_line(shell: Shell, words: tuple[str, ...]) -> None:
    finished = shell("--repo", "testrepo", *words)
    one_line(finished, 2)
    assert finished.err.rstrip("\n").isprintable()
    assert len(finished.err) < 700
