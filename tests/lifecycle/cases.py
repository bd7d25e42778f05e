"""Generated policies, repositories and readings of what the documentation leaves open."""

from typing import Any, Literal

from hypothesis import strategies as st

from aws_ecr_gc.sandbox import Behaviour
from tests.lifecycle.worlds import ARCHIVE, DAY, EXPIRE, Spec, rule

_TAGS = ("prod-1", "prod-2", "prod", "beta-1", "beta-2", "alpha-prod-1", "latest", "v1.0", "sha256-ab.sig", "x*y")
_ENTRIES = ("prod*", "*prod*", "beta*", "prod", "*", "*-1", "p*d*1", "latest", "sha256-*", "v*.0", "*a*a*")
_PREFIXES = ("prod", "beta", "alpha", "v", "sha256-", "", "x*")
_AGES = (0.0, 0.5, 1.0, 1 + 0.001 / DAY, 1 - 0.001 / DAY, 2.0, 2.5, 3.0, 5.0, 7.0, 7 + 1 / DAY, 20.0, 120.0, -0.1)
_DAYS = (1, 2, 3, 6)

_RESTORED: list[Literal["activated", "counts", "pushed"]] = ["activated", "counts", "pushed"]
_LENGTHS: list[Literal["hours", "calendar"]] = ["hours", "calendar"]
_CLASSES: list[Literal["none", "standard", "archive"]] = ["none", "standard", "archive"]

Reading = tuple[Behaviour, tuple[str, ...]]


@st.composite
def policies(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Valid ones of one to five rules, their priorities in no order."""
    priorities = draw(st.lists(st.integers(1, 9), min_size=1, max_size=5, unique=True))
    made: list[dict[str, Any]] = []
    lists: set[tuple[bool, tuple[str, ...], bool]] = set()
    last = sorted(priorities)
    taken: set[tuple[str, bool]] = set()
    for priority in sorted(priorities):
        archived = draw(st.integers(0, 3)) == 0
        kinds = ["tagged", "tagged"]
        if ("untagged", archived) not in taken and ("any", archived) not in taken:
            kinds.append("untagged")
        if ("any", archived) in taken:
            continue  # nothing may come behind it
        if priority == last[-1] or draw(st.integers(0, 5)) == 0:
            kinds.append("any")
        kind = draw(st.sampled_from(kinds))
        taken.add((kind, archived))
        count = "archived" if archived else draw(st.sampled_from(["more", "pushed", "pulled"]))
        number = draw(st.sampled_from([90, 100, 119]) if archived else st.sampled_from(_DAYS))
        action = EXPIRE if archived else ARCHIVE if count == "pulled" else draw(st.sampled_from([EXPIRE, ARCHIVE]))
        if kind != "tagged":
            made.append(rule(priority, kind, count, number, action=action))
            continue
        prefixes = draw(st.booleans())
        entries = draw(
            st.lists(st.sampled_from(_PREFIXES if prefixes else _ENTRIES), min_size=1, max_size=2, unique=True)
        )
        key = prefixes, tuple(sorted(entries)), archived
        if key not in lists:
            lists.add(key)
            made.append(rule(priority, entries, count, number, action=action, prefixes=prefixes))
    return draw(st.permutations(made))


@st.composite
def repositories(draw: st.DrawFn) -> list[Spec]:
    """Up to a dozen images in push order: indexes that nest and share, referrers of referrers, the archive, ties."""
    free = list(draw(st.permutations(_TAGS)))
    ages = sorted((draw(st.sampled_from(_AGES)) for _ in range(draw(st.integers(0, 12)))), reverse=True)
    if draw(st.integers(0, 3)) == 0:
        ages = list(draw(st.permutations(ages)))
    made: list[Spec] = []
    for number, age in enumerate(ages):
        earlier = [spec.name for spec in made]
        kind = draw(st.sampled_from(["image", "image", "image", "index", "referrer"]))
        children = (
            tuple(draw(st.lists(st.sampled_from(earlier), max_size=3, unique=True)))
            if kind == "index" and earlier
            else ()
        )
        subject = draw(st.sampled_from(earlier)) if kind == "referrer" and earlier else None
        status = draw(st.sampled_from(["ACTIVE"] * 8 + ["ARCHIVED", "ACTIVATING"]))
        made.append(
            Spec(
                f"i{number}",
                tuple(free.pop() for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2, 3]))) if free),
                age,
                children,
                subject,
                draw(st.sampled_from([None, None, 0.0, 1.0, 6.5, 8.0])),
                status,
                draw(st.sampled_from([89.5, 90.0, 100.5, 119.0, 200.0])) if status != "ACTIVE" else None,
                draw(st.sampled_from([None, None, None, 0.5, 2.0, 6.0])),
            )
        )
    return made


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    """The same reading as switches of the stand-in and of the simulator."""
    restored = draw(st.sampled_from(_RESTORED))
    days = draw(st.sampled_from(_LENGTHS))
    activating = draw(st.sampled_from(_CLASSES))
    referrers, settles = draw(st.booleans()), draw(st.booleans())
    behaviour = Behaviour(
        restored_age=restored,
        lifecycle_days=days,
        activating_class=activating,
        lifecycle_takes_referrers=referrers,
        lifecycle_settles=settles,
    )
    switches = (
        f"restored={restored}",
        f"days={days}",
        f"activating={activating}",
        f"referrers={'counted' if referrers else 'ignored'}",
        f"passes={'settled' if settles else 'one'}",
    )
    return behaviour, switches
