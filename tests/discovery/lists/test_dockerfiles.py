"""Examples of Dockerfiles."""

import pytest

from aws_ecr_gc.errors import SourceFailure
from tests.discovery.lists.listing import HOST, found, mentions, workloads


def _refusal(text: str) -> str:
    with pytest.raises(SourceFailure) as refused:
        mentions(text, "Dockerfile")
    return str(refused.value)


def test_all_places_that_name_an_image_count_and_stages_do_not() -> None:
    text = f"""\
# syntax={HOST}/dockerfile:1
# check=skip=all
# escape=\\

ARG REGISTRY={HOST} TAG="1"
ARG BASE=$REGISTRY/base:${{TAG:-9}}
from --platform=$BUILDPLATFORM "${{BASE}}" as Build
ARG TAG=7
RUN --mount=type=cache,target=/x --mount=type=bind,from={HOST}/tools,target=/y echo --from={HOST}/not:1
COPY --link \\
  # a comment within
  --from={HOST}/copied:2 \\

  /a /b
FROM build AS second
COPY --from=0 /a /b
COPY --from=BUILD /a /b
ADD --from=second /a /b
ONBUILD COPY --from={HOST}/later:3 /a /b
FROM scratch
FROM ${{OTHER:-nginx}}
"""
    expected = {"dockerfile:1", "base:1", "tools", "copied:2", "later:3"}
    assert found(text) == {f"{HOST}/{each}" for each in expected}
    assert workloads(text) == ["list:1", "list:7", "list:9", "list:10", "list:19"]


def test_what_stands_in_here_documents_is_no_instruction() -> None:
    text = f"""\
FROM {HOST}/a:1
RUN <<EOF cat 3<<-"Two Three" && echo $((1 << 2)) "<<NO" <<<word
FROM {HOST}/no:1
EOF
\tFROM {HOST}/no:2
\tTwo Three
COPY <<'X' /x
  X
FROM {HOST}/no:3
X
FROM {HOST}/b:1
"""
    assert found(text) == {f"{HOST}/a:1", f"{HOST}/b:1"}


def test_the_escape_directive_changes_what_continues_a_line() -> None:
    text = f"#escape=`\r\nFROM `  \r\n  {HOST}/a:1\r\nRUN dir c:\\\r\nFROM {HOST}/b:1\r\n"
    assert found(text) == {f"{HOST}/a:1", f"{HOST}/b:1"}


def test_directives_after_the_first_line_that_is_none_are_comments() -> None:
    assert found(f"# a comment\n# syntax={HOST}/no:1\nFROM {HOST}/a:1") == {f"{HOST}/a:1"}


@pytest.mark.parametrize(
    "image",
    ["$IMAGE", "${IMAGE}", "${R}/a:1", f"{HOST}/a:$TARGETARCH", "${IMAGE:?}", "1234$X/a", "${IMAGE#x}", "${IMAGE"],
)
def test_an_argument_without_a_value_is_an_error_where_the_image_may_be_ours(image: str) -> None:
    for line in (f"FROM {image}", f"COPY --from={image} /a /b", f"RUN --mount=from={image} x"):
        refusal = _refusal(f"ARG IMAGE\nARG X\nFROM nginx\nARG R=2\n{line}\n")
        assert refusal.startswith("list: line 5: the ARG ")
        assert refusal.endswith("; write the image out, or give ARG a default before the first FROM")


def test_an_argument_without_a_value_in_another_registry_s_image_is_none_of_ours() -> None:
    assert found(f"FROM nginx:$TAG\nFROM ghcr.io/$X\nFROM {HOST}/a:1") == {f"{HOST}/a:1"}


def test_an_argument_declared_again_without_a_default_has_none() -> None:
    assert "the ARG A" in _refusal(f"ARG A=1\nARG A\nFROM {HOST}/a:$A")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ARG A=1\n", "a Dockerfile without FROM"),
        ("FROM\n", "line 1: FROM takes an image"),
        ("FROM a b\n", "line 1: FROM takes an image"),
        (f"FROM {HOST}/a:1\nRUNN x\n", "line 2: 'RUNN' is no instruction"),
        (f"FROM {HOST}/a:1\nRUN <<E\nx\n", "line 2: the here-document 'E' has no end"),
        (f"FROM {HOST}/A:1\n", "line 1: "),
        (f"FROM {HOST}\n", "names an ECR registry, but no image"),
        (f"FROM nginx\nCOPY --from={HOST}/a: /a /b\n", "line 2: "),
        ("FROM 'a b'\n", "line 1: "),
        ("\\\n", "is no instruction"),
    ],
)
def test_what_is_no_dockerfile_is_an_error_with_the_line(text: str, reason: str) -> None:
    assert reason in _refusal(text)
