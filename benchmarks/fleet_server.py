"""A registry of many repositories that has its answers ready as bytes. Runs in a process of its own.

It answers whatever the credentials; all repositories hold the same images, and a deletion changes nothing. A GET is
answered with the calls since the GET before, by operation, and how many more were refused.
"""

import argparse
import asyncio
import json
import re
import time
from collections import Counter
from typing import Any

from benchmarks.rows import image_rows

_HEAD = "HTTP/1.1 {}\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\r\n"
_TOKEN = re.compile(rb'"nextToken": ?"([0-9]+)"')
_NAME = re.compile(rb'"repositoryName": ?"[^"]*"')
_REFUSAL = {"__type": "ThrottlingException", "message": "Rate exceeded"}


def main() -> None:
    """Print the port, then serve until killed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet_server", description=__doc__)
    parser.add_argument("--repositories", type=int, default=10)
    parser.add_argument("--images", type=int, default=100, help="in each repository")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that every call takes")
    parser.add_argument("--limit", type=float, help="calls a second of each operation; what is more is refused")
    asked = parser.parse_args()
    asyncio.run(_Registry(asked.repositories, asked.images, asked.latency, asked.limit).serve())


def rows(images: int) -> list[dict[str, object]]:
    """The images of a repository, each with a tag of its own: a hundred go in a call."""
    return [{**row, "imageTags": [f"main-{at}"]} for at, row in enumerate(image_rows(images))]


def _answer(content: object, status: str = "200 OK") -> bytes:
    body = json.dumps(content, separators=(",", ":")).encode()
    return _HEAD.format(status, len(body)).encode() + body


class _Bucket:
    """What AWS lets through: so many calls a second, and a second's worth at once."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._tokens = limit
        self._at = time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        self._tokens = min(self._limit, self._tokens + (now - self._at) * self._limit)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class _Registry:
    """The answers, and what was asked for since anybody last wanted to know."""

    def __init__(self, repositories: int, images: int, latency: float, limit: float | None) -> None:
        held = rows(images)
        self._listing = [
            _answer(
                {
                    "imageDetails": held[at : at + 1000],
                    **({"nextToken": str(at // 1000 + 1)} if at + 1000 < images else {}),
                }
            )
            for at in range(0, max(images, 1), 1000)
        ]
        self._rows = {str(row["imageDigest"]): json.dumps(row, separators=(",", ":")) for row in held}
        self._manifest = json.dumps({"schemaVersion": 2, "config": {"size": 1500}, "layers": [{"size": 10**7}] * 8})
        self._latency = latency
        self._limit = limit
        self._ready: dict[tuple[str, bytes], bytes] = {}
        self._buckets: dict[str, _Bucket] = {}
        self._calls: Counter[str] = Counter()
        self._refused = 0
        names = [f"team{at % 7}/service-{at:05}" for at in range(repositories)]
        described = [
            {
                "repositoryName": name,
                "repositoryArn": f"arn:aws:ecr:us-east-1:123456789012:repository/{name}",
                "registryId": "123456789012",
            }
            for name in names
        ]
        self._repositories = [described[at : at + 1000] for at in range(0, len(described), 1000)] or [[]]

    async def serve(self) -> None:
        server = await asyncio.start_server(self._converse, "127.0.0.1", 0, limit=1 << 20, backlog=512)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:-2])
                body = await reader.readexactly(int(fields.get("content-length", 0)))
                if head.startswith("GET "):
                    writer.write(self._seen())
                    continue
                operation = fields["x-amz-target"].rpartition(".")[2]
                answer = self._answer_to(operation, body)
                if self._latency:
                    await asyncio.sleep(self._latency)
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _seen(self) -> bytes:
        answer = _answer({"calls": self._calls, "refused": self._refused})
        self._calls, self._refused = Counter(), 0
        return answer

    def _answer_to(self, operation: str, body: bytes) -> bytes:
        if self._limit is not None and not self._buckets.setdefault(operation, _Bucket(self._limit)).take():
            self._refused += 1
            return _answer(_REFUSAL, "400 Bad Request")
        self._calls[operation] += 1
        if operation == "describeimages" and b'"imageIds"' not in body:
            token = _TOKEN.search(body)
            return self._listing[int(token[1]) if token else 0]
        key = operation, _NAME.sub(b"", body)
        if key not in self._ready:
            self._ready[key] = self._made(operation, body)
        return self._ready[key]

    def _made(self, operation: str, body: bytes) -> bytes:
        asked = json.loads(body)
        if operation == "describeimages":
            found = ",".join(self._rows[each["imageDigest"]] for each in asked["imageIds"])
            text = f'{{"imageDetails":[{found}]}}'
            return (_HEAD.format("200 OK", len(text)) + text).encode()
        return _answer(self._content(operation, asked))

    def _content(self, operation: str, asked: dict[str, Any]) -> object:
        match operation:
            case "batchgetimage":
                images = [{"imageId": each, "imageManifest": self._manifest} for each in asked["imageIds"]]
                return {"images": images, "failures": []}
            case "batchdeleteimage":
                return {"imageIds": asked["imageIds"], "failures": []}
            case "describerepositories":
                page = int(asked.get("nextToken", 0))
                more = {"nextToken": str(page + 1)} if page + 1 < len(self._repositories) else {}
                return {"repositories": self._repositories[page], **more}
            case _:
                nothing: dict[str, list[object]] = {"pullThroughCacheRules": [], "repositoryCreationTemplates": []}
                return {"registryId": "123456789012", "replicationConfiguration": {"rules": []}, **nothing}


if __name__ == "__main__":
    main()
