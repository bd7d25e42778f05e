"""Actions before and after calls, and the record of calls."""

import threading
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from aws_ecr_gc.sandbox import Faults, Repository, Sandbox

from .wire import ACCOUNT, client, failure_codes, refused, repository, scenario, tags_of


def test_before_runs_right_before_the_call_of_that_number(sandbox: Sandbox, ecr: Any, app: Repository) -> None:
    app.put(b"{}", "application/x.any", tag="v1")
    sandbox.before("ListImages", lambda _request: app.remove_tag("v1"), call=2)

    assert [tags_of(ecr.list_images(repositoryName="app")) for _ in range(3)] == [["v1"], [], []]


def test_after_runs_when_the_call_took_effect(sandbox: Sandbox, ecr: Any, app: Repository) -> None:
    app.put(b"{}", "application/x.any", tag="v1")
    seen: list[tuple[dict[str, Any], int]] = []
    sandbox.after("BatchDeleteImage", lambda request: seen.append((request, len(app.images))))

    ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageTag": "v1"}])

    assert seen == [({"repositoryName": "app", "imageIds": [{"imageTag": "v1"}]}, 0)]


def test_an_action_may_call_the_api_itself(sandbox: Sandbox, ecr: Any) -> None:
    with client(sandbox) as other:
        sandbox.before("DescribeRepositories", lambda _request: other.create_repository(repositoryName="late"))
        rows = ecr.describe_repositories()["repositories"]

    assert [row["repositoryName"] for row in rows] == ["app", "late"]


def test_calls_that_a_fault_turns_away_do_not_count_but_lost_answers_do(sandbox: Sandbox, ecr: Any) -> None:
    ran: list[str] = []
    sandbox.before("DescribeRegistry", lambda _request: ran.append("before 2"), call=2)
    sandbox.faults = Faults(reset_share=1.0)
    with pytest.raises(ConnectionClosedError):
        ecr.describe_registry()
    sandbox.faults = Faults(lost_answer_share=1.0)
    with pytest.raises(ConnectionClosedError):
        ecr.describe_registry()
    assert ran == []
    sandbox.faults = Faults()
    ecr.describe_registry()
    assert ran == ["before 2"]


def test_an_action_for_a_call_that_cannot_come_is_refused(sandbox: Sandbox, ecr: Any) -> None:
    ecr.describe_registry()

    with pytest.raises(ValueError, match="call 1 of DescribeRegistry has been already"):
        sandbox.before("DescribeRegistry", lambda _request: None)
    with pytest.raises(ValueError, match="no such operation: Nothing"):
        sandbox.after("Nothing", lambda _request: None)


def test_every_call_is_on_record(sandbox: Sandbox, ecr: Any) -> None:
    ecr.describe_repositories(maxResults=5)
    with refused("RepositoryNotFoundException"):
        ecr.list_images(repositoryName="none")
    with client(sandbox, "AKIDX", "eu-west-1") as other:
        other.describe_registry()

    assert {call.service for call in sandbox.calls} == {"ecr"}
    assert [tuple(call)[:7] for call in sandbox.calls] == [
        ("DescribeRepositories", ACCOUNT, "us-east-1", ACCOUNT, {"maxResults": 5}, 200, None),
        ("ListImages", ACCOUNT, "us-east-1", ACCOUNT, {"repositoryName": "none"}, 400, "RepositoryNotFoundException"),
        ("DescribeRegistry", ACCOUNT, "eu-west-1", "AKIDX", {}, 200, None),
    ]


def test_a_reset_forgets_everything(sandbox: Sandbox, ecr: Any) -> None:
    sandbox.before("DescribeRepositories", lambda _request: pytest.fail("the action should be forgotten"))
    sandbox.faults.deny = ["DescribeRepositories"]
    sandbox.clock.advance(1e9)
    ecr.delete_repository(repositoryName="app")

    sandbox.reset()

    assert ecr.describe_repositories()["repositories"] == []
    assert len(sandbox.calls) == 1
    assert sandbox.deletions == []


def test_the_events_of_a_scenario_happen(sandbox: Sandbox, ecr: Any) -> None:
    image = {"name": "pushed", "tags": ["pushed"], "children": ["a"]}
    sandbox.reset(
        scenario(
            repositories=[
                repository(
                    {"name": "a", "tags": ["a"]},
                    {"name": "b", "tags": ["b"]},
                    {"name": "c", "tags": ["c"]},
                    {"name": "d", "tags": ["d"]},
                )
            ],
            events=[
                {
                    "before": {"operation": "BatchDeleteImage", "call": 2},
                    "do": [
                        {"move_tag": {"repository": "app", "tag": "b", "to": "a"}},
                        {"push": {"repository": "app", "image": image}},
                    ],
                },
                {
                    "after": {"operation": "BatchDeleteImage", "call": 2},
                    "do": [
                        {"delete": {"repository": "app", "image": "c"}},
                        {"delete": {"repository": "app", "image": "c"}},
                        {"archive": {"repository": "app", "image": "pushed"}},
                    ],
                },
            ],
        )
    )
    app = sandbox.registry().repository("app")
    pairs = [{"imageDigest": app.resolve(tag), "imageTag": tag} for tag in ("d", "b")]

    first, second = [ecr.batch_delete_image(repositoryName="app", imageIds=[pair]) for pair in pairs]

    assert failure_codes(first) == []
    assert failure_codes(second) == ["ImageTagDoesNotMatchDigest"]
    assert app.tags.keys() == {"a", "b", "pushed"}
    assert app.resolve("b") == app.resolve("a") == app.children_of(app.resolve("pushed"))[0]
    assert app.images[app.resolve("pushed")].status == "ARCHIVED"
    assert [deletion.by for deletion in sandbox.deletions] == ["BatchDeleteImage", "event"]


def test_clients_at_once_all_get_their_answers(sandbox: Sandbox, app: Repository) -> None:
    app.put(b"{}", "application/x.any")
    (digest,) = app.images

    def tag_many(name: str) -> None:
        with client(sandbox) as ecr:
            for number in range(20):
                app.tag(f"{name}-{number}", digest)
                ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageTag": f"{name}-{number}"}])

    app.tag("stays", digest)
    threads = [threading.Thread(target=tag_many, args=(f"t{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert app.images[digest].tags == ("stays",)
    assert len(sandbox.calls) == 80
