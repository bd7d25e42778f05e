"""Layers over the wire: uploading them in parts, whether they are there, downloading them."""

import hashlib
import http.client
from itertools import pairwise
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.sandbox import Behaviour, Faults, Repository, Sandbox
from aws_ecr_gc.sandbox import blobs as made_up
from aws_ecr_gc.sandbox.manifests import DOCKER_IMAGE, OCI_IMAGE, digest_of, layer, write

from .wire import refused, repository, scenario

MIB = 1 << 20
NOTHING = "sha256:" + "f" * 64


def upload(ecr: Any, content: bytes, *sizes: int, digest: str | None = None) -> str:
    """Upload in parts of these sizes; the digest that is answered."""
    begun = ecr.initiate_layer_upload(repositoryName="app")
    assert begun["partSize"] == 10 * MIB
    ends = [0]
    for size in sizes or (len(content),):
        ends.append(ends[-1] + size)
    for first, end in pairwise(ends):
        _part(ecr, begun["uploadId"], first, content[first:end])
    done = ecr.complete_layer_upload(
        repositoryName="app", uploadId=begun["uploadId"], layerDigests=[digest or digest_of(content)]
    )
    return str(done["layerDigest"])


def _part(ecr: Any, upload_id: str, first: int, blob: bytes, last: int | None = None) -> Any:
    return ecr.upload_layer_part(
        repositoryName="app",
        uploadId=upload_id,
        partFirstByte=first,
        partLastByte=first + len(blob) - 1 if last is None else last,
        layerPartBlob=blob,
    )


def availability(ecr: Any, *digests: str) -> list[str]:
    answer = ecr.batch_check_layer_availability(repositoryName="app", layerDigests=list(digests))
    return [each["layerAvailability"] for each in answer["layers"]]


def opened(url: str) -> Any:
    return urlopen(url)  # noqa: S310 - the stand-in's own


def download(ecr: Any, digest: str) -> bytes:
    with opened(_url(ecr, digest)) as response:
        return bytes(response.read())


def _url(ecr: Any, digest: str) -> str:
    return str(ecr.get_download_url_for_layer(repositoryName="app", layerDigest=digest)["downloadUrl"])


def test_what_was_uploaded_in_parts_is_a_layer_that_an_image_can_name(ecr: Any) -> None:
    content = bytes(range(256)) * (12 * MIB // 256) + b"end"
    digest = upload(ecr, content, 5 * MIB, 7 * MIB, 3)
    assert digest == digest_of(content)
    assert availability(ecr, digest, NOTHING) == ["AVAILABLE", "UNAVAILABLE"]
    with refused("LayerInaccessibleException", "is not associated with an image"):
        _url(ecr, digest)
    config = upload(ecr, b"{}")
    manifest = (
        f'{{"schemaVersion": 2, "config": {{"mediaType": "x/y", "digest": "{config}", "size": 2}}, '
        f'"layers": [{{"mediaType": "z/z", "digest": "{digest}", "size": {len(content)}}}]}}'
    )
    ecr.put_image(repositoryName="app", imageManifest=manifest, imageManifestMediaType=OCI_IMAGE, imageTag="v1")
    assert download(ecr, digest) == content
    (told,) = ecr.batch_check_layer_availability(repositoryName="app", layerDigests=[digest])["layers"]
    assert (told["layerSize"], told["mediaType"]) == (len(content), "z/z")


def test_the_rules_of_an_upload(ecr: Any) -> None:
    with refused("UploadNotFoundException"):
        _part(ecr, "00000000-0000-0000-0000-000000000000", 0, b"x")
    begun = ecr.initiate_layer_upload(repositoryName="app")["uploadId"]
    whole = {"repositoryName": "app", "uploadId": begun, "layerDigests": [digest_of(b"xy")]}
    with refused("EmptyUploadException"):
        ecr.complete_layer_upload(**whole)
    with refused("InvalidLayerPartException", "the next byte is 0"):
        _part(ecr, begun, 1, b"x")
    with refused("InvalidLayerPartException"):
        _part(ecr, begun, 0, b"x", last=7)
    assert _part(ecr, begun, 0, b"x")["lastByteReceived"] == 0
    with refused("InvalidLayerPartException", "the next byte is 1"):
        _part(ecr, begun, 0, b"x")
    _part(ecr, begun, 1, b"y")
    with refused("LayerPartTooSmallException", "at least 5 MiB"):
        ecr.complete_layer_upload(**whole)
    with refused("InvalidParameterException", "less than or equal to 20971520"):
        _part(ecr, begun, 2, bytes(20 * MIB + 1))
    with refused("InvalidLayerException"):
        upload(ecr, b"xy", digest=NOTHING)
    with refused("InvalidParameterException", "layerDigests"):
        upload(ecr, b"xy", digest="no digest")
    assert upload(ecr, b"xy") == digest_of(b"xy")
    with refused("LayerAlreadyExistsException"):
        upload(ecr, b"xy")


def test_an_upload_that_is_complete_is_over(ecr: Any) -> None:
    begun = ecr.initiate_layer_upload(repositoryName="app")["uploadId"]
    _part(ecr, begun, 0, b"x")
    whole = {"repositoryName": "app", "uploadId": begun, "layerDigests": [digest_of(b"x")]}
    ecr.complete_layer_upload(**whole)
    with refused("UploadNotFoundException"):
        ecr.complete_layer_upload(**whole)


def test_a_layer_stays_for_a_while_when_its_last_image_is_gone(ecr: Any, app: Repository) -> None:
    there = layer("base", 100, OCI_IMAGE).digest
    digest = app.put(write("a", OCI_IMAGE, layers=[layer("base", 100, OCI_IMAGE)]))
    assert availability(ecr, there) == ["AVAILABLE"]
    app.archive(digest)
    assert availability(ecr, there) == ["ARCHIVED"]
    with refused("LayerInaccessibleException", "is archived"):
        _url(ecr, there)
    app.remove(digest)
    assert availability(ecr, there) == ["AVAILABLE"]
    with refused("LayerInaccessibleException", "is not associated with an image"):
        _url(ecr, there)
    app.layers.collect_garbage()
    assert availability(ecr, there) == ["UNAVAILABLE"]
    with refused("LayersNotFoundException"):
        _url(ecr, there)


def test_a_layer_vanishes_at_once_where_the_scenario_says_so(sandbox: Sandbox, ecr: Any) -> None:
    base = {"layers": [{"name": "base", "size": 100}]}
    images = ({"name": "a", **base}, {"name": "b", **base})
    sandbox.reset(scenario(repositories=[repository(*images)], behaviour={"layer_garbage": "at-once"}))
    app = sandbox.registry().repository("app")
    there = layer("base", 100, OCI_IMAGE).digest
    first, second = sorted(app.images)
    app.remove(first)
    assert availability(ecr, there) == ["AVAILABLE"], "the other one names it"
    app.remove(second)
    assert availability(ecr, there) == ["UNAVAILABLE"]


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 70_000, 3 * MIB + 5])
@pytest.mark.parametrize("media_type", [OCI_IMAGE, DOCKER_IMAGE])
def test_made_up_layers_and_configs_have_the_digest_and_size_that_the_manifest_names(
    ecr: Any, app: Repository, size: int, media_type: str
) -> None:
    digest = app.put(write("a", media_type, layers=[layer("l", size, media_type)]))
    for blob in app.images[digest].contents.blob_descriptors:
        content = download(ecr, blob.digest)
        assert (digest_of(content), len(content)) == (blob.digest, blob.size)


@given(st.lists(st.integers(0, 5 * MIB), max_size=8))
def test_the_digest_of_a_made_up_layer_does_not_depend_on_those_before_it(sizes: list[int]) -> None:
    for size in sizes:
        content = made_up.layer_content("n", size)
        assert content is not None
        hashed = hashlib.sha256()
        for chunk in content:
            hashed.update(chunk)
        assert made_up.layer_digest("n", size) == f"sha256:{hashed.hexdigest()}"


def test_layers_that_nobody_knows_the_content_of_cannot_be_downloaded(ecr: Any, app: Repository) -> None:
    huge = layer("huge", made_up.MOST + 1, OCI_IMAGE)
    app.put(write("a", OCI_IMAGE, layers=[huge]))
    assert availability(ecr, huge.digest) == ["AVAILABLE"]
    with refused("LayersNotFoundException"):
        _url(ecr, huge.digest)


def test_a_url_expires_and_is_of_no_other_layer(sandbox: Sandbox, ecr: Any, app: Repository) -> None:
    app.put(write("a", OCI_IMAGE, layers=[layer("l", 100, OCI_IMAGE)]))
    url = _url(ecr, layer("l", 100, OCI_IMAGE).digest)
    with opened(url) as response:
        assert len(response.read()) == 100
    with pytest.raises(HTTPError, match="403"):
        opened(url[:-1])
    sandbox.clock.advance(Behaviour().download_url_seconds)
    with pytest.raises(HTTPError, match="403"):
        opened(url)
    assert [(call.operation, call.service, call.status) for call in sandbox.calls[-3:]] == [
        ("DownloadLayer", "s3", 200),
        ("DownloadLayer", "s3", 403),
        ("DownloadLayer", "s3", 403),
    ]


def test_faults_strike_downloads(sandbox: Sandbox, ecr: Any, app: Repository) -> None:
    app.put(write("a", OCI_IMAGE, layers=[layer("l", 200_000, OCI_IMAGE)]))
    url = _url(ecr, layer("l", 200_000, OCI_IMAGE).digest)
    sandbox.faults = Faults(server_error_share=1)
    with pytest.raises(HTTPError, match="503"):
        opened(url)
    sandbox.faults = Faults(lost_answer_share=1)
    with opened(url) as response, pytest.raises((http.client.IncompleteRead, ConnectionError)):
        response.read()
    sandbox.faults = Faults(garbage_share=1)
    with opened(url) as response:
        assert b"Please sign in" in response.read()
    sandbox.faults = Faults(reset_share=1, operations=["BatchGetImage"])
    with opened(url) as response:
        assert len(response.read()) == 200_000
