"""Which policy holds for which repository, and what files that extend each other make of it."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from aws_ecr_gc.policy.rules import Guards, Keep, Match, Policy, Rule, Signatures
from aws_ecr_gc.policyfile import PolicyFile, load, parse

_RULES = "rules: [{name: %s, match: {any: true}, keep: none}]"

EXAMPLE = r"""
version: 1
policies:                                  # the first whose selector fits a repository applies; one that none fits is left alone, and said so
  - repositories: {include: ["ci/*", testrepo], exclude: [ci/base], resource_tags: {team: web}}
    rules:
      - name: releases
        match: {prefix: release-production}
        keep: {newest: 4}
      - name: builds
        match: {regex: '^(?P<service>[a-z]+)-(?P<branch>.+)-[0-9a-f]{7}$', except: {glob: "*-hotfix-*"}}
        group_by: [service, branch]        # a stream per combination of captures, each kept for itself
        keep: {newest: 3, younger_than: 7d, pulled_within: 14d}
      - name: nightly
        match: {glob: ["nightly-*", "edge"]}
        keep: {newest: 2, daily: 7, weekly: 4, monthly: 12, timezone: Europe/Berlin}
      - name: versions
        match: {semver: "v{version}"}
        keep: {majors: 2, minors: 3, patches: 2, prereleases: 1}
      - name: untagged
        match: {untagged: true}
        keep: {younger_than: 1d}
    protect: {tags: [latest, "prod-*"], digests: [], grace: 1h}
    action: delete                         # or archive, untag
    signatures: follow                     # cosign tags go with what they sign
    guards: {max_delete: 500, max_share: 50%, keep_at_least: 1}
extends: base.yaml                         # an organisation's base file
"""  # noqa: E501 - as it stands in the issue


def named(file: PolicyFile, repository: str, tags: Mapping[str, str] | None = None) -> str | None:
    """The name of the first rule that holds; without tags, nobody may ask for them."""

    def read() -> Mapping[str, str]:
        assert tags is not None
        return tags

    policy = file.policy_for(repository, read)
    return None if policy is None else policy.rules[0].name


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "base.yaml").write_text("version: 1\nprotect: {tags: keep-me}")
    (tmp_path / "own.yaml").write_text(EXAMPLE)
    return tmp_path


def test_the_example_says_what_it_says(directory: Path) -> None:
    file = load(directory / "own.yaml")
    policy = file.policy_for("ci/app", lambda: {"team": "web"})

    assert policy == Policy(
        rules=(
            Rule("releases", Match(prefix=("release-production",)), Keep(newest=4)),
            Rule(
                "builds",
                Match(
                    regex=("^(?P<service>[a-z]+)-(?P<branch>.+)-[0-9a-f]{7}$",), excepted=Match(glob=("*-hotfix-*",))
                ),
                Keep(newest=3, younger_than=7 * 86400.0, pulled_within=14 * 86400.0),
                ("service", "branch"),
            ),
            Rule(
                "nightly",
                Match(glob=("nightly-*", "edge")),
                Keep(newest=2, periods=(("daily", 7), ("weekly", 4), ("monthly", 12)), timezone="Europe/Berlin"),
            ),
            Rule(
                "versions",
                Match(semver="v{version}"),
                Keep(versions=(("majors", 2), ("minors", 3), ("patches", 2), ("prereleases", 1))),
            ),
            Rule("untagged", Match(untagged=True), Keep(younger_than=86400.0)),
        ),
        protect_tags=("latest", "prod-*", "keep-me"),
        grace=3600.0,
        signatures=Signatures.FOLLOW,
        guards=Guards(max_delete=500, max_share=0.5, keep_at_least=1),
        name=f"{directory}/own.yaml: policies[0]",
    )
    assert file.policy_for("testrepo", lambda: {"team": "web"}) is policy
    assert file.policy_for("ci/app", lambda: {"team": "data"}) is None
    assert file.policy_for("ci/base", lambda: {"team": "web"}) is None


def test_the_first_policy_that_fits_holds() -> None:
    text = f"""
version: 1
policies:
  - {{repositories: {{include: a/*, exclude: [a/x]}}, {_RULES % "first"}}}
  - {{repositories: {{include: ["a/?", b]}}, {_RULES % "second"}}}
"""
    file = parse(text.encode(), Path("p.yaml"))
    assert [named(file, name) for name in ("a/b", "a/x", "b", "c", "A/b")] == ["first", "second", "second", None, None]
    assert not file.uses_resource_tags
    assert not file.may_need_tags("a/b")


def test_a_policy_without_a_selector_is_for_every_repository() -> None:
    assert named(parse(f"version: 1\npolicies: [{{{_RULES % 'all'}}}]".encode(), Path("p.yaml")), "x/y") == "all"


def test_resource_tags_are_asked_for_only_where_they_decide_and_once() -> None:
    text = f"""
version: 1
policies:
  - {{repositories: {{include: plain}}, {_RULES % "plain"}}}
  - {{repositories: {{include: ["a/*", plain], resource_tags: {{team: web-*, stage: prod}}}}, {_RULES % "web"}}}
  - {{repositories: {{resource_tags: {{team: data}}}}, {_RULES % "data"}}}
"""
    file = parse(text.encode(), Path("p.yaml"))
    asked = []

    def tags() -> Mapping[str, str]:
        asked.append(1)
        return {"team": "web"}

    assert file.uses_resource_tags
    assert file.may_need_tags("a/b")
    assert not file.may_need_tags("plain")
    assert named(file, "plain") == "plain"
    assert named(file, "a/b", {"team": "web-1", "stage": "prod"}) == "web"
    assert named(file, "a/b", {"team": "web-1"}) is None
    assert named(file, "b", {"team": "data"}) == "data"
    assert file.policy_for("a/b", tags) is None
    assert len(asked) == 1


def test_own_policies_come_before_those_of_the_base(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(
        f"version: 1\npolicies: [{{repositories: {{include: 'a*'}}, {_RULES % 'base'}, signatures: leave}}]"
    )
    own = f"version: 1\nextends: base.yaml\npolicies: [{{repositories: {{include: ab}}, {_RULES % 'own'}}}]"
    file = parse(own.encode(), tmp_path / "own.yaml")
    over, under = file.policy_for("ab", dict), file.policy_for("ac", dict)

    assert over is not None
    assert under is not None
    assert (over.rules[0].name, over.signatures, over.name) == (
        "own",
        Signatures.FOLLOW,
        f"{tmp_path}/own.yaml: policies[0]",
    )
    assert (under.rules[0].name, under.signatures, under.name) == (
        "base",
        Signatures.LEAVE,
        f"{tmp_path}/base.yaml: policies[0]",
    )
    assert file.policy_for("b", dict) is None


def test_protection_is_united_and_the_strictest_guard_wins(tmp_path: Path) -> None:
    one, two = "sha256:" + "1" * 64, "sha256:" + "2" * 64
    (tmp_path / "root.json").write_text(
        '{"version": 1, "guards": {"max_delete": 50, "canary": 20}, "protect": {"tags": "root"}}'
    )
    (tmp_path / "base.yaml").write_text(
        f"""
version: 1
extends: root.json
policies:
  - {{{_RULES % "base"}, protect: {{tags: [b, o], digests: {two}, grace: 30m}}, guards: {{max_share: 10%}}}}
protect: {{tags: all}}
guards: {{keep_at_least: 2, keep_tagged: 0, canary: 30, max_failures: 5}}
"""
    )
    own = f"""
version: 1
extends: base.yaml
policies:
  - {_RULES % "own"}
    protect: {{tags: [o, p], digests: [{one}], grace: 5m}}
    guards: {{max_delete: 99, max_share: 20%, keep_tagged: 3, max_failures: 9}}
"""
    file = parse(own.encode(), tmp_path / "own.yaml")
    policy = file.policy_for("x", dict)

    assert policy is not None
    assert policy.rules[0].name == "own"
    assert policy.protect_tags == ("o", "p", "b", "all", "root")
    assert policy.protect_digests == {one, two}
    assert policy.grace == 1800.0
    assert policy.guards == Guards(
        max_delete=50, max_share=0.1, keep_at_least=2, keep_tagged=3, canary=20, max_failures=5
    )


@pytest.mark.parametrize(
    ("stated", "grace", "least", "tagged"),
    [
        ("", 3600.0, 1, 1),
        (', protect: {grace: "0"}, guards: {keep_at_least: 0}', 0.0, 0, 1),
        (", protect: {tags: x}, guards: {max_delete: 1}", 3600.0, 1, 1),
        (", guards: {keep_tagged: 0}", 3600.0, 1, 0),
    ],
)
def test_defaults_hold_only_where_nothing_is_stated(stated: str, grace: float, least: int, tagged: int) -> None:
    policy = parse(f"version: 1\npolicies: [{{{_RULES % 'a'}{stated}}}]".encode(), Path("p.yaml")).policy_for("x", dict)
    assert policy is not None
    assert (policy.grace, policy.guards.keep_at_least, policy.guards.keep_tagged) == (grace, least, tagged)
    assert (policy.guards.canary, policy.guards.max_failures) == (None, None)


def test_the_hash_and_the_files_are_those_of_the_whole_chain(directory: Path) -> None:
    file = load(directory / "own.yaml")
    assert file.files == (directory / "own.yaml", directory / "base.yaml")
    contents = [path.read_bytes() for path in file.files]
    framed = b"".join(len(content).to_bytes(8, "big") + content for content in contents)
    assert file.sha256 == hashlib.sha256(framed).hexdigest()
    (directory / "base.yaml").write_text("version: 1\nprotect: {tags: keep-you}")
    assert load(directory / "own.yaml").sha256 != file.sha256
