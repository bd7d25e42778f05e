"""What a policy says."""

from msgspec import Struct


class KeepNewest(Struct, frozen=True):
    """Of the images with a tag of this prefix, retain the newest `count`."""

    prefix: str
    count: int

    def __str__(self) -> str:
        return f"keep {self.prefix}={self.count}"


class Policy(Struct, frozen=True):
    """`grace` is in seconds: an untagged image that is younger stays, for its index may still be under way."""

    keep: tuple[KeepNewest, ...] = ()
    delete_untagged: bool = False
    grace: float = 3600.0

    @property
    def asks_for_nothing(self) -> bool:
        return not self.keep and not self.delete_untagged
