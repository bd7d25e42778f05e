"""The policies that are planned with: by prefix alone, and ten rules that use every kind of match and of keep."""

from aws_ecr_gc.policy import Keep, Match, Policy, Rule, original_policy

_DAY = 86400.0

_TEN = (
    Rule(
        "streams with ages",
        Match(regex=(r"build-(?P<shard>[0-9a-f]).*",)),
        Keep(newest=3, younger_than=7 * _DAY, pulled_within=14 * _DAY),
        ("shard",),
    ),
    Rule(
        "many streams, with an exception",
        Match(regex=(r"(?P<branch>main)-(?P<shard>[0-9a-f]{2}).*",), excepted=Match(glob=("*-hotfix-*",))),
        Keep(newest=3),
        ("branch", "shard"),
    ),
    Rule(
        "calendar",
        Match(glob=("main-*",)),
        Keep(
            newest=2,
            periods=(("hourly", 24), ("daily", 30), ("weekly", 10), ("monthly", 36), ("yearly", 5)),
            timezone="Europe/Berlin",
        ),
    ),
    Rule(
        "windows",
        Match(prefix=("main-",)),
        Keep(within=(("daily", 30 * _DAY), ("weekly", 365 * _DAY)), timezone="Pacific/Chatham"),
    ),
    Rule(
        "versions",
        Match(semver="v{version}"),
        Keep(versions=(("majors", 2), ("minors", 30), ("patches", 100), ("prereleases", 1))),
    ),
    Rule("prefix", Match(prefix=("release",)), Keep(newest=4)),
    Rule("media type", Match(media_type=("*index*",)), Keep(newest=4)),
    Rule("regex without streams", Match(regex=(r"main-[0-7].*",)), Keep(younger_than=300 * _DAY)),
    Rule("globs and pulls", Match(glob=("v1.1*", "v1.2*")), Keep(pulled_within=300 * _DAY)),
    Rule("untagged", Match(untagged=True), Keep(younger_than=_DAY)),
)


def by_prefix(keeps: list[str]) -> Policy:
    """PREFIX=N, and untagged images, as on the command line."""
    counts = {prefix: int(number) for prefix, _, number in (keep.partition("=") for keep in keeps)}
    return original_policy(counts, delete_untagged=True)


def ten_rules() -> Policy:
    """Ten rules over the tags of `rows`; a protected glob and the grace besides."""
    return Policy(_TEN, protect_tags=("latest", "prod-*"))
