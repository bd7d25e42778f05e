"""What AWS's documentation of lifecycle policies leaves open, as switches. docs/lifecycle.md weighs the readings."""

from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import fields, replace


class Restored(StrEnum):
    """What the age of an image counts from that was archived and then restored."""

    ACTIVATED = "activated"
    COUNTS = "counts"
    PUSHED = "pushed"


class Days(StrEnum):
    """What `more than N days ago` means: N times 24 hours, or N midnights (UTC) and one more in between."""

    HOURS = "hours"
    CALENDAR = "calendar"


class Activating(StrEnum):
    """Among which images one counts that is on its way back from the archive."""

    NONE = "none"
    STANDARD = "standard"
    ARCHIVE = "archive"


class Referrers(StrEnum):
    """Whether signatures and the like, images with a subject, are counted and selected like others."""

    COUNTED = "counted"
    IGNORED = "ignored"


class Passes(StrEnum):
    """Whether one evaluation tries again what failed, once the index that stood against it is gone."""

    ONE = "one"
    SETTLED = "settled"


class Assumptions(Struct, frozen=True):
    """One reading of the documentation; the defaults are the likeliest."""

    restored: Restored = Restored.ACTIVATED
    days: Days = Days.HOURS
    activating: Activating = Activating.NONE
    referrers: Referrers = Referrers.COUNTED
    passes: Passes = Passes.ONE

    def others(self) -> list[tuple[str, "Assumptions"]]:
        """Every reading that differs from this one in a single switch, as `days=calendar`."""
        return [
            (f"{field.name}={value}", self.with_(field.name, value))
            for field in fields(Assumptions)
            for value in SWITCHES[field.name]
            if value != getattr(self, field.name)
        ]

    def with_(self, name: str, value: str) -> "Assumptions":
        """The same but for one switch."""
        changed: dict[str, Any] = {name: SWITCHES[name](value)}
        return replace(self, **changed)


SWITCHES: dict[str, type[StrEnum]] = {
    "restored": Restored,
    "days": Days,
    "activating": Activating,
    "referrers": Referrers,
    "passes": Passes,
}


def parse(text: str) -> tuple[str, str]:
    """A switch and its value, from `days=calendar`. Raises ValueError."""
    name, equals, value = text.partition("=")
    if not equals or name not in SWITCHES:
        raise ValueError(f"{text!r} is no switch, such as days=calendar; there are {', '.join(SWITCHES)}")
    if value not in list(SWITCHES[name]):
        raise ValueError(f"{text!r}: {name} is one of {', '.join(SWITCHES[name])}")
    return name, value
