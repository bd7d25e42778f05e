"""What the cases of the rule kinds share: images with names of one letter, and what a policy makes of them."""

from collections.abc import Sequence
from string import ascii_lowercase

from aws_ecr_gc.inventory import Image
from aws_ecr_gc.plan import Decision, Plan, Reason
from aws_ecr_gc.policy import Keep, Match, Policy, Rule, make_plan
from tests.policy.repositories import INDEX, MANIFEST, NOW, digest, inventory_of

HOUR = 3600.0
DAY = 24 * HOUR
ALL = Match()
NOTHING = Keep()

_NAMES = {digest(name): name for name in ascii_lowercase}


def image(name: str, *tags: str, ago: float = 100 * HOUR, children: str = "", **fields: object) -> Image:
    """An image by its letter, an index if it has children (by their letters); `ago` is in seconds before NOW."""
    settings = {"media_type": INDEX if children else MANIFEST, "pushed_at": NOW - ago, **fields}
    return Image(
        digest=digest(name),
        tags=tags,
        children=tuple(digest(child) for child in children),
        **settings,  # type: ignore[arg-type]  # any other field of Image
    )


def rule(match: Match, keep: Keep = NOTHING, *group_by: str, name: str = "rule") -> Rule:
    return Rule(name, match, keep, group_by)


def plan(images: Sequence[Image], *rules: Rule, now: float = NOW, **settings: object) -> Plan:
    """The plan of a policy without grace."""
    policy = Policy(rules, **{"grace": 0.0, **settings})  # type: ignore[arg-type]  # any other field of Policy
    return make_plan(inventory_of(images), policy, now)


def going(images: Sequence[Image], *rules: Rule, now: float = NOW, **settings: object) -> str:
    """The letters of what is collected, in alphabetical order."""
    return "".join(sorted(_NAMES[step.digest] for step in plan(images, *rules, now=now, **settings).steps))


def decision(images: Sequence[Image], name: str, *rules: Rule, now: float = NOW, **settings: object) -> Decision:
    found = [each for each in plan(images, *rules, now=now, **settings).decisions if each.image.digest == digest(name)]
    assert len(found) == 1
    return found[0]


def reasons(images: Sequence[Image], name: str, *rules: Rule, **settings: object) -> tuple[Reason, ...]:
    return decision(images, name, *rules, **settings).reasons  # type: ignore[arg-type]  # `now` is one of them


def details(images: Sequence[Image], name: str, *rules: Rule, **settings: object) -> list[str]:
    return [reason.detail for reason in reasons(images, name, *rules, **settings)]
