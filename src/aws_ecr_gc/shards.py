"""Which part of a fleet one of several machines does.

Each machine finds out the accounts and regions by itself, maybe at another time than the others. So the part that a
pair falls to depends on the pair and on the number of parts alone, never on which others there are.
"""

import re
from collections.abc import Iterator, Mapping
from hashlib import blake2b

from msgspec import Struct

from aws_ecr_gc.errors import Misuse

MOST = 10_000
"""As many as an array job of AWS Batch can have."""
_BITS = (1 << 64) - 1


class Shard(Struct, frozen=True):
    """One of `total` parts, counted from 1."""

    number: int
    total: int

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"

    def holds(self, account: str, region: str) -> bool:
        """Whether an account and region falls to this part: it does to exactly one."""
        return part_of(f"{account}/{region}", self.total) == self.number


def part_of(name: str, total: int) -> int:
    """The part that a name falls to, from 1; one part more moves only what falls to that one.

    Jump consistent hashing: Lamping and Veach, 'A Fast, Minimal Memory, Consistent Hash Algorithm', 2014.
    """
    state = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")
    part, following = 0, 0
    while following < total:
        part = following
        state = (state * 2862933555777941757 + 1) & _BITS
        following = (part + 1) * (1 << 31) // ((state >> 33) + 1)
    return part + 1


class _Engine(Struct, frozen=True):
    """How a scheduler of jobs tells a job its place; `first` is what it counts from.

    GitHub sets no variables for it: the workflow puts `strategy.job-index` and `strategy.job-total` into these.
    """

    name: str
    index: str
    total: str | None
    first: int


_ENGINES = (
    _Engine("AWS Batch", "AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE", 0),
    _Engine("Kubernetes", "JOB_COMPLETION_INDEX", None, 0),
    _Engine("Buildkite", "BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", 0),
    _Engine("GitLab", "CI_NODE_INDEX", "CI_NODE_TOTAL", 1),
    _Engine("GitHub", "STRATEGY_JOB_INDEX", "STRATEGY_JOB_TOTAL", 0),
)


def from_environment(environment: Mapping[str, str], stated: int | None = None) -> Shard:
    """The place that the scheduler of this job says; `stated` is the number of parts where it does not. Raises Misuse.

    A GitLab job that is not parallel has a total of 1 and no index: it does all.
    """
    found = dict(_found(environment, stated))
    if not found and environment.get("CI_NODE_TOTAL") == "1" and stated in {None, 1}:
        return Shard(1, 1)
    if not found:
        known = ", ".join(engine.index for engine in _ENGINES)
        raise Misuse(f"--shard auto: no scheduler says which part this is: none of {known} is set; give --shard I/N")
    if len(set(found.values())) > 1:
        said = ", ".join(f"{name} says {shard}" for name, shard in found.items())
        raise Misuse(f"--shard auto: {said}; which is meant? give --shard I/N")
    return next(iter(found.values()))


def _found(environment: Mapping[str, str], stated: int | None) -> Iterator[tuple[str, Shard]]:
    for engine in _ENGINES:
        if not environment.get(engine.index):
            continue
        index = _number(environment, engine.index)
        total = stated
        if engine.total is not None and environment.get(engine.total):
            total = _number(environment, engine.total)
            if stated not in {None, total}:
                raise Misuse(f"--shard auto/{stated}: {engine.total} is {total}; leave the number out, or mend it")
        if total is None:
            raise Misuse(f"--shard auto: {engine.name} says {engine.index}={index}, but not of how many: give auto/N")
        number = index - engine.first + 1
        if not 1 <= number <= total <= MOST:
            raise Misuse(f"--shard auto: {engine.index}={index} is no part of {total}; give --shard I/N")
        yield engine.name, Shard(number, total)


def _number(environment: Mapping[str, str], name: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", environment[name]):
        raise Misuse(f"--shard auto: {name} is {environment[name]!r}, not a whole number; give --shard I/N")
    return int(environment[name])
