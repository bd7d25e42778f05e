"""Which revisions of a service or a daemon a deployment holds."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

_OVER = frozenset({"SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"})


class Members(NamedTuple):
    """What the members of a deployment are called."""

    sources: str
    target: str
    rollback: str


def held(current: Iterable[str], deployments: Iterable[Mapping[str, Any]], members: Members) -> dict[str, bool]:
    """The revisions that are current, are being replaced, deployed or gone back to; and whether they are current.

    A deployment that is over is not forgotten: what it replaced is what comes back when somebody rolls it back.
    """
    revisions = dict.fromkeys(current, True)
    for deployment in deployments:
        under_way = deployment.get("status") not in _OVER
        replaced_and_new = [*(deployment.get(members.sources) or ()), deployment.get(members.target) or {}]
        for revision in replaced_and_new:
            if revision.get("arn"):
                revisions[revision["arn"]] = revisions.get(revision["arn"], False) or under_way
        if back := (deployment.get("rollback") or {}).get(members.rollback):
            revisions[back] = True
    return revisions
