"""Every refusal, with its place, its reason and its mend."""

from pathlib import Path

import pytest

from aws_ecr_gc.policyfile import PolicyMistakes, load, parse


def wrong(text: str, name: str = "p.yaml") -> list[str]:
    """The lines about a policy file."""
    with pytest.raises(PolicyMistakes) as error:
        parse(text.encode(), Path(name))
    return list(error.value.lines)


def wrong_rule(rule: str) -> tuple[list[str], str]:
    """The lines about a file with one rule, and the place of the mark in it; without one, that of the rule itself."""
    text = f"version: 1\npolicies:\n  - rules:\n    - {{{rule}}}\n"
    column = text.splitlines()[3].find("▸") + 1
    return wrong(text.replace("▸", "")), f"p.yaml:4:{column or 7}"


RULES = {
    "name: a, match: ▸{}, keep: none": "policies[0].rules[0].match: is empty; for every image, write any: true",
    "match: {any: true}, keep: none": "policies[0].rules[0].name: is missing; write one such as name: builds",
    "name: a, match: {any: true}": "policies[0].rules[0].keep: is missing; write one such as keep: {newest: 4}",
    "name: ▸grace, match: {any: true}, keep: none": (
        'policies[0].rules[0].name: "grace" is what a reason of another kind is called; choose another name'
    ),
    "name: a, match: {any: true}, keep: ▸{}": (
        "policies[0].rules[0].keep: keeps nothing; write keep: none if that is meant"
    ),
    "name: a, match: {any: true}, keep: ▸{timezone: UTC}": (
        "policies[0].rules[0].keep: keeps nothing; write keep: none if that is meant"
    ),
    "name: a, match: {any: true}, keep: {newest: ▸0}": (
        "policies[0].rules[0].keep.newest: must be 1 or more, is 0; write 1 or more; to keep none, write keep: none"
    ),
    "name: a, match: {any: true}, keep: {daily: ▸0}": (
        "policies[0].rules[0].keep.daily: must be 1 or more, is 0; write 1 or more, or leave it out"
    ),
    'name: a, match: {any: true}, keep: {newest: ▸"3"}': (
        'policies[0].rules[0].keep.newest: must be a whole number, is the text "3"; write it without quotes: 3'
    ),
    "name: a, match: {any: true}, keep: {newest: ▸1.5}": (
        "policies[0].rules[0].keep.newest: must be a whole number, is the number 1.5; write one such as 4"
    ),
    "name: a, match: {any: true}, keep: ▸nonne": (
        'policies[0].rules[0].keep: must be none or a mapping, is the text "nonne"; did you mean none?'
    ),
    "name: a, match: {any: true}, keep: ▸5": (
        "policies[0].rules[0].keep: must be none or a mapping, is the number 5; write one such as {newest: 4}"
    ),
    "name: a, match: {any: true}, keep: {▸yonger_than: 7d}": (
        "policies[0].rules[0].keep.yonger_than: is no key that is known here; did you mean younger_than?"
    ),
    "name: a, match: {any: true}, keep: {younger_than: ▸7x}": (
        'policies[0].rules[0].keep.younger_than: "7x" is not a duration; write one such as 7d or 1h30m'
    ),
    "name: a, match: {any: true}, keep: {younger_than: ▸7}": (
        "policies[0].rules[0].keep.younger_than: must be a text, is the number 7; write one such as 7d or 1h30m"
    ),
    "name: a, match: {any: true}, keep: {younger_than: ▸0d}": (
        'policies[0].rules[0].keep.younger_than: "0d" keeps nothing; leave it out, or write keep: none'
    ),
    'name: a, match: {any: true}, keep: {newest: 1, pulled_within: ▸"0"}': (
        'policies[0].rules[0].keep.pulled_within: "0" keeps nothing; leave it out, or write keep: none'
    ),
    "name: a, match: {any: true}, keep: {pulled_within: ▸5300w}": (
        'policies[0].rules[0].keep.pulled_within: "5300w" is longer than a hundred years; write a shorter one'
    ),
    "name: a, match: {any: true}, keep: {within: {daily: ▸0s}}": (
        'policies[0].rules[0].keep.within.daily: "0s" keeps nothing; leave it out'
    ),
    "name: a, match: {any: true}, keep: {within: ▸{}}": (
        "policies[0].rules[0].keep.within: is empty; write one such as {daily: 30d}, or leave it out"
    ),
    "name: a, match: {any: true}, keep: {newest: 1, ▸timezone: UTC}": (
        "policies[0].rules[0].keep.timezone: has no effect without one of hourly, daily, weekly, monthly, "
        "yearly, within; leave it out"
    ),
    "name: a, match: {any: true}, keep: {daily: 1, timezone: ▸Berlin}": (
        "policies[0].rules[0].keep.timezone: 'Berlin' is no time zone of the IANA database, such as Europe/Berlin"
    ),
    "name: a, match: {any: true}, keep: {▸majors: 1}": (
        'policies[0].rules[0].keep.majors: needs match: {semver: ...}; write match: {semver: "v{version}"}'
    ),
    "name: a, match: {any: true}, keep: {newest: 1, ▸archived_for: 3d}": (
        "policies[0].rules[0].keep.archived_for: is no key that is known here; there are newest, younger_than, "
        "pulled_within, hourly, daily, weekly, monthly, yearly, within, timezone, majors, minors, patches, prereleases"
    ),
    "name: a, match: {any: true, archived_for: ▸5300w}, keep: none": (
        'policies[0].rules[0].match.archived_for: "5300w" is longer than a hundred years; write a shorter one'
    ),
    "name: a, match: {any: ▸false}, keep: none": ("policies[0].rules[0].match.any: can only be true; leave it out"),
    "name: a, match: {untagged: ▸false}, keep: none": (
        "policies[0].rules[0].match.untagged: can only be true; leave it out"
    ),
    "name: a, match: {untagged: ▸yes}, keep: none": (
        'policies[0].rules[0].match.untagged: must be true or false, is the text "yes"; write one such as true'
    ),
    "name: a, match: {glob: x, ▸any: true}, keep: none": (
        "policies[0].rules[0].match.any: says that tags are of no account, which contradicts glob; "
        "leave one of them out, or write two rules"
    ),
    "name: a, match: {▸any: true, untagged: true}, keep: none": (
        "policies[0].rules[0].match.any: says that tags are of no account, which contradicts untagged; "
        "leave one of them out, or write two rules"
    ),
    'name: a, match: {semver: "{version}", prefix: x, ▸untagged: true}, keep: none': (
        "policies[0].rules[0].match.untagged: says that there is no tag, which contradicts semver, prefix; "
        "leave one of them out, or write two rules"
    ),
    "name: a, match: {untagged: true, ▸except: {glob: x}}, keep: none": (
        "policies[0].rules[0].match.except: has no effect: an image without tags never has the glob; leave glob out"
    ),
    "name: a, match: {any: true, except: ▸{}}, keep: none": (
        "policies[0].rules[0].match.except: is empty; leave it out"
    ),
    "name: a, match: {any: true, except: {▸untagged: true}}, keep: none": (
        "policies[0].rules[0].match.except.untagged: is no key that is known here; "
        "there are prefix, glob, regex, semver, media_type, artifact_type"
    ),
    'name: a, match: {prefix: ▸""}, keep: none': (
        'policies[0].rules[0].match.prefix: is empty; for every image, write any: true; for every tag, glob: "*"'
    ),
    "name: a, match: {prefix: [ok, ▸v*]}, keep: none": (
        'policies[0].rules[0].match.prefix[1]: no tag begins with "v*"; for a glob, write glob: "v*"'
    ),
    "name: a, match: {prefix: ▸.x}, keep: none": (
        'policies[0].rules[0].match.prefix: no tag begins with ".x"; a tag has up to 128 letters, digits '
        "and _ . -, and begins with none of . -"
    ),
    "name: a, match: {glob:▸ }, keep: none": (
        "policies[0].rules[0].match.glob: must be a text or a list of texts, is empty; write one such as build-*"
    ),
    "name: a, match: {glob: ▸[]}, keep: none": (
        "policies[0].rules[0].match.glob: is an empty list; write one such as [build-*]"
    ),
    "name: a, match: {glob: [▸1.10, ok]}, keep: none": (
        'policies[0].rules[0].match.glob[0]: must be a text, is the number 1.10; write it in quotes: "1.10"'
    ),
    "name: a, match: {glob: ▸null}, keep: none": (
        'policies[0].rules[0].match.glob: must be a text or a list of texts, is null; write it in quotes: "null"'
    ),
    "name: ▸true, match: {any: true}, keep: none": (
        'policies[0].rules[0].name: must be a text, is true; write it in quotes: "true"'
    ),
    f"name: a, match: {{glob: ▸{'x' * 513}}}, keep: none": (
        "policies[0].rules[0].match.glob: has 513 characters, 512 at most are taken; write a shorter one"
    ),
    "name: a, match: {regex: ▸'(?!x)y'}, keep: none": (
        "policies[0].rules[0].match.regex: not an RE2 expression: invalid perl operator: (?!; "
        "RE2 has no look-around, for it could take forever; to leave tags out, use except"
    ),
    "name: a, match: {regex: ▸'(?<=x)y'}, keep: none": (
        "policies[0].rules[0].match.regex: not an RE2 expression: invalid perl operator: (?<=; "
        "RE2 has no look-around, for it could take forever; to leave tags out, use except"
    ),
    r"name: a, match: {regex: ▸'(a)\1'}, keep: none": (
        r"policies[0].rules[0].match.regex: not an RE2 expression: invalid escape sequence: \1; "
        "RE2 has no back-references, for they could take forever; to leave tags out, use except"
    ),
    "name: a, match: {regex: ▸'a{2000}'}, keep: none": (
        "policies[0].rules[0].match.regex: not an RE2 expression: invalid repetition size: {2000}; "
        "repeat at most 1000 times, or write * or +"
    ),
    "name: a, match: {any: true, except: {regex: ▸'a('}}, keep: none": (
        "policies[0].rules[0].match.except.regex: not an RE2 expression: missing ): a(; "
        "its syntax: https://github.com/google/re2/wiki/Syntax"
    ),
    "name: a, match: {regex: ▸'(?P<x>a)[(?P<x>](?P<x>b)'}, keep: none": (
        "policies[0].rules[0].match.regex: has 2 groups named 'x'; name each group once"
    ),
    "name: a, match: {semver: ▸v1}, keep: none": (
        "policies[0].rules[0].match.semver: 'v1' must hold {version} once, and at most one *, such as v{version}"
    ),
    "name: a, match: {glob: x}, keep: none, ▸group_by: [g]": (
        "policies[0].rules[0].group_by: names groups of a regex, and match has none; write match: {regex: ...}"
    ),
    "name: a, match: {regex: ['(?P<g>x)', y]}, keep: none, group_by: ▸g": (
        'policies[0].rules[0].group_by: the regex "y" has no group named "g"; name one with (?P<g>...)'
    ),
    "name: a, match: {regex: '(?P<g>x)'}, keep: none, group_by: [g, ▸g]": (
        'policies[0].rules[0].group_by[1]: "g" is named twice; leave one of them out'
    ),
}


@pytest.mark.parametrize(("rule", "line"), RULES.items())
def test_a_wrong_rule_is_refused_with_its_place_the_reason_and_the_mend(rule: str, line: str) -> None:
    lines, place = wrong_rule(rule)
    assert lines == [f"{place}: {line}"]


_RULES = "rules: [{name: a, match: {any: true}, keep: none}]"
DOCUMENTS = {
    "": ["1:1: must be a mapping, is empty; begin with version: 1"],
    "[]": ["1:1: must be a mapping, is a list; begin with version: 1"],
    "version: 1": ["1:1: has no policies; write policies:, or extends: with the name of a file that has them"],
    f"policies: [{{{_RULES}}}]": ["1:1: version: is missing; write one such as version: 1"],
    f"version: 2\npolicies: [{{{_RULES}}}]": [
        "1:10: version: must be 1, is the number 2; write version: 1, the one there is"
    ],
    "version: 1\npolicies: []": [
        (
            "2:11: policies: is an empty list; write one such as [{rules: [{name: builds, match: {prefix: build-}, "
            "keep: {newest: 8}}]}]"
        )
    ],
    "version: 1\npolicies: [{rules: []}]": [
        (
            "2:20: policies[0].rules: is an empty list; write one such as [{name: builds, match: {prefix: build-}, "
            "keep: {newest: 8}}]"
        )
    ],
    "version: 1\npolicies: [{}]": [
        (
            "2:12: policies[0].rules: is missing; write one such as rules: [{name: builds, match: {prefix: build-}, "
            "keep: {newest: 8}}]"
        )
    ],
    "version: 1\npolicies: [x]": [
        (
            '2:12: policies[0]: must be a mapping, is the text "x"; write one such as {rules: [{name: builds, '
            "match: {prefix: build-}, keep: {newest: 8}}]}"
        )
    ],
    f"version: 1\nin_use: {{}}\npolicies: [{{{_RULES}, in_use: 1}}]": [
        "2:9: in_use: names nothing to look into; write sources: [ecs, lambda], kubernetes: or lists:",
        (
            "3:65: policies[0].in_use: holds for the repositories of every policy, so it stands at the top of the "
            "file; move it there"
        ),
    ],
    "version: 1\npolicies: [{rules: [{name: a, match: {untagged: true}, keep: none}], action: untag}]": [
        (
            "2:39: policies[0].rules[0].match.untagged: takes images without a tag, and action: untag finds none to "
            "remove there; leave the rule out"
        )
    ],
    "version: 1\npolicies: [{rules: [{name: a, match: {any: true, archived_for: 9d}, keep: none}], action: untag}]": [
        (
            "2:50: policies[0].rules[0].match.archived_for: takes archived images, and action: untag leaves them "
            "alone; move the rule to a policy that deletes or archives"
        )
    ],
    f"version: 1\npolicies: [{{{_RULES}}}]\ntargets:\n  role: ../gc\n  external_id: x\n": [
        '4:9: targets.role: "../gc" is not a role\'s name, with its path if it has one; write one such as reader',
        '5:16: targets.external_id: "x" is not an external id of 2 to 1224 characters; write one such as ecr-gc',
    ],
    f"version: 1\npolicies: [{{{_RULES}}}]\ntargets:\n  accounts: ['111111111111']\n  organization: true\n  role: gc\n"
    "  regions: [eu-west-1, eu-wst-1]\n  repositories: ['!']\n  session_tags: {tool: gc, Tool: gc}\n": [
        "5:3: targets.organization: means all accounts, and accounts names some; leave one of them out",
        '7:24: targets.regions[1]: "eu-wst-1" is not a region; write eu-west-1 if that is meant',
        "8:18: targets.repositories[0]: takes nothing out; write a glob behind the !",
        (
            "9:17: targets.session_tags: 'Tool' is given twice: the case of a key is of no account; leave it out, or "
            "choose another key"
        ),
    ],
    f"version: 1\npolicies: [{{{_RULES}, action: delet}}]": [
        '2:73: policies[0].action: must be archive, delete or untag, is the text "delet"; did you mean delete?'
    ],
    f"version: 1\npolicies: [{{{_RULES}, signatures: keep}}]": [
        '2:77: policies[0].signatures: must be follow or leave, is the text "keep"; write one such as follow'
    ],
    f"version: 1\npolicies: [{{{_RULES}}}]\nprotect: {{digests: [sha256:abc], grace: 0}}": [
        (
            '3:21: protect.digests[0]: "sha256:abc" is not a digest; write one such as '
            "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
        ),
        '3:41: protect.grace: must be a text, is the number 0; write it in quotes: "0"',
    ],
    f"version: 1\npolicies: [{{{_RULES}}}]\nprotect: {{grace: 99999w}}": [
        '3:18: protect.grace: "99999w" is longer than a hundred years; write a shorter one'
    ],
    f"version: 1\npolicies: [{{{_RULES}}}]\nguards: {{max_delete: -1, max_share: 101%, keep_at_least: x}}": [
        "3:22: guards.max_delete: must be 0 or more, is -1; write 0 or more",
        '3:37: guards.max_share: "101%" is not a share; write one such as 50%',
        '3:58: guards.keep_at_least: must be a whole number, is the text "x"; write one such as 1',
    ],
    f"version: 1\npolicies: [{{{_RULES}}}]\nguards: {{keep_tagged: -1, canary: 0, max_failures: 1.5}}": [
        "3:23: guards.keep_tagged: must be 0 or more, is -1; write 0 or more",
        "3:35: guards.canary: must be 1 or more, is 0; write 1 or more, or leave it out",
        "3:52: guards.max_failures: must be a whole number, is the number 1.5; write one such as 4",
    ],
    f"version: 1\npolicies:\n- {{{_RULES}}}\n- {{repositories: {{include: x}}, {_RULES}}}": [
        (
            "4:3: policies[1]: no repository gets here: policies[0] in line 3 takes all of them; "
            "move it further up, or narrow with exclude what takes them"
        )
    ],
    f"version: 1\npolicies:\n- {{repositories: {{include: [ci/*, 'b?']}}, {_RULES}}}\n"
    f"- {{repositories: {{include: ['b?', 'ci/[ab]-*']}}, {_RULES}}}": [
        (
            "4:3: policies[1]: no repository gets here: policies[0] in line 3 takes all of them; "
            "move it further up, or narrow with exclude what takes them"
        )
    ],
    f"version: 1\npolicies:\n- {{repositories: {{include: a*}}, {_RULES}}}\n"
    f"- {{repositories: {{include: '*/x/*'}}, {_RULES}}}\n"
    f"- {{repositories: {{include: [a, 'b/x/c?', ab*]}}, {_RULES}}}": [
        (
            "5:3: policies[2]: no repository gets here: policies[0] in line 3 and policies[1] in line 4 take all of "
            "them; move it further up, or narrow with exclude what takes them"
        )
    ],
    "version: 1\npolicies:\n- rules:\n  - {name: a, match: {any: true}, keep: none}\n"
    "  - {name: a, match: {untagged: true}, keep: none}": [
        '5:12: policies[0].rules[1].name: "a" is the name of an earlier rule too, in line 4; name each rule once'
    ],
}


@pytest.mark.parametrize(("text", "lines"), DOCUMENTS.items())
def test_a_wrong_document_is_refused_with_its_place_the_reason_and_the_mend(text: str, lines: list[str]) -> None:
    assert wrong(text) == [f"p.yaml:{line}" for line in lines]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("{include: a*}", "{include: '*'}"),
        ("{include: a*}", "{include: [ab, b]}"),
        ("{include: 'a?'}", "{include: 'a[bc]'}"),
        ("{exclude: x}", "{include: y}"),
        ("{resource_tags: {a: b}}", "{include: y}"),
        ("{include: '[ab]*'}", "{include: a*}"),
        ("{include: a*b*c}", "{include: a*c}"),
    ],
)
def test_a_policy_that_some_repository_may_reach_is_taken(earlier: str, later: str) -> None:
    text = f"version: 1\npolicies:\n- {{repositories: {earlier}, {_RULES}}}\n- {{repositories: {later}, {_RULES}}}\n"
    assert parse(text.encode(), Path("p.yaml")).counts == (2, 2)


def test_all_mistakes_are_told_at_once_in_the_order_of_their_places() -> None:
    lines = wrong(
        """\
version: 1
polices: 3
policies:
  - rules:
      - {match: {prefix: v*}, keep: {newest: x}}
      - name: b
        match: {regex: "("}
        keep: {timezone: UTC}
    guards: {max_share: half}
  - repositories: {include: 7}
    rules:
      - {name: c, match: {any: true}, keep: {younger_than: "0"}}
protect: {grace: never}
"""
    )
    assert [line.split(": ")[0] for line in lines] == [
        f"p.yaml:{place}" for place in ("2:1", "5:9", "5:26", "5:46", "7:24", "8:15", "9:25", "10:29", "12:60", "13:18")
    ]


def test_a_mistake_is_a_value_too() -> None:
    with pytest.raises(PolicyMistakes) as error:
        parse(b"version: 1\nnonsense: 1\nextends: 1", Path("dir/p.yaml"))
    first = error.value.mistakes[0]
    assert (first.file, first.line, first.column, first.path) == ("dir/p.yaml", 2, 1, "nonsense")
    assert first.reason == "is no key that is known here"
    assert first.mend == "there are version, policies, extends, protect, guards, in_use, targets"


def test_a_circle_of_files_is_refused_where_it_closes(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"version: 1\nextends: b.json\npolicies: [{{{_RULES}}}]")
    (tmp_path / "b.json").write_text('{"version": 1,\n "extends": "a.yaml"}')
    with pytest.raises(PolicyMistakes) as error:
        load(tmp_path / "a.yaml")
    a, b = tmp_path / "a.yaml", tmp_path / "b.json"
    assert error.value.lines == (
        f"{b}:2:13: extends: this is a circle: {a} extends {b} extends {a}; leave one of them out",
    )


def test_the_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\nextends: sub/b.toml\npolicies: []")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/b.toml").write_text('version = 1\nextends = "c.yaml"\n[protect]\ngrace = 7\n')
    (tmp_path / "sub/c.yaml").write_text("version: 3\nextends: nowhere.yaml\n")
    with pytest.raises(PolicyMistakes) as error:
        load(tmp_path / "a.yaml")
    assert [line.removeprefix(f"{tmp_path}/") for line in error.value.lines] == [
        (
            "a.yaml:3:11: policies: is an empty list; write one such as [{rules: [{name: builds, "
            "match: {prefix: build-}, keep: {newest: 8}}]}]"
        ),
        "sub/b.toml:4:9: protect.grace: must be a text, is the number 7; write one such as 7d or 1h30m",
        "sub/c.yaml:1:10: version: must be 1, is the number 3; write version: 1, the one there is",
        (
            f"sub/c.yaml:2:10: extends: {tmp_path}/sub/nowhere.yaml: can't be read: No such file or directory; "
            "give the path of a policy file"
        ),
    ]


def test_files_without_any_policy_are_refused(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("version: 1\nextends: c.yaml")
    (tmp_path / "c.yaml").write_text("version: 1\nextends: d.yaml")
    (tmp_path / "d.yaml").write_text(f"version: 1\npolicies: [{{{_RULES}}}]")
    assert load(tmp_path / "b.yaml").counts == (1, 1)
    (tmp_path / "d.yaml").write_text("version: 1\nprotect: {}")
    with pytest.raises(PolicyMistakes, match=r"b\.yaml:1:1: has no policies; write policies:, or extends:"):
        load(tmp_path / "b.yaml")
    (tmp_path / "d.yaml").write_text("not a mapping")
    with pytest.raises(PolicyMistakes, match=r"^[^;]*/d\.yaml:1:1: must be a mapping[^:]*: 1$"):
        load(tmp_path / "b.yaml")


_WITH = "version: 1\npolicies:\n  - rules: [{{name: {name}, match: {match}, keep: none}}]\n    {more}\n"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ('protect: {tags: "a, b"}', "matches nothing: ',' can't stand there; write a list of several"),
        ('protect: {tags: ["prod "]}', "matches nothing: ' ' can't stand there"),
        ('protect: {tags: ["[prod"]}', "its [ is never closed"),
        ('protect: {tags: ["[z-a]"]}', "stands for no letter"),
        ('repositories: {exclude: "ci/base, ci/web"}', "write a list of several"),
        ('repositories: {include: "Web/*"}', "'W' can't stand there"),
    ],
)
def test_a_glob_that_can_match_nothing_is_refused_for_where_it_protects_more_would_go(more: str, reason: str) -> None:
    with pytest.raises(PolicyMistakes) as refused:
        parse(_WITH.format(name="x", match="{any: true}", more=more).encode(), Path("p.yaml"))
    assert reason in str(refused.value)


@pytest.mark.parametrize("glob", ["[!a-c]*", "[]x]?", "v[0-9].[0-9]*", "a[b-]c"])
def test_globs_with_brackets_that_mean_something_are_taken(glob: str) -> None:
    parse(_WITH.format(name="x", match=f'{{glob: "{glob}"}}', more="").encode(), Path("p.yaml"))


def test_an_expression_that_would_take_too_much_memory_is_refused() -> None:
    with pytest.raises(PolicyMistakes, match="too large"):
        parse(_WITH.format(name="x", match=r"{regex: '(\pL{50}){8}'}", more="").encode(), Path("p.yaml"))


def test_a_name_that_could_forge_a_line_of_a_report_is_refused() -> None:
    with pytest.raises(PolicyMistakes, match="is not a name of one line"):
        parse(_WITH.format(name='"a\\nDeleted (0)"', match="{any: true}", more="").encode(), Path("p.yaml"))


@pytest.mark.parametrize("zone", ["localtime", "posixrules", "right/Europe/Berlin"])
def test_a_time_zone_that_is_up_to_the_machine_is_refused(zone: str) -> None:
    keep = f"{{daily: 1, timezone: {zone}}}"
    text = f"version: 1\npolicies: [{{rules: [{{name: x, match: {{any: true}}, keep: {keep}}}]}}]\n"
    with pytest.raises(PolicyMistakes, match="no time zone of the IANA database"):
        parse(text.encode(), Path("p.yaml"))


@pytest.mark.parametrize(("earlier", "later"), [("*-*", "[a-z]*"), ("*a*", "team[!a]")])
def test_what_brackets_may_stand_for_is_not_taken_to_be_taken(earlier: str, later: str) -> None:
    rules = "rules: [{name: x, match: {any: true}, keep: none}]"
    policies = "".join(f'  - {{repositories: {{include: "{glob}"}}, {rules}}}\n' for glob in (earlier, later))
    parse(f"version: 1\npolicies:\n{policies}".encode(), Path("p.yaml"))
