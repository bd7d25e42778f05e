"""Policy files, and what the documents of the commands say, in few words."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aws_ecr_gc.sandbox import Sandbox

BUILDS = {"name": "builds", "match": {"prefix": "build-"}, "keep": {"newest": 2}}
UNTAGGED = {"name": "untagged", "match": {"untagged": True}, "keep": {"younger_than": "1d"}}
NONE = {"name": "everything", "match": {"any": True}, "keep": "none"}


def policy(*rules: dict[str, Any], repositories: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    """One policy, without the guards that are on by default."""
    selector = {} if repositories is None else {"repositories": repositories}
    return {**selector, "rules": list(rules), "guards": {"keep_at_least": 0, "keep_tagged": 0}, **settings}


def policy_file(path: Path, *policies: dict[str, Any], **top: Any) -> str:
    """Write a policy file; its name."""
    path.write_text(json.dumps({"version": 1, "policies": list(policies), **top}))
    return str(path)


def going(document: dict[str, Any]) -> dict[str, set[str]]:
    """The digests that a plan's document collects, by repository."""
    return {
        part["repository"]["name"]: {image["digest"] for image in part["images"] if image["decision"] == "collected"}
        for part in document["repositories"]
    }


def besides_announcements(err: str) -> list[str]:
    """The lines of standard error but those about the journal, and about what will be read."""
    return [line for line in err.splitlines() if "counts as a pull" not in line and "c: journal: " not in line]


def operations(sandbox: Sandbox, since: int = 0) -> list[str]:
    return [call.operation for call in sandbox.calls[since:]]


@pytest.fixture
def untouched(sandbox: Sandbox) -> Iterator[None]:
    """What a command that only reads must leave: nothing deleted, and nothing tried."""
    yield
    assert not sandbox.deletions
    assert {call.operation for call in sandbox.calls} <= {
        "DescribeRepositories",
        "DescribeImages",
        "BatchGetImage",
        "ListTagsForResource",
        "DescribePullThroughCacheRules",
        "DescribeRegistry",
        "DescribeRepositoryCreationTemplates",
    }
