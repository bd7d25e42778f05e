"""Files that are no snapshots, or no longer: refused in one line with the mend, never half read."""

import gzip
import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.errors import Misuse
from aws_ecr_gc.snapshots import layout, open_snapshot, write
from tests.snapshots.test_snapshots import REGISTRY, SMALL, content, taken

Lines = list[Any]
"""The lines of a snapshot but for its last two: a header, and repositories."""


def refusal(path: Path) -> str:
    """The line with which reading all of a file is refused."""
    with pytest.raises(Misuse) as caught:
        content(path)
    (line,) = caught.value.lines
    assert line.startswith(f"snapshot {path}: ")
    assert "; " in line, "the mend"
    assert line.isprintable()
    return line


def member(line: bytes) -> bytes:
    compression = zlib.compressobj(wbits=31)
    return compression.compress(line) + compression.flush()


def put_together(path: Path, lines: Lines, **changes: object) -> None:
    """A snapshot of these lines (JSON, or bytes as they are). `changes` go into the first row of the table."""
    whole = b""
    table: list[dict[str, object]] = []
    for line in lines:
        text = line if isinstance(line, bytes) else json.dumps(line).encode()
        packed = member(text)
        name = line.get("name", "?") if isinstance(line, dict) else "team/web"
        table.append({"name": name, "at": len(whole), "compressed": len(packed), "size": len(text)})
        whole += packed
    table = table[1:]
    if table:
        table[0].update(changes)
    path.write_bytes(whole + member(json.dumps({"repositories": table}).encode()) + layout.tail(len(whole)))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("written") / "s.gz"
    write(path, REGISTRY, SMALL)
    return path.read_bytes()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file for all examples of a test."""
    return tmp_path_factory.mktemp("broken") / "s.gz"


@pytest.fixture
def lines(written: bytes) -> Lines:
    """What `put_together` makes a good snapshot of."""
    lines = [json.loads(line) for line in gzip.decompress(written).splitlines()]
    return lines[:-2]


@pytest.fixture
def image(lines: Lines) -> dict[str, Any]:
    image: dict[str, Any] = lines[1]["images"][0]
    return image


def test_a_file_cut_off_anywhere_is_refused(path: Path, written: bytes) -> None:
    for length in range(len(written)):
        path.write_bytes(written[:length])
        line = refusal(path)
        assert ("cut off or damaged" in line) == (length > 0), line


def is_refused(path: Path) -> bool:
    """Whether a file is refused; if it is not, it must hold what was written."""
    try:
        assert content(path) == sorted(SMALL, key=lambda each: each.inventory.repository.name)
    except Misuse as error:
        return str(error).startswith(f"snapshot {path}: ")
    return False


def test_every_flipped_bit_is_refused_or_changes_nothing(path: Path, written: bytes) -> None:
    unchanged = 0
    for bit in range(len(written) * 8):
        broken = bytearray(written)
        broken[bit // 8] ^= 1 << bit % 8
        path.write_bytes(broken)
        unchanged += not is_refused(path)
    # gzip has no checksum over time, flags and system, eight bytes in the header of each of the five members.
    assert unchanged <= 5 * 8 * 8


@given(st.integers(0, 10_000), st.binary(max_size=30), st.integers(0, 30))
def test_bytes_put_in_or_taken_out_are_refused_or_change_nothing(
    path: Path, written: bytes, position: int, put_in: bytes, taken_out: int
) -> None:
    position %= len(written) + 1
    path.write_bytes(written[:position] + put_in + written[position + taken_out :])
    is_refused(path)


@given(st.binary(max_size=300))
def test_a_file_of_anything_is_refused(path: Path, anything: bytes) -> None:
    path.write_bytes(anything)
    refusal(path)


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"policies: []\n",
        b'{"format": "aws-ecr-gc snapshot", "version": 1}\n',
        gzip.compress(b"", mtime=0),
        gzip.compress(b"hello", mtime=0),
        gzip.compress(b"{}", mtime=0),
        gzip.compress(b'{"format": "tar", "version": 1}', mtime=0),
        gzip.compress(b'{"format": "aws-ecr-gc snapshot", "version": "one"}', mtime=0),
        gzip.compress(b'{"format": "aws-ecr-gc snapshot", "version": 1' + b"0" * 5000 + b"}", mtime=0),
        gzip.compress(b"[" * 60_000, mtime=0),
        gzip.compress(b'{"format": ' + b"[" * 60_000, mtime=0),
        gzip.compress(b'{"format": "aws-ecr-gc snapshot", "version": 1, "x": ' + b"[" * 60_000, mtime=0),
    ],
)
def test_what_is_no_snapshot_is_said_to_be_none(path: Path, written: bytes) -> None:
    path.write_bytes(written)
    assert refusal(path).endswith("not a snapshot; give a file that `aws-ecr-gc snapshot --out FILE` wrote")


def test_what_is_not_there_or_no_file_cannot_be_read(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none").endswith("none: can't be read: No such file or directory; check --snapshot")
    assert refusal(tmp_path).endswith("can't be read: Is a directory; check --snapshot")


def test_a_pipe_cannot_be_read_out_of_order(written: bytes) -> None:
    reading, writing = os.pipe()
    os.write(writing, written)
    os.close(writing)
    try:
        assert "can't be read: Illegal seek" in refusal(Path(f"/dev/fd/{reading}"))
    finally:
        os.close(reading)


def test_another_version_is_refused_whatever_else_is_different(path: Path, lines: Lines) -> None:
    for version in (0, 2, 17):
        path.write_bytes(gzip.compress(json.dumps({**lines[0], "version": version, "registry": 5}).encode()))
        assert refusal(path).endswith(
            f"its version is {version}, and this aws-ecr-gc reads version 1; use the aws-ecr-gc that wrote it, or take "
            "it again"
        )


def test_members_that_are_not_known_are_ignored(path: Path, lines: Lines, image: dict[str, Any]) -> None:
    for each in (*lines, image, lines[0]["registry"]):
        each["workloads"] = [{"ecs:cluster/service": 1}]
    put_together(path, lines)
    assert content(path) == sorted(SMALL, key=lambda each: each.inventory.repository.name)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("digest", None),
        ("digest", ""),
        ("digest", "latest"),
        ("digest", "sha256:0a\n"),
        ("pushed_at", None),
        ("pushed_at", "2017-03-20T03:51:41Z"),
        ("pushed_at", -1),
        ("pushed_at", 1e300),
        ("pulled_at", 1e12),
        ("tags", "v1"),
        ("tags", [""]),
        ("tags", ["v1\x1b[2J"]),
        ("tags", [1]),
        ("size", -1),
        ("size", 0.5),
        ("size", 1 << 70),
        ("status", "MELTED"),
        ("children", "sha256:0b"),
        ("children", [None]),
        ("subject", 1),
        ("media_type", 1),
    ],
)
def test_an_image_with_a_malformed_field_is_refused(
    path: Path, lines: Lines, image: dict[str, Any], member: str, value: object
) -> None:
    image[member] = value
    put_together(path, lines)
    assert "cut off or damaged: repository team/web: image 1: " in refusal(path)


@pytest.mark.parametrize("member", ["digest", "pushed_at"])
def test_an_image_without_what_it_must_have_is_refused(
    path: Path, lines: Lines, image: dict[str, Any], member: str
) -> None:
    del image[member]
    put_together(path, lines)
    assert f"image 1: Object missing required field `{member}`" in refusal(path)


def test_a_digest_or_a_repository_that_is_there_twice_is_refused(
    path: Path, lines: Lines, image: dict[str, Any]
) -> None:
    put_together(path, [*lines, lines[1]])
    assert "a repository is there twice" in refusal(path)
    lines[1]["images"].append(dict(image, tags=["other"]))
    put_together(path, lines)
    assert "repository team/web: sha256:0a is there twice" in refusal(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line.pop("name"),
        lambda line: line.pop("taken_at"),
        lambda line: line.pop("images"),
        lambda line: line.update(name="team\tweb"),
        lambda line: line.update(taken_at=None),
        lambda line: line.update(resource_tags={"team": None}),
        lambda line: line.update(images={}),
        lambda line: line.update(images=[[]]),
    ],
)
def test_a_repository_with_a_malformed_member_is_refused(
    path: Path, lines: Lines, change: Callable[[Any], object]
) -> None:
    change(lines[1])
    put_together(path, lines)
    assert "cut off or damaged: " in refusal(path)


def test_a_line_that_is_no_json_is_refused(path: Path, lines: Lines) -> None:
    deep = b'{"name": "team/web", "taken_at": 1, "x": ' + b"[" * 100_000
    for text in (b"", b"{", b"\xff", b"null", b'{"name": "team/\xff"}', b'{"name": "\\ud800"}', deep):
        put_together(path, [lines[0], text])
        assert "cut off or damaged: " in refusal(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"at": 0},
        {"at": -1},
        {"at": 1 << 40},
        {"at": 1 << 80},
        {"at": None},
        {"compressed": 0},
        {"compressed": 5},
        {"compressed": 1 << 40},
        {"size": 0},
        {"size": 1},
        {"size": 1 << 40},
        {"name": "other"},
        {"name": ""},
    ],
)
def test_a_table_that_does_not_fit_the_file_is_refused(path: Path, lines: Lines, changes: dict[str, object]) -> None:
    put_together(path, lines, **changes)
    assert "cut off or damaged: " in refusal(path)


def test_a_tail_that_points_elsewhere_is_refused(path: Path, written: bytes) -> None:
    body = written[: -layout.TAIL_BYTES]
    for place in (0, 1, len(body), len(body) + 1, 10**19):
        path.write_bytes(body + layout.tail(place))
        assert "cut off or damaged: " in refusal(path)


def test_a_file_that_was_packed_anew_is_refused(path: Path, written: bytes) -> None:
    path.write_bytes(gzip.compress(gzip.decompress(written)))
    refusal(path)
    path.write_bytes(gzip.compress(written))
    refusal(path)


def test_a_line_is_not_unpacked_beyond_what_the_table_says(path: Path, lines: Lines) -> None:
    """A thousand times the size of the file would be needed, were it unpacked whole."""
    put_together(path, [lines[0], b" " * (64 << 20)], size=1000)
    assert "a line is longer than the 1000 bytes that it may have" in refusal(path)
    put_together(path, lines, size=layout.LONGEST_LINE + 1)
    assert "no line of team/web" in refusal(path)


def test_a_file_that_is_cut_while_it_is_read_is_refused(path: Path, written: bytes) -> None:
    path.write_bytes(written)
    snapshot = open_snapshot(path)
    os.truncate(path, 200)
    with pytest.raises(Misuse, match="cut off or damaged"):
        snapshot.inventory("empty")
    snapshot.close()


def test_one_broken_repository_leaves_the_others_readable(path: Path, lines: Lines, image: dict[str, Any]) -> None:
    image["size"] = -1
    put_together(path, lines)
    snapshot = open_snapshot(path)
    assert snapshot.inventory("empty") == taken("empty").inventory
    assert snapshot.resource_tags("team/web") == {"team": "web"}
    snapshot.close()
