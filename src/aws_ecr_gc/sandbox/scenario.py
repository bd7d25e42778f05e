"""Scenario files: what a sandbox holds when it starts, and what happens to it while it runs.

docs/sandbox.md documents the members.
"""

from typing import Annotated, Any, Literal

import msgspec

from aws_ecr_gc.sandbox.behaviour import Behaviour
from aws_ecr_gc.sandbox.faults import Faults
from aws_ecr_gc.sandbox.moments import DURATION, MOMENT, MOMENT_OR_NEVER, TIME, epoch_seconds
from aws_ecr_gc.sandbox.services import KNOWN
from aws_ecr_gc.sandbox.workload_entries import WorkloadsEntry
from aws_ecr_gc.sandbox.world import DEFAULT_ACCOUNT, DEFAULT_REGION

Account = Annotated[str, msgspec.Meta(pattern="^[0-9]{12}$")]
Size = Annotated[int, msgspec.Meta(ge=0)]
Duration = Annotated[str, msgspec.Meta(pattern=DURATION)]
Time = Annotated[str, msgspec.Meta(pattern=TIME)]
Moment = Annotated[str, msgspec.Meta(pattern=MOMENT)]
MomentOrNever = Annotated[str, msgspec.Meta(pattern=MOMENT_OR_NEVER)]
Tag = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
Ordinal = Annotated[int, msgspec.Meta(ge=1)]
Mutability = Literal["MUTABLE", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION"]


class LayerEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A layer; images that name the same layer with the same size share it."""

    name: str
    size: Size


class ImageEntry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An image, an index (with children), a referrer (with a subject), or many of them (repeat)."""

    name: str | None = None
    tags: list[Tag] = []
    pushed_at: Moment | None = None
    age: Duration | None = None
    pulled_at: MomentOrNever = "never"
    size: Size | None = None
    layers: list[LayerEntry] | None = None
    children: list[str] = []
    platforms: list[str] | None = None
    subject: str | None = None
    artifact_type: str | None = None
    media_type: str | None = None
    status: Literal["ACTIVE", "ARCHIVED", "ACTIVATING"] = "ACTIVE"
    archived_at: Moment | None = None
    activated_at: Moment | None = None
    repeat: Ordinal | None = None
    every: Duration | None = None

    def __post_init__(self) -> None:
        _demand_at_most_one(self, ("pushed_at", "age"))
        _demand_at_most_one(self, ("size", "layers"))
        if self.children and (self.size is not None or self.layers is not None):
            raise ValueError("an index has no layers of its own: size and layers do not go with children")
        if self.platforms is not None and len(self.platforms) != len(self.children):
            raise ValueError("platforms must name one platform for each child")
        if self.every is not None and self.repeat is None:
            raise ValueError("every needs repeat")
        _demand_moments(self.pushed_at, self.pulled_at, self.archived_at, self.activated_at)


class RepositoryEntry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A repository and its images, in the order in which they were pushed."""

    name: str
    account: Account = DEFAULT_ACCOUNT
    region: str = DEFAULT_REGION
    tag_mutability: Mutability = "MUTABLE"
    exclusion_filters: list[str] = []
    resource_tags: dict[str, str] = {}
    missing_layers: list[str] = []
    lifecycle_policy: dict[str, Any] | None = None
    images: list[ImageEntry] = []

    def __post_init__(self) -> None:
        if self.tag_mutability.endswith("_WITH_EXCLUSION") != bool(self.exclusion_filters):
            raise ValueError("exclusion_filters go with a tag_mutability that ends in _WITH_EXCLUSION, and only then")


class DestinationEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A registry that images are replicated to."""

    region: str
    account: Account = DEFAULT_ACCOUNT


class ReplicationEntry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A replication rule of a registry; DescribeRegistry tells of it, nothing is replicated."""

    account: Account = DEFAULT_ACCOUNT
    region: str = DEFAULT_REGION
    destinations: list[DestinationEntry]
    prefixes: list[str] = []
    deletes: bool = False


class Occasion(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A call of an operation, by its number counted from 1."""

    operation: str
    call: Ordinal = 1

    def __post_init__(self) -> None:
        if self.operation not in KNOWN:
            raise ValueError(f"the sandbox knows no operation {self.operation}")


class _InRepository(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    repository: str
    account: Account = DEFAULT_ACCOUNT
    region: str = DEFAULT_REGION


class MoveTag(_InRepository, forbid_unknown_fields=True):
    """Put a tag on another image, named by its name in the scenario or by its digest."""

    tag: str
    to: str


class Push(_InRepository, forbid_unknown_fields=True):
    """Push an image."""

    image: ImageEntry


class Delete(_InRepository, forbid_unknown_fields=True):
    """Delete an image, named like `to` above, if it is still there, whatever refers to it."""

    image: str


class Archive(_InRepository, forbid_unknown_fields=True):
    """Archive an image, named like `to` above, if it is still there."""

    image: str


class Action(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Something that somebody else does to a repository: exactly one of the members."""

    move_tag: MoveTag | None = None
    push: Push | None = None
    delete: Delete | None = None
    archive: Archive | None = None

    def __post_init__(self) -> None:
        if len(self._given) != 1:
            raise ValueError("an action is exactly one of move_tag, push, delete, archive")

    @property
    def chosen(self) -> MoveTag | Push | Delete | Archive:
        """The member that is given."""
        return self._given[0]

    @property
    def _given(self) -> list[MoveTag | Push | Delete | Archive]:
        return [each for each in (self.move_tag, self.push, self.delete, self.archive) if each is not None]


class Event(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What happens right before or right after a call."""

    before: Occasion | None = None
    after: Occasion | None = None
    do: list[Action]

    def __post_init__(self) -> None:
        if len(self._given) != 1:
            raise ValueError("an event is either before or after a call")

    @property
    def occasion(self) -> Occasion:
        """The call that it goes with."""
        return self._given[0]

    @property
    def _given(self) -> list[Occasion]:
        return [each for each in (self.before, self.after) if each is not None]


class Scenario(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """All that a sandbox is loaded with."""

    now: Time | None = None
    accounts: dict[str, Account] = {}
    repositories: list[RepositoryEntry] = []
    replication: list[ReplicationEntry] = []
    workloads: list[WorkloadsEntry] = []
    behaviour: Behaviour = msgspec.field(default_factory=Behaviour)
    events: list[Event] = []
    faults: Faults = msgspec.field(default_factory=Faults)

    def __post_init__(self) -> None:
        _demand_moments(self.now)


def scenario_schema() -> dict[str, Any]:
    """The JSON schema of scenario files."""
    return msgspec.json.schema(Scenario)


def _demand_at_most_one(entry: msgspec.Struct, members: tuple[str, ...]) -> None:
    if sum(getattr(entry, member) is not None for member in members) > 1:
        raise ValueError(f"{' and '.join(members)} exclude one another")


def _demand_moments(*moments: str | None) -> None:
    for moment in moments:
        if moment not in (None, "never"):
            epoch_seconds(moment)
