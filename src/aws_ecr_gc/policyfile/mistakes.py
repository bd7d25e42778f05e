"""What is wrong with a policy file, where it stands, and how to mend it."""

from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Struct

from aws_ecr_gc.errors import Mistakes


class Place(NamedTuple):
    """A place in a file; line and column count from 1, in characters."""

    file: str
    line: int
    column: int


class Mistake(Struct, frozen=True):
    """One thing that is wrong. `path` leads there from the top (`policies[0].rules[2].keep`); at the top it is empty.

    `mend` is empty where the reason says it already.
    """

    file: str
    line: int
    column: int
    path: str
    reason: str
    mend: str

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.file, self.line, self.column)

    def __str__(self) -> str:
        path = f"{self.path}: " if self.path else ""
        mend = f"; {self.mend}" if self.mend else ""
        return f"{self.file}:{self.line}:{self.column}: {path}{self.reason}{mend}"


class PolicyMistakes(Mistakes):
    """All mistakes of a policy file and of those it extends, in the order of files and places."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__(str(mistake) for mistake in self.mistakes)
