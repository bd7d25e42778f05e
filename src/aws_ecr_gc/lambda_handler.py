"""The door for AWS Lambda: `pair` does one account and region, `fleet` what is done once for all of them.

An event names its task, the policy (`s3://BUCKET/KEY`, a file of the function, or the policy itself as an object), and
`run`, the place in S3 where the results of this run over the fleet are kept. What is returned is small; documents are
in S3. An error is raised, so that Step Functions sees its name: Misuse is what no other attempt mends.
"""

import json
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, TypeVar

import msgspec
from msgspec import Meta, Struct

from aws_ecr_gc.app.merging import Pair
from aws_ecr_gc.app.stages import Found, Report, Stages, Told
from aws_ecr_gc.aws.client import Client
from aws_ecr_gc.aws.objects import Objects, parted
from aws_ecr_gc.aws.session import Session
from aws_ecr_gc.errors import Misuse, one_line
from aws_ecr_gc.targets import Entry

_MARGIN = 30.0
"""Seconds before the end of the function's time at which nothing new is begun; a quarter of a shorter time."""

Address = Annotated[str, Meta(pattern="^s3://[^/]+/.+")]


class Context(Protocol):
    """What Lambda hands over beside the event."""

    def get_remaining_time_in_millis(self) -> int: ...


class _Common(Struct, forbid_unknown_fields=True, kw_only=True):
    """`journals` is where deletions are put on record; in the bucket of `run` if it is not said.

    `allow_unread` names the sources of what is in use that may be missing, as the flag does.
    """

    policy: str | dict[str, Any]
    run: Address
    journals: Address | None = None
    role: str | None = None
    external_id: str | None = None
    allow_unread: tuple[str, ...] = ()

    @property
    def journal_place(self) -> str:
        return self.journals or f"s3://{parted(self.run)[0]}/journals"

    @property
    def entry(self) -> Entry | None:
        return None if self.role is None else Entry(self.role, self.external_id)


class PairEvent(_Common, forbid_unknown_fields=True, kw_only=True):
    """One account and region, and what is to be done there."""

    task: Literal["plan", "apply"]
    account: Annotated[str, Meta(pattern="^[0-9]{12}$")]
    region: Annotated[str, Meta(pattern="^[a-z0-9-]+$")]


class FleetEvent(_Common, forbid_unknown_fields=True, kw_only=True):
    """What is done once; `stage` is which results `merge` makes one report of."""

    task: Literal["pairs", "in-use", "merge"]
    stage: Literal["plan", "apply"] = "plan"


_Event = TypeVar("_Event", bound=_Common)


def pair(event: object, context: Context) -> object:
    """Plan one account and region, or carry its plan out. Raises `errors.Error`: Unfinished wants another attempt."""
    asked = _understood(event, PairEvent)

    def done(stages: Stages) -> Told:
        of = Pair(asked.account, asked.region)
        return stages.plan(of) if asked.task == "plan" else stages.apply(of)

    return _with_stages(asked, context, done)


def fleet(event: object, context: Context) -> object:
    """Find the pairs, read what is in use, or merge the results. Raises `errors.Error`."""
    asked = _understood(event, FleetEvent)

    def done(stages: Stages) -> Found | Report:
        if asked.task == "merge":
            return stages.merge(asked.stage)
        return stages.find_pairs() if asked.task == "pairs" else stages.read_in_use()

    return _with_stages(asked, context, done)


def _understood(event: object, kind: type[_Event]) -> _Event:
    """Raises Misuse for an event that is none of this kind."""
    try:
        return msgspec.convert(event, kind)
    except msgspec.ValidationError as error:
        raise Misuse(f"event: {one_line(error)}") from error


def _with_stages(asked: _Common, context: Context, work: Callable[[Stages], Struct]) -> object:
    """Do the work with what the event names, in a directory that is gone afterwards.

    Raises `errors.Error`; every kind of Misuse as Misuse itself, for Step Functions goes by the name alone.
    """
    left = context.get_remaining_time_in_millis() / 1000
    until = time.monotonic() + left - min(_MARGIN, left / 4)
    with ExitStack() as held:
        s3 = held.enter_context(closing(Session(None, None).client("s3")))
        scratch = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="aws-ecr-gc-")))
        try:
            stages = Stages(
                Objects(s3, asked.run),
                _policy(asked.policy, s3, scratch),
                journals=asked.journal_place,
                entry=asked.entry,
                allow_unread=asked.allow_unread,
                now=time.time(),
                stop=lambda: time.monotonic() > until,
                scratch=scratch,
            )
            return msgspec.to_builtins(work(stages))
        except Misuse as error:
            raise Misuse(str(error)) from error


def _policy(stated: str | dict[str, Any], s3: Client, folder: Path) -> Path:
    """The policy as a file. Raises Misuse where there is none."""
    if isinstance(stated, dict):
        path = folder / "policy.json"
        path.write_text(json.dumps(stated))
        return path
    if not stated.startswith("s3://"):
        return Path(stated)
    content = Objects(s3, stated.rpartition("/")[0]).get(stated.rpartition("/")[2])
    if content is None:
        raise Misuse(f"policy {one_line(stated)}: isn't there")
    path = folder / f"policy{Path(stated).suffix}"
    path.write_bytes(content)
    return path
