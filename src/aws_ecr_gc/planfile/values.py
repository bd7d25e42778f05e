"""What a plan file holds, as values."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import overload

from msgspec import Struct
from msgspec.structs import replace

from aws_ecr_gc.inventory import Inventory
from aws_ecr_gc.plan import Decision, Decisions, Plan, Verdict
from aws_ecr_gc.reference import Registry
from aws_ecr_gc.usage import InUse

_LEFT_ALONE = frozenset({"activating", "archived", "circle", "unknown-media-type", "unread-archived-index"})
_NO_RULES = _LEFT_ALONE | {"no-untagged-rule"}
"""The reasons beside these are what the rules of the policy said."""


class StoredDecisions(Decisions):
    """Decisions that were made elsewhere."""

    def __init__(self, decisions: Sequence[Decision]) -> None:
        self._decisions = tuple(decisions)

    def __len__(self) -> int:
        return len(self._decisions)

    def __iter__(self) -> Iterator[Decision]:
        return iter(self._decisions)

    @overload
    def __getitem__(self, at: int) -> Decision: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Decision, ...]: ...
    def __getitem__(self, at: int | slice) -> Decision | tuple[Decision, ...]:
        return self._decisions[at]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Decisions) and self._decisions == tuple(other)

    def __hash__(self) -> int:
        return hash(self._decisions)

    def beyond_rules(self) -> Iterator[Decision]:
        for each in self._decisions:
            if each.verdict is Verdict.HELD:
                yield each
            elif each.verdict is Verdict.RETAINED and each.reasons[0].rule in _LEFT_ALONE:
                yield replace(each, reasons=tuple(reason for reason in each.reasons if reason.rule in _NO_RULES))


class Flags(Struct, frozen=True, forbid_unknown_fields=True):
    """What the original's flags said about images; `grace` is in seconds."""

    keep: Mapping[str, int]
    delete_untagged: bool
    grace: float


class PolicySource(Struct, frozen=True):
    """Where the policy comes from: files, the policy file first, and the hash of them together; or flags."""

    files: tuple[str, ...] = ()
    sha256: str | None = None
    flags: Flags | None = None


class Clusters(Struct, frozen=True, forbid_unknown_fields=True):
    """Kubernetes clusters to ask; as `discovery.settings.Kubernetes`."""

    contexts: tuple[str, ...]
    kubeconfig: str | None
    in_cluster: bool


class ListKind(StrEnum):
    """Where a list comes from; as `discovery.settings.Kind`."""

    FILE = "file"
    STDIN = "stdin"
    URL = "url"
    COMMAND = "command"


class Listing(Struct, frozen=True, forbid_unknown_fields=True):
    """A list to read; as `discovery.settings.Listing`."""

    kind: ListKind
    words: tuple[str, ...]


class Asked(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be read to know what is in use; as `discovery.settings.Settings`."""

    sources: tuple[str, ...]
    every: bool
    revisions: int
    accounts: tuple[str, ...]
    organization: bool
    role: str | None
    external_id: str | None
    session_tags: Mapping[str, str]
    regions: tuple[str, ...]
    kubernetes: Clusters | None
    lists: tuple[Listing, ...]


class Refusal(Struct, frozen=True, forbid_unknown_fields=True):
    """A guard that forbids carrying a plan out: its name, why, and the way round it."""

    guard: str
    detail: str
    way_round: str


class PlannedRepository(Struct, frozen=True):
    """The plan for one repository, the inventory it was made of, and the name of its policy.

    With `heeds_pulls` a rule of the policy asks for the last pull: then the one that was seen is a precondition as
    tags and status are. A plan that guards `refused` is not to be carried out; `canary` and `max_failures` are the
    policy's guards on carrying it out, None where they are off. `broken` says which workload has no image to pull.
    """

    plan: Plan
    inventory: Inventory
    policy: str
    heeds_pulls: bool = False
    canary: int | None = None
    max_failures: int | None = None
    refused: tuple[Refusal, ...] = ()
    broken: tuple[str, ...] = ()


class PlanFile(Struct, frozen=True):
    """Plans for repositories of one registry, and all that is to be checked before they are carried out.

    `made_at` is in epoch seconds. `asked` is what is to be asked for what is in use, None where nobody is; `seen` is
    what was read when the plans were made, without its uses, and None where nothing was. Where only `seen` is there, a
    file of uses protected the plans, and nobody can be asked again. `checksum` is that of the file it was loaded from.
    """

    tool: str
    made_at: float
    registry: Registry
    policy: PolicySource
    repositories: tuple[PlannedRepository, ...]
    asked: Asked | None = None
    seen: InUse | None = None
    allow_unread: tuple[str, ...] = ()
    checksum: str = ""
