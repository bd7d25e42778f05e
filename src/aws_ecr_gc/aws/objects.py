"""Objects of S3 under a prefix, each whole or not there."""

from aws_ecr_gc.aws.client import Client
from aws_ecr_gc.errors import AwsFailure, Misuse, one_line

PERMISSIONS = {"GetObject": "s3:GetObject", "PutObject": "s3:PutObject"}
"""The calls of this module and their IAM actions. Who lacks s3:ListBucket is not told that an object is not there."""

_SCHEME = "s3://"


class Objects:
    """What is under `s3://BUCKET/PREFIX`. Raises what `Client.call` raises."""

    def __init__(self, client: Client, address: str) -> None:
        """Raises Misuse for an address that names no bucket."""
        self._client = client
        self.address = address.rstrip("/")
        self._bucket, self._prefix = parted(self.address)

    def get(self, name: str) -> bytes | None:
        """The content; None where there is no such object."""
        try:
            return self._client.content("GetObject", "Body", Bucket=self._bucket, Key=self._key(name))
        except AwsFailure as error:
            if error.code == "NoSuchKey":
                return None
            raise

    def put(self, name: str, content: bytes) -> str:
        """Write it, over what is there; returns its address."""
        self._put(name, content)
        return f"{self.address}/{name}"

    def put_first(self, name: str, content: bytes) -> bool:
        """Write it unless it is there; whether it was written now. S3 lets one of several do so."""
        try:
            self._put(name, content, IfNoneMatch="*")
        except AwsFailure as error:
            if error.code == "PreconditionFailed":
                return False
            raise
        return True

    def _put(self, name: str, content: bytes, **terms: str) -> None:
        where = {"Bucket": self._bucket, "Key": self._key(name)}
        self._client.call("PutObject", "ETag", **where, Body=content, ContentType="application/json", **terms)

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name


def parted(address: str) -> tuple[str, str]:
    """The bucket, and the prefix or key, of an address. Raises Misuse."""
    bucket, _, key = address.removeprefix(_SCHEME).partition("/")
    if not address.startswith(_SCHEME) or not bucket:
        raise Misuse(f"{one_line(address)}: names no place in S3; write s3://BUCKET/KEY")
    return bucket, key
