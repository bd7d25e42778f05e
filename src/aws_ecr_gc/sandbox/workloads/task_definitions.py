"""The task definitions of an account in a region."""

import msgspec

from aws_ecr_gc.sandbox.workloads.site import Site


class TaskDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A revision of a family; `images` has one for each container."""

    family: str
    revision: int
    images: tuple[str, ...]
    registered_at: float
    arn: str

    @property
    def name(self) -> str:
        """`web:3`."""
        return f"{self.family}:{self.revision}"


class TaskDefinitions:
    """All revisions by name, in the order in which they were registered. Those in `inactive` were deregistered."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.by_name: dict[str, TaskDefinition] = {}
        self.inactive: set[str] = set()

    def register(self, family: str, *images: str) -> TaskDefinition:
        """Register a revision: the next number of its family. An image without a registry is of the site's own."""
        with self._site.lock:
            revision = 1 + sum(each.family == family for each in self.by_name.values())
            made = TaskDefinition(
                family=family,
                revision=revision,
                images=tuple(map(self._site.uri, images)),
                registered_at=self._site.clock.now(),
                arn=self._site.arn("ecs", f"task-definition/{family}:{revision}"),
            )
            self.by_name[made.name] = made
            return made

    def deregister(self, name: str) -> None:
        """Make a revision INACTIVE: what uses it goes on. Raises KeyError when there is none."""
        with self._site.lock:
            self.inactive.add(self.by_name[name].name)

    def find(self, name: str) -> TaskDefinition:
        """`web:3`, the newest ACTIVE one of `web`, or an ARN. Raises KeyError when there is none."""
        short = name.rpartition("task-definition/")[2]
        if ":" in short:
            return self.by_name[short]
        of_family = [each for each in self.by_name.values() if each.family == short and each.name not in self.inactive]
        if not of_family:
            raise KeyError(name)
        return of_family[-1]
