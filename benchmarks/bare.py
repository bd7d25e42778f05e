"""A bare asynchronous client: the same calls at the same concurrency, and nothing else.

Every call is signed, every answer decoded as far as the next call needs it; nothing is planned, put on record, looked
at twice or tried again. asyncio, own signing, msgspec. Run as a module: benchmarks.bare URL CONCURRENCY list|delete.
"""

import asyncio
import hashlib
import hmac
import sys
import time
from collections.abc import Iterator
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, field

_TARGET = "AmazonEC2ContainerRegistry_V20150921"
_TYPE = "application/x-amz-json-1.1"
_SIGNED = "content-type;host;x-amz-date;x-amz-target"
_KEY, _SECRET, _REGION = "AKIAIOSFODNN7EXAMPLE", "none", "us-east-1"


class _Repository(Struct, rename="camel"):
    repository_name: str


class _Repositories(Struct, rename="camel"):
    repositories: list[_Repository]
    next_token: str | None = None


class _Image(Struct, rename="camel"):
    image_digest: str
    image_pushed_at: float
    image_size_in_bytes: int
    image_tags: list[str] = []
    image_manifest_media_type: str | None = None
    last_recorded_pull_time: float | None = None


class _Images(Struct, rename="camel"):
    image_details: list[_Image]
    next_token: str | None = None


class _Id(Struct, rename="camel"):
    image_digest: str


class _Manifest(Struct, rename="camel"):
    image_id: _Id
    image_manifest: str


class _Manifests(Struct):
    images: list[_Manifest]


class _Gone(Struct):
    ids: list[_Id] = field(name="imageIds")


_Answer = TypeVar("_Answer")


class _Caller:
    """One connection."""

    def __init__(self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._host = host
        self._reader = reader
        self._writer = writer

    async def call(self, operation: str, content: object, answer: type[_Answer]) -> _Answer:
        self._writer.write(_request(self._host, operation, msgspec.json.encode(content)))
        head = await self._reader.readuntil(b"\r\n\r\n")
        body = await self._reader.readexactly(int(head.rpartition(b"Content-Length: ")[2]))
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(body)
        return msgspec.json.decode(body, type=answer)

    def close(self) -> None:
        self._writer.close()


def _request(host: str, operation: str, body: bytes) -> bytes:
    """A call, with AWS's signature of version 4."""
    at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    scope = f"{at[:8]}/{_REGION}/ecr/aws4_request"
    headers = f"content-type:{_TYPE}\nhost:{host}\nx-amz-date:{at}\nx-amz-target:{_TARGET}.{operation}\n"
    canonical = f"POST\n/\n\n{headers}\n{_SIGNED}\n{hashlib.sha256(body).hexdigest()}"
    signed = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{_SECRET}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, signed.encode(), "sha256").hex()
    head = (
        f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: {_TYPE}\r\nX-Amz-Date: {at}\r\n"
        f"X-Amz-Target: {_TARGET}.{operation}\r\nContent-Length: {len(body)}\r\n"
        f"Authorization: AWS4-HMAC-SHA256 Credential={_KEY}/{scope}, SignedHeaders={_SIGNED}, Signature={signature}"
        "\r\n\r\n"
    )
    return head.encode() + body


async def _names(caller: _Caller) -> list[str]:
    names: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = await caller.call("DescribeRepositories", {"maxResults": 1000, **token}, _Repositories)
        names += [each.repository_name for each in page.repositories]
        if page.next_token is None:
            return names
        token = {"nextToken": page.next_token}


async def _images(caller: _Caller, of_it: dict[str, object]) -> list[_Image]:
    found: list[_Image] = []
    token: dict[str, str] = {}
    while True:
        page = await caller.call("DescribeImages", {**of_it, "maxResults": 1000, **token}, _Images)
        found += page.image_details
        if page.next_token is None:
            return found
        token = {"nextToken": page.next_token}


async def _delete(caller: _Caller, name: str, of_it: dict[str, object], images: list[_Image]) -> None:
    """Read what goes into a journal, look again, delete: a hundred ids a call."""
    for batch in _batches(images):
        digests = [{"imageDigest": each.image_digest} for each in batch]
        ids = [{"imageDigest": each.image_digest, "imageTag": tag} for each in batch for tag in each.image_tags]
        await caller.call("BatchGetImage", {"repositoryName": name, "imageIds": digests}, _Manifests)
        await caller.call("DescribeImages", {**of_it, "imageIds": digests}, _Images)
        await caller.call("BatchDeleteImage", {"repositoryName": name, "imageIds": ids}, _Gone)


def _batches(images: list[_Image]) -> Iterator[list[_Image]]:
    for start in range(0, len(images), 100):
        yield images[start : start + 100]


async def _work(caller: _Caller, waiting: Iterator[str], work: str) -> None:
    for name in waiting:
        of_it: dict[str, object] = {"repositoryName": name, "filter": {"imageStatus": "ANY"}}
        images = await _images(caller, of_it)
        if work == "delete":
            await _delete(caller, name, of_it, images)
    caller.close()


async def _all(url: str, concurrency: int, work: str) -> None:
    place = urlsplit(url)

    async def caller() -> _Caller:
        return _Caller(
            place.netloc, *await asyncio.open_connection(str(place.hostname), place.port or 80, limit=1 << 22)
        )

    first = await caller()
    waiting = iter(await _names(first))
    first.close()
    await asyncio.gather(*[_work(await caller(), waiting, work) for _ in range(concurrency)])


if __name__ == "__main__":
    asyncio.run(_all(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
