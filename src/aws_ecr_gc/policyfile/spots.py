"""A node together with the way to it, for checks of what a document means."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from msgspec import Struct

from aws_ecr_gc.policyfile.mistakes import Mistake
from aws_ecr_gc.policyfile.nodes import Node, Path, mistake


class Spot(Struct, frozen=True, eq=False):
    """A place in a tree. What lies in `unsound` has a mistake of shape, and its meaning is not to be looked at."""

    node: Node
    path: Path
    unsound: AbstractSet[Path]

    @property
    def is_sound(self) -> bool:
        return self.path not in self.unsound

    @property
    def text(self) -> str:
        """The text of a scalar."""
        return str(self.node.scalar)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of a mapping; none for anything else."""
        return tuple(self.node.members or ())

    def at(self, key: str) -> "Spot | None":
        """The value of a key, sound or not, if the key is there."""
        found = (self.node.members or {}).get(key)
        return None if found is None else Spot(found, (*self.path, key), self.unsound)

    def sound(self, key: str) -> "Spot | None":
        """The value of a key, if it is there and sound."""
        found = self.at(key)
        return found if found is not None and found.is_sound else None

    def each(self, key: str) -> Iterator["Spot"]:
        """The items of a list, sound or not; a text counts as the list of it."""
        found = self.at(key)
        if found is None:
            return
        if found.node.is_scalar:
            yield found
        for at, item in enumerate(found.node.items or ()):
            yield Spot(item, (*found.path, at), self.unsound)

    def texts(self, key: str) -> list["Spot"]:
        """The sound texts of a list, or the one in place of a list."""
        return [each for each in self.each(key) if each.is_sound]

    def mistake(self, reason: str, mend: str = "") -> Mistake:
        """A mistake here."""
        return mistake(self.node.place, self.path, reason, mend)

    def mistake_of(self, key: str, reason: str, mend: str = "") -> Mistake:
        """A mistake of a key that should not be there."""
        return mistake(self.node.keys[key], (*self.path, key), reason, mend)
