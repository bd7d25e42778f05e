"""What is to be read to know what is in use."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from aws_ecr_gc.errors import one_line
from aws_ecr_gc.targets import Entry


class Kubernetes(Struct, frozen=True):
    """Clusters that a kubeconfig names by context, and the one that the program itself runs in.

    Without `kubeconfig`, KUBECONFIG and ~/.kube/config are read.
    """

    contexts: tuple[str, ...] = ()
    kubeconfig: str | None = None
    in_cluster: bool = False


class Kind(StrEnum):
    """Where a list comes from."""

    FILE = "file"
    STDIN = "stdin"
    URL = "url"
    COMMAND = "command"


class Listing(Struct, frozen=True):
    """A list of references, or documents that hold some. `words` are the path, the URL, or the command's words."""

    kind: Kind
    words: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What people call it."""
        return " ".join(self.words) or "standard input"

    @property
    def shown(self) -> str:
        """The name on one line; of a URL without user, password and query: queries hold signatures."""
        if self.kind is not Kind.URL:
            return one_line(self.name)
        bare, query, _ = self.name.partition("?")
        return one_line(bare) + ("?..." if query else "")


class Settings(Struct, frozen=True):
    """What to read, and where.

    `sources` are names of `sources.SOURCES`; with `every`, all of them that AWS's endpoint data list for the region.
    Read are the credentials' own account, those of `accounts` and, with `organization`, all of the organization, each
    through its role `role`; in `regions`, or the region of the registry where none is named, or those that are enabled
    for each account where it is `all` alone. `revisions` is how many ACTIVE revisions of each family of ECS task
    definitions count as used.
    """

    sources: tuple[str, ...] = ()
    every: bool = False
    revisions: int = 3
    accounts: tuple[str, ...] = ()
    organization: bool = False
    role: str | None = None
    external_id: str | None = None
    session_tags: Mapping[str, str] = {}
    regions: tuple[str, ...] = ()
    kubernetes: Kubernetes | None = None
    lists: tuple[Listing, ...] = ()

    @property
    def missing(self) -> tuple[str, str] | None:
        """What is missing for it to make sense, and the mend."""
        if not (self.asks_aws or self.kubernetes or self.lists):
            return "names nothing to look into", "write sources: [ecs, lambda], kubernetes: or lists:"
        if (self.accounts or self.organization) and self.role is None:
            return "other accounts are entered with a role, and none is named", "write role: NAME"
        return None

    @property
    def entry(self) -> Entry | None:
        """How other accounts are entered."""
        return None if self.role is None else Entry(self.role, self.external_id, self.session_tags)

    @property
    def kinds(self) -> list[str]:
        """The sources that must be read, by name, but for those that depend on the region."""
        clusters = ["kubernetes"] if self.kubernetes is not None else []
        return [*self.sources, *clusters, *(["list"] if self.lists else [])]

    @property
    def asks_aws(self) -> bool:
        return bool(self.sources or self.every)
