"""ListImages, DescribeImages, ListImageReferrers, BatchGetImage."""

from typing import Any

import pytest

from aws_ecr_gc.sandbox import Repository, Sandbox
from aws_ecr_gc.sandbox.manifests import DOCKER_INDEX, EMPTY_CONFIG, OCI_INDEX

from .wire import failure_codes, refused, repository, scenario, tags_of

MISSING = "sha256:" + "f" * 64
STATUSES = (
    {"name": "active", "tags": ["active"]},
    {"name": "archived", "tags": ["archived"], "status": "ARCHIVED"},
    {"name": "activating", "tags": ["activating"], "status": "ACTIVATING"},
    {"name": "untagged"},
)


def _play(sandbox: Sandbox, *images: dict[str, Any], **behaviour: Any) -> Repository:
    sandbox.reset(scenario(repositories=[repository(*images)], behaviour=behaviour))
    return sandbox.registry().repository("app")


def _details(ecr: Any, **request: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = ecr.describe_images(repositoryName="app", **request)["imageDetails"]
    return rows


def test_only_active_images_are_listed_unless_asked_otherwise(sandbox: Sandbox, ecr: Any) -> None:
    _play(sandbox, *STATUSES)

    for conditions, expected in (
        ({}, ["active"]),
        ({"imageStatus": "ARCHIVED"}, ["archived"]),
        ({"imageStatus": "ACTIVATING"}, ["activating"]),
        ({"imageStatus": "ANY", "tagStatus": "TAGGED"}, ["activating", "active", "archived"]),
        ({"imageStatus": "ANY", "tagStatus": "UNTAGGED"}, []),
    ):
        listed = ecr.list_images(repositoryName="app", filter=conditions)
        described = _details(ecr, filter=conditions)
        assert tags_of(listed) == sorted(tag for row in described for tag in row.get("imageTags", [])) == expected
        assert len(listed["imageIds"]) == len(described)


def test_list_images_has_a_row_for_each_tag_and_describe_images_one_for_each_digest(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(sandbox, {"name": "a", "tags": ["v1", "v2"]}, {"name": "b"})
    tagged = app.resolve("v1")

    rows = ecr.list_images(repositoryName="app")["imageIds"]

    assert sorted(row.get("imageTag", "") for row in rows) == ["", "v1", "v2"]
    by_digest = {row["imageDigest"]: row for row in _details(ecr)}
    assert len(by_digest) == 2
    assert by_digest.pop(tagged)["imageTags"] == ["v1", "v2"]
    assert "imageTags" not in by_digest.popitem()[1]


def test_describe_images_tells_what_is_known_and_leaves_out_what_is_not(sandbox: Sandbox, ecr: Any) -> None:
    _play(
        sandbox,
        {"name": "small", "size": 100, "pushed_at": "2024-05-01T00:00:00Z"},
        {"name": "big", "size": 900, "pulled_at": "2024-05-30T00:00:00Z", "tags": ["big"]},
        {"name": "both", "tags": ["both"], "children": ["small", "big"]},
        {"name": "sig", "tags": ["sig"], "subject": "both", "artifact_type": "application/x.sig"},
    )
    rows = {(row.get("imageTags") or ["small"])[0]: row for row in _details(ecr)}

    assert rows["small"]["imageSizeInBytes"] == 100 + 1500
    assert rows["small"]["imagePushedAt"].timestamp() == 1714521600
    assert "lastRecordedPullTime" not in rows["small"]
    assert rows["big"]["lastRecordedPullTime"].timestamp() == 1717027200
    assert rows["both"]["imageSizeInBytes"] == rows["big"]["imageSizeInBytes"]
    assert rows["both"]["imageManifestMediaType"] == OCI_INDEX
    assert "artifactMediaType" not in rows["both"]
    assert rows["sig"]["subjectManifestDigest"] == rows["both"]["imageDigest"]
    assert rows["sig"]["artifactMediaType"] == "application/x.sig"
    assert not rows["small"].keys() & {"subjectManifestDigest", "lastArchivedAt", "lastActivatedAt"}


def test_naming_an_image_twice_describes_it_once(sandbox: Sandbox, ecr: Any) -> None:
    _play(sandbox, {"name": "a", "tags": ["v1", "v2"]})

    assert len(_details(ecr, imageIds=[{"imageTag": "v1"}, {"imageTag": "v2"}])) == 1


def test_one_unknown_image_fails_the_whole_description(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(sandbox, *STATUSES)
    text = (
        "The image with imageId {imageDigest:'null', imageTag:'x'} does not exist within the repository with name "
        "'app' in the registry with id '123456789012'"
    )

    with refused("ImageNotFoundException", text):
        _details(ecr, imageIds=[{"imageTag": "active"}, {"imageTag": "x"}])
    with refused("ImageNotFoundException"):
        _details(ecr, imageIds=[{"imageTag": "active", "imageDigest": app.resolve("archived")}])
    with refused("ImageNotFoundException"):
        _details(ecr, imageIds=[{"imageTag": "archived"}])
    assert len(_details(ecr, imageIds=[{"imageTag": "archived"}], filter={"imageStatus": "ANY"})) == 1


def test_named_images_are_not_paged(sandbox: Sandbox, ecr: Any) -> None:
    _play(sandbox, *STATUSES)

    for paging in ({"maxResults": 1}, {"nextToken": "x"}):
        with refused("InvalidParameterException"):
            _details(ecr, imageIds=[{"imageTag": "active"}], **paging)
    for wrong in ({}, {"imageDigest": "x"}, {"imageTag": "a b"}):
        with refused("InvalidParameterException"):
            _details(ecr, imageIds=[wrong])


def test_a_page_holds_a_hundred_rows_and_twenty_referrers(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(
        sandbox,
        {"name": "subject", "tags": ["subject"]},
        {"repeat": 120, "name": "sig-{n}", "subject": "subject", "artifact_type": "application/x.sig"},
    )
    subject = {"imageDigest": app.resolve("subject")}

    assert len(_details(ecr)) == 100
    assert len(ecr.list_images(repositoryName="app")["imageIds"]) == 100
    assert len(ecr.list_image_referrers(repositoryName="app", subjectId=subject)["referrers"]) == 20
    page = ecr.list_image_referrers(repositoryName="app", subjectId=subject, maxResults=50)
    assert len(page["referrers"]) == 50


def test_a_listing_is_whole_though_images_come_and_go_meanwhile(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(sandbox, {"repeat": 25, "name": "a-{n}", "tags": ["v{n}"]})
    expected = sorted(app.tags)
    seen: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = ecr.list_images(repositoryName="app", maxResults=4, **token)
        seen.extend(row["imageTag"] for row in page["imageIds"])
        if seen[-1] in app.tags:
            app.remove(app.tags[seen[-1]])
        app.put(b'{"layers": [], "n": %d}' % len(seen), OCI_INDEX, tag=f"new{len(seen)}")
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}

    assert sorted(seen) == expected


def test_a_page_can_be_asked_for_again(sandbox: Sandbox, ecr: Any) -> None:
    _play(sandbox, {"repeat": 10, "tags": ["v{n}"]})
    first = ecr.list_images(repositoryName="app", maxResults=4)

    again = [ecr.list_images(repositoryName="app", maxResults=4, nextToken=first["nextToken"]) for _ in range(2)]

    assert again[0]["imageIds"] == again[1]["imageIds"]


@pytest.mark.parametrize("token", ["x", "bm9uZTox", "é"])
def test_a_token_that_was_never_given_out_is_refused(ecr: Any, token: str) -> None:
    with refused("InvalidParameterException", "nextToken"):
        ecr.list_images(repositoryName="app", nextToken=token)


def test_a_token_serves_only_the_request_that_it_was_given_for(sandbox: Sandbox, ecr: Any) -> None:
    _play(sandbox, {"repeat": 10, "tags": ["v{n}"]})
    token = ecr.list_images(repositoryName="app", maxResults=4)["nextToken"]

    with refused("InvalidParameterException", "nextToken"):
        ecr.list_images(repositoryName="app", filter={"tagStatus": "TAGGED"}, nextToken=token)
    with refused("InvalidParameterException", "nextToken"):
        ecr.describe_images(repositoryName="app", nextToken=token)


def test_the_oldest_snapshots_are_forgotten(sandbox: Sandbox, ecr: Any) -> None:
    _play(sandbox, {"repeat": 3, "tags": ["v{n}"]})
    token = ecr.list_images(repositoryName="app", maxResults=1)["nextToken"]
    for _ in range(100):
        ecr.list_images(repositoryName="app", maxResults=1)

    with refused("InvalidParameterException", "nextToken"):
        ecr.list_images(repositoryName="app", nextToken=token)


def test_referrers_are_filtered_by_type_and_status(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(
        sandbox,
        {"name": "subject", "tags": ["subject"]},
        {"name": "sig", "tags": ["sig"], "subject": "subject", "artifact_type": "application/x.sig"},
        {"name": "plain", "tags": ["plain"], "subject": "subject"},
        {
            "name": "old",
            "tags": ["old"],
            "subject": "subject",
            "artifact_type": "application/x.sig",
            "status": "ARCHIVED",
        },
        {"name": "far", "subject": "sig", "artifact_type": "application/x.sig"},
    )
    tag_of = {digest: tag for tag, digest in app.tags.items()}

    def referrers(**conditions: Any) -> list[str]:
        subject = {"imageDigest": app.resolve("subject")}
        answer = ecr.list_image_referrers(repositoryName="app", subjectId=subject, filter=conditions)
        return sorted(tag_of[row["digest"]] for row in answer["referrers"])

    assert referrers() == referrers(artifactTypes=[]) == ["plain", "sig"]
    assert referrers(artifactStatus="ANY") == ["old", "plain", "sig"]
    assert referrers(artifactStatus="ARCHIVED") == ["old"]
    assert referrers(artifactTypes=["application/x.sig", EMPTY_CONFIG]) == ["plain", "sig"]
    assert referrers(artifactTypes=["application/x.sig"]) == ["sig"]
    with refused("InvalidParameterException", "imageDigest"):
        ecr.list_image_referrers(repositoryName="app", subjectId={"imageDigest": "sig"})


def test_a_referrer_is_told_with_the_size_and_annotations_of_its_manifest(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(
        sandbox,
        {"name": "a", "tags": ["a"]},
        {"name": "sig", "tags": ["sig"], "subject": "a", "artifact_type": "application/x.sig"},
    )

    answer = ecr.list_image_referrers(repositoryName="app", subjectId={"imageDigest": app.resolve("a")})

    (row,) = answer["referrers"]
    assert row["size"] == len(app.images[app.resolve("sig")].manifest)
    assert row["annotations"] == {"dev.aws-ecr-gc.sandbox.name": "sig"}


MULTIARCH = (
    {"name": "x-arm64"},
    {"name": "x-amd64"},
    {"name": "x", "tags": ["x"], "children": ["x-arm64", "x-amd64"]},
)


def test_an_index_is_answered_with_one_platform_to_a_client_that_accepts_none(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(sandbox, *MULTIARCH)
    index = app.resolve("x")
    by_tag, by_digest = [{"imageTag": "x"}], [{"imageDigest": index}]

    def fetched(ids: list[dict[str, str]], **request: Any) -> str:
        (image,) = ecr.batch_get_image(repositoryName="app", imageIds=ids, **request)["images"]
        digest: str = image["imageId"]["imageDigest"]
        return digest

    amd64 = app.children_of(index)[1]
    assert fetched(by_tag) == fetched(by_tag, acceptedMediaTypes=["application/x"]) == amd64
    assert fetched(by_digest) == fetched(by_tag, acceptedMediaTypes=[DOCKER_INDEX, OCI_INDEX]) == index


def test_fetching_a_manifest_moves_the_pull_time_of_that_image_alone(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(sandbox, *MULTIARCH)
    index = app.resolve("x")
    sandbox.clock.advance(60)

    ecr.batch_get_image(repositoryName="app", imageIds=[{"imageDigest": index}])

    assert app.images[index].pulled_at == pytest.approx(sandbox.clock.now(), abs=10)
    assert [app.images[child].pulled_at for child in app.children_of(index)] == [None, None]


def test_fetching_leaves_the_pull_time_where_the_switch_says_so(sandbox: Sandbox, ecr: Any) -> None:
    app = _play(sandbox, {"name": "a", "tags": ["a"]}, pulls_move_pull_time=False)

    ecr.batch_get_image(repositoryName="app", imageIds=[{"imageTag": "a"}])

    assert app.images[app.resolve("a")].pulled_at is None


@pytest.mark.parametrize("code", ["ImageNotFound", "ImageInaccessible"])
def test_an_archived_image_cannot_be_fetched(sandbox: Sandbox, ecr: Any, code: str) -> None:
    _play(sandbox, *STATUSES, archived_pull_failure=code)
    ids = [{"imageTag": "archived"}, {"imageTag": "activating"}, {"imageTag": "active"}, {"imageDigest": MISSING}]

    answer = ecr.batch_get_image(repositoryName="app", imageIds=ids)

    assert failure_codes(answer) == [code, code, "ImageNotFound"]
    assert [image["imageId"]["imageTag"] for image in answer["images"]] == ["active"]
