"""A place for one journal, in memory: for laws about what is in it."""

import io
from collections.abc import Iterator

from aws_ecr_gc.journal import Glance, create
from aws_ecr_gc.journal.records import Line
from tests.journal.histories import NOW, REGISTRY, History


class Memory:
    """The place, and its one sink."""

    name = "memory"

    def __init__(self, content: bytes = b"") -> None:
        self.content = content

    def address(self, name: str) -> str:
        return name

    def create(self, stem: str) -> "Memory":  # noqa: ARG002 - there is but one
        return self

    def again(self, name: str) -> "Memory":  # noqa: ARG002
        return self

    def lines(self, name: str) -> Iterator[bytes]:  # noqa: ARG002
        return iter(io.BytesIO(self.content))

    def is_under_way(self, name: str) -> bool:  # noqa: ARG002
        return False

    def newest(self) -> Iterator[Glance]:
        return iter(())

    def settle(self) -> None: ...

    def append(self, number: int, line: Line) -> None:  # noqa: ARG002
        self.content += line

    def cut(self, length: int) -> None:
        self.content = self.content[:length]

    def close(self) -> None: ...


def written(history: History) -> bytes:
    """A journal with this history."""
    place = Memory()
    history.play(create(place, REGISTRY, clock=lambda: NOW))
    return place.content
