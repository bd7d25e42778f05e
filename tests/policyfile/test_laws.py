"""What holds for every policy file, right or wrong, in every format."""

import json
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.policy.rules import Guards, Match, Policy, original_policy
from aws_ecr_gc.policyfile import PolicyMistakes, dump, json_text, parse, schema
from aws_ecr_gc.policyfile.nodes import plain
from aws_ecr_gc.policyfile.reading import tree_of
from aws_ecr_gc.policyfile.shape import DOCUMENT, DocumentPart
from aws_ecr_gc.policyfile.walker import Walk, _flow
from tests.policyfile.documents import WRITERS, Plain, documents

MARK = 987654321.5
"""A number that nothing in a policy file can be."""

_VALIDATOR = jsonschema.Draft202012Validator(schema())
_junk = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 3), st.floats(-2, 3), st.sampled_from(["", "none", "7d", "x"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["newest", "name", "zzz"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of everything in a plain value, but for the value itself."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in pairs:
        yield (*path, key)
        yield from places(member, (*path, key))


def within(value: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        value = value[part]
    return value


def own(content: Any) -> Any:
    """A copy whose parts are its own: what is drawn may be the same list in two places."""
    return json.loads(json.dumps(content))


@st.composite
def changed(draw: st.DrawFn) -> Any:
    """A document in which up to three things were replaced, removed or added."""
    content: Any = {"top": own(draw(documents()))}
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(list(places(content))))
        holder, key = within(content, path[:-1]), path[-1]
        if draw(st.booleans()):
            holder[key] = draw(_junk)
        elif len(path) > 1:
            del holder[key]
        if isinstance(holder, dict) and len(path) > 1 and draw(st.integers(0, 4)) == 0:
            holder["namee"] = 1
    return content["top"]


@given(changed())
def test_the_check_of_shape_and_the_schema_agree(content: Any) -> None:
    root, mistakes = json_text.read(json.dumps(content), "policy.json")
    assert root is not None
    assert not mistakes
    found = Walk(root, DOCUMENT).mistakes

    assert [str(each) for each in found] == [] if _VALIDATOR.is_valid(content) else found
    if not found:
        msgspec.convert(plain(root), DocumentPart)


@given(documents())
def test_a_document_means_the_same_in_every_format(content: Plain) -> None:
    found = []
    for suffix, write in WRITERS.items():
        file = parse(write(content).encode(), Path(f"policy{suffix}"))
        tags = {key: value for each in content["policies"] for key, value in _tags(each).items()}
        found.append([file.policy_for(name, tags.copy) for name in ("0/x", "1/x", "0/xy")])
        assert file.counts == (len(content["policies"]), sum(len(each["rules"]) for each in content["policies"]))

    assert [_unnamed(policies) for policies in found] == [_unnamed(found[0])] * 3


def _tags(policy: Plain) -> Plain:
    tags: Plain = policy["repositories"].get("resource_tags", {})
    return tags


def _unnamed(policies: list[Policy | None]) -> list[Policy | None]:
    return [each and msgspec.structs.replace(each, name="") for each in policies]


@given(st.sampled_from(sorted(WRITERS)), documents(), st.data())
def test_a_mistake_stands_where_the_wrong_value_does(suffix: str, content: Plain, data: st.DataObject) -> None:
    leaves = [path for path in places(content) if not isinstance(within(content, path), dict | list)]
    path = data.draw(st.sampled_from(leaves))
    content = own(content)
    within(content, path[:-1])[path[-1]] = MARK
    text = WRITERS[suffix](content)
    mistakes = _mistakes(text, suffix)

    assert [(each.line, each.column) for each in mistakes if str(MARK) in each.reason] == [_found(text, str(MARK))]


@given(st.sampled_from(sorted(WRITERS)), documents(), st.data())
def test_a_mistake_stands_where_the_unknown_key_does(suffix: str, content: Plain, data: st.DataObject) -> None:
    mappings = [(), *(path for path in places(content) if isinstance(within(content, path), dict))]
    path = data.draw(st.sampled_from([path for path in mappings if "resource_tags" not in path]))
    content = own(content)
    within(content, path)["bogus"] = 1
    text = WRITERS[suffix](content)
    mistakes = _mistakes(text, suffix)

    assert [(each.line, each.column) for each in mistakes if each.path.endswith("bogus")] == [_found(text, "bogus")]


def _mistakes(text: str, suffix: str) -> Any:
    with pytest.raises(PolicyMistakes) as error:
        parse(text.encode(), Path(f"policy{suffix}"))
    return error.value.mistakes


def _found(text: str, word: str) -> tuple[int, int]:
    """Line and column of the one place of a word, with the quote before it."""
    at = text.index(word)
    assert text.count(word) == 1
    at -= text[at - 1] in "\"'"
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


@given(documents())
def test_a_policy_written_out_and_read_again_is_the_same(content: Plain) -> None:
    for policy in content["policies"]:
        policy["repositories"].pop("resource_tags", None)
        policy["repositories"].pop("exclude", None)
    policy = parse(WRITERS[".json"](content).encode(), Path("policy.json")).policy_for("0/x", dict)
    assert policy is not None
    text = dump(policy, "some/name")
    again = parse(text.encode(), Path("again.yaml"))

    assert _unnamed([again.policy_for("some/name", dict)]) == _unnamed([policy])
    assert again.policy_for("some/other", dict) is None
    assert dump(policy, None) == dump(msgspec.structs.replace(policy, name="x"), None)


@given(
    st.dictionaries(st.sampled_from(["", "build", "release-", "007", "no"]), st.integers(0, 9)),
    st.booleans(),
    st.sampled_from([0.0, 1.0, 3600.0, 999_999 * 86400.0]),
)
def test_what_the_original_s_flags_stand_for_can_be_written_out(
    keep: dict[str, int], delete_untagged: bool, grace: float
) -> None:
    policy = original_policy(keep, delete_untagged=delete_untagged, grace=min(grace, 36500 * 86400.0))
    if not policy.rules:
        return
    read = parse(dump(policy, None).encode(), Path("again.yaml")).policy_for("x", dict)
    meant = [
        msgspec.structs.replace(rule, match=Match(glob=("*",))) if rule.match == Match(prefix=("",)) else rule
        for rule in policy.rules
    ]

    assert _unnamed([read]) == _unnamed([msgspec.structs.replace(policy, rules=tuple(meant))])


@given(first=documents(), base=documents())
def test_what_is_extended_only_adds_protection_and_guards(
    tmp_path_factory: pytest.TempPathFactory, first: Plain, base: Plain
) -> None:
    directory = tmp_path_factory.mktemp("extends")
    first = {
        **first,
        "protect": {"grace": "1m"},
        "guards": {"keep_at_least": 2, "keep_tagged": 2},
    }  # or a default gives way
    (directory / "base.toml").write_text(WRITERS[".toml"](base), "utf-8")
    before = parse(json.dumps(first).encode(), directory / "own.json").policy_for("0/x", dict)
    after = parse(json.dumps({**first, "extends": "base.toml"}).encode(), directory / "own.json").policy_for(
        "0/x", dict
    )
    if before is None or after is None:
        assert before is None
        return

    assert (after.rules, after.signatures, after.name) == (before.rules, before.signatures, before.name)
    assert set(before.protect_tags) <= set(after.protect_tags)
    assert before.protect_digests <= after.protect_digests
    assert before.grace <= after.grace
    assert all(each <= other for each, other in zip(_strictness(before.guards), _strictness(after.guards), strict=True))


def _strictness(guards: Guards) -> list[float]:
    """Each guard as a number that grows with its strictness."""
    bounds = (guards.max_delete, guards.max_share, guards.canary, guards.max_failures)
    return [*(-inf if each is None else -each for each in bounds), guards.keep_at_least, guards.keep_tagged]


_scraps = st.lists(
    st.sampled_from(
        [*"[]{}\"'\\,:=.#\n\t -*&!<|>?%@~a1", '"""', "'''", "[[", "]]", "a: ", "- ", "a = ", "--- ", "1e5"]
    ),
    max_size=40,
).map("".join)


@given(st.one_of(_scraps, st.text(max_size=40)), st.sampled_from(["yaml", "json", "toml"]))
def test_whatever_the_text_is_there_is_an_answer(content: str, suffix: str) -> None:
    root, mistakes = tree_of(content.encode(), Path(f"policy.{suffix}"))

    assert root is not None or mistakes
    for each in mistakes:
        assert 1 <= each.line <= len(content.splitlines()) + 1
        assert each.column >= 1


def _examples(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.get("examples", ())
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _examples(member)


def test_every_example_that_a_mistake_may_show_is_read_back_as_it_is_meant() -> None:
    examples = list(_examples(schema()))
    assert len(examples) > 20
    for example in examples:
        tree, mistakes = tree_of(f"example: {_flow(example)}".encode(), Path("p.yaml"))
        assert tree is not None
        assert (plain(tree), mistakes) == ({"example": example}, [])
