"""Examples of plain lists, of encodings, and of what is recognised as what."""

import codecs

import pytest

from aws_ecr_gc.errors import SourceFailure
from tests.discovery.lists.listing import DIGEST, HOST, OTHERS, found, mentions, workloads


def _refusal(text: str | bytes, path: str = "") -> str:
    with pytest.raises(SourceFailure) as refused:
        mentions(text, path)
    return str(refused.value)


def test_lines_are_used_by_file_and_line() -> None:
    text = f"# images\r\n\r\n{HOST}/a:1\r\n  docker://{HOST}/b@{DIGEST}  \r\nnginx:1.25\r\n"
    assert found(text) == {f"{HOST}/a:1", f"{HOST}/b@{DIGEST}"}
    assert workloads(text) == ["list:3", "list:4"]


def test_a_mirror_s_path_that_begins_with_a_registry_counts_for_it() -> None:
    assert found(f"mirror.example.com/{HOST}/a:1") == {f"{HOST}/a:1"}


@pytest.mark.parametrize(
    "line",
    ["foo bar", f"{HOST}/a:1 # why", f"{HOST}/A:1", f"{HOST}/a:", HOST, DIGEST, "$A.dkr.ecr.us-east-1.amazonaws.com/a",
     f"{HOST}/a:1,{HOST}/b:1",
     "Error: no such thing", f"mirror.example.com/{HOST}/$X", "a" * 1000],
)  # fmt: skip
def test_a_line_that_is_no_image_name_is_an_error_that_names_the_line(line: str) -> None:
    refusal = _refusal(f"{OTHERS[0]}\n{line}\n")
    assert refusal.startswith("list: line 2: ")
    assert refusal.endswith(
        "write one image name a line, such as 123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1.2.3"
    )
    assert len(refusal) < 1000


@pytest.mark.parametrize("content", [b"", b" \n\t\r\n", codecs.BOM_UTF8, codecs.BOM_UTF16_LE])
def test_an_empty_list_is_taken_for_a_failure(content: bytes) -> None:
    assert _refusal(content) == "list: it is empty; a list without images holds a comment line: # none"


def test_a_list_of_a_comment_is_a_list_without_images() -> None:
    assert found("# none\n") == set()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_windows_encodings_are_read(encoding: str) -> None:
    assert found(f"{HOST}/a:1\r\n".encode(encoding)) == {f"{HOST}/a:1"}


def test_bytes_that_are_no_text_are_an_error_with_the_line() -> None:
    assert _refusal(b"nginx\n\xff\xff") == "list: line 2: not UTF-8; give text in UTF-8"
    assert "not UTF-16" in _refusal(codecs.BOM_UTF16_LE + b"\x00\xd8")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (f"- {HOST}/a:1", ""),
        (f"# x\n\nimages:\n- {HOST}/a:1", ""),
        (f"image: {HOST}/a:1", ""),
        (f"--- {HOST}/a:1", ""),
        (f"{{x: {HOST}/a:1}}", ""),
        (f"nginx\n{HOST}/a:1", "list.YAML"),
        (f'\n["{HOST}/a:1"]', ""),
        (f'"{HOST}/a:1"', "plan.json"),
        (f"from {HOST}/a:1", ""),
        (f"ARG X\nFROM {HOST}/a:1", ""),
        (f"RUN x\nFROM {HOST}/a:1", "docker/Dockerfile"),
        (f"RUN x\nFROM {HOST}/a:1", "Dockerfile.prod"),
        (f"RUN x\nFROM {HOST}/a:1", "web.dockerfile"),
        (f"{HOST}/a:1", "Dockerfile.yaml"),
        (f"{HOST}/a:1", "images.txt"),
        (f"localhost:5000/x\n{HOST}/a:1", ""),
    ],
)
def test_the_format_is_told_by_content_and_name(text: str, path: str) -> None:
    assert found(text, path) == {f"{HOST}/a:1"}
