"""Amazon ECR, private registries."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field

from aws_ecr_gc.aws.client import Client, Session
from aws_ecr_gc.errors import AwsFailure, ImageNotFound, Misuse, Unintelligible, one_line
from aws_ecr_gc.inventory import INDEX_TYPES, Image, Status
from aws_ecr_gc.ports import Deletion, ImageId, Refusal
from aws_ecr_gc.reference import Registry, Repository

_PAGE = 1000
_ACCEPTED = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
]
"""Without the index types ECR may answer a request for an index with one of its children."""

_MISSING = re.compile(r"imageDigest:'([^']+:[0-9a-fA-F]+)'")


class _Detail(Struct, rename="camel", gc=False):
    """An imageDetail of DescribeImages; members that nothing reads are skipped while decoding."""

    registry_id: str
    image_digest: str
    image_pushed_at: float
    image_status: Status = Status.ACTIVE
    image_tags: tuple[str, ...] = ()
    image_size_in_bytes: int = 0
    image_manifest_media_type: str | None = None
    artifact_media_type: str | None = None
    subject_manifest_digest: str | None = None
    last_recorded_pull_time: float | None = None


class _Page(Struct):
    details: list[_Detail] = field(name="imageDetails")
    next_token: str | None = field(name="nextToken", default=None)


_page_decoder = msgspec.json.Decoder(_Page)


def _decode_page(body: bytes) -> dict[str, object] | None:
    """Read a page of DescribeImages in a fraction of the time that botocore's parser takes: docs/adr/0003."""
    try:
        page = _page_decoder.decode(body)
    except msgspec.ValidationError:
        return None  # JSON of another shape, say timestamps as text: botocore's parser knows more forms
    except msgspec.DecodeError as error:
        raise Unintelligible(f"DescribeImages: the answer is not JSON ({error})") from error
    answer: dict[str, object] = {"imageDetails": page.details}
    if page.next_token:
        answer["nextToken"] = page.next_token
    return answer


def _detail_of(parsed: dict[str, Any]) -> _Detail:
    """The same from what botocore's own parser made of it."""
    pulled_at = parsed.get("lastRecordedPullTime")
    return _Detail(
        registry_id=parsed["registryId"],
        image_digest=parsed["imageDigest"],
        image_pushed_at=parsed["imagePushedAt"].timestamp(),
        image_status=Status(parsed.get("imageStatus", "ACTIVE")),
        image_tags=tuple(parsed.get("imageTags", ())),
        image_size_in_bytes=parsed.get("imageSizeInBytes", 0),
        image_manifest_media_type=parsed.get("imageManifestMediaType"),
        artifact_media_type=parsed.get("artifactMediaType"),
        subject_manifest_digest=parsed.get("subjectManifestDigest"),
        last_recorded_pull_time=None if pulled_at is None else pulled_at.timestamp(),
    )


class EcrRepository:
    """One repository of ECR. Implements `ports.RepositoryPort`."""

    def __init__(self, client: Client, repository: Repository) -> None:
        self._client = client
        self._client.decode("DescribeImages", _decode_page)
        self.repository = repository
        self._address: dict[str, str] = {"repositoryName": repository.name}
        if repository.registry.account is not None:
            self._address["registryId"] = repository.registry.account
        self._shared: dict[str | None, str | None] = {}

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def pages(self) -> Iterator[list[Image]]:
        """One walk over everything, 1,000 a page, whatever the status. Raises Misuse for an unknown repository."""
        token: dict[str, str] = {}
        while True:
            answer = self._describe(maxResults=_PAGE, **token)
            yield self._images(answer)
            following = answer.get("nextToken")
            if not following:
                return
            if following == token.get("nextToken"):
                raise Unintelligible("DescribeImages: the same page token twice: the listing would never end")
            token = {"nextToken": following}

    def describe(self, digests: Sequence[str]) -> list[Image]:
        try:
            return self._images(self._describe(imageIds=[{"imageDigest": digest} for digest in digests]))
        except AwsFailure as error:
            if error.code != "ImageNotFoundException":
                raise
            named = _MISSING.search(str(error))
            raise ImageNotFound(str(error), named[1] if named else None) from error

    def _describe(self, **parameters: object) -> dict[str, Any]:
        try:
            return self._client.call(
                "DescribeImages", "imageDetails", filter={"imageStatus": "ANY"}, **self._address, **parameters
            )
        except AwsFailure as error:
            if error.code != "RepositoryNotFoundException":
                raise
            registry = self.repository.registry
            account = f"account {registry.account}" if registry.account else "the credentials' account"
            raise Misuse(
                f"repository {self.repository.name}: not found in {registry.region}, {account}; "
                "check --repo, --region, --registry-id and the credentials",
                error.code,
            ) from error

    def _images(self, answer: dict[str, Any]) -> list[Image]:
        try:
            details = answer["imageDetails"]
            if details and not isinstance(details[0], _Detail):
                details = [_detail_of(each) for each in details]
            images = [self._image(detail) for detail in details]
        except (KeyError, AttributeError, ValueError) as error:
            raise Unintelligible(f"DescribeImages: an image that can't be understood: {error!r}") from error
        if details and self.repository.registry.account is None:
            registry = msgspec.structs.replace(self.repository.registry, account=details[0].registry_id)
            self.repository = msgspec.structs.replace(self.repository, registry=registry)
        return images

    def _image(self, detail: _Detail) -> Image:
        """The value that is kept; the few media types there are, each as one string for all images."""
        share = self._shared.setdefault
        media_type = detail.image_manifest_media_type
        return Image(
            detail.image_digest,
            detail.image_pushed_at,
            detail.image_tags,
            share(media_type, media_type),
            detail.image_size_in_bytes,
            detail.image_status,
            detail.subject_manifest_digest,
            None if media_type in INDEX_TYPES else (),
            detail.last_recorded_pull_time,
            share(detail.artifact_media_type, detail.artifact_media_type),
        )

    def manifests(self, digests: Sequence[str]) -> dict[str, bytes]:
        answer = self._client.call(
            "BatchGetImage",
            "images",
            imageIds=[{"imageDigest": digest} for digest in digests],
            acceptedMediaTypes=_ACCEPTED,
            **self._address,
        )
        for failure in answer.get("failures", ()):
            if failure.get("failureCode") != "ImageNotFound":
                digest = failure.get("imageId", {}).get("imageDigest", "an image")
                reason = one_line(failure.get("failureReason", "no reason given"))
                code = failure.get("failureCode", "Unknown")
                raise AwsFailure(f"BatchGetImage: {digest}: {code}: {reason}", code)
        try:
            return {image["imageId"]["imageDigest"]: image["imageManifest"].encode() for image in answer["images"]}
        except KeyError as error:
            raise Unintelligible(f"BatchGetImage: an image without {error}") from error

    def delete(self, ids: Sequence[ImageId]) -> Deletion:
        answer = self._client.call(
            "BatchDeleteImage",
            "imageIds",
            imageIds=[
                {"imageDigest": digest} if tag is None else {"imageDigest": digest, "imageTag": tag}
                for digest, tag in ids
            ],
            **self._address,
        )
        return Deletion(
            gone=tuple(_id_of(row) for row in answer["imageIds"]),
            refused=tuple(
                Refusal(
                    _id_of(row.get("imageId", {})),
                    row.get("failureCode", "Unknown"),
                    one_line(row.get("failureReason", "no reason given")),
                )
                for row in answer.get("failures", ())
            ),
        )


def _id_of(row: dict[str, str]) -> ImageId:
    return ImageId(row.get("imageDigest", ""), row.get("imageTag"))


def open_repository(
    name: str, *, region: str | None, registry_id: str | None, profile: str | None, endpoint_url: str | None
) -> EcrRepository:
    """The repository of this name. Nothing is called yet. Raises Misuse for a configuration that can't work."""
    session = Session(profile, region)
    registry = Registry(registry_id, session.region, session.partition)
    return EcrRepository(session.ecr(endpoint_url), Repository(registry, name))
