"""The fast way to read a page, pinned: it is taken, agrees with botocore's own parser, and gives way to it."""

import botocore.session
import pytest

from aws_ecr_gc.errors import Unintelligible
from aws_ecr_gc.inventory import Image, Status
from aws_ecr_gc.registries.ecr import EcrRepository, open_repository
from aws_ecr_gc.sandbox import Sandbox
from tests.registries.canned import Canned
from tests.wire.builder import Builder


def opened(url: str) -> EcrRepository:
    return open_repository("testrepo", region="us-east-1", registry_id=None, profile=None, endpoint_url=url)


def every_image(port: EcrRepository) -> list[Image]:
    return [image for page in port.pages() for image in page]


@pytest.mark.usefixtures("credentials")
def test_pages_are_decoded_by_our_decoder_and_agree_with_botocores_parser(sandbox: Sandbox) -> None:
    repo = Builder(sandbox)
    repo.image("child", "a", "b", pushed_at=1500000000.123)
    repo.index("index", "c", children=["child"])
    repo.image("signature", subject="index")
    repo.repository.pull(repo.digests["child"])
    repo.repository.archive(repo.digests["signature"])
    port = opened(sandbox.url)
    bodies: list[bytes] = []
    port._client._client.meta.events.register_last(
        "before-parse.ecr.DescribeImages", lambda response_dict, **_: bodies.append(response_dict["body"])
    )
    images = every_image(port)
    assert bodies == [b"{}"], "botocore no longer emits before-parse: the fast way is not taken"
    plain = botocore.session.get_session().create_client("ecr", region_name="us-east-1", endpoint_url=sandbox.url)
    answer = plain.describe_images(repositoryName="testrepo", filter={"imageStatus": "ANY"})
    assert port._images(answer) == images
    plain.close()
    port.close()
    assert {image.digest: image.status for image in images}[repo.digests["signature"]] is Status.ARCHIVED
    assert {image.digest: image.children for image in images}[repo.digests["index"]] is None


@pytest.mark.usefixtures("credentials")
def test_timestamps_as_text_are_left_to_botocores_parser(canned: Canned) -> None:
    canned.body = (
        b'{"imageDetails":[{"registryId":"123456789012","repositoryName":"testrepo","imageDigest":"sha256:00",'
        b'"imagePushedAt":"2017-03-20T03:51:41Z","imageManifestMediaType":"x"}]}'
    )
    port = opened(canned.url)
    (image,) = every_image(port)
    port.close()
    assert image.pushed_at == 1489981901


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b'{"imageDetails": null}',
        b'{"imageDetails":[{"imageDigest":"sha256:00"}]}',
        b'{"imageDetails":[{"registryId":"1","imageDigest":"sha256:00","imagePushedAt":1,"imageStatus":"MELTED"}]}',
    ],
)
def test_an_answer_without_what_it_must_have_is_no_empty_repository(canned: Canned, body: bytes) -> None:
    canned.body = body
    port = opened(canned.url)
    with pytest.raises(Unintelligible, match="DescribeImages"):
        every_image(port)
    port.close()


@pytest.mark.usefixtures("credentials")
def test_a_page_token_that_comes_twice_is_no_endless_listing(canned: Canned) -> None:
    canned.body = b'{"imageDetails": [], "nextToken": "again"}'
    port = opened(canned.url)
    with pytest.raises(Unintelligible, match="same page token twice"):
        every_image(port)
    port.close()


@pytest.mark.usefixtures("credentials")
def test_a_manifest_that_is_no_text_is_not_understood(canned: Canned) -> None:
    canned.body = b'{"images": [{"imageId": {"imageDigest": "sha256:00"}, "imageManifest": "\\ud800"}]}'
    port = opened(canned.url)
    with pytest.raises(Unintelligible, match="BatchGetImage: a manifest that is no text"):
        port.manifests(["sha256:00"])
    port.close()
