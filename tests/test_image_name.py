"""Image names: the vectors of distribution's own parser, and laws."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.image_name import ImageName, parse, parse_plain

VECTORS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "reference-vectors.jsonl").read_text(encoding="utf-8").splitlines()
]

REASONS = {
    "invalid reference format": r"no \[domain/\]path|a tag has|a digest is",
    "repository name must have at least one component": r"no \[domain/\]path",
    "must be lowercase": "no capitals",
    "not be more than 255": "longer than 255",
    "invalid checksum digest length": "hexadecimal digits, not",
    "invalid checksum digest format": "no capitals",
    "unsupported digest algorithm": "is none of sha256",
    "64-byte hexadecimal": "are an image's id",
}

components = st.from_regex(r"[a-z0-9]{1,4}((\.|__?|-{1,3})[a-z0-9]{1,4}){0,2}", fullmatch=True)
paths = st.lists(components, min_size=1, max_size=4).map("/".join)
domains = st.one_of(
    st.just("docker.io"),
    st.from_regex(r"[A-Za-z0-9]{1,4}(-[a-z0-9]{1,3})?\.[a-z]{2,3}(:[0-9]{1,5})?", fullmatch=True),
    st.from_regex(r"\[[a-f0-9]{0,4}:[a-f0-9:]{1,9}\](:[0-9]{1,5})?", fullmatch=True),
)
tags = st.none() | st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True)
octets = st.sampled_from([32, 48, 64]).flatmap(lambda size: st.binary(min_size=size, max_size=size))
digests = st.none() | octets.map(lambda octets: f"sha{8 * len(octets)}:{octets.hex()}")


def expected(vector: dict[str, str]) -> ImageName:
    return ImageName(vector.get("domain", ""), vector["path"], vector.get("tag"), vector.get("digest"))


def refused(error: str) -> str:
    """A pattern of the one-line message that belongs to what distribution says."""
    reason = next(reason for theirs, reason in reversed(REASONS.items()) if theirs in error)
    return rf"\A'.*' is no image name: .*({reason}).*\Z"


@given(domains, paths, tags, digests)
def test_a_printed_name_parses_to_the_same_value(domain: str, path: str, tag: str | None, digest: str | None) -> None:
    name = ImageName(domain, path, tag, digest)
    assert parse_plain(name.normalized) == name
    complete = parse(name.normalized)
    assert parse(complete.normalized) == complete


@given(st.text(alphabet="aZ0._-:/@[]\n \u017f\u212a", max_size=30) | st.text(max_size=30))
def test_any_text_is_a_name_that_prints_as_itself_or_one_line_of_refusal(text: str) -> None:
    try:
        printed = parse_plain(text).normalized
    except ValueError as error:
        printed = None
        refusal = str(error)
    assert printed == text if printed is not None else len(refusal.splitlines()) == 1
    assert printed is None or text.isascii()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["in"][:60].encode("unicode_escape").decode())
def test_names_are_read_as_distribution_reads_them(vector: dict[str, str]) -> None:
    if "error" in vector:
        with pytest.raises(ValueError, match=refused(vector["error"])):
            parse(vector["in"])
        return
    name = parse(vector["in"])
    assert name == expected(vector)
    assert name.normalized == vector["normalized"]
    assert name.familiar == vector["familiar"]
    assert name.pulled == vector.get("dockerref", name.pulled)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["in"][:60].encode("unicode_escape").decode())
def test_names_are_split_as_distribution_splits_them_without_completing_them(vector: dict[str, str]) -> None:
    if "parse_error" in vector:
        with pytest.raises(ValueError, match=refused(vector["parse_error"])):
            parse_plain(vector["in"])
        return
    name = parse_plain(vector["in"])
    assert (name.domain, name.path) == (vector.get("parse_domain", ""), vector["parse_path"])
    assert name.normalized == vector["in"]


def test_all_vectors_are_there() -> None:
    assert len(VECTORS) == 215


@pytest.mark.parametrize(
    "text",
    [
        "a" * 10**6,
        "a/" * 500_000,
        "a-" * 500_000 + "/a",
        "a." * 500_000 + "!/a",
        "a.a/" + "a__" * 300_000,
        "-" * 10**6 + "/a",
        "a:" * 500_000,
        "a@" + "a." * 500_000,
        "a@sha256:" + "f" * 10**6,
        "a:" + "b" * 10**6,
        "[" + ":" * 10**6 + "/a",
    ],
    ids=range(11),
)
def test_a_hostile_megabyte_is_refused_at_once_and_shortly(text: str) -> None:
    begun = time.process_time()
    with pytest.raises(ValueError, match="is no image name") as refusal:
        parse(text)
    assert time.process_time() - begun < 1
    assert len(str(refusal.value)) < 600
