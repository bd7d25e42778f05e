"""`policy show` on the wire: the policy that holds, as a file that means the same."""

import json
import random
from pathlib import Path

import pytest

from aws_ecr_gc.sandbox import Sandbox
from tests.conftest import Shell
from tests.wire.builder import Builder
from tests.wire.policies import BUILDS, NONE, going, operations, policy, policy_file, untouched
from tests.wire.test_bad_input import one_line
from tests.wire.test_run import RULES, fill_at_random

pytestmark = pytest.mark.usefixtures("untouched")
__all__ = ["untouched"]


def test_the_first_policy_that_fits_is_shown_without_a_call(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    file = policy_file(
        tmp_path / "p.json", policy(BUILDS, repositories={"include": "ci/*", "exclude": "ci/base"}), policy(NONE)
    )
    first = shell("policy", "show", "-f", file, "--repo", "ci/web")
    assert first.out == (
        f"# ci/web: {file}: policies[0]\n"
        "version: 1\n"
        "policies:\n"
        "- repositories:\n"
        "    include: [ci/web]\n"
        "  rules:\n"
        "  - name: builds\n"
        "    match: {prefix: build-}\n"
        "    keep: {newest: 2}\n"
        "  protect: {grace: 1h}\n"
        "  action: delete\n"
        "  signatures: follow\n"
        "  guards: {keep_at_least: 0, keep_tagged: 0}\n"
    )
    second = shell("policy", "show", "-f", file, "--repo", "ci/base")
    assert second.out.startswith(f"# ci/base: {file}: policies[1]\n")
    assert (first.exit, first.err, second.exit, second.err) == (0, "", 0, "")
    assert not sandbox.calls


def test_what_a_file_extends_is_worked_in(shell: Shell, tmp_path: Path) -> None:
    policy_file(
        tmp_path / "base.json",
        policy(NONE, protect={"tags": ["prod-*"], "grace": "2h"}, guards={"max_delete": 50, "max_share": "20%"}),
    )
    file = policy_file(
        tmp_path / "own.json",
        policy(BUILDS, repositories={"include": "ci/*"}, protect={"tags": ["latest"]}, guards={"max_delete": 90}),
        extends="base.json",
    )
    own = shell("policy", "show", "-f", file, "--repo", "ci/web").out
    assert "  - name: builds\n" in own
    assert "everything" not in own
    for fragment in ("latest", "prod-*", "grace: 2h"):
        assert fragment in own
    assert "guards: {max_delete: 50, max_share: 20%, keep_at_least: 1, keep_tagged: 1}\n" in own
    base = shell("policy", "show", "-f", file, "--repo", "misc").out
    assert base.startswith(f"# misc: {tmp_path / 'base.json'}: policies[0]\n")
    assert "latest" not in base


@pytest.mark.parametrize("seed", range(4))
def test_the_file_that_is_shown_plans_the_same(sandbox: Sandbox, shell: Shell, tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    fill_at_random(Builder(sandbox, "ci/web"), draw)
    base = policy(NONE, protect={"tags": ["nightly-1*"], "grace": "1d"}, guards={"max_share": "29%"})
    policy_file(tmp_path / "base.json", base)
    file = policy_file(tmp_path / "own.json", policy(*draw.sample(RULES, 4)), extends="base.json")
    shown = tmp_path / "shown.yaml"
    shown.write_text(shell("policy", "show", "-f", file, "--repo", "ci/web").out)
    documents = []
    for each in (file, str(shown)):
        finished = shell("plan", "-f", each, "--output", "json", "--at", "2027-01-01")
        document = json.loads(finished.out)
        documents.append((finished.exit, going(document), [part["refused"] for part in document["repositories"]]))
    assert documents[0] == documents[1]
    again = shell("policy", "show", "-f", str(shown), "--repo", "ci/web").out
    assert again.splitlines()[1:] == shown.read_text().splitlines()[1:]
    one_line(shell("policy", "show", "-f", str(shown), "--repo", "ci/other"), 2, "no policy fits")


def test_aws_is_asked_only_where_resource_tags_decide(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    for name in ("ci/web", "web/one", "web/two"):
        sandbox.registry().create_repository(name)
    sandbox.registry().repository("web/one").settings.resource_tags["team"] = "web"
    tagged = {"include": "web/*", "resource_tags": {"team": "web"}}
    file = policy_file(
        tmp_path / "p.json", policy(BUILDS, repositories={"include": "ci/*"}), policy(NONE, repositories=tagged)
    )
    assert shell("policy", "show", "-f", file, "--repo", "ci/web", AWS_ACCESS_KEY_ID=None).exit == 0
    assert not sandbox.calls
    assert "everything" in shell("policy", "show", "-f", file, "--repo", "web/one").out
    assert operations(sandbox) == ["DescribeRepositories", "ListTagsForResource"]
    one_line(shell("policy", "show", "-f", file, "--repo", "web/two"), 2, "web/two", "no policy fits", "left alone")
    one_line(shell("policy", "show", "-f", file, "--repo", "web/nope"), 2, "web/nope: not found")


def test_file_and_repository_must_be_given(shell: Shell, tmp_path: Path) -> None:
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    one_line(shell("policy", "show", "--repo", "ci/web"), 2, "-f FILE")
    assert "no repository: give --repo" in shell("policy", "show", "-f", file).err
    one_line(shell("policy", "show", "-f", file, "--repo", "ci/*"), 2, "'ci/*' is not a repository name")
