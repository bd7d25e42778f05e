"""What holds for every case: laws before examples."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from aws_ecr_gc.inventory import INDEX_TYPES, Image
from aws_ecr_gc.plan import Decision, Verdict
from aws_ecr_gc.policy import Policy, make_plan
from aws_ecr_gc.policy.guards import refusals
from aws_ecr_gc.policyfile import dump, load
from aws_ecr_gc.policytests import CaseFile, parse
from tests.policy.repositories import NOW, images, inventory_of, policies
from tests.policyfile.documents import Plain
from tests.policytests.writing import judgements


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("laws")


class Drawn(NamedTuple):
    """Repositories, and the cases that say of each what the policy makes of it."""

    repositories: list[list[Image]]
    cases: list[Plain]

    def read(self, directory: Path) -> CaseFile:
        content = {"version": 1, "policy": "policy.yaml", "cases": self.cases}
        return parse(json.dumps(content).encode(), directory / "tests.json")


def with_time_zones_where_days_count(policy: Policy) -> Policy:
    """A time zone without periods means nothing, and a policy file refuses it."""
    rules = [
        rule
        if rule.keep.periods or rule.keep.within
        else structs.replace(rule, keep=structs.replace(rule.keep, timezone="UTC"))
        for rule in policy.rules
    ]
    return structs.replace(policy, rules=tuple(rules))


def with_each_tag_once(repository: list[Image]) -> list[Image]:
    """As in ECR; the repositories that are drawn do not take it so seriously."""
    taken: set[str] = set()
    kept = []
    for image in repository:
        kept.append(structs.replace(image, tags=tuple(tag for tag in image.tags if tag not in taken)))
        taken.update(image.tags)
    return kept


def moment(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat()


def written(image: Image) -> Plain:
    """An image as a case states it."""
    return {
        "digest": image.digest,
        "tags": list(image.tags),
        "pushed": moment(image.pushed_at),
        "media_type": image.media_type,
        "status": image.status.lower(),
        **({} if image.pulled_at is None else {"pulled": moment(image.pulled_at)}),
        **({} if image.archived_at is None else {"archived": moment(image.archived_at)}),
        **({} if image.activated_at is None else {"activated": moment(image.activated_at)}),
        **({} if image.subject is None else {"subject": image.subject}),
        **(
            {"index_of": list(image.children)} if image.media_type in INDEX_TYPES and image.children is not None else {}
        ),
    }


def expected(draw: st.DrawFn, decision: Decision) -> Plain:
    """What is true of a decision."""
    broad = Verdict.COLLECTED if decision.verdict is Verdict.COLLECTED else "kept"
    by = draw(st.none() | st.sampled_from(sorted({reason.rule for reason in decision.reasons})))
    return {"expect": draw(st.sampled_from([decision.verdict, broad])), **({} if by is None else {"by": by})}


@st.composite
def true_cases(draw: st.DrawFn, policy: Policy) -> Drawn:
    """Cases that say what the policy does."""
    repositories, cases = [], []
    for number in range(draw(st.integers(1, 2))):
        repository = with_each_tag_once(draw(images().filter(bool)))
        plan = make_plan(inventory_of(repository), policy, NOW)
        decisions = {decision.image.digest: decision for decision in plan.decisions}
        case = {
            "name": f"case {number}",
            "repository": "some/name",
            "at": moment(NOW),
            "images": [{**written(image), **expected(draw, decisions[image.digest])} for image in repository],
        }
        if draw(st.booleans()):
            case["guards"] = [refusal.guard for refusal in refusals(plan, policy.guards)]
        repositories.append(repository)
        cases.append(case)
    return Drawn(repositories, cases)


def in_a_file(policy: Policy, directory: Path) -> Policy:
    """The policy as it comes back from the file that the cases name."""
    path = directory / "policy.yaml"
    path.write_text(dump(with_time_zones_where_days_count(policy), None))
    read = load(path).policy_for("some/name", dict)
    assert read is not None
    return read


@given(policies.filter(lambda policy: policy.rules), st.data())
def test_a_case_that_says_what_the_plan_decides_passes(directory: Path, policy: Policy, data: st.DataObject) -> None:
    drawn = data.draw(true_cases(in_a_file(policy, directory)))
    file = drawn.read(directory)

    assert [dict(case.inventory.images) for case, _ in file.cases] == [
        {image.digest: image for image in repository} for repository in drawn.repositories
    ]
    assert all(judgement.passed for judgement in judgements(file))


@given(policies.filter(lambda policy: policy.rules), st.data())
def test_turning_one_expectation_fails_that_case_and_no_other(
    directory: Path, policy: Policy, data: st.DataObject
) -> None:
    drawn = data.draw(true_cases(in_a_file(policy, directory)))
    turned = data.draw(st.integers(0, len(drawn.cases) - 1))
    image = data.draw(st.integers(0, len(drawn.cases[turned]["images"]) - 1))
    part = drawn.cases[turned]["images"][image]
    part["expect"] = "kept" if part["expect"] == "collected" else "collected"
    judged = judgements(drawn.read(directory))

    assert [judgement.passed for judgement in judged] == [number != turned for number in range(len(drawn.cases))]
    assert [each.passed for each in judged[turned].images] == [
        place != image for place in range(len(drawn.cases[turned]["images"]))
    ]


@given(policies.filter(lambda policy: policy.rules), st.data())
def test_another_reason_than_the_decision_has_fails(directory: Path, policy: Policy, data: st.DataObject) -> None:
    policy = in_a_file(policy, directory)
    drawn = data.draw(true_cases(policy))
    part = data.draw(st.sampled_from([image for case in drawn.cases for image in case["images"]]))
    part["by"] = data.draw(st.sampled_from(["circle", *(rule.name for rule in policy.rules)]))
    for case, judgement in zip(drawn.cases, judgements(drawn.read(directory)), strict=True):
        for image, judged in zip(case["images"], judgement.images, strict=True):
            if image is part:
                assert judged.passed is (part["by"] in {reason.rule for reason in judged.decision.reasons})
            else:
                assert judged.passed


@given(policies.filter(lambda policy: policy.rules), st.data())
def test_the_order_of_images_is_of_no_account(directory: Path, policy: Policy, data: st.DataObject) -> None:
    drawn = data.draw(true_cases(in_a_file(policy, directory)))
    for case in drawn.cases:
        case["images"] = data.draw(st.permutations(case["images"]))
        for image in case["images"]:  # what is held by an index and a subject says one of them: which, is not said
            image.pop("by", None)

    assert all(judgement.passed for judgement in judgements(drawn.read(directory)))
