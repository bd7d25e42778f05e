"""What `explain` says of an image: right in every case, and of use to somebody at three in the morning."""

from collections import defaultdict
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_ecr_gc.inventory import Image, Inventory, Status, newest_first
from aws_ecr_gc.plan import Leftover, Verdict
from aws_ecr_gc.policy import Keep, Match, Policy, Rule, Signatures, make_plan, turning
from aws_ecr_gc.policy.explaining import Explanation, RuleView, explain
from aws_ecr_gc.policy.rules import RESERVED_NAMES
from aws_ecr_gc.policy.turning import changes
from aws_ecr_gc.report import explanations
from tests.conftest import FULL
from tests.policy.cases import ALL, DAY, HOUR, NOTHING, image, rule
from tests.policy.repositories import INDEX, MANIFEST, NOW, REPOSITORY, UNKNOWN, digest, images, inventories, policies
from tests.policy.repositories import inventory_of as inventory

BUILDS = rule(Match(prefix=("build-",)), Keep(newest=2), name="builds")
FEWER = settings(max_examples=1000 if FULL else 60)


class Said:
    """The explanation of one image, as people read it."""

    def __init__(self, there: Sequence[Image], name: str, *rules: Rule, now: float = NOW, **fields: object) -> None:
        leftovers = fields.pop("leftovers", ())
        policy = Policy(rules, **{"grace": 0.0, "name": "p.yaml: policies[0]", **fields})  # type: ignore[arg-type]
        explained = explain(inventory(there), policy, now, digest(name), leftovers)  # type: ignore[arg-type]
        self.explained = explained
        self.to_change = list(changes(explained, policy))
        self.lines = list(explanations.lines(f"web@{name}", policy.name, explained, self.to_change))
        encoded = msgspec.json.encode(explanations.part(REPOSITORY, policy.name, explained, self.to_change, "tool"))
        assert msgspec.json.decode(encoded)["to_change"] == self.to_change

    @property
    def verdict(self) -> Verdict:
        return self.explained.decision.verdict

    def under(self, heading: str) -> list[str]:
        """The lines below a heading, without their indent."""
        start = next(at for at, line in enumerate(self.lines) if line.startswith(heading)) + 1
        below = self.lines[start:]
        end = next((at for at, line in enumerate(below) if not line.startswith("  ")), len(below))
        return [line[2:] for line in below[:end]]

    @property
    def reasons(self) -> list[str]:
        return self.under("Reasons")


def builds(count: int) -> list[Image]:
    """The images a, b, c and so on, newest first, each pushed a day after the next."""
    return [image(name, f"build-{name}", ago=(2 + at) * DAY) for at, name in enumerate("abcdefghij"[:count])]


def test_the_whole_text_of_an_image_that_goes() -> None:
    said = Said(builds(5), "d", BUILDS)
    assert said.lines == [
        "web@d goes",
        f"  {digest('d')}",
        "  pushed 2017-07-09 02:40:00, no pull on record",
        "  ACTIVE, 0 bytes",
        "  tags: build-d",
        f"  {MANIFEST}",
        "Policy: p.yaml: policies[0]",
        "Reasons",
        "  builds: 4th of 5; not kept by newest 2",
        "Rules",
        "  builds (keep newest 2)",
        "    matches build-d",
        "    4th of 5",
        "      newest 2: not kept, it is the 4th",
        "It would stay if any of this were so",
        "  rule builds keeps newest 4 or more",
        "  it gets a tag that no rule matches, or its tag or digest is protected",
    ]


def test_an_image_that_stays_by_its_place_says_how_many_newer_ones_push_it_out() -> None:
    assert Said(builds(5), "b", BUILDS).under("It can go") == ["rule builds: a newer image comes"]
    assert Said(builds(5), "a", BUILDS).under("It can go") == ["rule builds: 2 newer images come"]
    assert not make_plan(inventory(builds(2)), Policy((BUILDS,), grace=0.0), NOW).steps


def test_a_calendar_says_whether_a_newer_image_stands_for_the_period_or_newer_periods_took_the_places() -> None:
    keep = Keep(periods=(("daily", 2), ("weekly", 1)), within=(("daily", 9 * DAY),))
    there = [image(name, f"build-{name}", ago=ago) for name, ago in zip("abcd", (0.1, 0.2, DAY, 2 * DAY), strict=True)]
    there.append(image("e", "build-e", ago=90 * DAY))
    said = {name: "\n".join(Said(there, name, rule(ALL, keep)).under("Rules")) for name in "bd"}
    assert "daily 2: not kept, a newer image of 2017-07-14 stands for it" in said["b"]
    assert "daily within 9d: not kept, a newer image of 2017-07-14 stands for it" in said["b"]
    assert "daily 2: not kept, 2 newer days have images" in said["d"]
    assert "weekly 1: not kept, a newer image of 2017-W28 stands for it" in said["d"]


def test_versions_say_which_is_higher() -> None:
    keep = Keep(versions=(("majors", 1), ("minors", 2), ("prereleases", 1)))
    tags = ["v2.1.1", "v2.1.0", "v1.9.0", "v2.0.0-rc.1", "v2.0.0-rc.2", "v2.1.0_other"]
    there = [image(name, tag, ago=number * DAY) for number, (name, tag) in enumerate(zip("abcdef", tags, strict=True))]
    by_version = rule(Match(semver="v{version}"), keep)
    said = {name: "\n".join(Said(there, name, by_version).under("Rules")) for name in "bcdf"}
    assert "majors 1: not kept, another of 2 is higher" in said["b"]
    assert "minors 2: not kept, another of 2.1 is higher" in said["b"]
    assert "prereleases 1: not kept, it is a release" in said["b"]
    assert "majors 1: not kept, it is not among the 1 highest" in said["c"]
    assert "majors 1: not kept, it is a prerelease" in said["d"]
    assert "prereleases 1: not kept, it is not among the 1 highest" in said["d"]
    assert "minors 2: not kept, another of 2.1 is higher" in said["f"]


def test_each_statement_of_a_keep_is_voted_on_by_itself() -> None:
    keep = Keep(
        newest=1, younger_than=3 * DAY, pulled_within=2 * DAY, periods=(("daily", 2),), within=(("daily", DAY),)
    )
    there = [*builds(3), image("d", "build-d", ago=30 * DAY, pulled_at=NOW - HOUR)]
    statements = {
        name: [line.strip() for line in Said(there, name, rule(ALL, keep)).under("Rules") if line.startswith("    ")]
        for name in "bd"
    }
    assert statements["b"] == [
        "newest 1: not kept, it is the 2nd",
        "younger_than 3d: not kept, it was pushed 3d ago",
        "pulled_within 2d: not kept, it was pushed 3d ago, and no pull is on record",
        "daily 2: kept, the newest of 2017-07-11",
        "daily within 1d: not kept, it is older than that, seen from the newest",
    ]
    assert statements["d"][2] == "pulled_within 2d: kept"
    pulled = "it is not pulled until 2017-07-16 01:40:00 UTC"
    assert Said(there, "d", rule(ALL, keep)).to_change == [f"rule rule: {pulled}"]


def test_what_every_kind_of_keep_says_in_its_reason_and_what_ends_it() -> None:
    there = [image("a", "v1.2.3", ago=3 * DAY), image("b", "v1.2.4", ago=4 * DAY), image("c", "v2.0.0", ago=5 * DAY)]
    versions = rule(Match(semver="v{version}"), Keep(versions=(("minors", 2),)))
    assert Said(there, "b", versions).reasons == ["rule: 2nd of 3; kept by minors 2: the highest of 1.2"]
    assert Said(there, "b", versions).to_change == ["rule rule: higher versions take its place in minors 2"]
    assert Said(there, "a", versions).reasons == ["rule: 1st of 3; not kept by minors 2"]
    young = rule(ALL, Keep(younger_than=4 * DAY))
    assert Said(there, "a", young).reasons == ["rule: 1st of 3; kept by younger_than 4d"]
    assert Said(there, "a", young).to_change == [
        "rule rule: it is not younger than that from 2017-07-15 02:40:00 UTC on"
    ]
    assert not make_plan(inventory([there[0]]), Policy((young,), grace=0.0), NOW + DAY - 1).steps
    assert make_plan(inventory([there[0]]), Policy((young,), grace=0.0), NOW + DAY).steps
    weekly = rule(ALL, Keep(periods=(("weekly", 1),)))
    assert Said(there, "a", weekly).to_change == ["rule rule: newer images take its place in weekly 1"]
    within = rule(ALL, Keep(within=(("monthly", 40 * DAY),)))
    assert Said(there, "a", within).to_change == ["rule rule: newer images take its place in monthly within 40d"]


def test_an_age_that_no_calendar_holds_is_no_trouble() -> None:
    ever = rule(ALL, Keep(younger_than=999_999 * 7 * DAY, pulled_within=999_999 * 7 * DAY))
    said = Said(builds(1), "a", ever, grace=999_999 * 7 * DAY)
    assert said.verdict is Verdict.RETAINED
    assert len(said.to_change) == 2


def test_each_stream_of_a_rule_is_counted_by_itself_and_told_once() -> None:
    by_kind = rule(Match(regex=("(?P<kind>[a-z]+)-.*",)), Keep(younger_than=9 * DAY), "kind", name="kinds")
    there = [
        image("a", "web-1", ago=DAY),
        image("b", "web-2", "api-2", ago=2 * DAY),
        image("c", "api-3", ago=1.5 * DAY),
    ]
    said = Said(there, "b", by_kind)
    assert said.reasons == [
        "kinds: 2nd of 2 in web; kept by younger_than 9d",
        "kinds: 2nd of 2 in api; kept by younger_than 9d",
    ]
    assert said.to_change == ["rule kinds: it is not younger than that from 2017-07-21 02:40:00 UTC on"]
    newest = rule(Match(regex=("(?P<kind>[a-z]+)-.*",)), Keep(newest=1), "kind", name="kinds")
    assert Said(there, "b", newest).to_change[:2] == [
        "rule kinds keeps newest 2 or more in web",
        "rule kinds keeps newest 2 or more in api",
    ]


def test_why_a_tag_does_not_match_is_said() -> None:
    there = [image("a", "web-1", artifact_type="application/x.chart")]
    for match, why in (
        (Match(prefix=("build-", "b")), "it does not begin with build- or b"),
        (Match(glob=("api-*",)), "it does not fit the glob api-*"),
        (Match(regex=("[0-9]+",)), "it does not fit the regex [0-9]+"),
        (Match(semver="v{version}"), "it is no semantic version v{version}"),
        (Match(media_type=("*index*",)), f"its media_type {MANIFEST} does not fit *index*"),
        (Match(artifact_type=("*/y",)), "its artifact_type application/x.chart does not fit */y"),
        (Match(untagged=True), "only untagged images are matched"),
        (Match(excepted=Match(glob=("web-*",))), "it is excepted"),
    ):
        said = Said(there, "a", rule(match, Keep(newest=1)))
        assert said.under("Rules")[1:] == [f"  does not match web-1: {why}"]
        assert said.reasons == ["unmatched-tag: it has a tag that no rule matches (web-1)"]
        assert said.to_change == ["a rule matches web-1, or that tag is taken off it"]
    loose = [image("a")]
    for match, why in (
        (Match(prefix=("",)), "a tag is asked for"),
        (Match(media_type=("*index*",)), f"its media_type {MANIFEST} does not fit *index*"),
        (Match(excepted=Match(media_type=("*",))), "it is excepted"),
    ):
        said = Said(loose, "a", rule(match, Keep(newest=1)))
        assert said.under("Rules")[1:] == [f"  does not match the lack of a tag: {why}"]
        assert said.reasons == ["no-untagged-rule: no rule matches untagged images"]
        assert said.to_change == ["a rule matches untagged images"]


def test_every_unmatched_and_every_protected_tag_is_named() -> None:
    there = [image("a", "build-a", "x", "y", "latest", "prod-1", ago=DAY)]
    said = Said(there, "a", rule(Match(glob=("build-*", "latest", "prod-*"))), protect_tags=("latest", "prod-*"))
    assert said.to_change == [
        "protect no longer names latest, prod-1",
        "a rule matches x, y, or those tags are taken off it",
    ]
    many = Said([image("a", *(f"x{number}" for number in range(9)))], "a", BUILDS)
    assert many.to_change == ["a rule matches x0, x1, x2, x3, x4 and 4 more, or those tags are taken off it"]


def test_protection_and_grace_are_named_beside_the_rules() -> None:
    there = [*builds(4), image("z", "build-z", ago=600)]
    settings: dict[str, Any] = {
        "protect_tags": ("build-d",),
        "protect_digests": frozenset({digest("c")}),
        "grace": HOUR,
    }
    assert Said(there, "d", BUILDS, **settings).reasons == ["protected-tag: a protected tag (build-d)"]
    assert Said(there, "c", BUILDS, **settings).reasons == ["protected-digest: its digest is protected"]
    assert Said(there, "c", BUILDS, **settings).to_change == ["protect no longer names its digest"]
    young = Said(there, "z", BUILDS, **settings)
    assert young.reasons == ["grace: pushed less than 1h ago", "builds: 1st of 5; kept by newest 2"]
    assert young.to_change[0] == "it is older than the grace, from 2017-07-14 03:30:00 UTC on"


def test_protected_images_take_a_place_and_it_is_seen() -> None:
    said = Said(builds(4), "c", BUILDS, protect_tags=("build-[ab]",))
    assert said.reasons == ["builds: 3rd of 4; not kept by newest 2"]


def test_a_child_is_held_by_each_index_that_stays_and_all_of_them_are_named() -> None:
    there = [
        image("c", ago=9 * DAY),
        image("i", "build-i", children="c", ago=2 * DAY),
        image("j", "release-j", children="c", ago=3 * DAY),
    ]
    said = Said(there, "c", BUILDS)
    assert said.lines[0] == "web@c stays, for something that stays needs it"
    assert said.reasons[0].startswith("child-of-index: an index that stays lists it (sha256:")
    assert said.under("Related") == [
        f"an index that lists it, which stays: {digest('i')} [build-i]",
        f"an index that lists it, which stays: {digest('j')} [release-j]",
    ]
    assert sorted(said.to_change) == sorted([f"{digest('i')} goes", f"{digest('j')} goes"])
    index = Said(there, "i", BUILDS)
    assert index.under("Related") == [f"its child, which stays: {digest('c')} []"]


def test_a_tagged_child_counts_only_once_its_index_is_gone() -> None:
    there = [image("c", "build-c", ago=9 * DAY), image("i", "build-i", children="c", ago=2 * DAY)]
    said = Said(there, "c", BUILDS)
    assert said.under("Rules")[-1] == "  not counted: it follows an index or a subject and takes no place of its own"
    assert said.to_change == [f"{digest('i')} goes", "no rule keeps it by its own tags, which count then"]
    gone = Said(there, "c", rule(Match(prefix=("build-",)), NOTHING))
    assert gone.reasons == [
        "rule: 2nd of 2; keep none",
        f"goes-with-index: an index that lists it goes ({digest('i')})",
    ]
    assert gone.to_change[0] == f"{digest('i')} stays"


def test_an_image_that_a_rule_keeps_and_an_index_holds_needs_both_to_change() -> None:
    there = [image("s", "build-s", ago=DAY), image("r", "build-r", ago=DAY, subject=digest("s"), pulled_at=NOW)]
    said = Said(there, "r", BUILDS, protect_tags=("build-r",))
    assert said.reasons == ["protected-tag: a protected tag (build-r)"]
    assert said.to_change == ["protect no longer names build-r", f"{digest('s')} goes"]


def test_referrers_and_signatures_say_whom_they_follow() -> None:
    signature = f"sha256-{digest('s')[7:]}.sig"
    there = [
        image("s", "build-s", ago=2 * DAY),
        image("r", ago=DAY, subject=digest("s")),
        image("t", signature, ago=DAY),
    ]
    for name, tags in (("r", ""), ("t", signature)):
        held = Said(there, name, BUILDS)
        assert held.reasons == [f"referrer-of-subject: its subject stays ({digest('s')})"]
        assert held.to_change == [f"{digest('s')} goes"]
        gone = Said(there, name, rule(Match(prefix=("build-",)), NOTHING))
        assert gone.reasons == [f"goes-with-subject: its subject goes ({digest('s')})"]
        assert gone.to_change[0] == f"{digest('s')} stays"
        assert gone.under("Related") == [f"its subject, which goes: {digest('s')} [build-s]"]
        assert f"  tags: {tags or '(none)'}" in gone.lines
    assert Said(there, "t", BUILDS).under("Rules")[2] == (
        f"  does not match {signature}: a signature's tag: it follows {digest('s')}"
    )
    left = Said(there, "t", BUILDS, signatures=Signatures.LEAVE)
    assert left.reasons == [f"unmatched-tag: it has a tag that no rule matches ({signature})"]
    assert left.to_change == [f"a rule matches {signature}, or that tag is taken off it"]


def test_what_follows_a_young_image_saves_what_it_follows() -> None:
    there = [image("s", "build-s", ago=9 * DAY), image("r", ago=60, subject=digest("s"))]
    said = Said(there, "s", rule(ALL, NOTHING), grace=HOUR)
    assert said.reasons == [f"followed: an image that follows it is protected, young, or unmanaged ({digest('r')})"]
    assert said.to_change == [f"{digest('r')} is no longer protected, young, or unmanaged"]


def test_a_referrer_without_its_subject_is_said_to_be_one() -> None:
    untagged = rule(Match(untagged=True), Keep(younger_than=HOUR), name="untagged")
    said = Said([image("r", subject=digest("gone"))], "r", untagged)
    assert said.reasons[-1] == f"subject-gone: a referrer whose subject is gone ({digest('gone')})"
    assert said.to_change[0] == "rule untagged keeps younger_than 5d or more"


def test_what_an_interrupted_run_left_over_is_said() -> None:
    leftover = Leftover(digest("c"), (), NOW - 9 * DAY, (digest("gone"),))
    said = Said([image("c", ago=9 * DAY)], "c", BUILDS, leftovers=[leftover])
    assert said.lines[0] == "web@c goes"
    assert said.reasons == [f"left-over: an interrupted run deleted what it went with ({digest('gone')})"]


@pytest.mark.parametrize(
    ("fields", "reason", "change"),
    [
        ({"status": Status.ARCHIVED}, "archived: archived images are left alone", "it is restored from the archive"),
        ({"status": Status.ACTIVATING}, "activating: it is being restored from the archive", "it is active again"),
        (
            {"media_type": UNKNOWN},
            "unknown-media-type: its media type is not known",
            "a version of aws-ecr-gc knows its media type",
        ),
        ({"media_type": None}, "unknown-media-type: its media type is not known", "a version of aws-ecr-gc knows"),
    ],
)
def test_what_is_left_alone_says_why(fields: dict[str, object], reason: str, change: str) -> None:
    said = Said([image("a", "build-a", **fields)], "a", rule(ALL, NOTHING))  # type: ignore[arg-type]
    assert said.lines[0] == "web@a stays"
    assert said.reasons == [reason]
    assert said.to_change[0].startswith(change)
    assert "None" not in "\n".join(said.lines)
    if "status" in fields:
        assert said.under("Rules")[-1] == f"  not counted: it is {fields['status']} and takes no place"


def test_untagged_images_beside_an_unread_archived_index_say_so() -> None:
    index = image("i", "x", status=Status.ARCHIVED, media_type=INDEX)
    there = [image("c"), msgspec.structs.replace(index, children=None)]
    said = Said(there, "c", rule(ALL, NOTHING))
    assert said.reasons == ["unread-archived-index: an archived index can't be read; this may be one of its children"]
    assert said.to_change == ["the archived index is restored, or goes"]


def test_images_that_wait_for_one_another_say_so() -> None:
    there = [image("c", subject=digest("i"), ago=DAY), image("i", "x", children="c", subject=digest("c"), ago=DAY)]
    said = Said(there, "i", rule(ALL, NOTHING))
    assert said.reasons[0].startswith("circle: ")
    assert said.to_change[0] == "one of the images that wait for one another is deleted by hand"


def test_an_image_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        explain(inventory(builds(1)), Policy((BUILDS,)), NOW, digest("nope"))


def explained(there: Inventory, policy: Policy) -> dict[str, Explanation]:
    return {each: explain(there, policy, NOW, each) for each in there.images}


@FEWER
@given(inventories, policies)
def test_every_explanation_agrees_with_the_plan_and_says_what_would_turn_it(there: Inventory, policy: Policy) -> None:
    plan = make_plan(there, policy, NOW)
    for decision in plan.decisions:
        said = explain(there, policy, NOW, decision.image.digest)
        assert said.decision == decision
        to_change = list(changes(said, policy))
        assert to_change
        assert all(to_change)
        assert len(set(to_change)) == len(to_change)
        first, *_ = explanations.lines("web:x", "p", said, to_change)
        assert first.startswith("web:x goes") is (decision.verdict is Verdict.COLLECTED)
        for each in said.relatives:
            assert each.digest in there.images


@FEWER
@given(inventories, policies)
def test_the_places_of_a_stream_are_numbered_from_1_newest_first(there: Inventory, policy: Policy) -> None:
    said = explained(there, policy)
    streams: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)
    sizes: dict[tuple[str, str], set[int]] = defaultdict(set)
    for name, each in said.items():
        for view in each.rules:
            matched = any(tag.matched for tag in view.tags)
            assert matched or not view.places
            assert (view.aside is not None) is (matched and not view.places)
            for place in view.places:
                assert place.place not in streams[view.rule, place.stream]
                streams[view.rule, place.stream][place.place] = name
                sizes[view.rule, place.stream].add(place.of)
    order = {image.digest: at for at, image in enumerate(newest_first(there.images.values()))}
    for stream, members in streams.items():
        assert sizes[stream] == {len(members)}
        assert sorted(members) == list(range(1, len(members) + 1))
        positions = [order[members[place]] for place in sorted(members)]
        assert positions == sorted(positions)


plain_images = images(archived=False).map(
    lambda made: [
        msgspec.structs.replace(each, children=(), subject=None, media_type=MANIFEST, tags=tuple(map(plain, each.tags)))
        for each in made
    ]
)


def plain(tag: str) -> str:
    return tag.replace("sha256-", "other-")


def matches(match: Match, tag: str | None) -> bool:
    """As the rules of `repositories` without regexes and versions say it, in other words."""
    if match.untagged or tag is None:
        return tag is None and not match.prefix and not match.glob
    if match.prefix and not any(tag.startswith(prefix) for prefix in match.prefix):
        return False
    return not match.glob or any(fnmatchcase(tag, glob) for glob in match.glob)


simple_rules = st.lists(
    st.builds(
        Rule,
        name=st.sampled_from("abc"),
        match=st.sampled_from([ALL, Match(prefix=("build",)), Match(glob=("*-1*", "v*")), Match(untagged=True)]),
        keep=st.builds(Keep, newest=st.integers(0, 4), younger_than=st.none() | st.just(2 * HOUR)),
    ),
    max_size=3,
    unique_by=lambda each: each.name,
).map(tuple)


@FEWER
@given(plain_images, simple_rules)
def test_positions_agree_with_an_independent_count(made: list[Image], rules: tuple[Rule, ...]) -> None:
    ordered = sorted(made, key=lambda each: (-each.pushed_at, each.digest))
    for name, each in explained(inventory(made), Policy(rules, grace=0.0)).items():
        tags: tuple[str | None, ...] = each.decision.image.tags or (None,)
        for rule_, view in zip(rules, each.rules, strict=True):
            counted = [i.digest for i in ordered if any(matches(rule_.match, tag) for tag in i.tags or (None,))]
            assert [tag.matched for tag in view.tags] == [matches(rule_.match, tag) for tag in tags]
            expected = [(counted.index(name) + 1, len(counted))] if name in counted else []
            assert [(place.place, place.of) for place in view.places] == expected
            retained = _kept(rule_.keep, each.decision.image, expected)
            assert _retains(view) == retained


def _kept(keep: Keep, image: Image, place: list[tuple[int, int]]) -> set[str]:
    kept = {f"newest {keep.newest}"} if place and place[0][0] <= keep.newest else set()
    since = max(image.pushed_at, image.activated_at or 0)
    if place and keep.younger_than is not None and since > NOW - keep.younger_than:
        kept.add("younger_than 2h")
    return kept


def _retains(view: RuleView) -> set[str]:
    return {each.statement for place in view.places for each in place.statements if each.retains}


@FEWER
@given(inventories, policies)
def test_what_is_said_to_keep_an_image_that_goes_does_keep_it(there: Inventory, policy: Policy) -> None:
    for decision in make_plan(there, policy, NOW).decisions:
        if decision.verdict is not Verdict.COLLECTED:
            continue
        name = decision.image.digest
        said = explain(there, policy, NOW, name)
        safe = [msgspec.structs.replace(policy, protect_digests=policy.protect_digests | {name})]
        for reason in decision.reasons:
            if reason.rule in {"goes-with-index", "goes-with-subject"}:
                assert reason.via is not None
                digests = policy.protect_digests | {reason.via}
                safe.append(msgspec.structs.replace(policy, protect_digests=digests))
        for at, view in enumerate(said.rules):
            for place in view.places:
                more = msgspec.structs.replace(policy.rules[at].keep, newest=place.place)
                changed = msgspec.structs.replace(policy.rules[at], keep=more)
                rules = (*policy.rules[:at], changed, *policy.rules[at + 1 :])
                safe.append(msgspec.structs.replace(policy, rules=rules))
        for each in safe:
            assert name not in {step.digest for step in make_plan(there, each, NOW).steps}


@FEWER
@given(inventories, policies)
def test_what_stays_names_everything_that_must_go_before_it(there: Inventory, policy: Policy) -> None:
    gone = {step.digest for step in make_plan(there, policy, NOW).steps}
    for name, said in explained(there, policy).items():
        if name in gone:
            continue
        image = there.images[name]
        needed = {each.digest for each in there.images.values() if name in (each.children or ())} - gone
        needed |= {image.subject or ""} & there.images.keys() - gone
        assert {f"{each} goes" for each in needed} <= set(changes(said, policy))


def test_every_reason_that_is_no_rules_says_what_would_turn_it() -> None:
    """But for those of what goes, and of what is held, which name what must change themselves."""
    held = {"child-of-index", "referrer-of-subject"}
    goes = {"goes-with-index", "goes-with-subject", "left-over", "subject-gone", "no-policy"}
    assert set(turning._OWN) == RESERVED_NAMES - held - goes
