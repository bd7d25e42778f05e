"""A bare asynchronous client: the same calls at the same concurrency, and nothing else.

Nothing is signed, decoded, planned or tried again; answers are read and thrown away. Standard library only. Run as a
module: benchmarks.bare URL REPOSITORIES IMAGES CONCURRENCY list|delete.
"""

import asyncio
import json
import sys
from urllib.parse import urlsplit


def _request(operation: str, content: object) -> bytes:
    body = json.dumps(content).encode()
    head = (
        "POST / HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-amz-json-1.1\r\n"
        f"X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.{operation}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _requests(name: str, images: int, work: str) -> list[bytes]:
    """What is asked of one repository, one call after the other."""
    asked = {"repositoryName": name, "filter": {"imageStatus": "ANY"}}
    found = [_request("DescribeImages", {**asked, "maxResults": 1000})]
    if work == "delete":
        from benchmarks.fleet_server import rows  # noqa: PLC0415 - not for a client that only lists

        held = rows(images)
        for start in range(0, images, 100):
            batch = held[start : start + 100]
            digests = [{"imageDigest": row["imageDigest"]} for row in batch]
            tagged = [{"imageDigest": row["imageDigest"], "imageTag": row["imageTags"][0]} for row in batch]  # type: ignore[index]  # rows are JSON
            found.append(_request("BatchGetImage", {"repositoryName": name, "imageIds": digests}))
            found.append(_request("DescribeImages", {**asked, "imageIds": digests}))
            found.append(_request("BatchDeleteImage", {"repositoryName": name, "imageIds": tagged}))
    return found


async def _work(host: str, port: int, waiting: list[str], requests: list[bytes]) -> None:
    reader, writer = await asyncio.open_connection(host, port, limit=1 << 22)
    while waiting:
        waiting.pop()
        for request in requests:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.rpartition(b"Content-Length: ")[2]))
    writer.close()


async def _all(url: str, repositories: int, images: int, concurrency: int, work: str) -> None:
    place = urlsplit(url)
    waiting = [f"service-{at}" for at in range(repositories)]
    requests = _requests("service", images, work)
    await asyncio.gather(*(_work(str(place.hostname), place.port or 80, waiting, requests) for _ in range(concurrency)))


if __name__ == "__main__":
    asyncio.run(_all(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]))
