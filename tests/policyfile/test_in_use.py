"""`in_use` in policy files: what it asks for, over the files of a chain, and what it can't mean."""

from pathlib import Path
from typing import get_args

import pytest

from aws_ecr_gc.discovery.settings import Kind, Kubernetes, Listing, Settings
from aws_ecr_gc.discovery.sources import SOURCES
from aws_ecr_gc.policyfile import PolicyMistakes, dump, load, parse
from aws_ecr_gc.policyfile.shape import UseSource

POLICIES = "policies: [{rules: [{name: a, match: {any: true}, keep: none}]}]"

WHOLE = """
in_use:
  sources: [ecs, all]
  task_definition_revisions: 5
  accounts: ["111122223333"]
  organization: true
  role: audit/reader
  external_id: two
  regions: [eu-west-1, us-east-1]
  kubernetes: {contexts: prod, kubeconfig: kube/config, in_cluster: true}
  lists:
    - file: images.txt
    - file: "-"
    - url: https://example.com/images
    - command: [helm, template, .]
"""


def settings(text: str) -> Settings | None:
    return parse(f"version: 1\n{text}\n{POLICIES}".encode(), Path("dir/p.yaml")).in_use


def test_everything_that_can_be_said_is_understood() -> None:
    assert settings(WHOLE) == Settings(
        sources=("ecs",),
        every=True,
        revisions=5,
        accounts=("111122223333",),
        organization=True,
        role="audit/reader",
        external_id="two",
        regions=("eu-west-1", "us-east-1"),
        kubernetes=Kubernetes(("prod",), "dir/kube/config", in_cluster=True),
        lists=(
            Listing(Kind.FILE, ("dir/images.txt",)),
            Listing(Kind.STDIN),
            Listing(Kind.URL, ("https://example.com/images",)),
            Listing(Kind.COMMAND, ("helm", "template", ".")),
        ),
    )


def test_nothing_is_asked_where_nothing_is_said() -> None:
    assert settings("") is None


def test_the_last_three_revisions_count_where_no_number_is_said() -> None:
    found = settings("in_use: {sources: ecs}")
    assert found is not None
    assert (found.sources, found.revisions) == (("ecs",), 3)


def test_what_is_dumped_is_read_again_as_the_same() -> None:
    file = parse(f"version: 1\n{WHOLE}\n{POLICIES}".encode(), Path("p.yaml"))
    policy = file.policy_for("any", dict)
    assert policy is not None
    assert parse(dump(policy, None, file.in_use).encode(), Path("p.yaml")).in_use == file.in_use


def test_the_files_of_a_chain_are_united_and_the_nearest_names_the_role(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "base.yaml").write_text(
        "version: 1\nin_use: {sources: [lambda], role: base, accounts: ['111122223333'], task_definition_revisions: 9,"
        f" lists: [{{file: l.txt}}]}}\n{POLICIES}"
    )
    (tmp_path / "own.yaml").write_text(
        "version: 1\nextends: base/base.yaml\n"
        "in_use: {sources: [ecs], role: own, organization: true, task_definition_revisions: 2}"
    )
    found = load(tmp_path / "own.yaml").in_use
    assert found is not None
    assert (found.sources, found.role, found.accounts, found.revisions) == (
        ("ecs", "lambda"),
        "own",
        ("111122223333",),
        9,
    )
    assert found.lists == (Listing(Kind.FILE, (str(tmp_path / "base" / "l.txt"),)),)


def test_every_source_of_the_table_has_its_name_in_policy_files() -> None:
    assert set(get_args(UseSource)) == {"all", *SOURCES}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("in_use: {sources: [ecs, lamda]}", "did you mean lambda?"),
        ("in_use: {sources: []}", "in_use.sources: is an empty list"),
        ("in_use: {sources: all, accounts: [123456789012]}", 'write it in quotes: "123456789012"'),
        ("in_use: {sources: all, organization: true}", "none is named; write role: NAME beside it"),
        ("in_use: {regions: [us-east-1]}", "in_use: names nothing to look into"),
        ("in_use: {regions: [us-east-1], lists: [{file: a}]}", "in_use.regions: says how AWS's services are looked"),
        ("in_use: {lists: []}", "in_use.lists: is an empty list"),
        ("in_use: {kubernetes: {contexts: []}}", "in_use.kubernetes.contexts: is an empty list"),
        ("in_use: {kubernetes: {in_cluster: false}}", "in_use.kubernetes: names no cluster"),
        ("in_use: {lists: [{file: a, command: [b]}]}", "in_use.lists[0]: must have one of file, url and command"),
        ("in_use: {lists: [{url: ftp://a/b}]}", "is not a URL; write one such as https://example.com/images.txt"),
        ("in_use: {kubernetes: {kubeconfig: x}}", "in_use.kubernetes: names no cluster"),
    ],
)
def test_what_it_can_not_mean_is_refused_with_the_mend(text: str, message: str) -> None:
    with pytest.raises(PolicyMistakes) as refused:
        settings(text)
    assert message in str(refused.value)


def chain(tmp_path: Path, own: str, base: str) -> Settings | None:
    (tmp_path / "base.yaml").write_text(f"version: 1\nin_use: {base}\n{POLICIES}")
    (tmp_path / "own.yaml").write_text(f"version: 1\nextends: base.yaml\nin_use: {own}\n")
    return load(tmp_path / "own.yaml").in_use


def test_a_file_may_say_a_part_of_what_the_chain_says(tmp_path: Path) -> None:
    found = chain(tmp_path, "{accounts: ['111122223333'], regions: [eu-west-1]}", "{sources: [ecs], role: reader}")
    assert found == Settings(("ecs",), accounts=("111122223333",), role="reader", regions=("eu-west-1",))


def test_what_the_whole_chain_does_not_say_is_missing(tmp_path: Path) -> None:
    with pytest.raises(PolicyMistakes, match="other accounts are entered with a role, and none is named"):
        chain(tmp_path, "{accounts: ['111122223333']}", "{sources: [ecs]}")


def test_no_role_is_asked_for_where_the_organization_is_not() -> None:
    assert settings("in_use: {sources: [ecs], organization: false}") == Settings(("ecs",))
