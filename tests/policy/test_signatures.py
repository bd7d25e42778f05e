"""Signatures that name by their tag what they sign: cosign's endings, and the fallback of OCI's referrers API."""

import pytest

from aws_ecr_gc.inventory import Image
from aws_ecr_gc.plan import Leftover, Verdict
from aws_ecr_gc.policy import Keep, Match, Policy, Signatures, make_plan
from tests.policy.cases import ALL, HOUR, decision, details, going, image, plan, reasons, rule
from tests.policy.repositories import INDEX, NOW, digest, inventory_of

BUILDS = rule(Match(prefix=("build",)), Keep(newest=1), name="builds")
UNTAGGED = rule(Match(untagged=True), name="untagged")
FORMS = pytest.mark.parametrize("ending", [".sig", ".att", ".sbom"])


def tag_for(signed: str, ending: str = ".sig") -> str:
    return f"sha256-{digest(signed).removeprefix('sha256:')}{ending}"


def old_and_new(*more: Image) -> list[Image]:
    """a goes, and b stays."""
    return [image("a", "build-1", ago=9 * HOUR), image("b", "build-2", ago=8 * HOUR), *more]


@FORMS
def test_a_signature_goes_with_what_it_signs_and_stays_while_that_stays(ending: str) -> None:
    images = old_and_new(image("s", tag_for("a", ending), ago=HOUR), image("t", tag_for("b", ending), ago=HOUR))
    assert going(images, BUILDS) == "as"
    assert [(each.rule, each.detail, each.via) for each in reasons(images, "s", BUILDS)] == [
        ("goes-with-subject", "its subject goes", digest("a"))
    ]
    held = decision(images, "t", BUILDS)
    assert held.verdict is Verdict.HELD
    assert [(each.rule, each.detail, each.via) for each in held.reasons] == [
        ("referrer-of-subject", "its subject stays", digest("b"))
    ]


def test_what_is_signed_goes_in_an_earlier_wave_than_its_signature() -> None:
    steps = plan(old_and_new(image("s", tag_for("a"), ago=HOUR)), BUILDS).steps
    assert [(step.digest, step.wave, step.after) for step in steps] == [
        (digest("a"), 0, ()),
        (digest("s"), 1, (digest("a"),)),
    ]
    assert steps[1].subjects == (digest("a"),)


@FORMS
def test_a_signature_never_counts_though_a_rule_matches_its_tag(ending: str) -> None:
    images = old_and_new(image("s", tag_for("b", ending), ago=HOUR))
    everything = rule(Match(glob=("*",)), Keep(newest=2), name="all")
    assert going(images, everything) == ""
    assert details(images, "a", everything) == ["2nd of 2; kept by newest 2"]
    assert going(images, rule(ALL, Keep(newest=2))) == ""


def test_a_signature_is_held_though_a_rule_would_collect_its_tag() -> None:
    images = old_and_new(image("s", tag_for("b"), ago=HOUR))
    assert going(images, BUILDS, rule(Match(glob=("sha256-*",))), UNTAGGED) == "a"


def test_a_signature_goes_with_what_it_signs_though_a_rule_would_keep_its_tag() -> None:
    images = old_and_new(image("s", tag_for("a"), ago=HOUR))
    assert going(images, BUILDS, rule(Match(glob=("sha256-*",)), Keep(newest=9))) == "as"


def test_the_fallback_index_goes_with_what_it_is_named_after_and_takes_its_children_along() -> None:
    images = old_and_new(
        image("i", tag_for("a", ""), ago=HOUR, children="r"),
        image("r", ago=2 * HOUR, subject=digest("a")),
        image("j", tag_for("b", ""), ago=HOUR, children="q"),
        image("q", ago=2 * HOUR, subject=digest("b")),
    )
    assert going(images, BUILDS) == "air"
    assert [step.digest for step in plan(images, BUILDS).steps] == [digest(name) for name in "air"]


def test_a_bare_name_on_what_is_no_index_is_a_tag_like_others() -> None:
    images = old_and_new(image("s", tag_for("a", ""), ago=HOUR))
    assert going(images, BUILDS) == "a"
    assert reasons(images, "s", BUILDS)[0].rule == "unmatched-tag"
    assert going(images, BUILDS, rule(Match(glob=("sha256-*",)))) == "as"


@pytest.mark.parametrize(
    "tag",
    [
        tag_for("a").upper(),
        tag_for("a")[:-5] + ".sig",
        tag_for("a") + "x",
        tag_for("a", ".spdx"),
        "x" + tag_for("a"),
        tag_for("a").replace("sha256-", "sha512-"),
        tag_for("s"),
    ],
)
def test_what_only_looks_like_a_signature_is_a_tag_like_others(tag: str) -> None:
    """The last one names the image itself."""
    images = old_and_new(image("s", tag, ago=HOUR))
    assert going(images, BUILDS, UNTAGGED) == "a"
    assert [(each.rule, each.via) for each in reasons(images, "s", BUILDS, UNTAGGED)] == [("unmatched-tag", tag)]


def test_an_index_that_lists_what_it_is_named_after_stays_as_neither_can_go_first() -> None:
    images = old_and_new(image("i", tag_for("a", ""), ago=HOUR, children="a"))
    assert going(images, BUILDS, UNTAGGED) == ""
    images = old_and_new(image("i", tag_for("c", ""), ago=HOUR, children="c"), image("c"))
    assert going(images, BUILDS, UNTAGGED) == "a"
    assert [reasons(images, name, BUILDS, UNTAGGED)[0].rule for name in "ci"] == ["circle", "circle"]


def test_images_that_sign_one_another_stay_as_neither_can_go_first() -> None:
    images = old_and_new(image("s", tag_for("t"), ago=HOUR), image("t", tag_for("s"), ago=HOUR))
    assert going(images, BUILDS, UNTAGGED) == "a"
    assert reasons(images, "s", BUILDS, UNTAGGED)[0].rule == "circle"


def test_a_tag_that_names_what_is_not_here_is_one_like_others_for_it_may_never_have_been_here() -> None:
    """A repository of signatures alone, or of indexes mirrored under the digests of another registry."""
    images = old_and_new(image("s", tag_for("z"), ago=2 * HOUR), image("i", tag_for("z", ""), ago=HOUR, children="r"))
    images.append(image("r", ago=2 * HOUR))
    assert going(images, BUILDS, UNTAGGED) == "a"
    assert [(each.rule, each.via) for each in reasons(images, "s", BUILDS, UNTAGGED)] == [
        ("unmatched-tag", tag_for("z"))
    ]
    orphans = rule(Match(glob=("sha256-*",)), Keep(younger_than=90 * 60), name="orphans")
    assert going(images, BUILDS, orphans) == "as"


def test_a_rule_for_signature_tags_decides_about_those_alone_that_follow_nothing() -> None:
    images = old_and_new(image("s", tag_for("b"), ago=HOUR), image("t", tag_for("z"), ago=2 * HOUR))
    orphans = rule(Match(glob=("sha256-*",)), name="orphans")
    assert going(images, BUILDS, orphans) == "at"


def test_a_signature_that_an_interrupted_run_left_over_goes_though_its_subject_is_gone() -> None:
    signature = image("s", tag_for("z"), ago=HOUR)
    record = Leftover(signature.digest, signature.tags, signature.pushed_at, (digest("z"),))
    steps = make_plan(inventory_of([signature]), Policy((BUILDS,), grace=0.0), NOW, [record]).steps
    assert [step.digest for step in steps] == [signature.digest]
    tagged = image("s", tag_for("z"), "new", ago=HOUR)
    assert not make_plan(inventory_of([tagged]), Policy((BUILDS,), grace=0.0), NOW, [record]).steps


def test_a_signature_with_an_unmatched_tag_beside_is_not_touched() -> None:
    images = old_and_new(image("s", tag_for("a"), "stable", ago=HOUR))
    assert going(images, BUILDS, UNTAGGED) == "a"
    assert [each.via for each in reasons(images, "s", BUILDS)] == ["stable"]


def test_a_signature_with_an_unmatched_tag_beside_holds_nothing_and_counts_among_its_other_tags() -> None:
    images = old_and_new(image("s", tag_for("a"), "stable", "build-3", ago=60))
    assert going(images, BUILDS, grace=HOUR) == "ab"
    assert going(images, BUILDS, protect_tags=("build-1",)) == "b"


def test_a_signature_with_a_matched_tag_beside_is_held_and_decided_by_that_tag_once_its_subject_goes() -> None:
    images = old_and_new(image("s", tag_for("a"), "build-3", ago=HOUR))
    assert going(images, rule(Match(prefix=("build",)), Keep(newest=2))) == ""
    assert decision(images, "s", rule(Match(prefix=("build",)), Keep(newest=2))).verdict is Verdict.HELD
    assert going(images, BUILDS) == "ab", "then it is the newest build"
    assert going(images, rule(Match(prefix=("build",)), name="none")) == "abs"


def test_what_signs_two_images_goes_only_with_the_last_of_them() -> None:
    images = old_and_new(image("s", tag_for("a"), tag_for("b"), ago=HOUR))
    assert going(images, BUILDS, UNTAGGED) == "a"
    none = rule(Match(prefix=("build",)))
    assert going(images, none) == "abs"
    step = plan(images, none).steps[-1]
    assert (step.digest, set(step.after)) == (digest("s"), {digest("a"), digest("b")})


def test_a_signature_of_a_signature_follows_through_it() -> None:
    images = old_and_new(image("s", tag_for("a", ".sbom"), ago=3 * HOUR), image("t", tag_for("s"), ago=HOUR))
    assert going(images, BUILDS) == "ast"
    assert [step.wave for step in plan(images, BUILDS).steps] == [0, 1, 2]
    assert going(images, rule(Match(prefix=("build",)), Keep(newest=2)), UNTAGGED) == ""


def test_a_signature_of_a_referrer_follows_through_it() -> None:
    images = old_and_new(image("r", ago=3 * HOUR, subject=digest("a")), image("t", tag_for("r"), ago=HOUR))
    assert going(images, BUILDS) == "art"


def test_the_signature_of_an_indexs_child_follows_the_child() -> None:
    images = [
        image("c", ago=9 * HOUR),
        image("i", "build-1", ago=8 * HOUR, children="c"),
        image("s", tag_for("c"), ago=7 * HOUR),
        image("d", ago=6 * HOUR),
        image("j", "build-2", ago=5 * HOUR, children="d"),
        image("t", tag_for("d"), ago=4 * HOUR),
    ]
    assert going(images, BUILDS, UNTAGGED) == "cis"
    assert [step.digest for step in plan(images, BUILDS).steps] == [digest(name) for name in "ics"]
    assert [each.rule for each in decision(images, "t", BUILDS).reasons] == ["referrer-of-subject"]


def test_an_index_may_list_a_signature_which_then_stays_with_either() -> None:
    images = old_and_new(image("s", tag_for("a"), ago=HOUR), image("i", "build-3", ago=HOUR / 2, children="s"))
    assert going(images, BUILDS) == "ab"


def test_a_signature_of_what_is_not_managed_stays() -> None:
    images = [image("a", "stable"), image("s", tag_for("a"), ago=HOUR)]
    assert going(images, BUILDS, UNTAGGED) == ""


def test_left_alone_a_signature_needs_a_rule_that_matches_its_tag() -> None:
    images = old_and_new(image("s", tag_for("a"), ago=HOUR))
    assert going(images, BUILDS, UNTAGGED, signatures=Signatures.LEAVE) == "a"
    assert reasons(images, "s", BUILDS, signatures=Signatures.LEAVE)[0].via == tag_for("a")


def test_left_alone_a_signature_never_goes_before_what_it_signs_though_a_rule_matches_it() -> None:
    images = old_and_new(image("s", tag_for("a"), ago=HOUR), image("t", tag_for("b"), ago=HOUR))
    matching = rule(Match(glob=("sha256-*.sig",)), name="signatures")
    assert going(images, BUILDS, matching, signatures=Signatures.LEAVE) == "as"
    steps = plan(images, BUILDS, matching, signatures=Signatures.LEAVE).steps
    assert [(step.digest, step.wave) for step in steps] == [(digest("a"), 0), (digest("s"), 1)]
    assert decision(images, "t", BUILDS, matching, signatures=Signatures.LEAVE).verdict is Verdict.HELD


def test_left_alone_a_signature_whose_subject_is_gone_is_decided_by_its_tag() -> None:
    images = [image("s", tag_for("z"), ago=2 * HOUR), image("t", tag_for("z", ".att"), ago=HOUR)]
    matching = rule(Match(glob=("sha256-*",)), Keep(newest=1))
    assert going(images, matching, UNTAGGED, signatures=Signatures.LEAVE) == "s"
    assert going(images, UNTAGGED, signatures=Signatures.LEAVE) == ""


def test_an_archived_subject_holds_its_signature() -> None:
    images = [image("a", "build-1", status="ARCHIVED"), image("s", tag_for("a"), ago=HOUR)]
    assert going(images, BUILDS, UNTAGGED) == ""


def test_a_signature_of_an_unknown_kind_stays() -> None:
    assert going(old_and_new(image("s", tag_for("a"), media_type="application/x")), BUILDS, UNTAGGED) == "a"


def test_a_bare_name_on_an_index_without_children_is_a_signature_too() -> None:
    assert going(old_and_new(image("s", tag_for("a", ""), ago=HOUR, media_type=INDEX)), BUILDS) == "as"
