"""Journals in S3: one object a record, which nothing ever overwrites."""

import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from aws_ecr_gc.errors import AccessDenied, AwsFailure, Error, JournalLost, Misuse, one_line
from aws_ecr_gc.journal.places import MEND, Glance, end_of
from aws_ecr_gc.journal.records import Line

if TYPE_CHECKING:
    from aws_ecr_gc.aws.client import Client

PERMISSIONS = {"PutObject": "s3:PutObject", "GetObject": "s3:GetObject", "ListObjectsV2": "s3:ListBucket"}
"""The calls of this module and their IAM actions: on the objects under the prefix; s3:ListBucket, on the bucket."""

_NUMBER = re.compile(r"(?P<number>[0-9]{9})\.json")
_TRIES, _WAIT = 5, 0.1


class Bucket:
    """A prefix in a bucket, with the journals under it. Raises what `Client.call` raises where it reads."""

    def __init__(self, client: "Client", bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""

    def address(self, name: str) -> str:
        return one_line(f"s3://{self._bucket}/{self._prefix}{name}")

    def create(self, stem: str) -> "Objects":
        return Objects(self, stem)

    def again(self, name: str) -> "Objects":
        """Of several that go on with it, S3 lets one write the next record."""
        return Objects(self, name)

    def lines(self, name: str) -> Iterator[bytes]:
        for expected, number in enumerate(self._numbers(name)):
            if number != expected:
                raise Misuse(f"journal {self.address(name)}: record {expected} is missing; nothing can be told from it")
            line = self.get(name, number)
            if not line.endswith(b"\n"):
                raise Misuse(f"journal {self.address(name)}: record {number} is cut off; nothing can be told from it")
            yield line

    def is_under_way(self, name: str) -> bool:  # noqa: ARG002 - S3 tells nothing of the kind
        return False

    def newest(self) -> Iterator[Glance]:
        begun = f"{self._prefix}journal-"
        pages = self._listed(Prefix=begun, Delimiter="/")
        found = (each["Prefix"] for page in pages for each in page.get("CommonPrefixes", ()))
        names = [prefix.removeprefix(self._prefix).rstrip("/") for prefix in found]
        for name in sorted(names, reverse=True):
            numbers = list(self._numbers(name))
            yield Glance(name, end_of(self.get(name, numbers[-1])) if numbers else None, under_way=None)

    def put(self, name: str, number: int, line: Line) -> None:
        """Write a record. Raises AwsFailure, with the code PreconditionFailed where there is one already."""
        self._call(
            "PutObject",
            "ETag",
            Key=self._key(name, number),
            Body=line,
            IfNoneMatch="*",
            ContentType="application/json",
        )

    def get(self, name: str, number: int) -> bytes:
        """Read a record."""
        try:
            return self._client.content("GetObject", "Body", Bucket=self._bucket, Key=self._key(name, number))
        except AccessDenied as denied:
            raise self._denied("GetObject", denied) from denied

    def _numbers(self, name: str) -> Iterator[int]:
        """The numbers of a journal's records, in order: S3 lists keys in theirs."""
        of_it = f"{self._prefix}{name}/"
        for page in self._listed(Prefix=of_it):
            for each in page.get("Contents", ()):
                found = _NUMBER.fullmatch(each["Key"].removeprefix(of_it))
                if found:
                    yield int(found["number"])

    def _listed(self, **parameters: object) -> Iterator[dict[str, Any]]:
        following: dict[str, object] = {}
        while True:
            page = self._call("ListObjectsV2", "IsTruncated", **parameters, **following)
            yield page
            if not page["IsTruncated"]:
                return
            following = {"ContinuationToken": page["NextContinuationToken"]}

    def _call(self, operation: str, answer: str, **parameters: object) -> dict[str, Any]:
        try:
            return self._client.call(operation, answer, Bucket=self._bucket, **parameters)
        except AccessDenied as denied:
            raise self._denied(operation, denied) from denied

    def _denied(self, operation: str, denied: AccessDenied) -> AccessDenied:
        """S3 does not always name the action, and listing is called otherwise in IAM."""
        said = str(denied).partition(" is missing: ")[2]
        where = f"s3://{self._bucket}/{self._prefix}"
        return AccessDenied(
            f"access denied: the permission {PERMISSIONS[operation]} on {where} is missing: {said}", denied.code
        )

    def _key(self, name: str, number: int) -> str:
        return f"{self._prefix}{name}/{number:09}.json"


class Objects:
    """A journal that is written, an object a record."""

    def __init__(self, bucket: Bucket, name: str) -> None:
        self._bucket = bucket
        self._name = name

    @property
    def name(self) -> str:
        return self._bucket.address(self._name)

    def append(self, number: int, line: Line) -> None:
        for left in reversed(range(_TRIES)):
            try:
                return self._bucket.put(self._name, number, line)
            except AwsFailure as error:
                if error.code == "PreconditionFailed":
                    return self._demand_ours(number, line)
                if error.code != "ConditionalRequestConflict" or not left:
                    raise self._lost(error) from error
                time.sleep(_WAIT)  # somebody, maybe an earlier try of this call, writes it at this moment
            except Error as error:
                raise self._lost(error) from error
        raise AssertionError("the last try returns or raises")

    def settle(self) -> None:
        """S3 keeps an object as soon as it has answered."""

    def cut(self, length: int) -> None:
        """Objects are whole or not there."""

    def close(self) -> None:
        """Nothing is held open; the client is the caller's."""

    def _demand_ours(self, number: int, line: Line) -> None:
        """A try whose answer was lost, and that was repeated, meets what it wrote itself."""
        try:
            there = self._bucket.get(self._name, number)
        except Error as error:
            raise self._lost(error) from error
        if there != line:
            raise JournalLost(
                f"journal {self.name}: another process has written record {number}; let only one work with it"
            )

    def _lost(self, error: Error) -> JournalLost:
        return JournalLost(f"journal {self.name}: can't be written: {error}{MEND}")
