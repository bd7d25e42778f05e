"""From bytes to a tree: what is no YAML, JSON or TOML, and what must not be read however well it is written."""

import time
from pathlib import Path

import pytest

from aws_ecr_gc.errors import Misuse
from aws_ecr_gc.policyfile import PolicyMistakes, load, parse
from aws_ecr_gc.policyfile.nodes import MOST_DEPTH, Node, plain
from aws_ecr_gc.policyfile.reading import MOST_BYTES, tree_of
from aws_ecr_gc.policyfile.yaml_text import MOST_EXPANDED

_RULES = "rules: [{name: a, match: {any: true}, keep: none}]"


def tree(text: str, suffix: str = ".yaml") -> Node:
    """The tree of a text with nothing wrong in it."""
    root, mistakes = tree_of(text.encode(), Path(f"p{suffix}"))
    assert not mistakes
    assert root is not None
    return root


def refused(text: str, suffix: str = ".yaml") -> list[str]:
    """What is wrong with the text itself."""
    return [str(each) for each in tree_of(text.encode(), Path(f"p{suffix}"))[1]]


def test_yaml_knows_the_words_of_its_core_schema_only() -> None:
    text = "[yes, on, no, off, true, False, null, ~, , 2024-01-01, 12, -1, 1_0, 0x1f, 1.5, 1e3, .inf, 1:30, '7', =]"
    assert plain(tree(text.replace("~, ,", "~,"))) == [
        *("yes", "on", "no", "off", True, False, None, None),
        *("2024-01-01", 12, -1, "1_0", "0x1f", 1.5, 1000, ".inf", "1:30", "7", "="),
    ]


def test_a_number_with_more_digits_than_python_reads_is_no_defect() -> None:
    for suffix, text in ((".yaml", "9" * 5000), (".json", "9" * 5000)):
        assert plain(tree(text, suffix)) == float("inf")
    assert "not TOML" in refused(f"a = {'9' * 5000}", ".toml")[0]


def test_a_mark_of_byte_order_is_passed_over() -> None:
    for suffix, text in ((".yaml", "a: 1"), (".json", '{"a": 1}'), (".toml", "a = 1")):
        assert plain(tree(f"\ufeff{text}", suffix)) == {"a": 1}


def test_aliases_stand_for_what_they_repeat() -> None:
    assert plain(tree("a: &x {b: [1]}\nc: *x\nd: [*x, *x]")) == {
        "a": {"b": [1]},
        "c": {"b": [1]},
        "d": [{"b": [1]}, {"b": [1]}],
    }


SYNTAX = {
    (".yaml", "a: [b"): (
        "1:6: not YAML: while parsing a flow sequence, expected ',' or ']', but got '<stream end>'; "
        "close the bracket, and write a text that holds a bracket, a comma or ? in quotes"
    ),
    (".yaml", "a:\n\t- b"): (
        "2:1: not YAML: while scanning for the next token, found character '\\t' that cannot start any token; "
        "indent with spaces"
    ),
    (".yaml", "a: @x"): (
        "1:4: not YAML: while scanning for the next token, found character '@' that cannot start any token; "
        "write the text in quotes"
    ),
    (".yaml", "glob: *-rc"): (
        '1:7: glob: the alias *-rc has no anchor &-rc before it; write a text that begins with * in quotes: "*-rc"'
    ),
    (".yaml", "glob: *"): (
        "1:8: not YAML: while scanning an alias, expected alphabetic or numeric character, but found 'end of file'; "
        'write a text that begins with * in quotes, such as "*-rc"'
    ),
    (".yaml", "a: b: c"): (
        "1:5: not YAML: mapping values are not allowed here; "
        "check the indentation, and write a text that holds ': ' in quotes"
    ),
    (".yaml", 'a: "\\d"'): (
        "1:6: not YAML: while scanning a double-quoted scalar, found unknown escape character 'd'; "
        "write it in single quotes, where a backslash means itself"
    ),
    (".yaml", "a: b\n\x01"): "2:1: not YAML: the character U+0001 can't stand in it",
    (".yaml", "a: 1\n--- \nb: 2"): "2:1: a second document begins; keep one per file",
    (".json", '{"a": 1,}'): "1:9: not JSON: expecting property name enclosed in double quotes",
    (".json", "{\n\"a\": 'b'}"): "2:6: not JSON: expecting value",
    (".json", ""): "1:1: not JSON: expecting value",
    (".json", "[NaN]"): "1:1: not JSON: NaN is no number of JSON",
    (".json", "{} {}"): "1:4: not JSON: extra data",
    (".toml", "a = 1\nb = x"): "2:5: not TOML: Invalid value",
    (".toml", "[a]\n[a]"): "2:3: not TOML: Cannot declare ('a',) twice",
    (".toml", "a = [1"): "1:7: not TOML: Unclosed array",
}


@pytest.mark.parametrize(("case", "line"), SYNTAX.items())
def test_what_can_t_be_understood_is_told_with_its_place(case: tuple[str, str], line: str) -> None:
    suffix, text = case
    assert refused(text, suffix) == [f"p{suffix}:{line}"]


REFUSED = {
    (".yaml", "a: !!python/object/apply:os.system [x]"): (
        '1:4: a: the tag "tag:yaml.org,2002:python/object/apply:os.system" is refused: nothing here takes one; '
        "leave it out, or write a text that begins with ! in quotes"
    ),
    (".yaml", "a: !x b"): (
        '1:4: a: the tag "!x" is refused: nothing here takes one; '
        "leave it out, or write a text that begins with ! in quotes"
    ),
    (".yaml", "a: &a {b: 1}\nc:\n  <<: *a\n  d: 1"): (
        "3:3: c: merging with << is refused; write the keys out, or give the whole value as an alias"
    ),
    (".yaml", "a: &a [*a]"): "1:8: a[0]: the alias *a stands within what it stands for; write it out",
    (".yaml", "b: {1: x}"): '1:5: b: a key must be a text; write it in quotes: "1"',
    (".yaml", "b: {null: x}"): '1:5: b: a key must be a text; write it in quotes: "null"',
    (".yaml", "? [a]\n: x"): "1:3: a key must be a text; write a text",
    (".yaml", "a: 1\n'a': 2"): "2:1: a: is stated twice, first in line 1, column 1; leave one of them out",
    (
        ".json",
        '{"b": {"a": 1,\n"a": 2}}',
    ): "2:1: b.a: is stated twice, first in line 1, column 8; leave one of them out",
    (".json", '{"b\\"": {"a b": 1, "a b": 2}}'): (
        '1:20: ["b\\""]["a b"]: is stated twice, first in line 1, column 10; leave one of them out'
    ),
}


@pytest.mark.parametrize(("case", "line"), REFUSED.items())
def test_what_is_written_well_and_still_not_taken_is_told_with_its_place(case: tuple[str, str], line: str) -> None:
    suffix, text = case
    assert refused(text, suffix) == [f"p{suffix}:{line}"]


def test_what_is_wrong_with_the_text_and_with_its_shape_is_told_together() -> None:
    text = f"version: 1\nversion: 1\npolicies: [{{{_RULES}}}]\nbogus: !x 1\n"
    with pytest.raises(PolicyMistakes) as error:
        parse(text.encode(), Path("p.yaml"))
    assert [line.split(": ")[0] for line in error.value.lines] == ["p.yaml:2:1", "p.yaml:4:1", "p.yaml:4:8"]


def test_aliases_of_aliases_do_not_grow_beyond_bounds() -> None:
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    text = "\n".join(["a0: &a0 [x, x]", *levels])
    assert refused(text) == [
        (
            f"p.yaml:5:20: a4[2]: aliases stand for more than {MOST_EXPANDED} values or nest deeper than {MOST_DEPTH}; "
            "write fewer of them"
        )
    ]


def test_aliases_do_not_nest_beyond_bounds() -> None:
    text = "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 120))])
    assert "nest deeper than" in refused(text)[0]


@pytest.mark.parametrize(
    ("suffix", "text", "column"),
    [
        (".yaml", "[" * 200_000, 102),
        (".yaml", "{a: " * 200_000, 405),
        (".json", "[" * 200_000, 101),
        (".json", '{"a":' * 200_000, 501),
        (".toml", "a = " + "[" * 200_000, 105),
        (".toml", "a = " + "{b = " * 200_000, 501),
        (".toml", "a" + ".a" * 200_000 + " = 1", 1),
        (".toml", "[" + '"a".' * 200_000 + "a]", 1),
    ],
)
def test_what_nests_without_end_is_refused_at_once(suffix: str, text: str, column: int) -> None:
    started = time.process_time()
    assert refused(text, suffix) == [f"p{suffix}:1:{column}: nests deeper than {MOST_DEPTH}; write it flatter"]
    assert time.process_time() - started < 5


def test_toml_is_placed_through_all_its_ways_to_write() -> None:
    text = '''\
# comment = [
a.b . "c d" = """x
"" y """"  # two quotes belong to the text
'q.r' = \'\'\'z\'\'\'
[t]
when = 1979-05-27 07:32:00
[[l]]
[[l.m]]
n = [ 1, # one ]
  { o = "}" , p.q = 'x' } ,
]
[[l]]
[l.m]
n = 2
'''
    root = tree(text, ".toml")

    def place(*path: str | int) -> tuple[int, int]:
        node = root
        for part in path:
            node = (node.items or ())[part] if isinstance(part, int) else (node.members or {})[part]
        return node.place.line, node.place.column

    assert place("a", "b", "c d") == (2, 15)
    assert place("q.r") == (4, 9)
    assert place("t", "when") == (6, 8)
    assert place("l", 0, "m", 0, "n", 0) == (9, 7)
    assert place("l", 0, "m", 0, "n", 1, "o") == (10, 9)
    assert place("l", 0, "m", 0, "n", 1, "p", "q") == (10, 21)
    assert place("l", 1) == (12, 1)
    assert place("l", 1, "m") == (13, 1)
    assert place("l", 1, "m", "n") == (14, 5)


def test_a_date_of_toml_is_to_be_written_as_text() -> None:
    with pytest.raises(PolicyMistakes) as error:
        parse(b"version = 1\n[protect]\ntags = [2024-01-01]\n[[policies]]\nrules = 1979-05-27 07:32:00", Path("p.toml"))
    assert [line.removeprefix("p.toml:") for line in error.value.lines] == [
        '3:9: protect.tags[0]: must be a text, is the time 2024-01-01; write it in quotes: "2024-01-01"',
        (
            "5:9: policies[0].rules: must be a list of mappings, is the time 1979-05-27T07:32:00; "
            "write one such as [{name: builds, match: {prefix: build-}, keep: {newest: 8}}]"
        ),
    ]


def test_half_a_character_is_refused() -> None:
    text = '{"version": 1, "policies": [{"rules": [{"name": "\\ud800", "match": {"any": true}, "keep": "none"}]}]}'
    with pytest.raises(PolicyMistakes) as error:
        parse(text.encode(), Path("p.json"))
    assert error.value.lines == (
        "p.json:1:49: policies[0].rules[0].name: holds half a character; write the whole character",
    )


def test_a_file_that_can_t_be_read_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"version: 1\n# caf\xe9")
    (tmp_path / "large.yaml").write_bytes(b"#" * (2 * MOST_BYTES))
    for name, reason in {
        "missing.yaml": "can't be read: No such file or directory; give the path of a policy file",
        ".": "can't be read: Is a directory; give the path of a policy file",
        "nul\0": "can't be read: embedded null byte; give the path of a policy file",
        "latin.yaml": "line 2 is not UTF-8; save the file as UTF-8",
        "large.yaml": "is larger than 1048576 bytes; split it, with extends",
    }.items():
        with pytest.raises(Misuse) as error:
            load(tmp_path / name)
        assert not isinstance(error.value, PolicyMistakes)
        assert str(error.value) == f"{tmp_path / name}: {reason}"


def test_a_base_that_can_t_be_read_is_a_mistake_where_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"\xe9")
    (tmp_path / "own.yaml").write_text("version: 1\nextends: latin.yaml")
    with pytest.raises(PolicyMistakes) as error:
        load(tmp_path / "own.yaml")
    assert error.value.lines == (
        f"{tmp_path}/own.yaml:2:10: extends: {tmp_path}/latin.yaml: line 1 is not UTF-8; save the file as UTF-8",
    )
