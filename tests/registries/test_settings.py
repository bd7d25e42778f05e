"""What is set for a whole registry, over the wire: replication of deletions, and whose pulls do not count."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.errors import AccessDenied, AwsFailure, Unintelligible
from aws_ecr_gc.ports import DeleteReplication, replicated_to
from aws_ecr_gc.registries.ecr import EcrRegistry, open_registry
from aws_ecr_gc.sandbox import Faults, Sandbox
from tests.registries.canned import Canned
from tests.sandbox.wire import client, scenario

ACCOUNT, OTHER = "123456789012", "210987654321"

pytestmark = pytest.mark.usefixtures("credentials")


def opened(url: str, registry_id: str | None = None) -> EcrRegistry:
    return open_registry(region="us-east-1", registry_id=registry_id, profile=None, endpoint_url=url)


@pytest.fixture
def registry(sandbox: Sandbox) -> Iterator[EcrRegistry]:
    with closing(opened(sandbox.url)) as port:
        yield port


def replicating(sandbox: Sandbox, *rules: dict[str, Any]) -> None:
    sandbox.reset(scenario(replication=list(rules)))


def test_only_rules_that_replicate_deletions_are_told(sandbox: Sandbox, registry: EcrRegistry) -> None:
    assert registry.delete_replication() == ()
    west, north = {"region": "eu-west-1"}, {"region": "eu-north-1", "account": OTHER}
    replicating(
        sandbox,
        {"destinations": [west]},
        {"destinations": [west, north], "prefixes": ["ci/", "web"], "deletes": True},
        {"destinations": [north], "deletes": True},
        {"destinations": [], "deletes": True},
        {"destinations": [west], "region": "eu-central-1", "deletes": True},
    )
    assert registry.delete_replication() == (
        DeleteReplication(("ci/", "web"), (f"eu-west-1 ({ACCOUNT})", f"eu-north-1 ({OTHER})")),
        DeleteReplication((), (f"eu-north-1 ({OTHER})",)),
    )


_rules = st.lists(
    st.builds(
        DeleteReplication,
        st.lists(st.sampled_from(["", "a", "ab", "b/"]), max_size=2).map(tuple),
        st.lists(st.sampled_from("xyz"), max_size=3).map(tuple),
    ),
    max_size=4,
)


@given(_rules, st.text("ab/", max_size=3))
def test_a_rule_takes_what_begins_with_one_of_its_prefixes_or_everything(
    rules: list[DeleteReplication], name: str
) -> None:
    found = replicated_to(rules, name)
    assert found == sorted(set(found))
    for destination in "xyz":
        taking = [rule for rule in rules if destination in rule.destinations]
        there = any(not rule.prefixes or any(map(name.startswith, rule.prefixes)) for rule in taking)
        assert (destination in found) is there


def test_another_accounts_registry_cannot_be_asked(sandbox: Sandbox) -> None:
    with closing(opened(sandbox.url, OTHER)) as port, pytest.raises(AwsFailure, match=f"{ACCOUNT}, not of {OTHER}"):
        port.delete_replication()
    with closing(opened(sandbox.url, ACCOUNT)) as port:
        assert port.delete_replication() == ()


def test_a_denied_question_names_the_permission(sandbox: Sandbox, registry: EcrRegistry) -> None:
    sandbox.faults = Faults(deny=["DescribeRegistry", "ListPullTimeUpdateExclusions"])
    with pytest.raises(AccessDenied, match="ecr:DescribeRegistry"):
        registry.delete_replication()
    with pytest.raises(AccessDenied, match="ecr:ListPullTimeUpdateExclusions"):
        registry.pull_time_exclusions()


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([{"destinations": [{"region": "r", "registryId": "1"}]}], ()),
        ([{"destinations": [{"region": "r", "registryId": "1"}], "deleteReplication": {"enabled": False}}], ()),
        (
            [
                {
                    "destinations": [{"region": "r", "registryId": "1"}],
                    "repositoryFilters": [{"filter": "a", "filterType": "NEW_KIND"}],
                    "deleteReplication": {"enabled": True},
                }
            ],
            (DeleteReplication((), ("r (1)",)),),
        ),
    ],
)
def test_a_filter_that_is_not_known_takes_every_repository(canned: Canned, rules: Any, expected: Any) -> None:
    canned.body = json.dumps({"registryId": ACCOUNT, "replicationConfiguration": {"rules": rules}}).encode()
    with closing(opened(canned.url)) as port:
        assert port.delete_replication() == expected


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"registryId": ACCOUNT, "replicationConfiguration": {"rules": [{}]}},
        {"registryId": ACCOUNT, "replicationConfiguration": {"rules": [{"destinations": [{"region": "r"}]}]}},
    ],
)
def test_an_answer_of_another_shape_is_not_taken_for_no_replication(canned: Canned, body: Any) -> None:
    canned.body = json.dumps(body).encode()
    with closing(opened(canned.url)) as port, pytest.raises(Unintelligible, match="DescribeRegistry"):
        port.delete_replication()


def test_a_registry_without_a_configuration_replicates_nothing(canned: Canned) -> None:
    canned.body = json.dumps({"registryId": ACCOUNT}).encode()
    with closing(opened(canned.url)) as port:
        assert port.delete_replication() == ()


def test_exclusions_are_listed_to_the_end(sandbox: Sandbox, registry: EcrRegistry) -> None:
    roles = [f"arn:aws:iam::{ACCOUNT}:role/gc-{number:03d}" for number in range(90)]
    sandbox.reset(scenario(behaviour={"longest_page": 40}))
    assert registry.pull_time_exclusions() == []
    with client(sandbox) as ecr:
        for role in roles:
            ecr.register_pull_time_update_exclusion(principalArn=role)
    assert registry.pull_time_exclusions() == roles
    asked = [call for call in sandbox.calls if call.operation == "ListPullTimeUpdateExclusions"]
    assert len(asked) == 1 + 3
