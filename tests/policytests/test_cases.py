"""What a file with cases means, in every format."""

from pathlib import Path

import jsonschema
import pytest

from aws_ecr_gc.inventory import Status
from aws_ecr_gc.plan import Verdict
from aws_ecr_gc.policytests import Case, load, parse, schema
from tests.policyfile.documents import WRITERS, Plain
from tests.policytests.writing import EXAMPLE, HERE, POLICY, example, in_file, judgements, one_case, read


def test_the_example_holds() -> None:
    assert [judgement.passed for judgement in judgements(load(EXAMPLE))] == [True] * 7


def test_the_example_shows_every_field_there_is() -> None:
    definitions = schema()["$defs"]
    shown = {"ImagePart": set[str](), "CasePart": set[str](), "DocumentPart": set(example())}
    for case in example()["cases"]:
        shown["CasePart"].update(case)
        for image in case["images"]:
            shown["ImagePart"].update(image)

    assert shown == {name: set(definitions[name]["properties"]) for name in shown}


def test_the_schema_takes_the_example_and_describes_all_of_it() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.Draft202012Validator(schema()).validate(example())
    for definition in schema()["$defs"].values():
        assert definition["description"]
        for name, member in definition["properties"].items():
            assert member.get("description"), name


@pytest.mark.parametrize(
    "image",
    [
        {"expect": "kept"},
        {"age": "1d", "pushed": "2026-01-01", "expect": "kept"},
        {"age": "1d", "pulled": "2026-01-01", "pulled_age": "1d", "expect": "kept"},
        {"age": "1d", "by": "builds"},
        {"age": "1d", "tags": ["a b"], "expect": "kept"},
        {"age": "1d", "subject": "sha256:1", "expect": "kept"},
        {"age": "1d", "status": "ACTIVE", "expect": "kept"},
    ],
)
def test_the_schema_refuses_what_contradicts_itself(image: Plain) -> None:
    case = {"name": "a", "repository": "ci/web", "at": "2026-01-10", "images": [image]}
    content = {"version": 1, "policy": "p.yaml", "cases": [case]}

    assert not jsonschema.Draft202012Validator(schema()).is_valid(content)


@pytest.mark.parametrize("suffix", WRITERS)
def test_the_example_means_the_same_in_every_format(suffix: str) -> None:
    file = parse(WRITERS[suffix](example()).encode(), HERE / f"example{suffix}")

    assert [(meaning(case), policy) for case, policy in file.cases] == [
        (meaning(case), policy) for case, policy in load(EXAMPLE).cases
    ]


def meaning(case: Case) -> list[object]:
    """All but the lines."""
    expectations = [(each.digest, each.expect, each.by) for each in case.expectations]
    return [case.name, case.inventory, case.labels, expectations, case.guards, case.unfit]


def test_toml_may_write_its_own_dates_and_times(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text((HERE / "example-policy.yaml").read_text())
    text = """
version = 1
policy = "policy.yaml"
[[cases]]
name = 2026-01-09
repository = "ci/web"
at = 2026-01-10
[[cases.images]]
pushed = 2026-01-08T12:00:00.5+01:00
pulled = 2026-01-09 06:00:00
expect = "kept"
"""
    ((case, _),) = parse(text.encode(), tmp_path / "tests.toml").cases
    (image,) = case.inventory.images.values()

    assert (case.name, case.at) == ("2026-01-09", 1768003200.0)
    assert (image.pushed_at, image.pulled_at) == (1767870000.5, 1767938400.0)


def test_what_an_image_does_not_state_has_a_default(tmp_path: Path) -> None:
    text = "repository: ci/web, at: 2026-01-10, images: [{age: 1d, expect: kept}, {name: b, age: 1d, index_of: []}]"
    ((case, _),) = read(tmp_path, in_file(text)).cases
    first, index = case.inventory.images.values()

    assert first.media_type == "application/vnd.oci.image.manifest.v1+json"
    assert index.media_type == "application/vnd.oci.image.index.v1+json"
    assert (first.tags, first.status, first.size, first.children) == ((), Status.ACTIVE, 0, ())
    assert (first.pulled_at, first.subject, first.artifact_type) == (None, None, None)
    assert first.digest != index.digest
    assert list(case.labels.values()) == ["images[0]", "b"]


def test_only_an_index_that_is_not_active_may_hold_nobody_knows_what(tmp_path: Path) -> None:
    media_type = "media_type: application/vnd.oci.image.index.v1+json"
    images = f"{{age: 1d, {media_type}, expect: kept}}, {{age: 1d, {media_type}, status: archived}}"
    ((case, _),) = read(tmp_path, in_file(f"repository: ci/web, at: 2026-01-10, images: [{images}]")).cases

    assert [image.children for image in case.inventory.images.values()] == [(), None]


def test_one_text_may_stand_for_a_list_of_it(tmp_path: Path) -> None:
    case = "repository: ci/web, at: 2026-01-10, guards: {}, images: [{{name: a, age: 2d}}, {{age: 2d, index_of: {}}}]"
    judged = [one_case(tmp_path, case.format(*each)) for each in (("max_share", "a"), ("[max_share]", "[a]"))]

    assert meaning(judged[0].case) == meaning(judged[1].case)


@pytest.mark.parametrize(
    ("expect", "passes"),
    [("kept", True), ("retained", False), ("held", True), ("collected", False)],
)
def test_kept_is_retained_or_held(tmp_path: Path, expect: str, passes: bool) -> None:
    images = f"{{tags: build-1, age: 9d, index_of: a}}, {{name: a, age: 9d, expect: {expect}}}"
    judgement = one_case(tmp_path, f"repository: ci/web, at: 2026-01-10, images: [{images}]")

    assert judgement.images[0].decision.verdict is Verdict.HELD
    assert judgement.passed is passes


def test_a_case_fails_where_no_policy_fits_unless_it_says_so(tmp_path: Path) -> None:
    case = "repository: {}, at: 2026-01-10, images: [{{tags: build-1, age: 9d, expect: kept}}]"
    fitting = one_case(tmp_path, case.format("ci/web"))
    unfit = one_case(tmp_path, case.format("web"))
    expected = one_case(tmp_path, case.format("web, fits: none"))
    not_expected = one_case(tmp_path, case.format("ci/web, fits: none"))

    assert [each.passed for each in (fitting, unfit, expected, not_expected)] == [True, False, True, False]
    assert [reason.rule for reason in unfit.images[0].decision.reasons] == ["no-policy"]
    assert unfit.images[0].passed


def test_guards_are_looked_at_where_they_are_stated(tmp_path: Path) -> None:
    case = "repository: ci/web, at: 2026-01-10, images: [{{age: 9d}}, {{age: 9d, expect: collected}}]{}"
    stated = ["", ", guards: []", ", guards: max_share", ", guards: [max_share, keep_at_least]"]
    judged = [one_case(tmp_path, case.format(each)) for each in stated]

    assert [each.passed for each in judged] == [True, False, False, True]
    assert judged[0].guards is None


def test_the_guard_of_tagged_images_can_be_expected_too(tmp_path: Path) -> None:
    none = POLICY.replace("{newest: 1}", "none")
    images = "[{tags: build-1, age: 9d}, {age: 2h}]"
    case = f"repository: ci/web, at: 2026-01-10, images: {images}, guards: "
    judged = [one_case(tmp_path, case + each, none) for each in ("keep_tagged", "[]", "keep_at_least")]

    assert [each.passed for each in judged] == [True, False, False]
