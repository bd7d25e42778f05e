"""One repository of Amazon ECR."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from aws_ecr_gc.aws.client import Client
from aws_ecr_gc.aws.pacing import Pace
from aws_ecr_gc.errors import AwsFailure, ImageNotFound, Misuse, NotArchivable, Unintelligible, one_line
from aws_ecr_gc.inventory import INDEX_TYPES, Image, Status
from aws_ecr_gc.ports import Answer, ImageId, Refusal
from aws_ecr_gc.reference import Registry, Repository
from aws_ecr_gc.registries.ecr.listings import Detail, detail_of, walk
from aws_ecr_gc.registries.ecr.tags import EcrTags

_ACCEPTED = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
]
"""Without the index types ECR may answer a request for an index with one of its children."""

_MISSING = re.compile(r"imageDigest:'([^']+:[0-9a-fA-F]+)'")


def repository_not_found(name: str, registry: Registry, code: str) -> Misuse:
    """The one wording for a repository that ECR says is not there."""
    account = f"account {registry.account}" if registry.account else "the credentials' account"
    return Misuse(
        f"repository {name}: not found in {registry.region}, {account}; "
        "check the name, --region, --registry-id and the credentials",
        code,
    )


class EcrRepository:
    """One repository of ECR, on the client of its registry. Implements `ports.RepositoryPort`.

    `address` is what goes with every call: the registry's id where the user gave one. `once` gives a client without
    retries, for PutImage alone, and `pace` is that of it.
    """

    def __init__(
        self, client: Client, repository: Repository, address: Mapping[str, str], once: Callable[[], Client], pace: Pace
    ) -> None:
        self._client = client
        self._once = once
        self._pace = pace
        self.repository = repository
        self._address = {"repositoryName": repository.name, **address}
        self._shared: dict[str | None, str | None] = {}

    def close(self) -> None:
        """Give the connections back, those of the whole registry; a later call opens new ones."""
        self._client.close()

    def pages(self) -> Iterator[list[Image]]:
        """One walk over everything, 1,000 a page, whatever the status. Raises Misuse for an unknown repository."""
        return map(self._images, walk("DescribeImages", self._describe))  # which holds no answer while it waits

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
            raise repository_not_found(self.repository.name, self.repository.registry, error.code) from error

    def _images(self, answer: dict[str, Any]) -> list[Image]:
        try:
            details = answer["imageDetails"]
            if details and not isinstance(details[0], Detail):
                details = [detail_of(each) for each in details]
            images = [self._image(detail) for detail in details]
        except (KeyError, AttributeError, ValueError) as error:
            raise Unintelligible(f"DescribeImages: an image that can't be understood: {error!r}") from error
        if details and self.repository.registry.account is None:
            registry = msgspec.structs.replace(self.repository.registry, account=details[0].registry_id)
            self.repository = msgspec.structs.replace(self.repository, registry=registry)
        return images

    def _image(self, detail: Detail) -> Image:
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
            detail.last_archived_at,
            detail.last_activated_at,
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
        except UnicodeEncodeError as error:  # JSON can escape half of a character
            raise Unintelligible(f"BatchGetImage: a manifest that is no text: {error}") from error

    def turn(self) -> None:
        self._client.turn("BatchDeleteImage")

    def delete(self, ids: Sequence[ImageId]) -> Answer:
        answer = self._client.call(
            "BatchDeleteImage",
            "imageIds",
            imageIds=[
                {"imageDigest": digest} if tag is None else {"imageDigest": digest, "imageTag": tag}
                for digest, tag in ids
            ],
            **self._address,
        )
        return Answer(
            done=tuple(_id_of(row) for row in answer["imageIds"]),
            refused=tuple(
                Refusal(
                    _id_of(row.get("imageId", {})),
                    row.get("failureCode", "Unknown"),
                    one_line(row.get("failureReason", "no reason given")),
                )
                for row in answer.get("failures", ())
            ),
        )

    def archive(self, digest: str) -> None:
        try:
            status = self._move(digest, "ARCHIVE")
        except AwsFailure as error:
            if error.code == "ImageStorageClassUpdateNotSupportedException":
                raise NotArchivable(str(error), error.code) from error
            raise
        if status is not Status.ARCHIVED:
            raise Unintelligible(f"UpdateImageStorageClass: {digest} is {status} after archiving")

    def activate(self, digest: str) -> Status:
        return self._move(digest, "STANDARD")

    def _move(self, digest: str, storage_class: str) -> Status:
        """Move an image to a storage class; its status then."""
        try:
            answer = self._client.call(
                "UpdateImageStorageClass",
                "imageStatus",
                imageId={"imageDigest": digest},
                targetStorageClass=storage_class,
                **self._address,
            )
        except AwsFailure as error:
            if error.code == "ImageNotFoundException":
                raise ImageNotFound(str(error), digest) from error
            raise
        try:
            return Status(answer["imageStatus"])
        except ValueError as error:
            raise Unintelligible(f"UpdateImageStorageClass: {digest}: {one_line(error)}") from error

    def tags(self) -> EcrTags:
        not_found = repository_not_found(self.repository.name, self.repository.registry, "")
        return EcrTags(self._client, self._once, self._pace, self._address, not_found)


def _id_of(row: dict[str, str]) -> ImageId:
    return ImageId(row.get("imageDigest", ""), row.get("imageTag"))
