"""Which images a rule is about, and which of them count among one another."""

import pytest

from aws_ecr_gc.inventory import Status
from aws_ecr_gc.policy import Keep, Match
from aws_ecr_gc.policy.regular import check
from tests.policy.cases import ALL, HOUR, details, going, image, reasons, rule
from tests.policy.repositories import INDEX, MANIFEST

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
HELM = "application/vnd.cncf.helm.config.v1+json"


def managed(match: Match, *tags: str, **fields: object) -> bool:
    """Whether a rule that keeps nothing collects the image: whether its match takes every tag, or the lack of tags."""
    return going([image("a", *tags, **fields)], rule(match)) == "a"  # type: ignore[arg-type]  # any field of Image


def test_of_several_prefixes_one_is_enough() -> None:
    match = Match(prefix=("build-", "test"))
    assert managed(match, "build-1")
    assert managed(match, "test")
    assert not managed(match, "build")
    assert not managed(match, "a-build-1")
    assert not managed(match, "Build-1")


def test_an_empty_prefix_takes_every_tag_and_no_untagged_image() -> None:
    assert managed(Match(prefix=("",)), "x")
    assert not managed(Match(prefix=("",)))


def test_a_glob_matches_the_whole_tag_and_of_several_one_is_enough() -> None:
    match = Match(glob=("nightly-*", "edge"))
    assert managed(match, "nightly-1")
    assert managed(match, "edge")
    assert not managed(match, "edge-1")
    assert not managed(match, "my-nightly-1")
    assert not managed(match, "Edge")


def test_a_regex_matches_the_whole_tag_and_of_several_one_is_enough() -> None:
    match = Match(regex=("[0-9a-f]{7}", "pr|pr-[0-9]+"))
    assert managed(match, "0123abc")
    assert managed(match, "pr")
    assert managed(match, "pr-12")
    assert not managed(match, "0123abcd")
    assert not managed(match, "x0123abc")
    assert not managed(match, "pr-")
    assert managed(Match(regex=("^pr$",)), "pr")


def test_several_statements_must_all_hold_for_the_same_tag() -> None:
    match = Match(prefix=("build-",), glob=("*-amd64",), regex=(".*-[0-9]-.*",))
    assert managed(match, "build-1-amd64")
    for tag in ("build-1-x", "a-1-amd64", "build-x-amd64"):
        assert not managed(match, tag)
    assert not managed(match, "build-1-x", "a-1-amd64")
    versions = Match(prefix=("v1.", "v2."), semver="v{version}")
    assert managed(versions, "v1.2.3")
    assert not managed(versions, "v3.0.0")
    assert not managed(versions, "v1.2")


def test_each_kind_of_statement_narrows_each_other() -> None:
    images = [image(name, tag) for name, tag in zip("abcd", ("v1.0.0", "v1.0.1", "w1.0.0", "v1.0.x"), strict=True)]
    assert going(images, rule(Match(regex=("v.*",), glob=("*.[0x]",)))) == "ad"
    assert going(images, rule(Match(regex=("v.*",), semver="v{version}"))) == "ab"
    assert going(images, rule(Match(glob=("*0",), semver="v{version}"))) == "a"
    assert going(images, rule(Match(prefix=("w", "v1.0.x"), regex=(".1.0.0", "v.*x")))) == "cd"


def test_every_tag_may_be_matched_by_a_rule_of_its_own() -> None:
    images = [image("a", "build-1", "v1.0.0")]
    assert going(images, rule(Match(prefix=("build",))), rule(Match(semver="v{version}"))) == "a"
    assert going(images, rule(Match(prefix=("build",)))) == ""


def test_an_image_with_one_unmatched_tag_is_not_touched_and_yet_takes_its_place() -> None:
    images = [image("a", "build-1"), image("b", "build-2", "stable", ago=HOUR)]
    keep_one = rule(Match(prefix=("build",)), Keep(newest=1))
    assert going(images, keep_one) == "a"
    assert [(reason.rule, reason.via) for reason in reasons(images, "b", keep_one)] == [
        ("rule", None),
        ("unmatched-tag", "stable"),
    ]


def test_excepted_tags_are_not_matched() -> None:
    match = Match(prefix=("build",), excepted=Match(glob=("*-hotfix-*",)))
    assert managed(match, "build-1")
    assert not managed(match, "build-hotfix-1")
    assert not managed(match, "build-1", "build-hotfix-1")


def test_excepted_takes_everything_that_match_does_and_all_of_it_must_hold() -> None:
    excepted = Match(prefix=("build-",), regex=(".*[0-9]",), media_type=(INDEX,))
    match = Match(glob=("*",), excepted=excepted)
    assert managed(match, "build-1")
    assert managed(match, "build-x", media_type=INDEX)
    assert managed(match, "main-1", media_type=INDEX)
    assert not managed(match, "build-1", media_type=INDEX)
    assert not managed(Match(glob=("*",), excepted=Match(semver="v{version}")), "v1.2.3")


def test_an_excepted_tag_takes_no_place() -> None:
    match = Match(prefix=("build",), excepted=Match(glob=("*-dirty",)))
    images = [image("a", "build-1"), image("b", "build-2-dirty", ago=HOUR)]
    assert going(images, rule(match, Keep(newest=1))) == ""
    assert details(images, "a", rule(match, Keep(newest=1))) == ["1st of 1; kept by newest 1"]


def test_what_is_excepted_from_one_rule_another_may_match() -> None:
    few = rule(Match(prefix=("build",), excepted=Match(glob=("*-rc",))))
    assert going([image("a", "build-1-rc")], few, rule(Match(glob=("*-rc",)))) == "a"


def test_media_types_are_globs_over_the_whole_type() -> None:
    assert managed(Match(media_type=("*docker*",)), "x", media_type=DOCKER)
    assert managed(Match(media_type=("application/*", "nothing")), "x", media_type=MANIFEST)
    assert not managed(Match(media_type=("docker",)), "x", media_type=DOCKER)
    assert not managed(Match(media_type=("*oci*",)), "x", media_type=DOCKER)


def test_an_image_without_an_artifact_type_fits_no_glob_of_artifact_types() -> None:
    assert managed(Match(artifact_type=("*helm*",)), "x", artifact_type=HELM)
    assert not managed(Match(artifact_type=("*helm*",)), "x", artifact_type="other")
    assert not managed(Match(artifact_type=("*",)), "x")
    assert not managed(Match(artifact_type=("*",)))
    assert managed(Match(glob=("*",), excepted=Match(artifact_type=("*",))), "x")


def test_media_and_artifact_type_must_both_hold() -> None:
    match = Match(media_type=("*oci*",), artifact_type=("*helm*",))
    assert managed(match, "x", artifact_type=HELM)
    assert not managed(match, "x", artifact_type=HELM, media_type=DOCKER)
    assert not managed(match, "x")


def test_a_type_narrows_what_the_tags_say() -> None:
    match = Match(prefix=("build",), media_type=(DOCKER,))
    assert managed(match, "build-1", media_type=DOCKER)
    assert not managed(match, "build-1")
    assert not managed(match, "main-1", media_type=DOCKER)


def test_untagged_matches_images_without_tag_only() -> None:
    assert managed(Match(untagged=True))
    assert not managed(Match(untagged=True), "x")
    assert managed(Match(untagged=True, artifact_type=("*helm*",)), artifact_type=HELM)
    assert not managed(Match(untagged=True, artifact_type=("*helm*",)))
    assert not managed(Match(untagged=True, excepted=Match(artifact_type=("*helm*",))), artifact_type=HELM)
    assert managed(Match(untagged=True, excepted=Match(artifact_type=("*helm*",))))


def test_a_match_without_a_word_on_tags_takes_tagged_and_untagged_images() -> None:
    assert managed(ALL)
    assert managed(ALL, "x", "y")
    assert managed(Match(media_type=("*",)))
    images = [image("a", "x"), image("b", ago=HOUR), image("c", "y", ago=2 * HOUR)]
    assert going(images, rule(ALL, Keep(newest=2))) == "a"
    assert details(images, "b", rule(ALL, Keep(newest=2))) == ["1st of 3; kept by newest 2"]


def test_an_exception_with_a_word_on_tags_excepts_no_untagged_image() -> None:
    match = Match(excepted=Match(prefix=("stable",)))
    assert managed(match)
    assert managed(match, "x")
    assert not managed(match, "stable-1")
    assert not managed(Match(excepted=Match(untagged=True)))
    assert managed(Match(excepted=Match(untagged=True)), "x")
    assert not managed(Match(excepted=Match(media_type=("*oci*",))))
    assert not managed(Match(excepted=Match(media_type=("*oci*",))), "x")


def test_a_rule_about_tags_takes_no_untagged_image() -> None:
    for match in (Match(prefix=("",)), Match(glob=("*",)), Match(regex=(".*",)), Match(semver="{version}")):
        assert not managed(match)


def test_an_image_with_two_tags_in_a_rule_counts_once() -> None:
    images = [image("a", "x-1"), image("b", "x-2", "x-3", ago=HOUR)]
    assert going(images, rule(Match(prefix=("x",)), Keep(newest=2))) == ""
    assert details(images, "a", rule(Match(prefix=("x",)), Keep(newest=2))) == ["2nd of 2; kept by newest 2"]


BY_BRANCH = Match(regex=("(?P<service>[a-z]+)-(?P<branch>[a-z]+)-[0-9]+",))


def test_each_combination_of_captures_is_a_stream_that_is_kept_for_itself() -> None:
    tags = {"a": "api-main-1", "b": "api-main-2", "c": "api-dev-1", "d": "web-main-1", "e": "web-main-2"}
    images = [image(name, tag, ago=HOUR * (10 - at)) for at, (name, tag) in enumerate(tags.items())]
    one = Keep(newest=1)
    assert going(images, rule(BY_BRANCH, one, "service", "branch")) == "ad"
    assert going(images, rule(BY_BRANCH, one, "service")) == "abd"
    assert going(images, rule(BY_BRANCH, one, "branch")) == "abd"
    assert going(images, rule(BY_BRANCH, one)) == "abcd"


def test_every_keep_holds_for_each_stream() -> None:
    images = [image("a", "api-main-1"), image("b", "web-main-1", ago=HOUR), image("c", "web-main-2", ago=2 * HOUR)]
    daily = rule(BY_BRANCH, Keep(periods=(("yearly", 1),)), "service")
    assert going(images, daily) == "c"
    assert going(images, rule(BY_BRANCH, Keep(within=(("yearly", HOUR / 2),)), "service")) == "c"


def test_an_image_with_tags_in_two_streams_takes_a_place_in_both_and_stays_for_either() -> None:
    images = [
        image("a", "api-main-1", ago=4 * HOUR),
        image("b", "api-main-2", "api-dev-1", ago=3 * HOUR),
        image("c", "api-main-3", ago=2 * HOUR),
    ]
    assert going(images, rule(BY_BRANCH, Keep(newest=1), "branch")) == "a"
    assert details(images, "b", rule(BY_BRANCH, Keep(newest=1), "branch")) == ["1st of 1 in dev; kept by newest 1"]
    assert going(images, rule(BY_BRANCH, Keep(newest=2), "branch")) == "a"


def test_an_image_that_loses_in_two_streams_says_so_of_both() -> None:
    images = [
        image("a", "api-main-1", "api-dev-1", ago=4 * HOUR),
        image("b", "api-main-2", ago=3 * HOUR),
        image("c", "api-dev-2", ago=2 * HOUR),
    ]
    assert sorted(details(images, "a", rule(BY_BRANCH, Keep(newest=1), "branch"))) == [
        "2nd of 2 in dev; not kept by newest 1",
        "2nd of 2 in main; not kept by newest 1",
    ]


def test_a_group_that_took_no_part_is_a_stream_like_an_empty_capture() -> None:
    match = Match(regex=("(?:(?P<service>[a-z]+)-)?main-(?P<number>[0-9]*)",))
    images = [image("a", "main-1"), image("b", "main-2", ago=HOUR), image("c", "api-main-1", ago=2 * HOUR)]
    assert going(images, rule(match, Keep(newest=1), "service")) == "a"
    both = rule(match, Keep(newest=1), "service", "number")
    assert going([*images, image("d", "main-", ago=3 * HOUR)], both) == ""


def test_a_group_that_took_no_part_and_one_that_captured_nothing_are_the_same_stream() -> None:
    match = Match(regex=("(?:x(?P<number>[0-9]*)-)?main(?P<rest>.*)",))
    images = [image("a", "main"), image("b", "x-main", ago=HOUR), image("c", "x1-main", ago=2 * HOUR)]
    streams = rule(match, Keep(newest=1), "number", "rest")
    assert going(images, streams) == "a"


def test_a_stream_whose_only_capture_is_empty_is_still_named() -> None:
    match = Match(regex=("(?:(?P<service>[a-z]+)-)?main",))
    assert " in ;" not in details([image("a", "main")], "a", rule(match, Keep(newest=1), "service"))[0]


def test_of_several_regexes_with_the_same_groups_the_first_that_matches_says_the_stream() -> None:
    match = Match(regex=("(?P<service>[a-z]+)-[0-9]+", "(?P<service>[a-z]+)/.*|v-(?P<rest>.*)"))
    images = [image("a", "api-1"), image("b", "api/x", ago=HOUR), image("c", "v-x", ago=2 * HOUR)]
    assert going(images, rule(match, Keep(newest=1), "service")) == "a"
    first = Match(regex=("(?P<s>a)x", "(?P<s>ax)"))
    assert "in a;" in details([image("a", "ax")], "a", rule(first, Keep(newest=1), "s"))[0]


def test_archived_images_take_no_place_in_a_stream() -> None:
    images = [
        image("a", "api-main-1"),
        image("b", "api-main-2", ago=HOUR, status=Status.ARCHIVED),
        image("c", "web-main-1", ago=HOUR, status=Status.ACTIVATING),
    ]
    assert going(images, rule(BY_BRANCH, Keep(newest=1), "service")) == ""


def test_an_expression_that_would_take_forever_elsewhere_ends_at_once() -> None:
    tag = "a" * 127 + "!"
    images = [image("a", tag), image("b", "a" * 128)]
    for pattern in ("(a+)+$", "(a|aa)+", "(?P<x>(a|a)*)*(?P<y>a?){50}a{50}"):
        match = Match(regex=(pattern,))
        assert going(images, rule(match)) == "b"
        assert going(images, rule(Match(excepted=match))) == "a"
    grouped = Match(regex=("(?P<x>(a+)+)+(?P<y>.?)",))
    assert going(images, rule(grouped, Keep(newest=1), "y")) == ""


@pytest.mark.parametrize(
    "pattern", ["(?=a)b", "(?!a)b", "(?<=a)b", "(?<!a)b", r"(a)\1", "(?P<x>a)(?P=x)", "(", "[z-a]", "*", "a{2000}"]
)
def test_what_re2_does_not_take_is_refused_with_a_reason(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"\w+ \S+"):
        check(pattern)


def test_the_groups_of_an_expression_are_numbered_by_name() -> None:
    assert dict(check("(?P<a>x)(y)(?:z)(?P<b>w)")) == {"a": 1, "b": 3}
    assert dict(check("x")) == {}


def test_expressions_that_are_sound_one_by_one_can_be_planned_with_together() -> None:
    """Each of these rules passes `policy check`; the engine must not ask more of them together."""
    rules = [rule(Match(regex=(rf"x{at}-(\pL|[0-9]){{1,30}}",)), name=f"rule {at}") for at in range(40)]
    assert going([image("a", "x39-abc"), image("b", "y-abc")], *rules) == "a"
