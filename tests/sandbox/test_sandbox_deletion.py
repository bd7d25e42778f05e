"""BatchDeleteImage: what goes, what stays, and what is answered."""

from typing import Any

import pytest

from aws_ecr_gc.sandbox import Deletion, Repository, Sandbox

from .wire import ACCOUNT, failure_codes, repository, scenario

MISSING = "sha256:" + "f" * 64


def _play(sandbox: Sandbox, *images: dict[str, Any], **behaviour: Any) -> Repository:
    sandbox.reset(scenario(repositories=[repository(*images)], behaviour=behaviour))
    return sandbox.registry().repository("app")


def _delete(ecr: Any, *ids: dict[str, str]) -> dict[str, Any]:
    answer: dict[str, Any] = ecr.batch_delete_image(repositoryName="app", imageIds=list(ids))
    return answer


def test_deleting_by_digest_removes_every_tag_with_a_row_for_each(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(sandbox, {"name": "a", "tags": ["v1", "v2"]})
    digest = app.resolve("v1")

    answer = _delete(ecr, {"imageDigest": digest})

    assert answer["imageIds"] == [{"imageDigest": digest, "imageTag": tag} for tag in ("v1", "v2")]
    assert answer["failures"] == []
    assert not app.images


def test_deleting_an_untagged_image_answers_its_digest_alone(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(sandbox, {"name": "a"})
    (digest,) = app.images

    assert _delete(ecr, {"imageDigest": digest})["imageIds"] == [{"imageDigest": digest}]


def test_deleting_by_tag_removes_that_tag_only_and_the_image_with_its_last(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(sandbox, {"name": "a", "tags": ["v1", "v2"]})
    digest = app.resolve("v1")

    assert _delete(ecr, {"imageTag": "v1"})["imageIds"] == [{"imageDigest": digest, "imageTag": "v1"}]
    assert app.images[digest].tags == ("v2",)
    assert _delete(ecr, {"imageTag": "v2"})["imageIds"] == [{"imageDigest": digest, "imageTag": "v2"}]
    assert digest not in app.images


def test_a_pair_removes_one_tag_where_the_switch_says_tag(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(sandbox, {"name": "a", "tags": ["v1", "v2"]}, pair_deletes="tag")
    digest = app.resolve("v1")

    _delete(ecr, {"imageDigest": digest, "imageTag": "v1"})
    assert app.images[digest].tags == ("v2",)
    _delete(ecr, {"imageDigest": digest, "imageTag": "v2"})
    assert digest not in app.images


def test_a_pair_removes_the_image_where_the_switch_says_image(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(sandbox, {"name": "a", "tags": ["v1", "v2"]}, pair_deletes="image")
    digest = app.resolve("v1")

    answer = _delete(ecr, {"imageDigest": digest, "imageTag": "v1"}, {"imageDigest": digest, "imageTag": "v2"})

    assert [row["imageTag"] for row in answer["imageIds"]] == ["v1", "v2"]
    assert failure_codes(answer) == ["ImageNotFound"]
    assert not app.images


@pytest.mark.parametrize("pair_deletes", ["tag", "image"])
def test_a_tag_that_moved_is_not_removed_by_the_pair_it_was_in(sandbox: Sandbox, ecr: Any, pair_deletes: str) -> None:
    app = _play(sandbox, {"name": "a", "tags": ["v1"]}, {"name": "b"}, pair_deletes=pair_deletes)
    old = app.resolve("v1")
    new = next(digest for digest in app.images if digest != old)
    app.tag("v1", new)

    assert failure_codes(_delete(ecr, {"imageDigest": old, "imageTag": "v1"})) == ["ImageTagDoesNotMatchDigest"]
    assert set(app.images) == {old, new}


def test_each_kind_of_wrong_identifier_has_its_failure(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(sandbox, {"name": "a", "tags": ["v1"]})

    answer = _delete(
        ecr,
        {},
        {"imageDigest": "no digest"},
        {"imageTag": "no tag"},
        {"imageTag": "absent"},
        {"imageDigest": MISSING},
        {"imageDigest": MISSING, "imageTag": "v1"},
        {"imageDigest": app.resolve("v1"), "imageTag": "absent"},
    )

    assert failure_codes(answer) == [
        "MissingDigestAndTag",
        "InvalidImageDigest",
        "InvalidImageTag",
        *["ImageNotFound"] * 4,
    ]
    assert answer["failures"][0]["failureReason"] == "Invalid request parameters: both tag and digest cannot be null"
    assert answer["failures"][3] == {
        "imageId": {"imageTag": "absent"},
        "failureCode": "ImageNotFound",
        "failureReason": "Requested image not found",
    }


def test_what_is_named_twice_is_not_found_the_second_time(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(sandbox, {"name": "a", "tags": ["v1"]})
    digest = app.resolve("v1")

    answer = _delete(ecr, {"imageDigest": digest}, {"imageDigest": digest}, {"imageTag": "v1"})

    assert len(answer["imageIds"]) == 1
    assert failure_codes(answer) == ["ImageNotFound", "ImageNotFound"]


MULTIARCH = (
    {"name": "x-amd64", "tags": ["amd"]},
    {"name": "x-arm64"},
    {"name": "x", "children": ["x-amd64", "x-arm64"]},
)


def test_children_do_not_go_in_the_call_that_takes_their_index(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(sandbox, *MULTIARCH)
    index = next(digest for digest, image in app.images.items() if image.children)
    children = app.children_of(index)

    answer = _delete(ecr, {"imageDigest": index}, *({"imageDigest": child} for child in children))

    assert answer["imageIds"] == [{"imageDigest": index}]
    assert failure_codes(answer) == ["ImageReferencedByManifestList"] * 2
    assert answer["failures"][0]["failureReason"] == f"Requested image referenced by manifest list: [{index}]"
    assert len(_delete(ecr, *({"imageDigest": child} for child in children))["imageIds"]) == 2


def test_the_only_tag_of_a_child_stays_but_one_of_several_goes(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(sandbox, *MULTIARCH)

    assert failure_codes(_delete(ecr, {"imageTag": "amd"})) == ["ImageReferencedByManifestList"]
    app.tag("amd-2", app.resolve("amd"))
    answer = _delete(ecr, {"imageTag": "amd"}, {"imageTag": "amd-2"})
    assert [row["imageTag"] for row in answer["imageIds"]] == ["amd"]
    assert failure_codes(answer) == ["ImageReferencedByManifestList"]


def test_children_of_an_archived_index_can_be_deleted(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(sandbox, *MULTIARCH)
    index = next(digest for digest, image in app.images.items() if image.children)
    app.archive(index)

    assert len(_delete(ecr, {"imageDigest": app.resolve("amd")})["imageIds"]) == 1


def test_an_index_within_an_index_is_held_like_any_child(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(
        sandbox,
        {"name": "a"},
        {"name": "inner", "tags": ["inner"], "children": ["a"]},
        {"name": "o", "children": ["inner"]},
    )

    assert failure_codes(_delete(ecr, {"imageDigest": app.resolve("inner")})) == ["ImageReferencedByManifestList"]


REFERRERS = (
    {"name": "a", "tags": ["v1"]},
    {"name": "signature", "subject": "a", "artifact_type": "application/x.sig"},
    {"name": "countersignature", "subject": "signature", "artifact_type": "application/x.sig"},
)


def test_a_subject_goes_before_its_referrers_which_stay(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(sandbox, *REFERRERS)
    subject = app.resolve("v1")

    assert failure_codes(_delete(ecr, {"imageTag": "v1"})) == []
    assert len(app.images) == 2
    assert len(app.referrers_of(subject)) == 1


def test_referrers_go_with_their_subject_where_the_switch_says_so(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(sandbox, *REFERRERS, sweep_referrers=True)
    (referrer,) = app.referrers_of(app.resolve("v1"))

    answer = _delete(ecr, {"imageTag": "v1"}, {"imageDigest": referrer})

    assert failure_codes(answer) == ["ImageNotFound"]
    assert not app.images
    assert [deletion.by for deletion in sandbox.deletions] == ["BatchDeleteImage", "sweep", "sweep"]


def test_archived_images_can_be_deleted(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(sandbox, {"name": "a", "tags": ["v1"], "status": "ARCHIVED"})

    assert failure_codes(_delete(ecr, {"imageTag": "v1"})) == []
    assert not app.images


def test_every_deletion_is_on_record_with_the_tags_right_before(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(sandbox, {"name": "a", "tags": ["v1", "v2"]}, {"name": "b"})
    tagged = app.resolve("v1")
    other = next(digest for digest in app.images if digest != tagged)

    _delete(ecr, {"imageTag": "v1"}, {"imageTag": "v2"})
    app.remove(other)

    where = (ACCOUNT, "us-east-1", "app")
    assert sandbox.deletions == [
        Deletion(*where, tagged, ("v1", "v2"), "v1", "BatchDeleteImage"),
        Deletion(*where, tagged, ("v2",), None, "BatchDeleteImage"),
        Deletion(*where, other, (), None, "direct"),
    ]
