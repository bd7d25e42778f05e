"""PutImage, over the wire."""

import json
from typing import Any

import pytest

from aws_ecr_gc.sandbox import Repository, Sandbox
from aws_ecr_gc.sandbox.manifests import DOCKER_IMAGE, OCI_IMAGE, OCI_INDEX, digest_of

from .wire import refused, repository, scenario

MISSING = "sha256:" + "f" * 64
CONFIG = b"{}     "
LAYER = bytes(100)


def _manifest(name: str = "a", **members: Any) -> str:
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(CONFIG), "size": len(CONFIG)}
    layers = [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest_of(LAYER), "size": len(LAYER)}]
    named = {"annotations": {"name": name}}
    return json.dumps(
        {"schemaVersion": 2, "mediaType": OCI_IMAGE, "config": config, "layers": layers, **named, **members}
    )


def _stock(sandbox: Sandbox) -> Repository:
    """The repository, with the blobs of every manifest."""
    app = sandbox.registry().repository("app")
    app.layers.add(CONFIG)
    app.layers.add(LAYER)
    return app


@pytest.fixture
def app(sandbox: Sandbox) -> Repository:
    return _stock(sandbox)


@pytest.fixture(autouse=True)
def _stocked(app: Repository) -> None:
    """Every manifest here is of the same blobs."""


def _put(ecr: Any, manifest: str, **members: str) -> str:
    answer = ecr.put_image(repositoryName="app", imageManifest=manifest, **members)
    digest: str = answer["image"]["imageId"]["imageDigest"]
    return digest


def test_the_digest_is_that_of_the_bytes_sent(ecr: Any, app: Repository) -> None:
    manifest = _manifest()

    digest = _put(ecr, manifest, imageTag="v1")

    assert digest == digest_of(manifest.encode())
    assert app.images[digest].size == 107
    assert app.images[digest].artifact_media_type == "application/vnd.oci.image.config.v1+json"
    fetched = ecr.batch_get_image(repositoryName="app", imageIds=[{"imageDigest": digest}])
    assert fetched["images"][0]["imageManifest"] == manifest


def test_a_tag_that_moves_leaves_the_old_image_untagged(ecr: Any, app: Repository) -> None:
    old = _put(ecr, _manifest("a"), imageTag="v1")
    new = _put(ecr, _manifest("b"), imageTag="v1")

    assert app.tags == {"v1": new}
    assert app.images[old].tags == ()


def test_another_tag_on_the_same_manifest_changes_no_push_time(sandbox: Sandbox, ecr: Any, app: Repository) -> None:
    digest = _put(ecr, _manifest(), imageTag="v1")
    pushed_at = app.images[digest].pushed_at
    sandbox.clock.advance(3600)

    assert _put(ecr, _manifest(), imageTag="v2") == digest
    assert app.images[digest].tags == ("v1", "v2")
    assert app.images[digest].pushed_at == pushed_at


def test_the_same_manifest_with_the_same_tag_is_there_already(ecr: Any) -> None:
    digest = _put(ecr, _manifest(), imageTag="v1")

    message = f"Image with digest '{digest}' and tag 'v1' already exists in the repository with name 'app'"
    with refused("ImageAlreadyExistsException", message):
        _put(ecr, _manifest(), imageTag="v1")
    with refused("ImageAlreadyExistsException"):
        _put(ecr, _manifest())


def test_a_media_type_is_needed_somewhere_and_must_not_contradict(ecr: Any, app: Repository) -> None:
    bare = json.dumps({"schemaVersion": 2, "layers": []})
    with refused("InvalidParameterException", "imageManifestMediaType"):
        _put(ecr, bare)
    with refused("InvalidParameterException", "imageManifestMediaType"):
        _put(ecr, _manifest(), imageManifestMediaType=DOCKER_IMAGE)

    digest = _put(ecr, bare, imageManifestMediaType=DOCKER_IMAGE)
    assert app.images[digest].media_type == DOCKER_IMAGE


@pytest.mark.parametrize("manifest", ["{", "[]", _manifest(layers="none")])
def test_what_is_no_manifest_is_refused(ecr: Any, manifest: str) -> None:
    with refused("InvalidParameterException", "ImageManifest"):
        _put(ecr, manifest)


def test_a_digest_that_does_not_match_is_refused(ecr: Any, app: Repository) -> None:
    with refused("ImageDigestDoesNotMatchException"):
        _put(ecr, _manifest(), imageDigest=MISSING)
    assert not app.images


def test_the_children_of_an_index_must_be_there(ecr: Any, app: Repository) -> None:
    def index(*children: str) -> str:
        entries = [{"mediaType": OCI_IMAGE, "digest": child, "size": 1} for child in children]
        return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})

    with refused("ReferencedImagesNotFoundException", MISSING):
        _put(ecr, index(MISSING))
    child = _put(ecr, _manifest())
    digest = _put(ecr, index(child), imageTag="v1")
    assert app.children_of(digest) == (child,)
    assert app.images[digest].size == app.images[child].size


def test_layers_that_the_scenario_lists_as_missing_are_not_found(sandbox: Sandbox, ecr: Any) -> None:
    layer = digest_of(LAYER)
    sandbox.reset(scenario(repositories=[repository(missing_layers=[layer])]))
    _stock(sandbox)

    with refused("LayersNotFoundException", layer):
        _put(ecr, _manifest())
    answer = ecr.batch_check_layer_availability(repositoryName="app", layerDigests=[layer])
    assert answer["layers"][0]["layerAvailability"] == "UNAVAILABLE"


@pytest.mark.parametrize(
    ("settings", "moving", "fixed"),
    [
        ({"tag_mutability": "IMMUTABLE"}, [], ["v1", "dev-1"]),
        ({"tag_mutability": "IMMUTABLE_WITH_EXCLUSION", "exclusion_filters": ["dev-*"]}, ["dev-1"], ["v1"]),
        (
            {"tag_mutability": "MUTABLE_WITH_EXCLUSION", "exclusion_filters": ["v*", "rel*se"]},
            ["dev-1", "releases"],
            ["v1", "release"],
        ),
    ],
)
def test_an_immutable_tag_cannot_be_moved_but_deleted(
    sandbox: Sandbox, ecr: Any, settings: dict[str, Any], moving: list[str], fixed: list[str]
) -> None:
    sandbox.reset(scenario(repositories=[repository(**settings)]))
    _stock(sandbox)
    for tag in moving + fixed:
        _put(ecr, _manifest(f"old {tag}"), imageTag=tag)

    for tag in moving:
        _put(ecr, _manifest(f"new {tag}"), imageTag=tag)
    for tag in fixed:
        with refused("ImageTagAlreadyExistsException", f"The image tag '{tag}' already exists in the 'app' repository"):
            _put(ecr, _manifest(f"new {tag}"), imageTag=tag)
        ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageTag": tag}])
        _put(ecr, _manifest(f"new {tag}"), imageTag=tag)


def test_pushing_an_archived_image_again_restores_it_at_once(ecr: Any, app: Repository) -> None:
    digest = _put(ecr, _manifest(), imageTag="v1")
    app.archive(digest)

    _put(ecr, _manifest(), imageTag="v1")

    assert app.images[digest].status == "ACTIVE"
    assert app.images[digest].activated_at is not None


def test_a_referrer_is_known_by_its_subject_even_before_that_is_there(ecr: Any, app: Repository) -> None:
    subject = _manifest("later")
    later = digest_of(subject.encode())
    referrer = _put(ecr, _manifest("sig", subject={"mediaType": OCI_IMAGE, "digest": later, "size": 1}))

    answer = ecr.list_image_referrers(repositoryName="app", subjectId={"imageDigest": later})

    assert [row["digest"] for row in answer["referrers"]] == [referrer]
    assert app.images[referrer].subject == later
