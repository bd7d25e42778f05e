"""Laws of lists: what is written is found, nothing else is, and nothing but an error comes of what is broken."""

import contextlib
import json
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from aws_ecr_gc.discovery.lists.yaml_text import documents
from aws_ecr_gc.errors import Error, SourceFailure
from tests.discovery.lists.listing import DIGEST, HOST, OTHERS, found, images, mentions, names

_around = st.sampled_from(
    [
        "{}",
        "{}",
        "{}",
        "--image={}",
        "docker run {} --rm",
        '["{}"]',
        "a: {}\nb: c\n",
        "see {}.",
        "docker://{}",
        "<x>{}</x>",
    ]
)
_speaking = st.builds(lambda around, image: (around.format(image), image), _around, images)
_silent = st.sampled_from(
    [*OTHERS, HOST, f"docker login {HOST}", f"https://{HOST}/v2/", f"{HOST}/*", "", "$HOME", "{", "a: b\n", "\u00e9"]
).map(lambda text: (text, None))
_leaves = _speaking | _silent | st.sampled_from([None, True, 3, 1.5]).map(lambda value: (value, None))
_keys = st.sampled_from(["a", "b", "args", "env", "value", HOST, f"{HOST}/key:1", "Image", "~/x"])
trees = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=12,
)


def _written(tree: Any) -> tuple[Any, set[str]]:
    """A tree as it is to be written, and the references in it."""
    if isinstance(tree, tuple):
        return tree[0], {tree[1]} - {None}
    pairs = list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree))
    written = [(key, *_written(value)) for key, value in pairs]
    plain = {key: value for key, value, _ in written}
    return plain if isinstance(tree, dict) else list(plain.values()), set().union(*(of_it for *_, of_it in written))


@given(st.lists(images | st.sampled_from([*OTHERS, "", "# a comment", f"# {HOST}/old:1", "  "]), min_size=1))
def test_every_reference_of_a_plain_list_is_found_and_none_else(lines: list[str]) -> None:
    text = "\n".join(lines)
    if text.strip():
        assert found(text) == {line for line in lines if line.startswith(("1", "2"))}


@given(trees)
def test_every_reference_anywhere_in_json_is_found_and_none_else(tree: Any) -> None:
    value, expected = _written(tree)
    assert found(json.dumps({"x": value})) == expected
    assert found(json.dumps({"x": value}, indent=1), "x.json") == expected


@given(st.lists(trees, min_size=1, max_size=3), st.booleans())
def test_every_reference_anywhere_in_yaml_is_found_and_none_else(several: list[Any], flow: bool) -> None:
    written = [_written(tree) for tree in several]
    text = yaml.safe_dump_all([{"x": value} for value, _ in written], default_flow_style=flow, width=10_000)
    assert found(text) == set().union(*(expected for _, expected in written))


@given(trees)
def test_json_within_json_says_the_same(tree: Any) -> None:
    value, expected = _written(tree)
    assert found(json.dumps({"container_definitions": json.dumps([value])})) == expected


@given(trees)
def test_yaml_reads_json_as_json_does(tree: Any) -> None:
    value, expected = _written(tree)
    assert found(json.dumps({"x": value}, ensure_ascii=False), "x.yaml") == expected


@given(st.lists(images | st.sampled_from(OTHERS), min_size=1, max_size=5), st.data())
def test_every_image_of_a_dockerfile_is_found_and_no_stage_is(bases: list[str], data: st.DataObject) -> None:
    lines, stages, expected = ["# escape=`", "# FROM x y z"], ["scratch"], set()
    for number, base in enumerate(bases):
        flag = data.draw(st.sampled_from(["", "--platform=$BUILDPLATFORM "]))
        lines += [f"FROM {flag}`", "# within", f"  {base} AS Stage{number}", f"RUN echo {HOST}/not-used:1"]
        source = data.draw(st.sampled_from([*stages, str(number), base, *OTHERS[:1]]))
        lines += [f"COPY --chown=1 --from={source} /a /b", f"FROM {data.draw(st.sampled_from(stages))}"]
        stages.append(f"stage{number}")
        expected |= {base} - set(OTHERS)
    assert found("\n".join(lines)) == expected


@given(names, st.text("abz019", min_size=1, max_size=8), st.booleans())
def test_parts_beside_each_other_make_the_reference(name: str, tag: str, split: bool) -> None:
    host, _, path = name.partition("/")
    image = {"registry": host, "repository": path} if split else {"repository": name}
    assert found(json.dumps({"image": {**image, "tag": tag}})) == {f"{name}:{tag}"}
    assert found(json.dumps({"image": {**image, "digest": DIGEST}})) == {f"{name}@{DIGEST}"}
    assert found(yaml.safe_dump({"image": {**image, "tag": tag, "digest": DIGEST}})) == {f"{name}:{tag}@{DIGEST}"}
    assert found(yaml.safe_dump({"image": {"tag": None, "digest": DIGEST, **image}})) == {f"{name}@{DIGEST}"}
    assert found(json.dumps({"image": image})) == {name}


@given(images, st.data())
def test_arguments_with_defaults_say_the_same_as_their_defaults(image: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(image)))
    upto = data.draw(st.integers(cut, len(image)))
    operator = data.draw(st.sampled_from([":-", "-"]))
    split = f"{image[:cut]}${{A{operator}${{B:-{image[cut:upto]}}}}}{image[upto:]}"
    assert found(f"FROM {split}") == {image}
    assert found(f"ARG A={image[cut:upto]}\nFROM {image[:cut]}${{A}}{image[upto:]}") == {image}


@given(names, st.sampled_from(["{}:${{T}}", "{}:$T", "{}:{{{{ .tag }}}}", "{}:", "{}/$X", "{}:%s", "{}@sha256:12"]))
def test_a_reference_that_is_left_open_is_an_error_in_every_format(name: str, shape: str) -> None:
    text = shape.format(name)
    written = {"kind": "Pod", "x": [text]}
    for content in (json.dumps(written), yaml.safe_dump(written), text, f"FROM {text}"):
        with pytest.raises(SourceFailure):
            mentions(content)


_SAMPLES = (
    f"# none\n{HOST}/a:1\nnginx\r\n{HOST}/b@{DIGEST}\n",
    f"# syntax=docker/dockerfile:1\nARG T=1\nFROM {HOST}/a:${{T:-2}} AS x\nRUN <<E\nb\nE\nCOPY --from=x \\\n a b\n",
    f"apiVersion: v1\nkind: List\nitems:\n- &a {{image: !Ref '{HOST}/a:1'}}\n- *a\n--- # b\n? [a]\n: |\n  {HOST}/b\n",
    f"services:\n  web:\n    image: ${{R:-{HOST}}}/a:${{T:-1}}\n    command: $$x\nx: &y {{tag: 1.0}}\nz: {{<<: *y}}\n",
    f"image:\n  registry: {HOST}\n  repository: a\n  tag: 1.10\nv: |\n  image:\n    repository: {HOST}/b\n    tag: c\n",
    json.dumps({"values": {"a": json.dumps([{"image": f"{HOST}/a:1"}])}, "address": "x", "b": [1.0, None]}),
)


@given(st.sampled_from(_SAMPLES), st.data())
def test_whatever_breaks_in_a_list_nothing_but_an_error_comes_of_it(sample: str, data: st.DataObject) -> None:
    content = bytearray(sample.encode(data.draw(st.sampled_from(["utf-8", "utf-8", "utf-16"]))))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        upto = data.draw(st.sampled_from([at, at + 1, len(content)]))
        content[at:upto] = data.draw(
            st.binary(max_size=3) | st.sampled_from([b"*a", b"&a ", b"<<: ", b"${", b"[", b"\n"])
        )
    with contextlib.suppress(Error):
        mentions(bytes(content), data.draw(st.sampled_from(["", "a.json", "a.yml", "Dockerfile"])))


@given(st.binary(), st.sampled_from(["", "a.json", "a.yaml", "Dockerfile"]))
@example(b"a: &a [*a, *a]", "")
@example(b"- *a", "")
@example(b"[" * 100_000, "a.yaml")
@example(b"[" * 100_000, "a.json")
@example(b"1" * 10_000, "a.json")
@example(b"\xff\xfe\x00\xd8", "")
@example(b"%YAML 9.9\n---\na", "")
@example(b'"\\ud800 dkr.ecr. \\n image: x"', "a.json")
@example(b"\\", "Dockerfile")
def test_whatever_a_list_holds_nothing_but_an_error_comes_of_it(content: bytes, path: str) -> None:
    with contextlib.suppress(Error):
        mentions(content, path)


@given(st.integers(1, 60))
def test_aliases_for_aliases_cost_no_more_than_they_are_long(depth: int) -> None:
    levels = [f"a0: &a0 [{HOST}/a:1]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, depth))]
    merges = [f"m0: &m0 {{repository: {HOST}/m}}"]
    merges += [f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}], tag: t}}" for n in range(1, min(depth, 40))]
    assert f"{HOST}/a:1" in found("\n".join(levels + merges))


def test_a_document_is_built_without_looking_at_its_tags() -> None:
    assert list(documents("a: !!python/object:os.system b\nc: !Sub [d]")) == [{"a": "b", "c": ["d"]}]
