"""Lists from everywhere, to uses."""

import os
from pathlib import Path

import pytest

from aws_ecr_gc.discovery.lists.reading import read
from aws_ecr_gc.discovery.settings import Kind, Listing
from aws_ecr_gc.errors import SourceFailure
from aws_ecr_gc.usage import Origin, Use
from tests.discovery.lists.listing import HOST

_ORIGIN = Origin("list", name="mine")


def _uses(kind: Kind, *words: str, stdin: bytes = b"") -> list[Use]:
    return list(read(Listing(kind, words), _ORIGIN, stdin=lambda: stdin))


def _failure(kind: Kind, *words: str, stdin: bytes = b"") -> str:
    with pytest.raises(SourceFailure) as failed:
        _uses(kind, *words, stdin=stdin)
    (line,) = failed.value.lines
    return line


def test_a_file_s_uses_are_of_the_origin_and_named_by_the_file(tmp_path: Path) -> None:
    path = tmp_path / "images.txt"
    path.write_text(f"# mine\n{HOST}/a:1\n")
    (use,) = _uses(Kind.FILE, str(path))
    assert (str(use.reference), use.workload, use.origin, use.current) == (f"{HOST}/a:1", f"{path}:2", _ORIGIN, True)


def test_a_file_s_name_tells_its_format(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text(f"RUN x\nFROM {HOST}/a:1\n")
    assert len(_uses(Kind.FILE, str(path))) == 1


def test_standard_input_can_be_read_again_and_again() -> None:
    for _ in range(2):
        assert [use.workload for use in _uses(Kind.STDIN, stdin=f"{HOST}/a:1".encode())] == ["standard input:1"]


def test_a_command_s_output_is_a_list() -> None:
    (use,) = _uses(Kind.COMMAND, "echo", f"{HOST}/a:1")
    assert use.workload == f"echo {HOST}/a:1:1"


def test_a_command_that_says_nothing_or_fails_is_no_empty_list() -> None:
    assert _failure(Kind.COMMAND, "true").startswith("true: it is empty; ")
    assert _failure(Kind.COMMAND, "false").startswith("false: ended with 1; ")


def test_a_url_is_asked() -> None:
    assert _failure(Kind.URL, "http://me:secret@127.0.0.1:1/x?token=y").startswith("http://127.0.0.1:1/x?...: ")


def test_what_is_no_file_that_can_be_read_twice_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert _failure(Kind.FILE, str(tmp_path)) == f"{tmp_path}: is a directory; give each of its files"
    assert "is no regular file" in _failure(Kind.FILE, str(tmp_path / "pipe"))
    assert "can't be read: No such file or directory; give the path" in _failure(Kind.FILE, str(tmp_path / "absent"))
    assert "can't be read: " in _failure(Kind.FILE, "a\0b")
    (tmp_path / "empty").touch()
    assert "it is empty" in _failure(Kind.FILE, str(tmp_path / "empty"))


def test_what_is_not_understood_names_the_list_and_the_line(tmp_path: Path) -> None:
    path = tmp_path / "images.txt"
    path.write_text("nginx\nfoo bar\n")
    assert _failure(Kind.FILE, str(path)).startswith(f"{path}: line 2: 'foo bar' is no image name: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images.txt"
    path.write_text("nginx\n")
    path.chmod(0)
    assert "can't be read: Permission denied" in _failure(Kind.FILE, str(path))
