"""Listings of ECR page by page, and the pages of DescribeImages decoded our own way (docs/adr/0003)."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct, field

from aws_ecr_gc.errors import Unintelligible
from aws_ecr_gc.inventory import Status

PAGE = 1000
"""The most rows that ECR gives in one page."""


def walk(operation: str, ask: Callable[..., dict[str, Any]], page: int = PAGE) -> Iterator[dict[str, Any]]:
    """Every answer of a listing to its end; `ask` makes one call with the paging members that it is given."""
    token: dict[str, str] = {}
    seen: set[str] = set()
    while True:
        answer = ask(maxResults=page, **token)
        following = answer.get("nextToken")
        yield answer
        del answer  # a thousand rows, which would be held until the next ones are there
        if not following:
            return
        if following in seen:
            raise Unintelligible(f"{operation}: the same page token twice: the listing would never end")
        seen.add(following)
        token = {"nextToken": following}


class Detail(Struct, rename="camel", gc=False):
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
    last_archived_at: float | None = None
    last_activated_at: float | None = None


class _Page(Struct):
    details: list[Detail] = field(name="imageDetails")
    next_token: str | None = field(name="nextToken", default=None)


_page_decoder = msgspec.json.Decoder(_Page)


def decode_page(body: bytes) -> dict[str, object] | None:
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


def detail_of(parsed: dict[str, Any]) -> Detail:
    """The same from what botocore's own parser made of it."""
    return Detail(
        registry_id=parsed["registryId"],
        image_digest=parsed["imageDigest"],
        image_pushed_at=parsed["imagePushedAt"].timestamp(),
        image_status=Status(parsed.get("imageStatus", "ACTIVE")),
        image_tags=tuple(parsed.get("imageTags", ())),
        image_size_in_bytes=parsed.get("imageSizeInBytes", 0),
        image_manifest_media_type=parsed.get("imageManifestMediaType"),
        artifact_media_type=parsed.get("artifactMediaType"),
        subject_manifest_digest=parsed.get("subjectManifestDigest"),
        last_recorded_pull_time=_epoch(parsed.get("lastRecordedPullTime")),
        last_archived_at=_epoch(parsed.get("lastArchivedAt")),
        last_activated_at=_epoch(parsed.get("lastActivatedAt")),
    )


def _epoch(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
