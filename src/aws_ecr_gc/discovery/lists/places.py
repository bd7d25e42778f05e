"""Where in a document a value stands, and how people say it."""

from collections.abc import Mapping
from typing import NamedTuple

from aws_ecr_gc.discovery.lists.mention import quoted
from aws_ecr_gc.discovery.lists.yaml_text import Line

# Texts that hold what was said earlier: what they name may be gone without harm.
_PAST = frozenset(("kubectl.kubernetes.io/last-applied-configuration",))


class Place(NamedTuple):
    """The place of a value: its key and the place around it. `base` is added to its line; None in what has no lines.

    `subject` is what uses an image that is named here, if that is known: `Deployment web`.
    """

    name: str
    key: object = None
    around: "Place | None" = None
    subject: str = ""
    base: int | None = None
    compose: bool = False
    manifest: bool = False
    current: bool = True

    def inside(self, key: object, subject: str) -> "Place":
        """The place of a value with this key, or index."""
        current = self.current and key not in _PAST
        return Place(self.name, key, self, subject, self.base, self.compose, self.manifest, current)

    def embedding(self, text: str) -> "Place":
        """The place of a document within this text."""
        return self._replace(base=self._line(text), compose=False, manifest=True)

    def workload(self, text: str) -> str:
        """Who uses what this text names."""
        if self.subject:
            return f"{self.name} ({self.subject})"
        return f"{self.name}:{self._line(text) or self._pointer()}"

    def where(self, text: str) -> str:
        """Where this text stands, for a message."""
        line = self._line(text)
        return f"at {self._pointer()}" if line is None else f"line {line}"

    def _line(self, text: str) -> int | None:
        if self.base is None:
            return None
        return self.base + text.line if isinstance(text, Line) else self.base or None

    def _pointer(self) -> str:
        keys: list[str] = []
        place = self
        while place.around is not None:
            keys.append(str(place.key).replace("~", "~0").replace("/", "~1"))
            place = place.around
        return quoted("".join(f"/{key}" for key in reversed(keys)) or "/")[1:-1]


def subject_of(mapping: Mapping[object, object]) -> str | None:
    """What a mapping describes, if it is something that uses images."""
    kind, metadata = mapping.get("kind"), mapping.get("metadata")
    if isinstance(kind, str) and isinstance(metadata, Mapping) and isinstance(metadata.get("name"), str):
        namespace = metadata.get("namespace")
        named = f"{namespace}/{metadata['name']}" if isinstance(namespace, str) else metadata["name"]
        return quoted(f"{kind} {named}")[1:-1]
    address, family = mapping.get("address"), mapping.get("family")
    if isinstance(address, str) and ("values" in mapping or "change" in mapping):
        return quoted(address)[1:-1]
    if isinstance(family, str) and "containerDefinitions" in mapping:
        return quoted(f"task definition {family}")[1:-1]
    return None
