"""The stand-in carries lifecycle policies out as its clock moves, previews them, and tells what it did."""

import http.client
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from aws_ecr_gc.sandbox import Repository, Sandbox
from tests.lifecycle.worlds import ARCHIVE, DAY, rule, text_of

from .wire import refused, repository, scenario

NOW = datetime(2024, 6, 1, tzinfo=UTC).timestamp()
UNTAGGED = text_of(rule(1, "untagged", "pushed", 6))
IMAGES: tuple[dict[str, Any], ...] = (
    {"name": "old", "age": "9d"},
    {"name": "child", "age": "8d"},
    {"name": "index", "tags": ["v1"], "age": "8d", "children": ["child"]},
    {"name": "signature", "age": "1h", "subject": "old", "artifact_type": "application/x.signature"},
)


def load(sandbox: Sandbox, policy: str | None = UNTAGGED, **behaviour: Any) -> Repository:
    settings = {} if policy is None else {"lifecycle_policy": json.loads(policy)}
    sandbox.reset(scenario(repositories=[repository(*IMAGES, **settings)], behaviour=behaviour))
    return sandbox.registry().repository("app")


def kept(ecr: Any) -> dict[str, Any]:
    answer: dict[str, Any] = ecr.get_lifecycle_policy(repositoryName="app")
    return answer


def test_a_policy_is_evaluated_a_day_after_it_came_and_then_daily(sandbox: Sandbox, ecr: Any) -> None:
    app = load(sandbox)
    sandbox.clock.advance(DAY - 60)
    assert len(app.images) == 4
    assert kept(ecr)["lastEvaluatedAt"].timestamp() == 0
    sandbox.clock.advance(120)
    assert len(app.images) == 3
    assert kept(ecr)["lastEvaluatedAt"].timestamp() == pytest.approx(NOW + DAY, abs=5)
    assert [(each.by, each.tag) for each in sandbox.deletions] == [("lifecycle", None)]
    sandbox.clock.advance(2 * DAY)
    assert kept(ecr)["lastEvaluatedAt"].timestamp() == pytest.approx(NOW + 3 * DAY, abs=5)


def test_what_refers_to_a_deleted_image_is_swept_a_day_later_and_a_child_stays(sandbox: Sandbox) -> None:
    app = load(sandbox)
    sandbox.clock.advance(2 * DAY + 60)
    assert [each.by for each in sandbox.deletions] == ["lifecycle", "sweep"]
    assert len(app.images) == 2
    failed = [each for each in sandbox.lifecycle_actions if each.failure]
    assert [(each.rule, each.action) for each in failed] == [(1, "expire"), (1, "expire")]
    assert failed[0].failure is not None
    assert failed[0].failure.startswith("ImageReferencedByManifestList: [sha256:")


def test_a_policy_that_was_put_begins_anew_and_one_that_was_removed_ends(sandbox: Sandbox, ecr: Any) -> None:
    app = load(sandbox, policy=None)
    sandbox.clock.advance(5 * DAY)
    assert len(app.images) == 4
    ecr.put_lifecycle_policy(repositoryName="app", lifecyclePolicyText=UNTAGGED)
    sandbox.clock.advance(DAY / 2)
    ecr.delete_lifecycle_policy(repositoryName="app")
    sandbox.clock.advance(5 * DAY)
    assert len(app.images) == 4
    assert not sandbox.deletions


def test_policies_are_not_carried_out_where_the_scenario_says_so(sandbox: Sandbox) -> None:
    app = load(sandbox, lifecycle_runs=False)
    sandbox.clock.advance(9 * DAY)
    assert len(app.images) == 4


def test_time_that_passes_by_itself_is_noticed_at_the_next_call(sandbox: Sandbox, ecr: Any) -> None:
    app = load(sandbox)
    sandbox.clock._ahead += DAY + 5  # as if the computer had slept
    assert len(app.images) == 4
    ecr.describe_images(repositoryName="app")
    assert len(app.images) == 3


def test_a_year_is_rehearsed_in_one_step(sandbox: Sandbox) -> None:
    policy = text_of(rule(1, "untagged", "pushed", 30, action=ARCHIVE), rule(2, "any", "archived", 90))
    app = load(sandbox, policy=policy)
    sandbox.clock.advance(365 * DAY)
    assert {image.tags for image in app.images.values()} == {("v1",), ()}
    done = [(each.action, round((each.at - NOW) / DAY)) for each in sandbox.lifecycle_actions if not each.failure]
    assert done == [("archive", 22), ("archive", 23), ("expire", 113), ("expire", 114)]


def test_a_preview_tells_what_the_next_evaluation_would_do(sandbox: Sandbox, ecr: Any) -> None:
    app = load(sandbox)
    started = ecr.start_lifecycle_policy_preview(repositoryName="app")
    assert started["status"] == "IN_PROGRESS"
    preview = ecr.get_lifecycle_policy_preview(repositoryName="app")
    assert preview["status"] == "COMPLETE"
    assert preview["summary"] == {"expiringImageTotalCount": 2}
    assert [
        (row["action"], row["appliedRulePriority"], row["storageClass"], "imageTags" in row)
        for row in preview["previewResults"]
    ] == [({"type": "EXPIRE"}, 1, "STANDARD", False)] * 2
    assert len(app.images) == 4


def test_a_preview_of_another_policy_archives_in_words_of_the_api(sandbox: Sandbox, ecr: Any) -> None:
    load(sandbox, policy=None)
    text = text_of(rule(7, ["v*"], "pushed", 1, action=ARCHIVE))
    ecr.start_lifecycle_policy_preview(repositoryName="app", lifecyclePolicyText=text)
    preview = ecr.get_lifecycle_policy_preview(repositoryName="app")
    (row,) = preview["previewResults"]
    assert row["action"] == {"type": "TRANSITION", "targetStorageClass": "ARCHIVE"}
    assert row["imageTags"] == ["v1"]
    assert preview["summary"]["transitioningImageTotalCounts"] == [
        {"targetStorageClass": "ARCHIVE", "imageTotalCount": 1}
    ]
    assert json.loads(preview["lifecyclePolicyText"]) == json.loads(text)


def test_one_preview_at_a_time_and_it_ends_in_every_way(sandbox: Sandbox, ecr: Any) -> None:
    load(sandbox, preview_seconds=30, preview_kept_seconds=60)
    ecr.start_lifecycle_policy_preview(repositoryName="app")
    with refused("LifecyclePolicyPreviewInProgressException", "has not completed"):
        ecr.start_lifecycle_policy_preview(repositoryName="app")
    running = ecr.get_lifecycle_policy_preview(repositoryName="app")
    assert (running["status"], "previewResults" in running) == ("IN_PROGRESS", False)
    sandbox.clock.advance(31)
    assert ecr.get_lifecycle_policy_preview(repositoryName="app")["status"] == "COMPLETE"
    sandbox.clock.advance(60)
    assert ecr.get_lifecycle_policy_preview(repositoryName="app")["status"] == "EXPIRED"
    ecr.start_lifecycle_policy_preview(repositoryName="app")
    load(sandbox, preview_fails=True)
    ecr.start_lifecycle_policy_preview(repositoryName="app")
    assert ecr.get_lifecycle_policy_preview(repositoryName="app")["status"] == "FAILED"


def test_previews_come_page_by_page_by_tag_status_and_by_image(sandbox: Sandbox, ecr: Any) -> None:
    images: list[dict[str, Any]] = [
        {"name": "u{n}", "repeat": 120, "age": "9d"},
        {"name": "t", "tags": ["v1"], "age": "9d"},
    ]
    policy = json.loads(text_of(rule(1, "any", "pushed", 1)))
    sandbox.reset(scenario(repositories=[repository(*images, lifecycle_policy=policy)]))
    ecr.start_lifecycle_policy_preview(repositoryName="app")
    first = ecr.get_lifecycle_policy_preview(repositoryName="app")
    second = ecr.get_lifecycle_policy_preview(repositoryName="app", nextToken=first["nextToken"])
    assert [len(page["previewResults"]) for page in (first, second)] == [100, 21]
    assert "nextToken" not in second
    tagged = ecr.get_lifecycle_policy_preview(repositoryName="app", filter={"tagStatus": "TAGGED"})
    assert len(tagged["previewResults"]) == 1
    named = ecr.get_lifecycle_policy_preview(repositoryName="app", imageIds=[{"imageTag": "v1"}])
    assert named["previewResults"] == tagged["previewResults"]


def test_previews_are_strict_about_what_the_api_forbids(sandbox: Sandbox, ecr: Any) -> None:
    load(sandbox, policy=None)
    with refused("LifecyclePolicyNotFoundException"):
        ecr.start_lifecycle_policy_preview(repositoryName="app")
    with refused("LifecyclePolicyPreviewNotFoundException"):
        ecr.get_lifecycle_policy_preview(repositoryName="app")
    with refused("InvalidParameterException", "minimum: 1, found: 0"):
        bad = text_of(rule(1, "untagged", "pushed", 0))
        ecr.start_lifecycle_policy_preview(repositoryName="app", lifecyclePolicyText=bad)
    ecr.start_lifecycle_policy_preview(repositoryName="app", lifecyclePolicyText=UNTAGGED)
    with refused("InvalidParameterException", "less than or equal to 100"):
        ecr.get_lifecycle_policy_preview(repositoryName="app", maxResults=101)
    with refused("InvalidParameterException", "together with imageIds"):
        ecr.get_lifecycle_policy_preview(repositoryName="app", imageIds=[{"imageTag": "v1"}], maxResults=1)
    with refused("ImageNotFoundException"):
        ecr.get_lifecycle_policy_preview(repositoryName="app", imageIds=[{"imageTag": "none"}])


def asked(sandbox: Sandbox, method: str, path: str) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"))
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_the_clock_is_put_forward_over_http_and_says_what_policies_did(sandbox: Sandbox) -> None:
    load(sandbox)
    status, content = asked(sandbox, "GET", "/_sandbox/clock")
    assert (status, content["now"]) == (200, pytest.approx(NOW, abs=5))
    status, content = asked(sandbox, "POST", "/_sandbox/clock?advance=36h")
    assert (status, content["now"]) == (200, pytest.approx(NOW + 1.5 * DAY, abs=5))
    assert [(each["action"], each["rule"], each["failure"] is None) for each in content["lifecycle"]] == [
        ("expire", 1, True),
        ("expire", 1, False),
    ]
    assert not sandbox.calls


@pytest.mark.parametrize(("path", "status"), [("clock", 400), ("clock?advance=-1d", 400), ("nothing", 404)])
def test_what_else_is_asked_of_it_is_refused_with_a_reason(sandbox: Sandbox, path: str, status: int) -> None:
    found, content = asked(sandbox, "POST", f"/_sandbox/{path}")
    assert found == status
    assert content["error"]
