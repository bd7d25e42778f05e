"""Every refusal of a file with cases, with its place, its reason and its mend."""

from pathlib import Path

import pytest

from aws_ecr_gc.errors import Misuse
from aws_ecr_gc.policytests import load
from tests.policytests.writing import POLICY, in_file, wrong

IMAGES = {
    "{▸age: 1d, pushed: 2026-01-01, expect: kept}": (".age: says once more what pushed says; leave one of them out"),
    "{age: 1d, pulled: 2026-01-01, ▸pulled_age: 1d, expect: kept}": (
        ".pulled_age: says once more what pulled says; leave one of them out"
    ),
    "▸{expect: kept}": ": does not say when it was pushed; write age: 9d, or pushed: with a time",
    "{▸pushd: 2026-01-01, expect: kept}": ".pushd: is no key that is known here; did you mean pushed?",
    "{age: 1d, ▸by: builds}": ".by: needs expect; write expect: kept or expect: collected beside it",
    "{age: ▸1x, expect: kept}": '.age: "1x" is not a duration; write one such as 9d or 1h30m',
    "{age: ▸9, expect: kept}": ".age: must be a text, is the number 9; write one such as 9d or 1h30m",
    "{age: ▸99999d, expect: kept}": '.age: "99999d" is longer than a hundred years; write a shorter one',
    "{pushed: ▸2026-02-30, expect: kept}": (
        '.pushed: "2026-02-30" is no time of the calendar: day is out of range for month'
    ),
    "{pushed: ▸1826-02-03, expect: kept}": (
        '.pushed: "1826-02-03" is not a time between 1970 and 2999; '
        "write one such as 2026-01-10 or 2026-01-10T06:00:00Z"
    ),
    "{age: 1d, expect: ▸keep}": (
        '.expect: must be archived, collected, deleted, held, kept or retained, is the text "keep"; did you mean kept?'
    ),
    "{age: 1d, expect: kept, status: ▸ACTIVE}": (
        '.status: must be activating, active or archived, is the text "ACTIVE"; write one such as active'
    ),
    "{age: 1d, expect: kept, by: ▸bilds}": (
        '.by: "bilds" is no rule of the policy that fits, and no other reason; did you mean builds?'
    ),
    "{age: 1d, expect: kept, by: ▸zzz}": (
        '.by: "zzz" is no rule of the policy that fits, and no other reason; there are builds, untagged'
    ),
    "{age: 1d, expect: kept, by: ▸no-policy}": (
        '.by: "no-policy" is the reason where no policy fits, and one does; leave it out, or write fits: none'
    ),
    "{age: 1d, expect: kept, subject: ▸chld}": (
        '.subject: no image of this case has the name "chld"; did you mean child?'
    ),
    "{age: 1d, expect: kept, index_of: ▸zzz}": (
        '.index_of: no image of this case has the name "zzz"; write name: zzz on the image that is meant'
    ),
    "{age: 1d, expect: kept, index_of: [child, ▸zzz]}": (
        '.index_of[1]: no image of this case has the name "zzz"; write name: zzz on the image that is meant'
    ),
    '{age: 1d, expect: kept, tags: [▸"sha256-{zzz}.sig"]}': (
        '.tags[0]: no image of this case has the name "zzz"; write name: zzz on the image that is meant'
    ),
    '{age: 1d, expect: kept, tags: ▸"a b"}': (
        '.tags: "a b" is not a tag; write one such as build-1 or "sha256-{child}.sig"'
    ),
    '{age: 1d, expect: kept, tags: [▸"{a b}"]}': (
        '.tags[0]: "{a b}" is not a tag; write one such as build-1 or "sha256-{child}.sig"'
    ),
    "{age: 1d, expect: kept, tags: [x, ▸x]}": (
        '.tags[1]: "x" is a tag of an earlier image too, in line 4; a tag is on one image; write each once'
    ),
    "{age: 1d, expect: kept, tags: ▸build-1}": (
        '.tags: "build-1" is a tag of an earlier image too, in line 4; a tag is on one image; write each once'
    ),
    "{age: 1d, expect: kept, name: ▸child}": (
        '.name: "child" is the name of an earlier image too, in line 4; name each image once'
    ),
    '{age: 1d, expect: kept, name: ▸"a b"}': (
        '.name: "a b" is not a name of letters, digits and _ . -; write one such as child'
    ),
    "{age: 1d, expect: kept, name: a, subject: ▸a}": (
        ".subject: is this image itself: no manifest holds its own digest; name another image"
    ),
    "{age: 1d, expect: kept, index_of: child, media_type: ▸a/b}": (
        '.media_type: "a/b" is the type of no index, and index_of says that it is one; leave one of them out'
    ),
    "{age: 1d, expect: kept, digest: ▸sha256:12}": (
        '.digest: "sha256:12" is not a digest; '
        "write one such as sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    ),
    "{age: 1d, expect: kept, size: ▸-1}": ".size: must be 0 or more, is -1; write 0 or more",
}


@pytest.mark.parametrize("image", IMAGES)
def test_a_mistake_of_an_image_is_told_with_its_place(tmp_path: Path, image: str) -> None:
    first = "{name: child, tags: build-1, age: 9d, expect: kept}"
    text = in_file(f"repository: ci/web, at: 2026-01-10, images: [{first}, {image}]")
    column = text.splitlines()[3].index("▸") + 1
    (line,) = wrong(tmp_path, text.replace("▸", ""))

    assert line == f"tests.yaml:4:{column}: cases[0].images[1]{IMAGES[image]}"


CASES = {
    "repository: ci/web, at: 2026-01-10, images: ▸[]": (
        "cases[0].images: is an empty list; write one such as [{tags: build-1, age: 9d, expect: kept}]"
    ),
    "repository: ci/web, at: ▸2026-13-10, images: [{age: 1d, expect: kept}]": (
        'cases[0].at: "2026-13-10" is no time of the calendar: month must be in 1..12'
    ),
    "repository: ▸CI, at: 2026-01-10, images: [{age: 1d, expect: kept}]": (
        'cases[0].repository: "CI" is not a repository\'s name; write one such as ci/web'
    ),
    "repository: ci/web, at: 2026-01-10, fits: ▸any, images: [{age: 1d, expect: kept}]": (
        'cases[0].fits: must be none, is the text "any"; write one such as none'
    ),
    "repository: ci/web, at: 2026-01-10, fits: none, images: [{age: 1d, expect: kept, by: ▸builds}]": (
        'cases[0].images[0].by: "builds" has no part in it where no policy fits; write by: no-policy, or leave it out'
    ),
    "repository: ci/web, at: 2026-01-10, guards: [▸max_shar], images: [{age: 1d}]": (
        'cases[0].guards[0]: must be keep_at_least, keep_tagged, max_delete or max_share, is the text "max_shar"; '
        "did you mean max_share?"
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_of_a_case_is_told_with_its_place(tmp_path: Path, case: str) -> None:
    text = in_file(case)
    column = text.splitlines()[3].index("▸") + 1

    assert wrong(tmp_path, text.replace("▸", "")) == [f"tests.yaml:4:{column}: {CASES[case]}"]


def test_a_case_that_could_not_fail_is_refused(tmp_path: Path) -> None:
    (line,) = wrong(tmp_path, in_file("repository: ci/web, at: 2026-01-10, images: [{age: 1d}]"))

    assert line == (
        "tests.yaml:4:5: cases[0]: expects nothing, so it could not fail; "
        "write expect: kept or expect: collected on an image"
    )


@pytest.mark.parametrize("slip", ["guard: [], images: [{age: 1d}]", "images: [{age: 1d, exepct: kept}]"])
def test_what_a_slip_may_have_meant_is_not_missed_too(tmp_path: Path, slip: str) -> None:
    (line,) = wrong(tmp_path, in_file(f"repository: ci/web, at: 2026-01-10, {slip}"))

    assert "is no key that is known here; did you mean" in line


def test_a_tag_is_not_longer_than_a_tag_can_be(tmp_path: Path) -> None:
    images = '{name: a, age: 1d, expect: kept, tags: ["{a}{a}"]}, {age: 1d, tags: ["{a}{a}x"]}'
    (line,) = wrong(tmp_path, in_file(f"repository: ci/web, at: 2026-01-10, images: [{images}]"))

    assert "cases[0].images[1].tags[0]: " in line
    assert line.endswith('..." has 129 characters, and a tag has 128 at most; write a shorter one')


def test_a_digest_is_that_of_one_image(tmp_path: Path) -> None:
    digest = f"sha256:{'ab' * 32}"
    images = f"{{age: 1d, digest: {digest}, expect: kept}}, {{age: 1d, digest: {digest}}}"
    (line,) = wrong(tmp_path, in_file(f"repository: ci/web, at: 2026-01-10, images: [{images}]"))

    assert "cases[0].images[1].digest" in line
    assert line.endswith("is the digest of an earlier image too, in line 4; write another one, or leave it out")


def test_a_case_has_a_name_of_its_own(tmp_path: Path) -> None:
    text = in_file("repository: ci/web, at: 2026-01-10, images: [{age: 1d, expect: kept}]")
    again = f"{text}  -{text.partition('  -')[2]}"

    assert wrong(tmp_path, again) == [
        'tests.yaml:5:12: cases[1].name: "a" is the name of an earlier case too, in line 4; name each case once'
    ]


def test_all_mistakes_are_told_at_once_in_their_order_and_the_policy_s_after(tmp_path: Path) -> None:
    text = """\
version: 1
policy: policy.yaml
cases:
  - name: a
    repository: ci/web
    at: 2026-02-30
    images:
      - {tags: a, expect: kept}
      - {tags: a, age: 1d, subject: b}
  - name: a
    repository: ci/web
    image: []
"""
    lines = wrong(tmp_path, text, POLICY.replace("newest: 1", "newest: 0"))

    assert [line.partition(": ")[0] for line in lines] == [
        "tests.yaml:6:9",
        "tests.yaml:8:9",
        "tests.yaml:9:16",
        "tests.yaml:9:37",
        "tests.yaml:10:5",
        "tests.yaml:10:11",
        "tests.yaml:12:5",
        "policy.yaml:5:64",
    ]


def test_rules_are_not_missed_in_a_policy_file_that_is_wrong_itself(tmp_path: Path) -> None:
    text = in_file("repository: ci/web, at: 2026-01-10, images: [{age: 1d, expect: kept, by: bilds}]")
    (line,) = wrong(tmp_path, text, POLICY.replace("version: 1", "version: 2"))

    assert line.startswith("policy.yaml:1:10: version: must be 1")


def test_a_policy_file_that_is_not_there_is_told_where_it_is_named(tmp_path: Path) -> None:
    text = in_file("repository: ci/web, at: 2026-01-10, images: [{age: 1d, expect: kept}]")
    (line,) = wrong(tmp_path, text.replace("policy.yaml", "other.yaml"))

    assert line == (
        f"tests.yaml:2:9: policy: {tmp_path}/other.yaml: can't be read: No such file or directory; "
        "give the path of a policy file"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "tests.yaml:1:1: must be a mapping, is empty; begin with version: 1"),
        ("version: 1\n x: 2", "tests.yaml:2:3: not YAML: "),
        ("version: 1\ncases: []\npolicy: 5", "tests.yaml:2:8: cases: is an empty list; write one such as "),
    ],
)
def test_what_is_no_file_with_cases_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    assert wrong(tmp_path, text)[0].startswith(expected)


def test_a_file_that_is_not_there_or_too_large_is_misuse(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="give the path of a file with cases"):
        load(tmp_path / "nowhere.yaml")
    large = tmp_path / "large.yaml"
    large.write_text("#" * (1 << 20) + "\n")
    with pytest.raises(Misuse, match=r"split it$"):
        load(large)


@pytest.mark.parametrize(
    "images",
    ["7", "[7]", "{a: 1}", "[{tags: {a: 1}, index_of: 5, name: [a], digest: 3, subject: 1}]", "[[]]", "~"],
)
def test_whatever_stands_for_images_there_is_an_answer(tmp_path: Path, images: str) -> None:
    assert wrong(tmp_path, in_file(f"repository: ci/web, at: 2026-01-10, images: {images}"))
