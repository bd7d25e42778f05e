"""The records of a journal, and the lines that they make. `schemas/journal.schema.json` is generated from them.

A line is a record, and before its members a `check`: the SHA-256 of the check of the line before and of the record
without it. So no line can be changed, dropped or moved without all that follow being refused.
"""

import hashlib
from typing import Annotated, Any, NamedTuple, get_args

import msgspec
from msgspec import Meta, Struct

from aws_ecr_gc.inventory import Image
from aws_ecr_gc.plan import Action, Outcome, Step
from aws_ecr_gc.ports import ImageId, Refusal
from aws_ecr_gc.reference import Registry
from aws_ecr_gc.usage import Unread

FORMAT = "aws-ecr-gc journal"
VERSION = 1

Count = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(ge=0)]


class Record(Struct, frozen=True, forbid_unknown_fields=True, tag_field="record", kw_only=True):
    """What every record has: its number, from 0 without gaps, and when it was made, in epoch seconds."""

    number: Count
    at: Seconds


class PolicyPart(Struct, frozen=True, forbid_unknown_fields=True):
    """The policy that the plans were made under: its files, and the checksum of what they mean together."""

    files: tuple[str, ...]
    sha256: str


class Begin(Record, frozen=True, kw_only=True, tag="begin"):
    """The first record. `writer` is random, so that no two journals are alike.

    `in_use` are the settings by which it is looked for what is in use, as the command knows them. `restorable` says
    whether manifests are on record.
    """

    format: str
    version: int
    tool: str
    writer: str
    registry: Registry
    plan: str | None
    policy: PolicyPart | None
    in_use: dict[str, Any] | None
    allow_unread: tuple[str, ...]
    gone_on_without: tuple[Unread, ...]
    restorable: bool


class Steps(Record, frozen=True, kw_only=True, tag="steps"):
    """The steps of one repository, before the first of them is carried out, and the terms for that.

    An image that was pulled after `pulled_since` is skipped, if it is given. `relatives` are the images of the steps,
    and all that these need or that need them: enough to see what a new use holds.
    """

    repository: str
    taken_at: Seconds
    pulled_since: Seconds | None
    canary: Count | None
    max_failures: Count | None
    steps: tuple[Step, ...]
    relatives: tuple[Image, ...]


class Seen(Struct, frozen=True, forbid_unknown_fields=True):
    """An image right before it is acted on first. The manifest, in base64, is null where it was not read."""

    digest: str
    tags: tuple[str, ...]
    media_type: str | None
    manifest: bytes | None


class About(Record, frozen=True, kw_only=True, tag="about"):
    """What is about to be done to which ids (digest, tag or null), and the images that are new among them.

    A deletion, and the removal of tags, is one call; images are archived with a call for each.
    """

    repository: str
    action: Action
    ids: tuple[ImageId, ...]
    images: tuple[Seen, ...]


class Failure(Struct, frozen=True, forbid_unknown_fields=True):
    """Why a call has no answer."""

    code: str
    text: str


class Answered(Record, frozen=True, kw_only=True, tag="answered"):
    """The answer to what the record `about` is about: the ids that it was done to, and the refusals.

    Where it `failed`, nobody knows what happened to the ids.
    """

    repository: str
    about: Count
    done: tuple[ImageId, ...]
    refused: tuple[Refusal, ...]
    failed: Failure | None


class Outcomes(Record, frozen=True, kw_only=True, tag="outcomes"):
    """The final word on some steps."""

    repository: str
    outcomes: tuple[Outcome, ...]


class Resumed(Record, frozen=True, kw_only=True, tag="resumed"):
    """Another process goes on with the journal; `writer` is random, so that of two only one can."""

    tool: str
    writer: str


class End(Record, frozen=True, kw_only=True, tag="end"):
    """The process ended by itself. There may be steps left."""

    exit: Count
    interrupted: bool


AnyRecord = Begin | Steps | About | Answered | Outcomes | Resumed | End

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyRecord] = msgspec.json.Decoder(AnyRecord)


class Position(NamedTuple):
    """Where a journal goes on: the next record's number, the last line's check, the bytes of all lines."""

    number: int = 0
    check: str = "0" * 64
    length: int = 0


class BrokenLine(ValueError):
    """A line that was not written so, or not behind the lines before it."""


class _Header(Struct):
    format: str = ""
    version: int = 0


_BEFORE, _BEHIND = b'{"check":"', b'",'
_BODY_AT = len(_BEFORE) + 64 + len(_BEHIND)
Line = bytes | bytearray


def line_of(record: AnyRecord, position: Position, room: bytearray | None = None) -> tuple[Line, Position]:
    """The line of a record, and the position behind it. Raises UnicodeEncodeError for text that is none.

    It is made in `room`, if there is any: the steps of a large repository are megabytes, and many such in many threads
    leave memory in shreds.
    """
    line = bytearray() if room is None else room
    _encoder.encode_into(record, line, _BODY_AT - 1)
    with memoryview(line) as whole, whole[_BODY_AT - 1 :] as body:
        check = _check(position, body)
    line[:_BODY_AT] = b"%b%b%b" % (_BEFORE, check.encode(), _BEHIND)
    line += b"\n"
    return line, Position(position.number + 1, check, position.length + len(line))


def record_of(line: bytes, position: Position) -> tuple[AnyRecord, Position]:
    """The record of a whole line, and the position behind it. Raises BrokenLine."""
    body = body_of(line)
    check = _check(position, body)
    if line != b"%b%b%b%b\n" % (_BEFORE, check.encode(), _BEHIND, body[1:]):
        raise BrokenLine("was changed, or is not what was written behind the one before")
    try:
        if position.number == 0:
            _demand_known(msgspec.json.decode(body, type=_Header))
        record = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenLine(f"is none that this aws-ecr-gc knows ({error}); use the one that wrote it") from error
    if record.number != position.number:
        raise BrokenLine(f"has the number {record.number}")
    return record, Position(position.number + 1, check, position.length + len(line))


def body_of(line: bytes) -> bytes:
    """The record in a line, without its check."""
    return b"{" + line[_BODY_AT:].removesuffix(b"\n")


def _check(position: Position, body: Line | memoryview) -> str:
    made = hashlib.sha256(position.check.encode())
    made.update(body)
    return made.hexdigest()


def _demand_known(header: _Header) -> None:
    if header.format != FORMAT:
        raise BrokenLine("is not the beginning of a journal")
    if header.version != VERSION:
        raise BrokenLine(
            f"is of version {header.version}, and this aws-ecr-gc knows {VERSION}; use the one that wrote it"
        )


def schema() -> dict[str, Any]:
    """The JSON Schema of one line."""
    made = msgspec.json.schema(AnyRecord)
    check = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    for kind in get_args(AnyRecord):
        shape = made["$defs"][kind.__name__]
        shape["properties"] = {"check": check, **shape["properties"]}
        shape["required"] = ["check", *shape["required"]]
    return made
