"""What is in use, in a file: one reading of an organisation, to plan by in every registry."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from aws_ecr_gc import __version__
from aws_ecr_gc.errors import Misuse, OutputLost, one_line
from aws_ecr_gc.files import write_whole
from aws_ecr_gc.reference import Reference, reference_of
from aws_ecr_gc.usage import InUse, Origin, Reach, Unread, Use, by_repository

FORMAT = "aws-ecr-gc in-use"
VERSION = 1
_LARGEST = 1 << 30


class _Origin(Struct, forbid_unknown_fields=True, omit_defaults=True):
    source: Annotated[str, Meta(min_length=1)]
    account: str | None = None
    region: str | None = None
    name: str | None = None


class _Unread(Struct, forbid_unknown_fields=True):
    origin: _Origin
    reason: str


class _Use(Struct, forbid_unknown_fields=True):
    """`read` is the place of its origin in the document's list of that name."""

    image: str
    workload: str
    read: Annotated[int, Meta(ge=0)]
    current: bool


class _Header(Struct):
    format: str
    version: int


class _Document(Struct, forbid_unknown_fields=True):
    format: str
    version: int
    tool: str
    taken_at: Annotated[float, Meta(ge=0, le=250_000_000_000)]
    reach: Reach
    read: list[_Origin]
    unread: list[_Unread]
    uses: list[_Use]


def save(path: Path, in_use: InUse) -> None:
    """Write a reading, whole or not at all. Raises OutputLost."""
    places = {origin: at for at, origin in enumerate(in_use.read)}
    document = _Document(
        format=FORMAT,
        version=VERSION,
        tool=f"aws-ecr-gc {__version__}",
        taken_at=in_use.taken_at,
        reach=in_use.reach,
        read=[_origin_part(origin) for origin in in_use.read],
        unread=[_Unread(_origin_part(each.origin), each.reason) for each in in_use.unread],
        uses=[
            _Use(str(use.reference), use.workload, places[use.origin], use.current)
            for of_repository in in_use.uses.values()
            for use in of_repository
        ],
    )
    try:
        write_whole(path, msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n", private=True)
    except OSError as error:
        raise OutputLost(f"{one_line(path)}: can't be written: {one_line(error.strerror or error)}") from error


def load(path: Path) -> InUse:
    """Read such a file. What it says could not be read is in `unread`, not allowed. Raises Misuse."""
    name = one_line(path)
    try:
        if path.stat().st_size > _LARGEST:
            raise Misuse(f"{name}: larger than a file of aws-ecr-gc in-use --out can be")
        content = path.read_bytes()
    except OSError as error:
        raise Misuse(f"{name}: can't be read: {error.strerror}; write it with aws-ecr-gc in-use --out") from error
    try:
        header = msgspec.json.decode(content, type=_Header)
        if header.format == FORMAT and header.version != VERSION:
            raise Misuse(f"{name}: of version {header.version}, and this program knows {VERSION}; write it again")
        document = msgspec.json.decode(content, type=_Document)
        if document.format != FORMAT:
            raise Misuse(f"{name}: no file of aws-ecr-gc in-use --out")
        read = tuple(_origin(part) for part in document.read)
        uses = by_repository(_uses(document.uses, read))
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, IndexError) as error:
        raise Misuse(f"{name}: no whole file of aws-ecr-gc in-use --out: {one_line(error)}; write it again") from error
    unread = tuple(Unread(_origin(each.origin), each.reason) for each in document.unread)
    return InUse(document.taken_at, uses, read, unread, document.reach)


def _uses(parts: Iterable[_Use], read: tuple[Origin, ...]) -> Iterator[Use]:
    for part in parts:
        yield Use(_reference(part.image), part.workload, read[part.read], part.current)


def _reference(text: str) -> Reference:
    reference = reference_of(text)
    if reference is None:
        raise ValueError(f"{text!r} is no image of a private ECR registry")
    return reference


def _origin_part(origin: Origin) -> _Origin:
    return _Origin(origin.source, origin.account, origin.region, origin.name)


def _origin(part: _Origin) -> Origin:
    return Origin(part.source, part.account, part.region, part.name)
