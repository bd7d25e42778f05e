"""The lifecycle commands on the wire, against the stand-in."""

import json
import re
import threading
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from aws_ecr_gc.report.lifecycle import changes, conversions, findings, health, simulations, verifications
from aws_ecr_gc.sandbox import Sandbox, load_scenario
from tests.conftest import Shell
from tests.lifecycle.worlds import ARCHIVE, DAY, rule, text_of
from tests.sandbox.wire import repository, scenario
from tests.wire.test_bad_input import one_line

AT = ("--at", "2024-06-01T00:00:05Z")
POLICY = text_of(rule(1, ["build-*"], "more", 2), rule(2, "untagged", "pushed", 1))
IMAGES = (
    {"name": "child", "age": "9d"},
    {"name": "index", "tags": ["v1"], "age": "9d", "children": ["child"]},
    {"name": "b{n}", "repeat": 4, "tags": ["build-{n}"], "age": "8d", "every": "1h"},
    {"name": "signature", "age": "7d", "subject": "b0", "artifact_type": "application/x.signature"},
)


@pytest.fixture(autouse=True)
def loaded(sandbox: Sandbox) -> None:
    """Two repositories with the same policy, and one without any."""
    load(sandbox)


def load(sandbox: Sandbox, **behaviour: Any) -> None:
    own = json.loads(POLICY)
    repositories = [
        repository(*IMAGES, name="ci/api", lifecycle_policy=own),
        repository(*IMAGES, name="ci/web", lifecycle_policy=own),
        repository(*IMAGES[:2], name="bare"),
    ]
    sandbox.reset(scenario(repositories=repositories, behaviour=behaviour))


def file(home: Path, text: str = POLICY) -> str:
    path = home / "lifecycle.json"
    path.write_text(text)
    return str(path)


def document(out: str, schema: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(out)
    jsonschema.validate(content, schema)
    return content


# --- simulate ---------------------------------------------------------------------------------------------------------


def test_simulate_tells_of_a_repositorys_own_policy_what_goes_when_and_what_fails(shell: Shell) -> None:
    finished = shell("lifecycle", "simulate", "--repo", "ci/web", "--days", "2", *AT)
    assert finished.exit == 0
    lines = finished.out.splitlines()
    assert lines[:6] == [
        "ci/web (us-east-1): 7 images",
        "Policy: its own, evaluated daily from 2024-06-01 00:00:05 UTC to 2024-06-03 00:00:05 (3 times)",
        "  rule 1: tagged build-*, more than 2 images: expire",
        "    4 images belong to it, 2 marked at the first evaluation",
        "  rule 2: untagged, pushed more than 1 day ago: expire",
        "    2 images belong to it, 2 marked at the first evaluation",
    ]
    assert lines[6] == "Expire (3)"
    assert [line.partition(": rule")[2] for line in lines[7:10]] == [
        " 1, 2024-06-01 00:00:05",
        " 1, 2024-06-01 00:00:05",
        " 2, 2024-06-01 00:00:05",
    ]
    assert lines[10:12] == ["Go to the archive (0)", "Marked in vain (1)"]
    assert lines[12].endswith("; 3 times, last 2024-06-03 00:00:05")


def test_what_simulate_foretells_happens_as_the_clock_moves(sandbox: Sandbox, shell: Shell) -> None:
    at = ("--at", "2024-06-02T00:00:00Z")
    finished = shell("lifecycle", "simulate", "--repo", "ci/*", "--days", "3", "--output", "json", *at)
    content = document(finished.out, simulations.schema())
    foretold = {
        (part["repository"]["name"], image["digest"])
        for part in content["repositories"]
        for image in part["images"]
        if any(event["action"] == "expire" for event in image["events"])
    }
    assert len(foretold) == 6
    sandbox.clock.advance(4 * DAY + 60)
    assert {(each.repository, each.digest) for each in sandbox.deletions} == foretold


def test_simulate_asks_no_more_than_it_must_and_names_repositories_without_a_policy(
    sandbox: Sandbox, shell: Shell
) -> None:
    finished = shell("lifecycle", "simulate", *AT, "--output", "json")
    content = document(finished.out, simulations.schema())
    assert content["without_policy"] == ["bare"]
    assert [part["policy"] for part in content["repositories"]] == [None, None]
    assert {call.operation for call in sandbox.calls} == {
        "DescribeRepositories",
        "GetLifecyclePolicy",
        "DescribeImages",
        "BatchGetImage",
    }


def test_no_manifest_is_read_where_nothing_happens_for_that_would_count_as_a_pull(
    sandbox: Sandbox, shell: Shell
) -> None:
    quiet = file(shell.home, text_of(rule(1, ["build-*"], "more", 4), rule(2, ["none-*"], "pushed", 1)))
    finished = shell("lifecycle", "simulate", quiet, "--repo", "ci/web", *AT)
    assert "Expire (0)" in finished.out
    assert [call.operation for call in sandbox.calls] == ["DescribeImages"]


def test_simulate_reads_a_snapshot_and_a_file(shell: Shell, tmp_path: Path) -> None:
    snapshot = str(tmp_path / "snapshot")
    assert shell("snapshot", "--out", snapshot).exit == 0
    words = ("lifecycle", "simulate", file(tmp_path), "--repo", "ci/web", *AT, "--output", "json")
    live, saved = shell(*words), shell(*words, "--snapshot", snapshot, AWS_ACCESS_KEY_ID=None)
    assert saved.exit == 0
    assert [part["images"] for part in json.loads(saved.out)["repositories"]] == [
        part["images"] for part in json.loads(live.out)["repositories"]
    ]


def test_open_points_are_switches_and_show_what_depends_on_them(shell: Shell) -> None:
    words = ("lifecycle", "simulate", "--repo", "ci/web", *AT, "--output", "json")
    (plain,) = json.loads(shell(*words).out)["repositories"]
    assert [doubt["reading"] for doubt in plain["doubts"]] == ["referrers=ignored"]
    (other,) = json.loads(shell(*words, "--assume", "referrers=ignored").out)["repositories"]
    assert other["assumptions"]["referrers"] == "ignored"

    def gone(part: dict[str, Any]) -> set[str]:
        return {image["digest"] for image in part["images"] if image["events"]}

    assert gone(plain) ^ gone(other) <= set(plain["doubts"][0]["images"])


def test_a_repository_that_cant_be_read_stops_only_itself(sandbox: Sandbox, shell: Shell) -> None:
    sandbox.faults.deny_on = {"api": ["GetLifecyclePolicy"]}
    finished = shell("lifecycle", "simulate", "--repo", "ci/*", *AT)
    assert finished.exit == 3
    assert "repository ci/api: access denied: the permission ecr:GetLifecyclePolicy is missing" in finished.err
    assert finished.out.startswith("ci/web ")


@pytest.mark.parametrize(
    "words",
    [
        ("simulate", "--snapshot", "x"),
        ("simulate", "--days", "-1"),
        ("simulate", "--assume", "days=weeks"),
        ("simulate", "--assume", "days"),
        ("simulate", "--assume", "days=hours", "--assume", "days=calendar"),
        ("simulate", "nowhere.json"),
        ("lint",),
        ("lint", "--in-use", "x", "POLICY"),
        ("import",),
        ("export",),
        ("verify",),
        ("verify", "--repo", "x", "--timeout", "0"),
        ("apply", "POLICY"),
        ("apply", "--repo", "*"),
        ("apply", "POLICY", "--remove", "--repo", "*"),
        ("apply", "POLICY", "--repo", "*"),
        ("report", "--limit", "0"),
        ("report", "--share", "101%"),
        ("nonsense",),
    ],
)
def test_what_was_typed_wrong_is_answered_in_a_line_or_two(shell: Shell, words: tuple[str, ...]) -> None:
    given = tuple(file(shell.home) if word == "POLICY" else word for word in words)
    finished = shell("lifecycle", *given)
    assert (finished.exit, finished.out) == (2, "")
    assert len(finished.err.splitlines()) <= 2


def test_a_policy_that_ecr_would_refuse_is_not_simulated_and_every_mistake_is_told(shell: Shell) -> None:
    bad = text_of(rule(1, "any", "pulled", 0, action={"type": "expire"}))
    finished = shell("lifecycle", "simulate", file(shell.home, bad), "--repo", "ci/web")
    assert finished.exit == 2
    assert len(finished.err.splitlines()) == 2


def test_the_page_shows_what_simulate_says(sandbox: Sandbox, shell: Shell) -> None:
    docs = Path(__file__).parents[2] / "docs"
    command, _, shown = re.findall(
        r"```console\n\$ aws-ecr-gc (.*?)\n()(.*?)```", (docs / "lifecycle.md").read_text(), re.DOTALL
    )[0]
    sandbox.reset(load_scenario(str(docs / "scenarios/lifecycle.yaml")))
    assert shell(*command.split()).out == shown


# --- lint -------------------------------------------------------------------------------------------------------------


def test_lint_exits_6_for_what_ecr_refuses_and_for_surprises_where_it_is_to_be_strict(shell: Shell) -> None:
    bad = text_of(rule(1, "any", "pushed", 0))
    finished = shell("lifecycle", "lint", file(shell.home, bad))
    assert finished.exit == 6
    message = "numeric instance is lower than the required minimum (minimum: 1, found: 0)"
    assert f"rules[0].selection.countNumber: {message}" in finished.out
    surprising = file(shell.home, text_of(rule(1, ["a*", "b*"], "pushed", 1)))
    assert shell("lifecycle", "lint", surprising).exit == 0
    finished = shell("lifecycle", "lint", surprising, "--strict", "--output", "json")
    assert finished.exit == 6
    assert [each["check"] for each in document(finished.out, findings.schema())["findings"]] == ["all-entries"]


def test_lint_looks_at_repositories_and_at_what_runs_there(sandbox: Sandbox, shell: Shell) -> None:
    running = sandbox.workloads()
    running.ecs.register("web", "ci/web:build-0")
    running.ecs.create_cluster("prod").create_service("web", "web:1")
    uses = str(shell.home / "uses.json")
    everywhere = {"AWS_ENDPOINT_URL": sandbox.url}
    taken = shell("in-use", "--sources", "ecs", "--out", uses, **everywhere)
    assert taken.exit == 0, taken.err
    words = ("--registry-id", "123456789012", "--output", "json")
    finished = shell("lifecycle", "lint", "--repo", "ci/web", "--in-use", uses, *AT, *words)
    found = document(finished.out, findings.schema())["findings"]
    assert {each["check"] for each in found} == {"children-of-indexes", "in-use"}
    assert "ecs:prod/" in next(each["message"] for each in found if each["check"] == "in-use")


# --- verify -----------------------------------------------------------------------------------------------------------


def test_verify_finds_simulator_and_preview_agree(sandbox: Sandbox, shell: Shell) -> None:
    finished = shell("lifecycle", "verify", "--repo", "ci/*", *AT)
    assert (finished.exit, finished.out.splitlines()) == (
        0,
        [
            f"{name} (us-east-1): the preview marks 4 images, the simulator 4: the same, each by the same rule"
            for name in ("ci/api", "ci/web")
        ],
    )
    assert "BatchGetImage" not in {call.operation for call in sandbox.calls}
    assert not sandbox.deletions


def test_verify_tells_each_image_that_differs_and_exits_6(sandbox: Sandbox, shell: Shell) -> None:
    load(sandbox, lifecycle_takes_referrers=False)
    finished = shell("lifecycle", "verify", "--repo", "ci/web", *AT, "--output", "json")
    assert finished.exit == 6
    (part,) = document(finished.out, verifications.schema())["repositories"]
    (differing,) = part["differences"]
    assert (differing["simulated"], differing["previewed"]) == ({"rule": 2, "action": "expire"}, None)
    again = shell("lifecycle", "verify", "--repo", "ci/web", *AT, "--assume", "referrers=ignored")
    assert again.exit == 0


def test_verify_pages_through_a_long_preview_and_tries_a_file(sandbox: Sandbox, shell: Shell) -> None:
    many = {"name": "u{n}", "repeat": 230, "age": "9d"}
    sandbox.reset(scenario(repositories=[repository(many, name="big")]))
    archive = text_of(rule(1, "any", "pushed", 1, action=ARCHIVE))
    finished = shell("lifecycle", "verify", file(shell.home, archive), "--repo", "big", *AT)
    assert (finished.exit, finished.err.count("\n")) == (0, 1)
    assert "the preview marks 230 images, the simulator 230" in finished.out
    assert [call.operation for call in sandbox.calls].count("GetLifecyclePolicyPreview") == 3


def test_verify_waits_for_its_preview_and_for_anothers(sandbox: Sandbox, shell: Shell) -> None:
    load(sandbox, preview_seconds=0.6)
    with_timeout = ("--repo", "ci/web", *AT, "--timeout", "20")
    ours = shell("lifecycle", "verify", *with_timeout)
    assert ours.exit == 0
    other = text_of(rule(1, ["v*"], "pushed", 1))
    sandbox.before(
        "StartLifecyclePolicyPreview", lambda _: threading.Thread(target=_begin, args=(sandbox, other)).run(), call=2
    )
    assert shell("lifecycle", "verify", *with_timeout).exit == 0
    refusals = [call.error for call in sandbox.calls if call.operation == "StartLifecyclePolicyPreview"]
    assert "LifecyclePolicyPreviewInProgressException" in refusals


def _begin(sandbox: Sandbox, text: str) -> None:
    """Somebody else's preview."""
    from tests.sandbox.wire import client  # noqa: PLC0415 - boto3 is slow to load

    with client(sandbox) as ecr:
        ecr.start_lifecycle_policy_preview(repositoryName="ci/web", lifecyclePolicyText=text)


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ({"preview_fails": True}, "the preview ended as FAILED"),
        ({"preview_kept_seconds": 0}, "the preview ended as EXPIRED"),
        ({"preview_seconds": 3600}, "the preview is under way after 0.5 seconds"),
    ],
)
def test_a_preview_that_comes_to_nothing_is_an_error_of_that_repository(
    sandbox: Sandbox, shell: Shell, behaviour: dict[str, Any], reason: str
) -> None:
    load(sandbox, **behaviour)
    finished = shell("lifecycle", "verify", "--repo", "ci/web", *AT, "--timeout", "0.5")
    assert finished.exit == 3
    assert reason in finished.err


# --- apply ------------------------------------------------------------------------------------------------------------

OTHER = text_of(rule(1, ["build-*"], "more", 3), rule(2, "untagged", "pushed", 1))


def policies(sandbox: Sandbox) -> dict[str, Any]:
    kept = {name: each.settings.lifecycle_policy for name, each in sandbox.registry().repositories.items()}
    return {name: text and json.loads(text) for name, text in kept.items()}


def test_apply_shows_the_difference_and_puts_the_policy_where_it_is_another(sandbox: Sandbox, shell: Shell) -> None:
    finished = shell("lifecycle", "apply", file(shell.home, OTHER), "--repo", "*", "--yes")
    assert finished.exit == 0
    assert policies(sandbox) == dict.fromkeys(("ci/api", "ci/web", "bare"), json.loads(OTHER))
    lines = finished.out.splitlines()
    assert lines[0] == "No policy yet (1 repository): bare"
    assert "Another policy (2 repositories): ci/api, ci/web" in lines
    assert {'  -        "countNumber": 2', '  +        "countNumber": 3'} <= set(lines)
    assert lines[-3:] == ["bare: put: done", "ci/api: replace: done", "ci/web: replace: done"]
    again = shell("lifecycle", "apply", file(shell.home, OTHER), "--repo", "*", "--yes")
    assert again.out == "Unchanged: bare, ci/api, ci/web\n"


def test_apply_changes_nothing_in_a_dry_run_and_removes_on_request(sandbox: Sandbox, shell: Shell) -> None:
    before = policies(sandbox)
    finished = shell("lifecycle", "apply", file(shell.home, OTHER), "--repo", "*", "--dry-run")
    assert (finished.exit, policies(sandbox)) == (0, before)
    assert finished.err.splitlines()[-1] == "aws-ecr-gc: no policy was changed"
    finished = shell("lifecycle", "apply", "--remove", "--repo", "ci/*", "--yes", "--output", "json")
    content = document(finished.out, changes.schema())
    assert [(each["repository"], each["change"], each["result"]) for each in content["changes"]] == [
        ("ci/api", "remove", "done"),
        ("ci/web", "remove", "done"),
    ]
    assert policies(sandbox) == dict.fromkeys(("ci/api", "ci/web", "bare"))


def test_what_changed_since_it_was_shown_is_left_alone_and_failures_stop_nothing_else(
    sandbox: Sandbox, shell: Shell
) -> None:
    meddled = text_of(rule(9, "any", "more", 9))
    web = sandbox.registry().repository("ci/web")

    def meddle(_request: dict[str, Any]) -> None:
        web.settings.lifecycle_policy = meddled

    sandbox.before("PutLifecyclePolicy", meddle)
    sandbox.faults.deny_on = {"api": ["PutLifecyclePolicy"]}
    finished = shell("lifecycle", "apply", file(shell.home, OTHER), "--repo", "*", "--yes")
    assert finished.exit == 3
    assert policies(sandbox)["bare"] == json.loads(OTHER)
    assert policies(sandbox)["ci/web"] == json.loads(meddled)
    ends = finished.out.splitlines()[-3:]
    assert ends[0] == "bare: put: done"
    assert ends[1].startswith("ci/api: replace: failed: access denied")
    assert ends[2].startswith("ci/web: replace: skipped: its policy changed since it was shown")


# --- report -----------------------------------------------------------------------------------------------------------


def test_report_names_what_has_no_policy_what_is_near_its_limit_and_what_never_acts(
    sandbox: Sandbox, shell: Shell
) -> None:
    api = sandbox.registry().repository("ci/api")
    api.settings.lifecycle_policy = text_of(rule(1, ["x-*"], "pushed", 1), rule(2, ["y-*"], "pushed", 1))
    web = sandbox.registry().repository("ci/web")
    web.settings.lifecycle_policy = text_of(rule(1, ["build-*"], "more", 9), rule(2, ["build-0"], "pushed", 1))
    finished = shell("lifecycle", "report", "--limit", "8")
    assert finished.exit == 6
    assert finished.out.splitlines() == [
        "bare: no lifecycle policy",
        "ci/api: 7 of 8 images (88%); at the limit pushes fail",
        "ci/api: its lifecycle policy has not been evaluated yet",
        "ci/api: no rule of its lifecycle policy selects any image that is there",
        "ci/web: 7 of 8 images (88%); at the limit pushes fail",
        "ci/web: its lifecycle policy has not been evaluated yet",
        "ci/web: rule 2 (tagged build-0) never acts as things are: 1 image that it selects belongs to rule 1",
        "3 repositories: something to say of 3",
    ]


def test_report_has_nothing_to_say_of_a_repository_that_is_cared_for(sandbox: Sandbox, shell: Shell) -> None:
    sandbox.clock._ahead = 0.0  # the real time, as ECR's is
    sandbox.clock._ahead -= DAY
    sandbox.registry().repository("ci/web").settings.lifecycle_policy = POLICY.replace("more", "more")
    sandbox.clock.advance(DAY + 60)
    finished = shell("lifecycle", "report", "--repo", "ci/web", "--output", "json")
    (part,) = document(finished.out, health.schema())["repositories"]
    assert part["rules"] == 2
    assert [remark["check"] for remark in part["remarks"]] in ([], ["rule-never-acts"])


# --- import and export ------------------------------------------------------------------------------------------------


def test_an_imported_policy_is_a_policy_file_that_plans(shell: Shell) -> None:
    finished = shell("lifecycle", "import", "--repo", "ci/web")
    assert finished.exit == 0
    assert finished.out.startswith("# From the lifecycle policy of ci/web.")
    (shell.home / "ours.yaml").write_text(finished.out)
    assert shell("policy", "check", str(shell.home / "ours.yaml")).exit == 0
    planned = shell("plan", "-f", str(shell.home / "ours.yaml"), "--repo", "ci/web", *AT)
    assert "Images to delete (3)" in planned.out  # two builds, and the signature of one of them


def test_a_policy_that_archives_and_deletes_from_the_archive_is_imported_whole(sandbox: Sandbox, shell: Shell) -> None:
    both = text_of(rule(1, "any", "pushed", 30, action=ARCHIVE), rule(2, "any", "archived", 365))
    images = (
        {"name": "gone", "age": "900d", "status": "ARCHIVED", "archived_at": "366d"},
        {"name": "cold", "age": "800d", "status": "ARCHIVED", "archived_at": "100d"},
        {"name": "old", "tags": ["v1"], "age": "31d"},
        {"name": "new", "tags": ["v2"], "age": "29d"},
    )
    sandbox.reset(scenario(repositories=[repository(*images, name="cold")]))
    finished = shell("lifecycle", "import", file(shell.home, both))
    assert finished.exit == 0, finished.err
    assert "action: archive" in finished.out
    (shell.home / "ours.yaml").write_text(finished.out.replace("keep_tagged: 1", "keep_tagged: 0"))
    planned = json.loads(shell("plan", "-f", str(shell.home / "ours.yaml"), *AT, "--output", "json").out)
    simulated = shell("lifecycle", "simulate", file(shell.home, both), *AT, "--output", "json")
    (theirs,) = json.loads(simulated.out)["repositories"]
    collected = {image["digest"] for image in planned["repositories"][0]["images"] if image["decision"] == "collected"}
    assert collected == {image["digest"] for image in theirs["images"] if image["events"]}
    assert len(collected) == 2


def test_an_export_is_a_policy_that_the_registry_takes_and_says_where_its_promise_holds(
    sandbox: Sandbox, shell: Shell
) -> None:
    ours = shell.home / "ours.yaml"
    ours.write_text("version: 1\npolicies:\n  - rules: [{name: builds, match: {prefix: build-}, keep: {newest: 2}}]\n")
    finished = shell("lifecycle", "export", str(ours))
    assert finished.exit == 0
    assert "it deletes what the policy file does" in finished.err
    assert "that holds where" in finished.err
    exported = file(shell.home, finished.out)
    assert shell("lifecycle", "apply", exported, "--repo", "ci/web", "--yes").exit == 0
    content = document(shell("lifecycle", "export", str(ours), "--output", "json").out, conversions.schema())
    assert content["same"] is True
    assert policies(sandbox)["ci/web"] == content["lifecycle_policy"]


def test_where_ecr_can_say_nothing_safely_the_export_is_empty_and_says_why(shell: Shell) -> None:
    ours = shell.home / "ours.yaml"
    ours.write_text(
        "version: 1\nin_use: {sources: [ecs]}\n"
        "policies:\n  - rules: [{name: builds, match: {prefix: build-}, keep: {newest: 2}}]\n"
    )
    finished = shell("lifecycle", "export", str(ours))
    assert (finished.exit, finished.out) == (6, "")
    assert "in_use: ECR can't look what runs" in finished.err


# --- permissions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("simulate", ("simulate",)),
        ("lint", ("lint",)),
        ("verify", ("verify", *AT)),
        ("import", ("import",)),
        ("apply", ("apply", "OTHER", "--yes")),
        ("remove", ("apply", "--remove", "--yes")),
        ("report", ("report",)),
    ],
)
@pytest.mark.parametrize("repositories", [("ci/web",), ("ci/*",)])
def test_the_permissions_that_are_printed_are_those_that_are_used(
    sandbox: Sandbox, shell: Shell, command: str, words: tuple[str, ...], repositories: tuple[str, ...]
) -> None:
    if command == "import" and repositories != ("ci/web",):
        return
    repo = tuple(word for name in repositories for word in ("--repo", name))
    given = tuple(file(shell.home, OTHER) if word == "OTHER" else word for word in words)
    shell("lifecycle", *given, *repo)
    printed = shell("iam-policy", "--for-lifecycle", command, *repo)
    granted = {action for statement in json.loads(printed.out)["Statement"] for action in statement["Action"]}
    assert granted == {f"ecr:{call.operation}" for call in sandbox.calls}


def test_iam_policy_for_lifecycle_has_no_policy_of_ours(shell: Shell) -> None:
    one_line(shell("iam-policy", "--for-lifecycle", "report", "--keep", "a=1"), 2, "--for-lifecycle")
