"""Warnings beside plans under a policy file: replicated deletions, and pull times that may be untrue."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aws_ecr_gc.sandbox import Faults, Sandbox
from aws_ecr_gc.sandbox.manifests import OCI_IMAGE, write
from tests.conftest import Shell
from tests.sandbox.wire import client
from tests.wire.policies import BUILDS, operations, policy, policy_file
from tests.wire.test_plan import fill

WEST = {"region": "eu-west-1", "registryId": "123456789012"}
NORTH = {"region": "eu-north-1", "registryId": "210987654321"}
BY_PULL = {**BUILDS, "keep": {"newest": 2, "pulled_within": "14d"}}


def rule(*destinations: dict[str, str], prefixes: tuple[str, ...] = (), deletes: bool = True) -> dict[str, Any]:
    filters = [{"filter": prefix, "filterType": "PREFIX_MATCH"} for prefix in prefixes]
    return {
        "destinations": list(destinations),
        **({"repositoryFilters": filters} if filters else {}),
        "deleteReplication": {"enabled": deletes},
    }


def replicate(sandbox: Sandbox, *rules: dict[str, Any]) -> None:
    with client(sandbox) as ecr:
        ecr.put_replication_configuration(replicationConfiguration={"rules": list(rules)})


@pytest.fixture
def filled(sandbox: Sandbox) -> Iterator[Sandbox]:
    for name, images in (("ci/a", 3), ("ci/b", 4), ("ci/idle", 2), ("web/c", 3)):
        fill(sandbox, name, images)
    yield sandbox
    assert operations(sandbox).count("DescribeRegistry") <= 1


def said(err: str) -> list[str]:
    """The warnings."""
    lines = [line.removeprefix("aws-ecr-gc: ") for line in err.splitlines()]
    return [line for line in lines if line.startswith("warning: ")]


@pytest.mark.parametrize("command", [("plan",), ("run", "--yes")])
def test_each_repository_that_loses_something_says_where_its_deletions_go(
    filled: Sandbox, shell: Shell, tmp_path: Path, command: tuple[str, ...]
) -> None:
    replicate(filled, rule(WEST, NORTH, prefixes=("ci/",)), rule(WEST, deletes=False))
    finished = shell(*command, "-f", policy_file(tmp_path / "p.json", policy(BUILDS)), "--concurrency", "1")
    assert finished.exit == 0
    where = "eu-north-1 (210987654321), eu-west-1 (123456789012)"
    assert said(finished.err) == [
        f"warning: repository ci/a: deletions are replicated to {where}",
        f"warning: repository ci/b: deletions are replicated to {where}",
    ]
    told = [part.partition(" ")[0] for part in finished.out.split("Total images in ") if where in part]
    assert told == ["ci/a", "ci/b"]
    assert finished.out.count(f"Deletions are replicated to {where}\n") == 2


def test_the_document_names_the_destinations_and_null_where_nobody_asked(
    filled: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    replicate(filled, rule(WEST, prefixes=("ci/",)))
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    document = json.loads(shell("plan", "-f", file, "--output", "json").out)
    assert {part["repository"]["name"]: part["replicates_deletes_to"] for part in document["repositories"]} == {
        "ci/a": ["eu-west-1 (123456789012)"],
        "ci/b": ["eu-west-1 (123456789012)"],
        "ci/idle": None,
        "web/c": [],
    }


def test_nobody_asks_where_nothing_would_be_deleted(filled: Sandbox, shell: Shell, tmp_path: Path) -> None:
    replicate(filled, rule(WEST))
    keeping = policy_file(tmp_path / "p.json", policy({**BUILDS, "keep": {"newest": 9}}))
    for command in (("plan",), ("run", "--yes")):
        finished = shell(*command, "-f", keeping)
        assert (finished.exit, said(finished.err)) == (0, [])
    assert "DescribeRegistry" not in operations(filled)


def test_the_originals_flags_ask_nothing(filled: Sandbox, shell: Shell) -> None:
    replicate(filled, rule(WEST))
    assert not said(shell("plan", "--keep", "build=1", "--repo", "ci/*").err)
    assert not said(shell("--repo", "ci/a", "--keep", "build=1").err)
    assert "DescribeRegistry" not in operations(filled)


@pytest.mark.parametrize(
    ("words", "reason"), [((), "ecr:DescribeRegistry"), (("--registry-id", "123456789012"), "ecr:DescribeRegistry")]
)
def test_what_is_not_known_is_said_once_and_stops_nothing(
    filled: Sandbox, shell: Shell, tmp_path: Path, words: tuple[str, ...], reason: str
) -> None:
    filled.faults = Faults(deny=["DescribeRegistry"])
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    finished = shell("run", "-f", file, "--yes", "--output", "json", *words)
    assert finished.exit == 0
    (line,) = said(finished.err)
    assert line.startswith("warning: whether deletions are replicated is not known: access denied")
    assert reason in line
    document = json.loads(finished.out)
    assert {part["replicates_deletes_to"] for part in document["repositories"]} == {None}
    assert sum(part["counts"]["deleted"] for part in document["repositories"]) == 1 + 2 + 1


def test_another_accounts_replication_is_not_known(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    other = sandbox.registry("210987654321").create_repository("ci/a")
    for name in ("a", "b", "c"):
        other.put(write(name, OCI_IMAGE), OCI_IMAGE, f"build-{name}", pushed_at=1e9)
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    finished = shell("plan", "-f", file, "--registry-id", "210987654321")
    assert finished.exit == 0
    (line,) = said(finished.err)
    assert line.startswith("warning: whether deletions are replicated is not known: DescribeRegistry: ")
    assert line.endswith("the credentials' account 123456789012, not of 210987654321")


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("command", [("plan",), ("run", "--yes")])
def test_a_policy_that_goes_by_pull_times_is_warned_of_once(
    shell: Shell, tmp_path: Path, command: tuple[str, ...]
) -> None:
    file = policy_file(tmp_path / "p.json", policy(BUILDS, repositories={"include": "web/*"}), policy(BY_PULL))
    finished = shell(*command, "-f", file)
    assert finished.exit == 0
    (line,) = said(finished.err)
    assert line.startswith("warning: pulled_within goes by pull times, and these may be untrue: ")
    assert line.endswith("; see aws-ecr-gc doctor -f FILE")


def test_a_repository_of_another_policy_is_not_warned_of(filled: Sandbox, shell: Shell, tmp_path: Path) -> None:
    file = policy_file(tmp_path / "p.json", policy(BUILDS, repositories={"include": "web/*"}), policy(BY_PULL))
    finished = shell("plan", "-f", file, "--repo", "web/*")
    assert (finished.exit, said(finished.err)) == (0, [])
    assert "DescribeRegistry" in operations(filled)


def fill_caches(sandbox: Sandbox) -> None:
    with client(sandbox) as ecr:
        ecr.create_pull_through_cache_rule(ecrRepositoryPrefix="ci", upstreamRegistryUrl="public.ecr.aws")
        ecr.create_repository_creation_template(
            prefix="ci", appliedFor=["PULL_THROUGH_CACHE", "REPLICATION"], lifecyclePolicy="{}"
        )
        ecr.create_repository_creation_template(prefix="ROOT", appliedFor=["CREATE_ON_PUSH"])


def test_what_fills_a_repository_without_a_push_is_told_with_what_it_means(
    filled: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    fill_caches(filled)
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    finished = shell("plan", "-f", file, "--output", "json")
    notes = {each["repository"]["name"]: each.get("notes") for each in json.loads(finished.out)["repositories"]}
    cache = (
        "a pull-through cache of public.ecr.aws: what is deleted here is fetched again when it is pulled again, "
        "as it is upstream then"
    )
    made = (
        "made by the creation template ci (pull through cache, replication), "
        "with a lifecycle policy of ECR's own beside this policy"
    )
    root = "made by the creation template ROOT (create on push)"
    assert notes == {"ci/a": [cache, made], "ci/b": [cache, made], "ci/idle": None, "web/c": [root]}
    assert operations(filled).count("DescribePullThroughCacheRules") == 1


def test_what_fills_a_repository_stands_in_its_plan(filled: Sandbox, shell: Shell, tmp_path: Path) -> None:
    with client(filled) as ecr:
        ecr.create_pull_through_cache_rule(ecrRepositoryPrefix="ci", upstreamRegistryUrl="public.ecr.aws")
    cache = "a pull-through cache of public.ecr.aws: what is deleted here is fetched again when it is pulled again, "
    told = shell("plan", "-f", policy_file(tmp_path / "p.json", policy(BUILDS))).out
    of_it = told.partition("Total images in ci/a")[2].partition("Total images in")[0]
    assert f"Note: {cache}as it is upstream then\n" in of_it
    assert "Note: " not in told.partition("Total images in ci/idle")[2].partition("Total images in")[0]


def test_where_what_fills_repositories_is_not_known_that_is_said_once(
    filled: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    filled.faults = Faults(deny=["DescribePullThroughCacheRules"])
    finished = shell("plan", "-f", policy_file(tmp_path / "p.json", policy(BUILDS)))
    assert finished.exit == 0
    assert finished.err.count("what fills repositories without a push is not known") == 1
    assert "ecr:DescribePullThroughCacheRules is missing" in finished.err
