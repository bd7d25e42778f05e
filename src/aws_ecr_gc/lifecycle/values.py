"""A lifecycle policy of ECR as values. What is here is valid: `reading` saw to that."""

from enum import StrEnum

from msgspec import Struct

DAY = 86400.0


class TagStatus(StrEnum):
    """Which images a rule selects: those with certain tags, those without any, or all."""

    TAGGED = "tagged"
    UNTAGGED = "untagged"
    ANY = "any"


class CountType(StrEnum):
    """By what a rule counts."""

    MORE_THAN = "imageCountMoreThan"
    PUSHED = "sinceImagePushed"
    PULLED = "sinceImagePulled"
    TRANSITIONED = "sinceImageTransitioned"


class Storage(StrEnum):
    """The storage class that a rule looks into."""

    STANDARD = "standard"
    ARCHIVE = "archive"


class Action(StrEnum):
    """What becomes of an image."""

    EXPIRE = "expire"
    TRANSITION = "transition"


class Rule(Struct, frozen=True):
    """One rule. `entries` are patterns, or prefixes where `are_prefixes`; empty unless `tag_status` is TAGGED.

    `number` is a count of images or of days. The action is `expire` unless it is stated.
    """

    priority: int
    tag_status: TagStatus
    count_type: CountType
    number: int
    entries: tuple[str, ...] = ()
    are_prefixes: bool = False
    action: Action = Action.EXPIRE
    storage: Storage = Storage.STANDARD
    description: str | None = None

    @property
    def patterns(self) -> tuple[str, ...] | None:
        """Its entries as patterns; None where a prefix holds an asterisk, which a pattern can't say literally."""
        if not self.are_prefixes:
            return self.entries
        if any("*" in entry for entry in self.entries):
            return None
        return tuple(f"{entry}*" for entry in self.entries)

    @property
    def selection(self) -> str:
        """Which images it selects, for people: `tagged prod*`, `untagged`, `any archived`."""
        words = self.tag_status.value
        if self.entries:
            ending = "..." if self.are_prefixes else ""
            words += " " + " and ".join(f"{entry}{ending}" for entry in self.entries)
        return f"{words} archived" if self.storage is Storage.ARCHIVE else words

    @property
    def condition(self) -> str:
        """What it counts, for people: `more than 10 images`, `pushed more than 14 days ago`."""
        if self.count_type is CountType.MORE_THAN:
            return f"more than {counted(self.number, 'image')}"
        verb = {CountType.PUSHED: "pushed", CountType.PULLED: "not pulled for", CountType.TRANSITIONED: "archived"}
        ending = "" if self.count_type is CountType.PULLED else " ago"
        return f"{verb[self.count_type]} more than {counted(self.number, 'day')}{ending}"

    def __str__(self) -> str:
        return f"rule {self.priority} ({self.selection}, {self.condition}: {self.action})"


class LifecyclePolicy(Struct, frozen=True):
    """The rules in the order of their priority."""

    rules: tuple[Rule, ...]


def counted(number: int, what: str) -> str:
    """`1 day`, `2 days`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
