"""Generated policy files: right ones as plain values, and how they are written in each format."""

import json
import re
from typing import Any

import yaml
from hypothesis import strategies as st

Plain = dict[str, Any]

AWKWARD = (
    "yes",
    "null",
    "~",
    "1e5",
    "007",
    "1.10",
    "on",
    "- a",
    "a: b",
    "# x",
    "'",
    '"',
    "\\d",
    "*",
    "2024-01-01",
    "é🙂\u2028",
)
"""Texts that a format may take for something else."""

texts = st.one_of(
    st.sampled_from(AWKWARD), st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
)


def _letters(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True)


names = texts.filter(lambda text: not re.search("[\u0000-\u001f\u007f-\u009f\u2028\u2029]", text))
tag_globs = st.one_of(
    st.sampled_from(["*", "?x", "[a-z]*", "no", "1.10", "2024-01-01"]),
    _letters(r"[A-Za-z0-9_.*?-]{1,12}"),
)
name_globs = st.one_of(st.sampled_from(["*", "a/[!b]*"]), _letters(r"[a-z0-9._/*?-]{1,12}"))
durations = st.sampled_from(["1s", "90m", "1h30m", "7d", "2w", "36500d"])
counts = st.integers(1, 10**12)
_REGEXES = ("(?P<a>[a-z]+)-(?P<b>.+)", r"x(?P<b>\d)(?P<a>.)", "^v[0-9]+$", "(?i)edge")
_TYPES = st.sampled_from(["application/vnd.oci.image.*", ["a/b", "c/d"]])


def one_or_more(each: st.SearchStrategy[str]) -> st.SearchStrategy[str | list[str]]:
    """One text, or a list of some."""
    return st.one_of(each, st.lists(each, min_size=1, max_size=3))


def _optional(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[Plain]:
    return st.fixed_dictionaries({}, optional=members)


_prefixes = one_or_more(st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,9}", fullmatch=True))
_tag_conditions: dict[str, st.SearchStrategy[Any]] = {
    "prefix": _prefixes,
    "glob": one_or_more(tag_globs),
    "regex": one_or_more(st.sampled_from(_REGEXES)),
    "semver": st.sampled_from(["v{version}", "{version}-*"]),
}
_types = {"media_type": _TYPES, "artifact_type": _TYPES}
_in_archive = {"archived_for": st.one_of(durations, st.just("0"))}
_excepted = _optional(**_tag_conditions, **_types).filter(bool)
_periods = dict.fromkeys(("hourly", "daily", "weekly", "monthly", "yearly"), counts)
_within = _optional(**dict.fromkeys(_periods, durations)).filter(bool)
_zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"])


@st.composite
def matches(draw: st.DrawFn) -> Plain:
    """The conditions of a rule."""
    kind = draw(st.sampled_from(["any", "untagged", "tags", "tags", "types"]))
    if kind == "untagged":
        return {"untagged": True, **draw(_optional(**_types, **_in_archive))}
    if kind == "any":
        return {"any": True, **draw(_optional(**_types, **_in_archive, **{"except": _excepted}))}
    if kind == "types":
        return draw(_optional(**_types).filter(bool))
    return {**draw(_optional(**_tag_conditions).filter(bool)), **draw(_optional(**_types, **{"except": _excepted}))}


@st.composite
def keeps(draw: st.DrawFn, *, versions: bool) -> Plain | str:
    """What a rule keeps; levels of versions only where it matches some."""
    levels = dict.fromkeys(("majors", "minors", "patches", "prereleases"), counts) if versions else {}
    ages = {"younger_than": durations, "pulled_within": durations}
    keep = draw(_optional(newest=counts, **ages, **_periods, within=_within, **levels))
    if {*_periods, "within"} & set(keep):
        keep.update(draw(_optional(timezone=_zones)))
    return keep or "none"


@st.composite
def rules(draw: st.DrawFn, number: int) -> Plain:
    """A rule; the number makes its name its own."""
    match = draw(matches())
    rule = {"name": f"{draw(names)} {number}", "match": match, "keep": draw(keeps(versions="semver" in match))}
    regexes = match.get("regex", [])
    if regexes and all("<a>" in each for each in ([regexes] if isinstance(regexes, str) else regexes)):
        rule.update(draw(_optional(group_by=st.sampled_from(["a", ["a"], ["b", "a"]]))))
    return rule


_digests = st.sampled_from(["sha256:" + "0a" * 32, "sha512:" + "f1" * 64])
_protect = _optional(
    tags=st.one_of(tag_globs, st.lists(tag_globs, max_size=3)),
    digests=st.one_of(_digests, st.lists(_digests, max_size=2)),
    grace=st.one_of(durations, st.just("0")),
)
_guards = _optional(
    max_delete=st.integers(0, 10**6),
    max_share=st.sampled_from(["0%", "50%", "12.3456%", "100%"]),
    keep_at_least=st.integers(0, 10**6),
    keep_tagged=st.integers(0, 10**6),
    canary=counts,
    max_failures=counts,
)


@st.composite
def policies(draw: st.DrawFn, number: int) -> Plain:
    """A policy for repositories of its own: `<number>/...`."""
    selector = {"include": draw(st.sampled_from([f"{number}/*", [f"{number}/*", f"{number}/?"]]))}
    selector.update(
        draw(_optional(exclude=one_or_more(name_globs), resource_tags=st.dictionaries(texts, texts, max_size=2)))
    )
    return {
        "repositories": selector,
        "rules": [draw(rules(at)) for at in range(draw(st.integers(1, 3)))],
        **draw(
            _optional(
                protect=_protect,
                action=st.just("delete"),
                signatures=st.sampled_from(["follow", "leave"]),
                guards=_guards,
            )
        ),
    }


@st.composite
def documents(draw: st.DrawFn) -> Plain:
    """A whole file with nothing wrong in it; its policies are for `0/...`, `1/...`."""
    return {
        "version": 1,
        "policies": [draw(policies(at)) for at in range(draw(st.integers(1, 2)))],
        **draw(_optional(protect=_protect, guards=_guards)),
    }


def as_json(content: object) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False)


def as_yaml(content: object) -> str:
    """Block style. What YAML 1.1 and 1.2 read differently stands in quotes."""
    return yaml.dump(_quoted(content), Dumper=_Quoting, sort_keys=False, allow_unicode=True, width=200)


def as_toml(content: Plain) -> str:
    """Tables for what is one, lists of tables for lists of them, and inline tables further down."""
    return "\n".join(_toml_lines(content, ()))


WRITERS = {".yaml": as_yaml, ".json": as_json, ".toml": as_toml}


class _Quoted(str):
    """A text to stand in quotes."""


class _Quoting(yaml.SafeDumper):
    pass


_Quoting.add_representer(
    _Quoted, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)


def _quoted(content: object) -> object:
    if isinstance(content, dict):
        return {_Quoted(key): _quoted(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_quoted(value) for value in content]
    return _Quoted(content) if isinstance(content, str) else content


def _toml_lines(table: Plain, path: tuple[str, ...]) -> list[str]:
    lists = {key: value for key, value in table.items() if _is_list_of_tables(value)}
    tables = {key: value for key, value in table.items() if isinstance(value, dict) and len(path) < 2}
    simple = {key: value for key, value in table.items() if key not in lists and key not in tables}
    lines = [f"{_toml(key)} = {_toml(value)} # {{ [ '" for key, value in simple.items()]
    for key, value in tables.items():
        lines += ["", f"[{_header((*path, key))}]", *_toml_lines(value, (*path, key))]
    for key, items in lists.items():
        for item in items:
            lines += ["", f"[[ {_header((*path, key))} ]]", *_toml_lines(item, (*path, key))]
    return lines


def _is_list_of_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _header(path: tuple[str, ...]) -> str:
    return " . ".join(map(_toml, path))


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml(key)} = {_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[\n  " + ",\n  ".join(map(_toml, value)) + ", # ]\n]" if value else "[ ]"
    if isinstance(value, str) and "'" not in value:
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False)
