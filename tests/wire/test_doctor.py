"""`doctor` on the wire: who calls, whether its reading counts as pulling, where deletions reach, what is writable."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from aws_ecr_gc.aws.permissions import PERMISSIONS, Need
from aws_ecr_gc.report import checks
from aws_ecr_gc.sandbox import Faults, Sandbox
from tests.conftest import Finished, Shell
from tests.sandbox.wire import client, key_of, scenario
from tests.wire.policies import BUILDS, policy, policy_file
from tests.wire.test_cautions import BY_PULL, NORTH, WEST, replicate, rule

ACCOUNT, OTHER = "123456789012", "210987654321"
OWN, ROLE = f"arn:aws:iam::{ACCOUNT}:role/gc", "pull times and our own reading"
CALLER, REPLICATION, RULES = "credentials and region", "replication of deletions", "rules on pull times"
STATE, CACHE = "state directory", "cache directory"

Doctor = Callable[..., Finished]


@pytest.fixture
def doctor(sandbox: Sandbox, shell: Shell) -> Doctor:
    """Runs the command as somebody; without `key`, as the one user of the account."""

    def run(*words: str, key: str | None = None, **environment: str | None) -> Finished:
        given = {} if key is None else {"AWS_ACCESS_KEY_ID": key}
        return shell("doctor", *words, **{"AWS_ENDPOINT_URL_STS": sandbox.url, **given, **environment})

    return run


@pytest.fixture
def key(sandbox: Sandbox) -> str:
    """An access key of a session of the role `gc`."""
    return key_of(sandbox, OWN)


@pytest.fixture
def excluded(sandbox: Sandbox, key: str) -> str:
    """The same, where the role is excluded from pull-time updates."""
    exclude(sandbox, OWN)
    return key


def exclude(sandbox: Sandbox, *roles: str) -> None:
    with client(sandbox) as ecr:
        for role in roles:
            ecr.register_pull_time_update_exclusion(principalArn=role)


def found(finished: Finished) -> dict[str, dict[str, Any]]:
    """The checks of a document, by what they look at."""
    document = json.loads(finished.out)
    jsonschema.validate(document, checks.schema())
    return {each["check"]: each for each in document["checks"]}


def test_where_all_is_well_every_check_says_so(sandbox: Sandbox, shell: Shell, doctor: Doctor, excluded: str) -> None:
    finished = doctor(key=excluded)
    assert (finished.exit, finished.err) == (0, "")
    assert finished.out == (
        f"ok: credentials and region: arn:aws:sts::{ACCOUNT}:assumed-role/gc/ci in us-east-1\n"
        f"ok: pull times and our own reading: {OWN} is excluded from pull-time updates\n"
        "ok: replication of deletions: no rule replicates deletions\n"
        f"ok: state directory: {shell.home}/state/aws-ecr-gc can be written\n"
        f"ok: cache directory: {shell.home}/cache/aws-ecr-gc can be written\n"
    )
    assert not [path for path in shell.home.rglob("*") if path.is_file()]
    assert not sandbox.deletions


def test_a_role_that_is_not_excluded_is_a_finding_with_the_call_that_excludes_it(
    sandbox: Sandbox, doctor: Doctor, key: str
) -> None:
    finished = doctor("--region", "eu-west-1", key=key)
    assert finished.exit == 6
    finding, mend = finished.out.splitlines()[1:3]
    assert finding.startswith("finding: pull times and our own reading: the role gc is not excluded")
    call = f"aws ecr register-pull-time-update-exclusion --region eu-west-1 --principal-arn {OWN}"
    assert mend.startswith("  ")
    assert mend.endswith(call)
    with client(sandbox, region="eu-west-1") as ecr:
        ecr.register_pull_time_update_exclusion(principalArn=call.rsplit(maxsplit=1)[-1])
    assert doctor("--region", "eu-west-1", key=key).exit == 0


@pytest.mark.parametrize(
    ("there", "result"),
    [
        ([f"arn:aws:iam::{ACCOUNT}:role/ci/deep/gc"], "ok"),
        ([f"arn:aws:iam::{ACCOUNT}:role/a", OWN, f"arn:aws:iam::{ACCOUNT}:role/z"], "ok"),
        ([f"arn:aws:iam::{OTHER}:role/gc"], "finding"),
        ([f"arn:aws:iam::{ACCOUNT}:role/gc/other"], "finding"),
        ([f"arn:aws:iam::{ACCOUNT}:role/my-gc", f"arn:aws:iam::{ACCOUNT}:role/gc2"], "finding"),
    ],
)
def test_a_role_is_known_by_its_account_and_its_name_whatever_its_path(
    sandbox: Sandbox, doctor: Doctor, key: str, there: list[str], result: str
) -> None:
    exclude(sandbox, *there)
    assert found(doctor("--output", "json", key=key))[ROLE]["result"] == result


def test_all_pages_of_exclusions_are_looked_through(sandbox: Sandbox, doctor: Doctor) -> None:
    sandbox.reset(scenario(behaviour={"longest_page": 7}))
    exclude(sandbox, *(f"arn:aws:iam::{ACCOUNT}:role/gc-{number:02d}" for number in range(60)))
    last = key_of(sandbox, f"arn:aws:iam::{ACCOUNT}:role/gc-59")
    assert found(doctor("--output", "json", key=last))[ROLE]["result"] == "ok"


def test_a_user_cannot_be_excluded(sandbox: Sandbox, doctor: Doctor) -> None:
    check = found(doctor("--output", "json"))[ROLE]
    assert check["result"] == "finding"
    assert check["detail"].startswith(f"arn:aws:iam::{ACCOUNT}:user/sandbox is no role, and only roles can be excluded")
    assert check["mend"] == "run as a role, and exclude that"
    assert "ListPullTimeUpdateExclusions" not in {call.operation for call in sandbox.calls}


def test_replicated_deletions_are_a_finding(sandbox: Sandbox, doctor: Doctor, excluded: str) -> None:
    replicate(sandbox, rule(WEST, NORTH, prefixes=("ci/", "web/")), rule(WEST), rule(NORTH, deletes=False))
    finished = doctor("--output", "json", key=excluded)
    assert finished.exit == 6
    check = found(finished)[REPLICATION]
    assert check["result"] == "finding"
    assert check["detail"] == (
        "what is deleted here is deleted there too: "
        "ci/*, web/* to eu-west-1 (123456789012), eu-north-1 (210987654321); "
        "every repository to eu-west-1 (123456789012)"
    )


@pytest.mark.parametrize(
    ("operation", "unknown"),
    [
        ("ListPullTimeUpdateExclusions", {ROLE}),
        ("DescribeRegistry", {REPLICATION}),
        ("GetCallerIdentity", {CALLER, ROLE}),
    ],
)
def test_what_cannot_be_asked_is_unknown_and_the_rest_is_looked_at(
    sandbox: Sandbox, doctor: Doctor, excluded: str, operation: str, unknown: set[str]
) -> None:
    sandbox.faults = Faults(deny=[operation])
    finished = doctor("--output", "json", key=excluded)
    assert finished.exit == 3
    results = found(finished)
    service = "sts" if operation == "GetCallerIdentity" else "ecr"
    assert {name for name, each in results.items() if each["result"] == "unknown"} == unknown
    assert {each["result"] for name, each in results.items() if name not in unknown} == {"ok"}
    assert any(f"the permission {service}:{operation} is missing" in each["detail"] for each in results.values())


def test_another_accounts_registry_tells_nothing(doctor: Doctor, excluded: str) -> None:
    finished = doctor("--output", "json", "--registry-id", OTHER, key=excluded)
    assert finished.exit == 3
    results = found(finished)
    assert {results[name]["result"] for name in (ROLE, REPLICATION)} == {"unknown"}
    assert results[ROLE]["mend"] == f"ask with credentials of {OTHER}"


@pytest.mark.parametrize(
    ("environment", "words", "reason"),
    [
        ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, (), "credentials: none found"),
        ({"AWS_DEFAULT_REGION": None}, (), "no region"),
        ({}, ("--profile", "absent"), "absent"),
    ],
)
def test_without_credentials_or_a_region_that_is_the_finding(
    sandbox: Sandbox, doctor: Doctor, environment: dict[str, str | None], words: tuple[str, ...], reason: str
) -> None:
    finished = doctor("--output", "json", *words, **environment)
    results = found(finished)
    assert results[CALLER]["result"] == "finding"
    assert reason in results[CALLER]["detail"]
    assert {results[name]["result"] for name in (ROLE, REPLICATION)} == {"unknown"}
    assert {results[name]["result"] for name in (STATE, CACHE)} == {"ok"}
    assert finished.exit == 3
    assert not sandbox.calls


def test_expired_credentials_are_the_finding(sandbox: Sandbox, doctor: Doctor) -> None:
    sandbox.faults = Faults(expire_credentials_after=0)
    results = found(doctor("--output", "json"))
    assert results[CALLER]["result"] == "finding"
    assert "renew them" in results[CALLER]["detail"]


@pytest.mark.parametrize(("flag", "name"), [("--state-dir", STATE), ("--cache-dir", CACHE)])
def test_a_directory_that_cannot_be_written_is_a_finding(
    doctor: Doctor, excluded: str, tmp_path: Path, flag: str, name: str
) -> None:
    (tmp_path / "file").write_text("")
    finished = doctor("--output", "json", flag, str(tmp_path / "file" / "below"), key=excluded)
    assert finished.exit == 6
    results = found(finished)
    assert [each for each in results if results[each]["result"] == "finding"] == [name]
    assert f"{tmp_path}/file/below can't be written" in results[name]["detail"]
    assert flag in results[name]["mend"]


@pytest.mark.parametrize(
    ("in_use", "result"),
    [(None, "finding"), (["ecs"], "finding"), (["ecs", "lambda"], "ok"), ("all", "ok")],
)
def test_rules_on_pull_times_are_a_finding_unless_lambda_is_asked(
    doctor: Doctor, excluded: str, tmp_path: Path, in_use: Any, result: str
) -> None:
    top = {} if in_use is None else {"in_use": {"sources": in_use}}
    file = policy_file(
        tmp_path / "p.json",
        policy(BUILDS, repositories={"include": "ci/*"}),
        policy(BUILDS, {**BY_PULL, "name": "b"}),
        **top,
    )
    finished = doctor("--output", "json", "-f", file, key=excluded)
    assert finished.exit == (6 if result == "finding" else 0)
    check = found(finished)[RULES]
    assert check["result"] == result
    assert check["detail"].startswith(f"rule b ({file}: policies[1]): pull times are by the day; scanners")


def test_rules_that_do_not_go_by_pull_times_are_none_of_its_business(
    doctor: Doctor, excluded: str, tmp_path: Path
) -> None:
    finished = doctor("-f", policy_file(tmp_path / "p.json", policy(BUILDS)), key=excluded)
    assert finished.exit == 0
    assert finished.out.splitlines()[-1] == "ok: rules on pull times: no rule goes by them"


def test_a_rule_of_a_file_that_is_extended_counts(doctor: Doctor, tmp_path: Path) -> None:
    policy_file(tmp_path / "base.json", policy(BY_PULL))
    own = policy_file(tmp_path / "own.json", policy(BUILDS, repositories={"include": "ci/*"}), extends="base.json")
    check = found(doctor("--output", "json", "-f", own))[RULES]
    assert check["detail"].startswith(f"rule builds ({tmp_path}/base.json: policies[0]): ")


def test_a_broken_policy_file_is_exit_2_before_any_call(sandbox: Sandbox, doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("version: 2\n")
    finished = doctor("-f", str(tmp_path / "p.yaml"))
    assert (finished.exit, finished.out) == (2, "")
    assert not sandbox.calls


def test_it_calls_what_the_table_of_permissions_says(sandbox: Sandbox, doctor: Doctor, key: str) -> None:
    seen = len(sandbox.calls)
    doctor(key=key)
    asked = [call.operation for call in list(sandbox.calls)[seen:]]
    assert asked == ["GetCallerIdentity", "ListPullTimeUpdateExclusions", "DescribeRegistry"]
    needs = {PERMISSIONS[operation].need for operation in asked if operation in PERMISSIONS}
    assert needs == {Need.DOCTOR, Need.REPLICATION}
