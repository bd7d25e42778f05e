"""Describing what was listed a moment ago, some of which may be gone by now; nothing else may be missing."""

from collections.abc import Callable, Container, Iterable
from functools import partial
from typing import Any, NamedTuple

from aws_ecr_gc.discovery.reader import Reader, batches
from aws_ecr_gc.errors import AwsFailure, Unintelligible, one_line

GONE = frozenset({"ClusterNotFoundException", "DaemonNotFoundException", "ServiceNotFoundException"})
"""How ECS says that what it listed is not there any more."""


class Kind(NamedTuple):
    """An operation that describes several things: the parameter that names them, its answer, how many at most."""

    operation: str
    names: str
    answer: str
    most: int = 20


def describe(reader: Reader, kind: Kind, groups: Iterable[tuple[str | None, Iterable[str]]]) -> list[Any]:
    """All things of these names, but for those that are gone. A group is a cluster, or None, and names.

    Raises AwsFailure for one that ECS fails to describe for any other reason.
    """
    calls = [(cluster, names) for cluster, listed in groups for names in batches(listed, kind.most)]
    return [row for rows in reader.each(partial(_described, reader, kind), calls) for row in rows]


def _described(reader: Reader, kind: Kind, call: tuple[str | None, list[str]]) -> list[Any]:
    cluster, names = call
    where = {} if cluster is None else {"cluster": cluster}
    try:
        answered = reader.service("ecs").call(kind.operation, kind.answer, **{kind.names: names}, **where)
    except AwsFailure as error:
        if error.code not in GONE:
            raise
        if len(names) == 1:
            return []
        # One that is gone says nothing of the others.
        half = len(names) // 2
        return [row for part in (names[:half], names[half:]) for row in _described(reader, kind, (cluster, part))]
    rows: list[Any] = answered[kind.answer]
    failures = answered.get("failures") or []
    for failure in failures:
        if failure.get("reason") != "MISSING":
            raise _failed(kind.operation, failure)
    if len(rows) + len(failures) < len(names):
        raise Unintelligible(f"{kind.operation}: of {len(names)} asked for, {len(rows)} were described, without reason")
    return rows


def _failed(operation: str, failure: dict[str, Any]) -> AwsFailure:
    parts = [failure.get(part) for part in ("arn", "reason", "detail")]
    return AwsFailure(f"{operation}: {one_line(': '.join(str(part) for part in parts if part))}", str(parts[1]))


def unless_gone(read: Callable[[], list[Any]], gone: Container[str] = GONE) -> list[Any]:
    """What `read` gives, or nothing where the error says that what was listed a moment ago is gone."""
    try:
        return read()
    except AwsFailure as error:
        if error.code not in gone:
            raise
        return []


def short(arn: str) -> str:
    """The name or id at the end of an ARN."""
    return arn.rpartition("/")[2]
