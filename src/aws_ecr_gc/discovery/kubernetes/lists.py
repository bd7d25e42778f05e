"""Lists of the Kubernetes API: what is served, page by page to the end, and what refusals mean.

https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
"""

from collections.abc import Generator, Iterator
from typing import Generic, Protocol, TypeVar

import msgspec
from msgspec import Struct, field

from aws_ecr_gc.discovery.kubernetes.client import Answer
from aws_ecr_gc.errors import AccessDenied, Error, SourceFailure, Unintelligible, one_line

PAGE = 500
_RESTARTS = 3
"""How often a list is begun again whose continue token has expired."""

Item = TypeVar("Item")
_Shape = TypeVar("_Shape")


class Getter(Protocol):
    """`client.Server`."""

    host: str

    def get(self, path: str, query: dict[str, str] | None = None) -> Answer:
        """As `client.Server.get`."""


class Resource(Struct, Generic[Item], frozen=True):
    """A kind of object, of the first of these versions of its API group that is served; of the core group for ""."""

    shape: type[Item]
    plural: str
    group: str = ""
    versions: tuple[str, ...] = ("v1",)

    @property
    def kind(self) -> str:
        """`deployment`."""
        return self.plural.removesuffix("s")

    def __str__(self) -> str:
        """`deployments.apps`, as RBAC's errors and kubectl name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


class _ListMeta(Struct):
    next: str = field(name="continue", default="")


class _Page(Struct, Generic[Item]):
    metadata: _ListMeta
    items: list[Item] | None


class _Version(Struct):
    version: str


class _Group(Struct):
    name: str
    versions: list[_Version]


class _Groups(Struct):
    groups: list[_Group]


class _Served(Struct):
    name: str


class _Resources(Struct):
    resources: list[_Served]


class _Status(Struct):
    message: str = ""
    reason: str = ""


class Lists:
    """The lists of one cluster, over all namespaces."""

    def __init__(self, server: Getter, page: int = PAGE) -> None:
        self._server = server
        self._page = page
        self._versions: dict[str, list[str]] | None = None
        self._resources: dict[str, set[str]] = {}

    def pages(self, resource: Resource[Item]) -> Iterator[list[Item]]:
        """All objects of a kind, page by page; none where the server has no such kind.

        Objects come twice if the list has to be begun again. Raises AccessDenied naming the permission, SourceFailure,
        and Unintelligible.
        """
        base = self._base(resource)
        if base is None:
            return
        for _ in range(_RESTARTS + 1):
            if (yield from self._once(resource, f"{base}/{resource.plural}")):
                return
        raise SourceFailure(f"{self._server.host}: the list of {resource} has expired {_RESTARTS + 1} times", "Expired")

    def _once(self, resource: Resource[Item], path: str) -> Generator[list[Item], None, bool]:
        """The pages of the list; returns whether they were all, and not the token expired before the end."""
        seen: set[str] = set()
        query = {"limit": str(self._page)}
        while True:
            answer = self._server.get(path, query)
            if answer.status == 410:
                return False
            page = self._decoded(answer, _Page[resource.shape], f"list {resource}")  # type: ignore[name-defined]
            yield page.items or []
            token = page.metadata.next
            if not token:
                return True
            if token in seen:
                raise Unintelligible(f"list {resource}: {self._server.host} gives the same page again and again")
            seen.add(token)
            query = {"limit": str(self._page), "continue": token}

    def _base(self, resource: Resource[Item]) -> str | None:
        """The path of the first version that has the resource. That one is missing is known only from what is there.

        A 404 can come from anything between here and the API server.
        """
        if not resource.group:
            return "/api/v1"
        if self._versions is None:
            answered = self._decoded(self._server.get("/apis"), _Groups, "get /apis")
            self._versions = {group.name: [each.version for each in group.versions] for group in answered.groups}
        for version in resource.versions:
            path = f"/apis/{resource.group}/{version}"
            if version in self._versions.get(resource.group, ()) and resource.plural in self._at(path):
                return path
        return None

    def _at(self, path: str) -> set[str]:
        if path not in self._resources:
            answered = self._decoded(self._server.get(path), _Resources, f"get {path}")
            self._resources[path] = {each.name for each in answered.resources}
        return self._resources[path]

    def _decoded(self, answer: Answer, shape: type[_Shape], what: str) -> _Shape:
        if answer.status != 200:
            raise self._refusal(answer, what)
        try:
            return msgspec.json.decode(answer.body, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unintelligible(
                f"{what}: an answer of {self._server.host} that can't be understood: {one_line(error)}"
            ) from error

    def _refusal(self, answer: Answer, what: str) -> Error:
        try:
            said = msgspec.json.decode(answer.body, type=_Status)
        except (msgspec.DecodeError, UnicodeDecodeError):
            said = _Status(answer.body[:1000].decode(errors="replace"))
        message = one_line(said.message) or "no reason given"
        if answer.status == 403:
            where = " in all namespaces" if what.startswith("list ") else ""
            return AccessDenied(f"access denied: the permission to {what}{where} is missing: {message}", "Forbidden")
        if answer.status == 401:
            return SourceFailure(f"{self._server.host} does not take the credentials (401): {message}", "Unauthorized")
        return SourceFailure(f"{what}: {self._server.host} answers {answer.status}: {message}", said.reason)
