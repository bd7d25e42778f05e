"""Layers and manifests of repositories of Amazon ECR: downloading, uploading, putting back."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from aws_ecr_gc.aws.client import Client
from aws_ecr_gc.aws.downloads import Web
from aws_ecr_gc.aws.pacing import Pace
from aws_ecr_gc.aws.session import Session
from aws_ecr_gc.errors import AwsFailure, Misuse, Passing, Unintelligible, one_line
from aws_ecr_gc.files import in_parts
from aws_ecr_gc.ports import Availability
from aws_ecr_gc.reference import Registry
from aws_ecr_gc.registries.ecr.repository import repository_not_found
from aws_ecr_gc.registries.ecr.tags import PUTS, EcrTags

_LEAST_PART, _MOST_PART = 5 << 20, 20 << 20
_UPLOADS = 5
"""How often an upload is begun: a part whose answer was lost can't be sent again, ECR takes each byte once."""
_AGAIN = frozenset({"InvalidLayerPartException", "UploadNotFoundException", "EmptyUploadException"})


class EcrContents:
    """The content of a registry's repositories. `close` gives the connections back."""

    def __init__(self, session: Session, registry_id: str | None, endpoint_url: str | None, connections: int) -> None:
        self._registry = Registry(registry_id, session.region, session.partition)
        self._address = {} if registry_id is None else {"registryId": registry_id}
        self._client = session.client("ecr", endpoint_url=endpoint_url, connections=connections)
        self._once = session.client("ecr", endpoint_url=endpoint_url, attempts=1)
        self._web = session.web(connections)
        self._pace = Pace(PUTS)

    def of(self, name: str) -> "EcrContent":
        """The content of one repository. Nothing is called yet."""
        address = {"repositoryName": name, **self._address}
        not_found = repository_not_found(name, self._registry, "")
        return EcrContent(self._client, self._once, self._web, pace=self._pace, address=address, not_found=not_found)

    def close(self) -> None:
        """Give the connections back."""
        for each in (self._client, self._once, self._web):
            each.close()


class EcrContent:
    """The content of one repository. Implements `ports.ContentPort`; `once` is a client without retries."""

    def __init__(
        self, client: Client, once: Client, web: Web, *, pace: Pace, address: Mapping[str, str], not_found: Misuse
    ) -> None:
        self._client = client
        self._tags = EcrTags(client, lambda: once, pace, address, not_found)
        self._web = web
        self._address = address
        self._not_found = not_found

    def layers(self, digests: Sequence[str]) -> dict[str, Availability]:
        answer = self._call("BatchCheckLayerAvailability", "layers", layerDigests=list(digests))
        try:
            found = {each["layerDigest"]: Availability(each["layerAvailability"]) for each in answer["layers"]}
        except (KeyError, TypeError, ValueError) as error:
            raise Unintelligible(
                f"BatchCheckLayerAvailability: a layer that can't be understood: {one_line(error)}"
            ) from error
        for failure in answer.get("failures", ()):
            found.setdefault(failure.get("layerDigest", ""), Availability.UNAVAILABLE)
        unsaid = [digest for digest in digests if digest not in found]
        if unsaid:
            raise Unintelligible(f"BatchCheckLayerAvailability: nothing is said of {unsaid[0]}")
        return found

    def tagged(self, tag: str) -> str | None:
        return self._tags.tagged(tag)

    def put(self, digest: str, manifest: bytes, media_type: str | None, tag: str | None) -> None:
        self._tags.put(digest, manifest, media_type, tag)

    def download(self, digest: str) -> Iterator[bytes]:
        answer = self._call("GetDownloadUrlForLayer", "downloadUrl", layerDigest=digest)
        return self._web.download(answer["downloadUrl"])

    def upload(self, digest: str, content: Callable[[], Iterator[bytes]]) -> None:
        for left in reversed(range(_UPLOADS)):
            try:
                return self._upload(digest, content())
            except AwsFailure as error:
                if error.code == "LayerAlreadyExistsException" or self._is_there(digest):
                    return None  # another push, or an earlier try of this one
                if not left or not (isinstance(error, Passing) or error.code in _AGAIN):
                    raise
        raise AssertionError("the last try returns or raises")

    def _upload(self, digest: str, content: Iterator[bytes]) -> None:
        begun = self._call("InitiateLayerUpload", "uploadId")
        upload = {"uploadId": begun["uploadId"]}
        size = min(max(int(begun.get("partSize") or 0), _LEAST_PART), _MOST_PART)
        first = 0
        for part in in_parts(content, size):
            last = first + len(part) - 1
            self._call(
                "UploadLayerPart",
                "lastByteReceived",
                partFirstByte=first,
                partLastByte=last,
                layerPartBlob=part,
                **upload,
            )
            first = last + 1
        self._call("CompleteLayerUpload", "layerDigest", **upload, layerDigests=[digest])

    def _is_there(self, digest: str) -> bool:
        return self.layers([digest])[digest] is Availability.AVAILABLE

    def _call(self, operation: str, answer: str, **parameters: Any) -> dict[str, Any]:
        try:
            return self._client.call(operation, answer, **self._address, **parameters)
        except AwsFailure as error:
            if error.code != "RepositoryNotFoundException":
                raise
            raise self._not_found from error
