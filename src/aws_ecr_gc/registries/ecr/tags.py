"""Where tags are, and putting manifests under them."""

from collections.abc import Callable, Mapping
from typing import Any

from aws_ecr_gc.aws.client import Client
from aws_ecr_gc.aws.pacing import Pace, Rate
from aws_ecr_gc.errors import AwsFailure, Misuse, Unintelligible, one_line

PUTS = Rate(10, 10)
"""ECR's quota of PutImage: ten a second."""


class EcrTags:
    """The tags of one repository of ECR. Implements `ports.TagPort`.

    `once` gives a client without retries: PutImage can move a tag, and between two tries somebody else may set it.
    """

    def __init__(
        self, client: Client, once: Callable[[], Client], pace: Pace, address: Mapping[str, str], not_found: Misuse
    ) -> None:
        self._client = client
        self._once = once
        self._pace = pace
        self._address = address
        self._not_found = not_found

    def tagged(self, tag: str) -> str | None:
        try:
            answer = self._call(
                self._client,
                "DescribeImages",
                "imageDetails",
                imageIds=[{"imageTag": tag}],
                filter={"imageStatus": "ANY"},
            )
        except AwsFailure as error:
            if error.code == "ImageNotFoundException":
                return None
            raise
        details = answer["imageDetails"]
        if not details:
            raise Unintelligible(f"DescribeImages: nothing is said of the tag {tag}")
        first = details[0]
        return str(first["imageDigest"] if isinstance(first, dict) else first.image_digest)

    def put(self, digest: str, manifest: bytes, media_type: str | None, tag: str | None) -> None:
        parameters: dict[str, Any] = {"imageManifest": manifest.decode(), "imageDigest": digest}
        if media_type is not None:
            parameters["imageManifestMediaType"] = media_type
        if tag is not None:
            parameters["imageTag"] = tag
        self._pace.wait()
        try:
            answer = self._call(self._once(), "PutImage", "image", **parameters)
        except AwsFailure as error:
            if error.code == "ImageAlreadyExistsException":
                return
            raise
        there = answer["image"].get("imageId", {}).get("imageDigest")
        if there != digest:
            raise Unintelligible(f"PutImage: ECR says that it put {one_line(there)} there, and not {digest}")

    def _call(self, client: Client, operation: str, answer: str, **parameters: Any) -> dict[str, Any]:
        try:
            return client.call(operation, answer, **self._address, **parameters)
        except AwsFailure as error:
            if error.code != "RepositoryNotFoundException":
                raise
            raise self._not_found from error
