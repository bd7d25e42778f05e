"""Backups in S3. Objects are whole or not there; large ones go there in parts, none is held in memory whole."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from aws_ecr_gc.backup.layout import OCI_LAYOUT
from aws_ecr_gc.backup.places import blob_path, path_of, verified
from aws_ecr_gc.errors import AccessDenied, AwsFailure, BackupLost, Error, Misuse, one_line
from aws_ecr_gc.files import in_parts
from aws_ecr_gc.reference import Repository

if TYPE_CHECKING:
    from aws_ecr_gc.aws.client import Client

PERMISSIONS = {
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "CompleteMultipartUpload": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "GetObject": "s3:GetObject",
    "ListObjectsV2": "s3:ListBucket",
    "PutObject": "s3:PutObject",
    "UploadPart": "s3:PutObject",
}
"""The calls of this module and their IAM actions: on the objects under the prefix; s3:ListBucket, on the bucket."""

_PART = 8 << 20
_MOST_PARTS = 10_000
_TRIES = 8


class Bucket:
    """A prefix in a bucket, with the layouts under it."""

    def __init__(self, client: "Client", bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""

    def layout(self, repository: Repository) -> "LayoutObjects":
        return LayoutObjects(self._client, self._bucket, f"{self._prefix}{'/'.join(path_of(repository))}/")


class LayoutObjects:
    """One layout."""

    def __init__(self, client: "Client", bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    @property
    def name(self) -> str:
        return one_line(f"s3://{self._bucket}/{self._prefix}")

    def free(self) -> int | None:
        return None

    def has(self, digest: str, size: int | None) -> bool:
        """What S3 has, it has as it was written: only the size is looked at."""
        key = self._prefix + self._blob(digest)
        try:
            answer = self._client.call("ListObjectsV2", "KeyCount", Bucket=self._bucket, Prefix=key, MaxKeys=1)
        except Error as error:
            raise self._lost(error) from error
        return any(each["Key"] == key and size in (None, each["Size"]) for each in answer.get("Contents", ()))

    def write(self, digest: str, size: int | None, content: Iterable[bytes]) -> None:
        key = self._blob(digest)
        part_size = max(_PART, math.ceil((size or 0) / _MOST_PARTS))
        parts = in_parts(verified(digest, size, content), part_size)
        first = next(parts, b"")
        second = next(parts, None)
        if second is None:
            self._put(key, first)
            return
        self._write_in_parts(key, first, second, parts)

    def _write_in_parts(self, key: str, first: bytes, second: bytes, others: Iterator[bytes]) -> None:
        upload = {"UploadId": self._written("CreateMultipartUpload", "UploadId", key)["UploadId"]}
        try:
            done = []
            for number, part in enumerate(_chained(first, second, others), 1):
                sent = self._written("UploadPart", "ETag", key, PartNumber=number, Body=part, **upload)
                done.append({"PartNumber": number, "ETag": sent["ETag"]})
            self._written("CompleteMultipartUpload", "ETag", key, MultipartUpload={"Parts": done}, **upload)
        except BaseException:  # parts that nobody completes are billed all the same
            self._abort(key, upload)
            raise

    def _abort(self, key: str, upload: dict[str, str]) -> None:
        try:
            self._call("AbortMultipartUpload", "ResponseMetadata", key, **upload)
        except Error:
            return  # what ended the writing is told; a lifecycle rule of the bucket collects such parts

    def read(self, digest: str) -> Iterator[bytes]:
        try:
            key = self._prefix + self._blob(digest)
            yield from self._client.chunks("GetObject", "Body", Bucket=self._bucket, Key=key)
        except AwsFailure as error:
            raise self._unreadable(error) from error

    def index(self) -> bytes | None:
        try:
            return self._index()[0]
        except AwsFailure as error:
            raise self._unreadable(error) from error

    def update(self, change: Callable[[bytes | None], bytes]) -> None:
        self._put("oci-layout", OCI_LAYOUT)
        for left in reversed(range(_TRIES)):
            try:
                content, tag = self._index()
                condition = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
                self._call("PutObject", "ETag", "index.json", Body=change(content), **condition)
            except AwsFailure as error:
                others = error.code in {"PreconditionFailed", "ConditionalRequestConflict"}
                if not others or not left:
                    raise self._lost(error) from error
            else:
                return

    def _index(self) -> tuple[bytes | None, str | None]:
        """The index.json, and what S3 calls this version of it."""
        try:
            found = self._call("GetObject", "Body", "index.json")
        except AwsFailure as error:
            if error.code == "NoSuchKey":
                return None, None
            raise
        return found["Body"].read(), str(found["ETag"])

    def _blob(self, digest: str) -> str:
        return "/".join(blob_path(digest))

    def _put(self, key: str, content: bytes) -> None:
        self._written("PutObject", "ETag", key, Body=content)

    def _written(self, operation: str, answer: str, key: str, **parameters: object) -> dict[str, Any]:
        try:
            return self._call(operation, answer, key, **parameters)
        except Error as error:
            raise self._lost(error) from error

    def _call(self, operation: str, answer: str, key: str, **parameters: object) -> dict[str, Any]:
        try:
            return self._client.call(operation, answer, Bucket=self._bucket, Key=self._prefix + key, **parameters)
        except AwsFailure as error:
            if not isinstance(error, AccessDenied):
                raise
            needed = PERMISSIONS[operation]
            raise AccessDenied(
                f"access denied: the permission {needed} on {self.name} is missing", error.code
            ) from error

    def _lost(self, error: Error) -> BackupLost:
        return BackupLost(f"backup {self.name}: can't be read and written: {error}")

    def _unreadable(self, error: Error) -> Misuse:
        return Misuse(f"backup {self.name}: can't be read: {error}")


def _chained(first: bytes, second: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield second
    yield from others
