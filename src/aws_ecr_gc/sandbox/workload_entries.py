"""The part of a scenario file that says what runs. docs/sandbox.md documents the members."""

from typing import Annotated

import msgspec

from aws_ecr_gc.sandbox.world import DEFAULT_ACCOUNT, DEFAULT_REGION

Account = Annotated[str, msgspec.Meta(pattern="^[0-9]{12}$")]
Count = Annotated[int, msgspec.Meta(ge=0)]
Name = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{1,255}$")]
Definition = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{1,255}(:[1-9][0-9]*)?$")]
"""A family, or one of its revisions."""
Image = Annotated[str, msgspec.Meta(min_length=1)]
"""`app:v1`, or `app@` with the name of an image in the scenario or with a digest; a registry may stand before it."""


class TaskDefinitionEntry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One revision of a family: the first entry of a family is its revision 1."""

    family: Name
    images: list[Image]
    inactive: bool = False


class ServiceEntry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A service with its tasks, or with task sets, which start none."""

    name: Name
    task_definition: Definition | None = None
    desired_count: Count = 1
    recorded: Image | None = None
    """What its tags pointed at when it was deployed; what they point at in the scenario, if not given."""
    task_sets: list[Definition] = []

    def __post_init__(self) -> None:
        if (self.task_definition is None) is not bool(self.task_sets):
            raise ValueError("a service has either a task_definition or task_sets")
        if self.recorded is not None and not (self.task_definition and self.desired_count):
            raise ValueError("recorded needs a task_definition and tasks")


class TaskEntry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A task that belongs to no service."""

    task_definition: Definition
    stopped: bool = False


class ClusterEntry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A cluster of ECS."""

    name: Name = "default"
    services: list[ServiceEntry] = []
    tasks: list[TaskEntry] = []


class FunctionEntry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A Lambda function: the images of its published versions, the oldest first, and of $LATEST."""

    name: Name
    image: Image
    versions: list[Image] = []


class WorkloadsEntry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What runs in an account and a region."""

    account: Account = DEFAULT_ACCOUNT
    region: str = DEFAULT_REGION
    task_definitions: list[TaskDefinitionEntry] = []
    clusters: list[ClusterEntry] = []
    functions: list[FunctionEntry] = []
