"""UpdateImageStorageClass: archiving and restoring."""

from typing import Any

from aws_ecr_gc.sandbox import Repository, Sandbox

from .wire import refused, repository, scenario


def _play(sandbox: Sandbox, *images: dict[str, Any], **behaviour: Any) -> Repository:
    sandbox.reset(scenario(repositories=[repository(*images)], behaviour=behaviour))
    return sandbox.registry().repository("app")


def _move(ecr: Any, target: str, **image_id: str) -> str:
    answer = ecr.update_image_storage_class(repositoryName="app", imageId=image_id, targetStorageClass=target)
    status: str = answer["imageStatus"]
    return status


def _described(ecr: Any, tag: str) -> dict[str, Any]:
    request = {"imageIds": [{"imageTag": tag}], "filter": {"imageStatus": "ANY"}}
    (row,) = ecr.describe_images(repositoryName="app", **request)["imageDetails"]
    found: dict[str, Any] = row
    return found


def test_archiving_takes_effect_at_once(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(sandbox, {"name": "a", "tags": ["a"]})

    assert _move(ecr, "ARCHIVE", imageDigest=app.resolve("a")) == "ARCHIVED"
    row = _described(ecr, "a")
    assert row["imageStatus"] == "ARCHIVED"
    assert abs(row["lastArchivedAt"].timestamp() - sandbox.clock.now()) < 10
    assert "lastActivatedAt" not in row


def test_restoring_takes_a_while_by_the_clock(sandbox: Sandbox, ecr: Any) -> None:
    _play(sandbox, {"name": "a", "tags": ["a"], "status": "ARCHIVED", "archived_at": "9d"}, activation_seconds=600)
    begun = sandbox.clock.now()

    assert _move(ecr, "STANDARD", imageTag="a") == "ACTIVATING"
    assert _described(ecr, "a")["imageStatus"] == "ACTIVATING"
    sandbox.clock.advance(700)
    row = _described(ecr, "a")
    assert row["imageStatus"] == "ACTIVE"
    assert abs(row["lastActivatedAt"].timestamp() - (begun + 600)) < 10
    assert row["lastArchivedAt"].timestamp() < begun


def test_asking_for_the_class_that_it_has_changes_nothing(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(sandbox, {"name": "a", "tags": ["a"]}, {"name": "b", "tags": ["b"], "status": "ARCHIVED"})
    before = dict(app.images)

    assert _move(ecr, "STANDARD", imageTag="a") == "ACTIVE"
    assert _move(ecr, "ARCHIVE", imageTag="b") == "ARCHIVED"
    assert app.images == before


def test_what_is_being_activated_cannot_be_archived(sandbox: Sandbox, ecr: Any) -> None:
    _play(sandbox, {"name": "a", "tags": ["a"], "status": "ACTIVATING"})

    with refused("ImageStorageClassUpdateNotSupportedException"):
        _move(ecr, "ARCHIVE", imageTag="a")


def test_a_child_cannot_be_archived_before_its_index(sandbox: Sandbox, ecr: Any) -> None:
    _play(sandbox, {"name": "a", "tags": ["a"]}, {"name": "x", "tags": ["x"], "children": ["a"]})

    with refused("ImageStorageClassUpdateNotSupportedException", "manifest list"):
        _move(ecr, "ARCHIVE", imageTag="a")
    assert _move(ecr, "ARCHIVE", imageTag="x") == "ARCHIVED"
    assert _move(ecr, "ARCHIVE", imageTag="a") == "ARCHIVED"


def test_an_image_that_is_not_there_is_not_found(ecr: Any) -> None:
    with refused("ImageNotFoundException"):
        _move(ecr, "ARCHIVE", imageTag="a")
    with refused("InvalidParameterException"):
        _move(ecr, "ARCHIVE")
