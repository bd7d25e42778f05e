"""Bedrock AgentCore: every version of every agent runtime and of every harness.

The latest version is what the default endpoint runs. One that no endpoint points at is only gone back to.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from aws_ecr_gc.discovery.aws.descriptions import unless_gone, uses_in
from aws_ecr_gc.discovery.reader import Reader
from aws_ecr_gc.usage import Use

_Row = Mapping[str, Any]
_SERVICE = "bedrock-agentcore-control"


class _Kind(NamedTuple):
    """What is listed, how its versions and endpoints are, and how one version is got."""

    noun: str
    prefix: str
    listing: tuple[str, str]
    versions: tuple[str, str]
    endpoints: tuple[str, str]
    getting: tuple[str, str]

    def named(self, row: _Row) -> dict[str, str]:
        return {f"{self.prefix}Id": row[f"{self.prefix}Id"]}


_KINDS = (
    _Kind(
        "agent runtime",
        "agentRuntime",
        ("ListAgentRuntimes", "agentRuntimes"),
        ("ListAgentRuntimeVersions", "agentRuntimes"),
        ("ListAgentRuntimeEndpoints", "runtimeEndpoints"),
        ("GetAgentRuntime", "agentRuntimeId"),
    ),
    _Kind(
        "harness",
        "harness",
        ("ListHarnesses", "harnesses"),
        ("ListHarnessVersions", "harnessVersions"),
        ("ListHarnessEndpoints", "endpoints"),
        ("GetHarness", "harness"),
    ),
)


class _Version(NamedTuple):
    kind: _Kind
    row: _Row
    current: bool


def read(reader: Reader) -> Iterator[Use]:
    """The images of agent runtimes and harnesses."""
    listed = [(kind, row) for kind in _KINDS for row in reader.rows(_SERVICE, *kind.listing, maxResults=100)]
    versions = [version for versions in reader.each(partial(_versions, reader), listed) for version in versions]
    for version, described in zip(versions, reader.each(partial(_described, reader), versions), strict=True):
        kind, row = version.kind, version.row
        workload = f"{kind.noun} {row[f'{kind.prefix}Name']}:{row[f'{kind.prefix}Version']}"
        if described is not None:
            yield from uses_in(reader, described, workload, current=version.current)


def _versions(reader: Reader, listed: tuple[_Kind, _Row]) -> list[_Version]:
    """All versions of one thing, none where it was deleted meanwhile."""
    kind, row = listed
    asked: dict[str, Any] = {**kind.named(row), "maxResults": 100}
    versions = unless_gone(partial(reader.rows, _SERVICE, *kind.versions, **asked))
    if versions is None:
        return []
    endpoints = unless_gone(partial(reader.rows, _SERVICE, *kind.endpoints, **asked)) or []
    member = f"{kind.prefix}Version"
    current = {row.get(member), *(each.get(name) for each in endpoints for name in ("liveVersion", "targetVersion"))}
    return [_Version(kind, each, each[member] in current) for each in versions]


def _described(reader: Reader, version: _Version) -> dict[str, Any] | None:
    member = f"{version.kind.prefix}Version"
    asked = {**version.kind.named(version.row), member: version.row[member]}
    return unless_gone(partial(reader.service(_SERVICE).call, *version.kind.getting, **asked))
